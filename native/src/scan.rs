//! The texts and numbers that most events have.

/// The length of a text up to its closing quote, of what stands behind the opening one; none if something is escaped in
/// it, or it is no text of JSON.
pub fn end_of_text(bytes: &[u8]) -> Option<usize> {
    let length = special(bytes)?;
    (bytes[length] == b'"').then_some(length)
}

/// Where the first byte is that ends a text, begins an escape, or must not be in a text; eight bytes at once.
fn special(bytes: &[u8]) -> Option<usize> {
    let mut chunks = bytes.chunks_exact(8);
    let mut at = 0;
    for chunk in chunks.by_ref() {
        let eight = u64::from_le_bytes(chunk.try_into().ok()?);
        // With one bit flipped a quote is the neighbour of the bytes that must not be in a text.
        let found = below(eight ^ (ONES * 2), 0x21) | below(eight ^ (ONES * u64::from(b'\\')), 1);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    chunks.remainder().iter().position(is_special).map(|place| at + place)
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const TOPS: u64 = ONES << 7;

/// The top bit of the first byte below a limit, and perhaps of bytes behind it.
fn below(eight: u64, limit: u64) -> u64 {
    eight.wrapping_sub(ONES * limit) & !eight & TOPS
}

/// With this many characters, no number without its point is beyond the integers that floats hold exactly.
const MOST_CHARACTERS: usize = 15;
const POWERS: [f64; 15] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];

/// A number that is not long and has no exponent.
pub struct Short {
    /// With its sign, and without its point.
    pub digits: i64,
    /// How many digits stand behind the point.
    pub decimals: usize,
    /// Of its text.
    pub length: usize,
}

impl Short {
    /// The number that some JSON begins with, if it is one.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let is_negative = *bytes.first()? == b'-';
        let start = usize::from(is_negative);
        let (mut number, mut end) = digits(bytes, start, 0)?;
        let begins_with_zero = bytes[start] == b'0' && end > start + 1;
        let mut decimals = 0;
        if bytes.get(end) == Some(&b'.') {
            let point = end;
            (number, end) = digits(bytes, point + 1, number)?;
            decimals = end - point - 1;
        }
        let is_short = end - start <= MOST_CHARACTERS && !matches!(bytes.get(end), Some(b'e' | b'E'));
        let is_usual = is_short && !begins_with_zero && (number != 0 || !is_negative);
        is_usual.then_some(Self { digits: if is_negative { -number } else { number }, decimals, length: end })
    }

    /// Both parts are exact, so their quotient is the float that is nearest to the decimal number.
    pub fn float(&self) -> f64 {
        self.digits as f64 / POWERS[self.decimals]
    }
}

/// The number that goes on with the digits from a place on, of which there is at least one, and where they end.
fn digits(bytes: &[u8], start: usize, before: i64) -> Option<(i64, usize)> {
    let (mut number, mut at) = (before, start);
    while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
        at += 1;
    }
    (at > start).then_some((number, at))
}
