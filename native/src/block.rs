//! Texts of Arrow in the form in which ClickHouse's format Native has them (`app/backends/clickhouse/text_forms.py`).

use std::collections::HashMap;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::buffer::Buffer;

const OFFSET_BYTES: usize = size_of::<i32>();
const RECENT: usize = 256;
const NONE: u32 = u32::MAX;

/// An address for no bytes: to compare them takes a processor 140 ns where there is no memory, as at that of `&[]`.
static NOTHING: [u8; 1] = [0];

/// The texts one behind the other, each with its length before it.
#[pyfunction]
pub fn with_lengths(offsets: PyBuffer<u8>, data: PyBuffer<u8>) -> PyResult<Buffer> {
    let texts = Texts::new(bytes(&offsets)?, bytes(&data)?);
    let mut written = Vec::with_capacity(texts.data.len() + 2 * texts.len());
    texts.iter().for_each(|text| push(&mut written, text));
    Ok(Buffer::of(written))
}

/// How many different texts there are, these with their lengths, and for each text which one it is.
///
/// The numbers are as wide as they have to be: 1, 2 or 4 bytes.
#[pyfunction]
pub fn few_values(offsets: PyBuffer<u8>, data: PyBuffer<u8>) -> PyResult<(usize, Buffer, Buffer)> {
    let texts = Texts::new(bytes(&offsets)?, bytes(&data)?);
    let (values, numbers) = distinct(&texts);
    let mut written = Vec::new();
    values.iter().for_each(|text| push(&mut written, text));
    let numbers = if values.len() <= 1 << 8 {
        Buffer::of(numbers.iter().map(|&number| number as u8).collect())
    } else if values.len() <= 1 << 16 {
        Buffer::of(numbers.iter().map(|&number| number as u16).collect())
    } else {
        Buffer::of(numbers)
    };
    Ok((values.len(), Buffer::of(written), numbers))
}

/// Texts in Arrow's layout.
struct Texts<'a> {
    offsets: &'a [u8],
    data: &'a [u8],
}

impl<'a> Texts<'a> {
    fn new(offsets: &'a [u8], data: &'a [u8]) -> Self {
        Self { offsets, data }
    }

    fn len(&self) -> usize {
        (self.offsets.len() / OFFSET_BYTES).saturating_sub(1)
    }

    fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let data = self.data;
        let mut offsets = self.offsets.chunks_exact(OFFSET_BYTES).map(offset);
        let mut start = offsets.next().unwrap_or(0);
        offsets.map(move |end| {
            let text = &data[start..end];
            start = end;
            text
        })
    }
}

fn offset(bytes: &[u8]) -> usize {
    i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize
}

/// The different texts in the order in which they come, and the number of each text among them.
fn distinct<'a>(texts: &Texts<'a>) -> (Vec<&'a [u8]>, Vec<u32>) {
    let mut values: Vec<&[u8]> = Vec::new();
    let mut known: HashMap<&[u8], u32> = HashMap::new();
    // Nearly every text has come lately: it is found by its length and ends, without a hash of all of it.
    let mut recent = [NONE; RECENT];
    let numbers = texts
        .iter()
        .map(|text| {
            let latest = &mut recent[place(text)];
            if values.get(*latest as usize).is_none_or(|value| *value != text) {
                *latest = *known.entry(text).or_insert_with(|| {
                    values.push(text);
                    values.len() as u32 - 1
                });
            }
            *latest
        })
        .collect();
    (values, numbers)
}

fn place(text: &[u8]) -> usize {
    let (first, last) = (text.first().copied().unwrap_or(0), text.last().copied().unwrap_or(0));
    (text.len() * 37 + usize::from(first) * 11 + usize::from(last)) % RECENT
}

fn push(written: &mut Vec<u8>, text: &[u8]) {
    let mut length = text.len();
    while length >= 0x80 {
        written.push(length as u8 | 0x80);
        length >>= 7;
    }
    written.push(length as u8);
    written.extend_from_slice(text);
}

fn bytes(buffer: &PyBuffer<u8>) -> PyResult<&[u8]> {
    if !buffer.is_c_contiguous() {
        return Err(PyValueError::new_err("the bytes must lie one behind the other"));
    }
    if buffer.len_bytes() == 0 {
        return Ok(&NOTHING[..0]);
    }
    // SAFETY: they are there as long as the buffer is held, and nobody writes to an array of Arrow.
    Ok(unsafe { std::slice::from_raw_parts(buffer.buf_ptr().cast(), buffer.len_bytes()) })
}
