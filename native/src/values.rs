//! The values of records in one piece of memory, as a sequence for Python and as bytes for the reader.

use std::sync::Arc;

use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PySlice};

/// Values one behind the other, and where each ends. A value may be missing, which is not the same as empty.
#[derive(Default)]
pub struct Packed {
    data: Vec<u8>,
    ends: Vec<usize>,
    missing: Vec<usize>,
}

impl Packed {
    pub fn push(&mut self, value: Option<&[u8]>) {
        match value {
            Some(bytes) => self.data.extend_from_slice(bytes),
            None => self.missing.push(self.ends.len()),
        }
        self.ends.push(self.data.len());
    }

    /// They wait in memory until they are read.
    pub fn shrunk(mut self) -> Self {
        self.data.shrink_to_fit();
        self.ends.shrink_to_fit();
        self
    }

    fn start(&self, number: usize) -> usize {
        number.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    fn get(&self, number: usize) -> Option<&[u8]> {
        let is_missing = !self.missing.is_empty() && self.missing.binary_search(&number).is_ok();
        (!is_missing).then(|| &self.data[self.start(number)..self.ends[number]])
    }
}

/// Some neighbours of these values. A part of them shares their memory.
#[pyclass(frozen)]
#[derive(Clone)]
pub struct Values {
    packed: Arc<Packed>,
    start: usize,
    count: usize,
}

impl Values {
    pub fn of(packed: Packed) -> Self {
        let count = packed.ends.len();
        Self { packed: Arc::new(packed), start: 0, count }
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn get(&self, number: usize) -> Option<&[u8]> {
        self.packed.get(self.start + number)
    }
}

#[pymethods]
impl Values {
    #[new]
    fn new(values: Vec<Option<Vec<u8>>>) -> Self {
        let mut packed = Packed::default();
        values.iter().for_each(|value| packed.push(value.as_deref()));
        Self::of(packed.shrunk())
    }

    /// The length of all together.
    #[getter]
    fn byte_count(&self) -> usize {
        self.packed.start(self.start + self.count) - self.packed.start(self.start)
    }

    fn __len__(&self) -> usize {
        self.count
    }

    /// One value as bytes or None, or a part of the sequence.
    fn __getitem__<'py>(&self, py: Python<'py>, wanted: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(slice) = wanted.cast::<PySlice>() {
            let part = slice.indices(self.count as isize)?;
            if part.step != 1 {
                return Err(PyValueError::new_err("only neighbours can be a part"));
            }
            let part =
                Self { packed: self.packed.clone(), start: self.start + part.start as usize, count: part.slicelength };
            return Ok(Bound::new(py, part)?.into_any());
        }
        let number: isize = wanted.extract().map_err(|_| PyTypeError::new_err("neither a number nor a slice"))?;
        let number = if number < 0 { number + self.count as isize } else { number };
        match usize::try_from(number) {
            Ok(number) if number < self.count => Ok(self
                .get(number)
                .map_or_else(|| py.None().into_bound(py), |value| PyBytes::new(py, value).into_any())),
            _ => Err(PyIndexError::new_err("there are not so many values")),
        }
    }
}
