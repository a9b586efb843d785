//! The columns of rows while they grow, in Arrow's layout, and as they are handed to Python.

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;

use crate::buffer::Buffer;

/// No column of a chunk is longer: Arrow's offsets are of 32 bits.
const MOST_BYTES: usize = i32::MAX as usize;

/// Texts, one behind the other, and where each begins.
pub struct Texts {
    offsets: Vec<i32>,
    data: Vec<u8>,
}

impl Texts {
    fn with_capacity(count: usize) -> Self {
        let mut offsets = Vec::with_capacity(count + 1);
        offsets.push(0);
        Self { offsets, data: Vec::new() }
    }

    /// Begin or continue the next text.
    pub fn push(&mut self, text: &str) {
        self.data.extend_from_slice(text.as_bytes());
    }

    /// The end of the next text, which is empty if nothing was pushed.
    pub fn end(&mut self) {
        self.offsets.push(self.data.len() as i32);
    }

    fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Forget all from a text on, also one that has not ended.
    fn truncate(&mut self, count: usize) {
        self.offsets.truncate(count + 1);
        self.data.truncate(self.offsets[count] as usize);
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.data.len() + bytes <= MOST_BYTES
    }

    fn into_buffers(self, py: Python<'_>) -> PyResult<TextBuffers> {
        Ok((buffer(py, self.offsets)?, buffer(py, self.data)?))
    }
}

/// Maps of texts: where each begins, and the names and values of all.
pub struct Maps {
    offsets: Vec<i32>,
    names: Texts,
    values: Texts,
}

impl Maps {
    fn with_capacity(count: usize) -> Self {
        let mut offsets = Vec::with_capacity(count + 1);
        offsets.push(0);
        Self { offsets, names: Texts::with_capacity(count), values: Texts::with_capacity(count) }
    }

    /// Add a pair to the next map, whose value `write` pushes; it returns whether it did.
    pub fn push(&mut self, name: &str, write: impl FnOnce(&mut Texts) -> bool) -> bool {
        self.names.push(name);
        self.names.end();
        let is_written = write(&mut self.values);
        self.values.end();
        is_written
    }

    fn end(&mut self) {
        self.offsets.push(self.names.len() as i32);
    }

    fn truncate(&mut self) {
        let count = self.offsets[self.offsets.len() - 1] as usize;
        self.names.truncate(count);
        self.values.truncate(count);
    }
}

/// The columns of the rows of a chunk.
pub struct Rows {
    pub texts: Vec<Texts>,
    pub attributes: Maps,
    times: Vec<i64>,
    numbers: Vec<f32>,
    are_numbers: Bits,
}

impl Rows {
    pub fn with_capacity(count: usize, text_columns: usize) -> Self {
        Self {
            texts: (0..text_columns).map(|_| Texts::with_capacity(count)).collect(),
            attributes: Maps::with_capacity(count),
            times: Vec::with_capacity(count),
            numbers: Vec::with_capacity(count),
            are_numbers: Bits::default(),
        }
    }

    /// Whether a row with at most so many bytes of values and of names of attributes fits.
    pub fn have_room(&self, value_bytes: usize, name_bytes: usize) -> bool {
        self.texts.iter().chain([&self.attributes.values]).all(|texts| texts.has_room(value_bytes))
            && self.attributes.names.has_room(name_bytes)
    }

    /// The end of a row whose texts and attributes were pushed.
    pub fn end(&mut self, time_ns: i64, number: Option<f32>) {
        self.texts.iter_mut().for_each(Texts::end);
        self.attributes.end();
        self.times.push(time_ns);
        self.numbers.push(number.unwrap_or_default());
        self.are_numbers.push(number.is_some());
    }

    /// Forget what was pushed since the end of the last row.
    pub fn undo(&mut self) {
        let count = self.times.len();
        self.texts.iter_mut().for_each(|texts| texts.truncate(count));
        self.attributes.truncate();
    }

    pub fn into_columns(self, py: Python<'_>, others: Vec<usize>) -> PyResult<Columns> {
        Ok(Columns {
            count: self.times.len(),
            others,
            texts: self.texts.into_iter().map(|texts| texts.into_buffers(py)).collect::<PyResult<_>>()?,
            attributes: buffer(py, self.attributes.offsets)?,
            names: self.attributes.names.into_buffers(py)?,
            values: self.attributes.values.into_buffers(py)?,
            times: buffer(py, self.times)?,
            numbers: buffer(py, self.numbers)?,
            are_numbers: buffer(py, self.are_numbers.bytes)?,
        })
    }
}

/// One bit for each row, from the lowest of the first byte on.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        if self.count % 8 == 0 {
            self.bytes.push(0);
        }
        self.bytes[self.count / 8] |= u8::from(bit) << (self.count % 8);
        self.count += 1;
    }
}

/// The offsets of texts, of 32 bits, and their bytes.
type TextBuffers = (Py<Buffer>, Py<Buffer>);

fn buffer<T: Copy + Send + Sync + 'static>(py: Python<'_>, elements: Vec<T>) -> PyResult<Py<Buffer>> {
    Py::new(py, Buffer::of(elements))
}

/// The columns of `count` rows, and which records of the chunk became none of them.
#[pyclass(get_all, frozen)]
pub struct Columns {
    count: usize,
    others: Vec<usize>,
    texts: Vec<TextBuffers>,
    attributes: Py<Buffer>,
    names: TextBuffers,
    values: TextBuffers,
    times: Py<Buffer>,
    numbers: Py<Buffer>,
    are_numbers: Py<Buffer>,
}

#[pymethods]
impl Columns {
    /// Whether no text of a column of texts is empty.
    fn are_filled(&self, column: usize) -> PyResult<bool> {
        Ok(self.lengths(column)?.all(|length| length > 0))
    }

    /// Whether every text of a column of texts is empty, or an id of so many digits in the usual spelling.
    fn are_ids(&self, column: usize, digits: usize) -> PyResult<bool> {
        let data = self.column(column)?.1.get().bytes();
        Ok(self.lengths(column)?.all(|length| length == 0 || length == digits)
            && data.chunks(64).all(are_hex_digits)
            && data.chunks(digits.max(1)).all(|id| id.iter().any(|digit| *digit != b'0')))
    }

    /// The different texts of a column of texts, and for each row the number of its own; none if there are many.
    fn distinct(&self, py: Python<'_>, column: usize) -> PyResult<Option<(Vec<String>, Py<Buffer>)>> {
        let data = self.column(column)?.1.get().bytes();
        let (mut texts, mut numbers): (Vec<&[u8]>, _) = (Vec::new(), Vec::with_capacity(self.count));
        let mut start = 0;
        for length in self.lengths(column)? {
            let text = &data[start..start + length];
            start += length;
            let number = texts.iter().position(|known| *known == text).unwrap_or_else(|| {
                texts.push(text);
                texts.len() - 1
            });
            let Ok(number) = u8::try_from(number) else {
                return Ok(None);
            };
            numbers.push(number);
        }
        let texts = texts.into_iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
        Ok(Some((texts, buffer(py, numbers)?)))
    }
}

/// It looks at all of them, also behind one that is none, as that is done for many at once.
fn are_hex_digits(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |are, byte| are & matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl Columns {
    fn column(&self, column: usize) -> PyResult<&TextBuffers> {
        self.texts.get(column).ok_or_else(|| PyIndexError::new_err("no such column"))
    }

    fn lengths(&self, column: usize) -> PyResult<impl Iterator<Item = usize>> {
        let offsets = self.column(column)?.0.get().bytes().chunks_exact(size_of::<i32>());
        let ends = offsets.map(|end| i32::from_ne_bytes([end[0], end[1], end[2], end[3]]) as usize);
        Ok(ends.clone().zip(ends.skip(1)).map(|(start, end)| end - start))
    }
}
