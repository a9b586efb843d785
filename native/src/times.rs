//! Times of events as Unix nanoseconds: the usual text of RFC 3339, and numbers since the epoch.

use crate::record::Value;

const SECOND_NS: i64 = 1_000_000_000;
const MILLISECOND_NS: i64 = 1_000_000;
const DAY_MS: i64 = 86_400_000;

/// How far from its record's time the time of an event may be.
pub struct Times {
    pub past_ms: i64,
    pub future_ms: i64,
}

impl Times {
    /// The time of a row: the event's own, else the record's. None if either is out of the ordinary.
    pub fn of_row(&self, event_ns: Option<i64>, record_ms: i64) -> Option<i64> {
        let latest_ms = i64::MAX / MILLISECOND_NS - self.future_ms;
        if !(-DAY_MS..=latest_ms).contains(&record_ms) {
            return None;
        }
        let record_ns = record_ms * MILLISECOND_NS;
        let earliest = record_ns.saturating_sub(self.past_ms.saturating_mul(MILLISECOND_NS));
        let latest = record_ns + self.future_ms * MILLISECOND_NS;
        let time_ns = event_ns.unwrap_or(record_ns);
        (earliest..=latest).contains(&time_ns).then_some(time_ns)
    }
}

/// The time that a value says, if it is in one of the forms that all readers of times agree on.
pub fn time_of(value: &Value) -> Option<i64> {
    match value {
        Value::Text(text) => of_rfc3339(text.as_bytes()),
        Value::Integer(number) if !is_calendar(*number) => {
            number.checked_mul(unit_ns(|limit| number.unsigned_abs() < limit))
        }
        Value::Float(number) => of_float(*number),
        _ => None,
    }
}

/// The nanoseconds of the unit that a number counts in, by its size: as in `app/domain/times/numbers.py`.
fn unit_ns(is_below: impl Fn(u64) -> bool) -> i64 {
    const LIMITS: [(u64, i64); 3] =
        [(10_u64.pow(11), SECOND_NS), (10_u64.pow(14), MILLISECOND_NS), (10_u64.pow(17), 1000)];
    LIMITS.iter().find(|(limit, _)| is_below(*limit)).map_or(1, |(_, unit)| *unit)
}

/// Whether a number is more likely the digits of a date and a time.
fn is_calendar(number: i64) -> bool {
    [10_000_000_000, 10_000_000_000_000].iter().any(|unit| (1900..2100).contains(&number.div_euclid(*unit)))
}

/// A float holds whole microseconds, rounded half to even as Python does.
fn of_float(number: f64) -> Option<i64> {
    let unit = unit_ns(|limit| number.abs() < limit as f64);
    let micros = (number * unit as f64 / 1000.0).round_ties_even();
    (micros.abs() < 9e15).then_some(micros as i64 * 1000)
}

/// `2026-11-30T11:37:46.491Z`, with up to nine digits of a second, or with `+01:00`.
fn of_rfc3339(text: &[u8]) -> Option<i64> {
    let (date_and_clock, rest) = text.split_at_checked(19)?;
    let [y1, y2, y3, y4, b'-', o1, o2, b'-', d1, d2, b'T' | b' ', h1, h2, b':', m1, m2, b':', s1, s2] = date_and_clock
    else {
        return None;
    };
    let year = two(*y1, *y2)? * 100 + two(*y3, *y4)?;
    let (month, day) = (two(*o1, *o2)?, two(*d1, *d2)?);
    let (hour, minute, second) = (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?);
    let is_valid =
        (1970..2262).contains(&year) && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    if !is_valid || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, zone) = fraction(rest)?;
    let seconds = ((days_before(year, month) + day - 1) * 24 + hour) * 3600 + minute * 60 + second;
    Some((seconds - offset(zone)?) * SECOND_NS + nanos)
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let is_number = tens.is_ascii_digit() && ones.is_ascii_digit();
    is_number.then(|| i64::from((tens - b'0') * 10 + (ones - b'0')))
}

/// The nanoseconds of a fraction of a second, and what stands behind it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let count = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let (digits, rest) = digits.split_at(count);
    let number = digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    Some((number * 10_i64.pow(9 - count as u32), rest))
}

/// The seconds by which a zone is ahead of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, digits) = match zone {
        b"Z" => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let [h1, h2, b':', m1, m2] = digits else {
        return None;
    };
    let (hours, minutes) = (two(*h1, *h2)?, two(*m1, *m2)?);
    (hours <= 14 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days from 1970 to the first of a month.
fn days_before(year: i64, month: i64) -> i64 {
    const OF_MONTHS: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let last = year - 1;
    let leap_days = last / 4 - last / 100 + last / 400 - 477;
    (year - 1970) * 365 + leap_days + OF_MONTHS[month as usize - 1] + i64::from(month > 2 && is_leap(year))
}
