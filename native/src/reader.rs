//! The reader of chunks, as Python uses it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyTuple};

use crate::columns::{Columns, Rows};
use crate::plan::Plan;
use crate::record::{self, Value};
use crate::row::{self, Record};
use crate::shapes::{Found, Node, Shapes};
use crate::times::Times;
use crate::values::Values;

/// Reads the records of chunks. It remembers what Python said of keys.
#[pyclass]
pub struct Reader {
    learn: Py<PyAny>,
    text_columns: usize,
    most_bytes: usize,
    times: Times,
    shapes: Shapes,
}

#[pymethods]
impl Reader {
    /// `learn` is called with the keys of an object, and for each of them with None or the keys of the object that it
    /// holds; it returns a plan, or None if such an object is not plain. Times of events are at most `past_ms` before
    /// and `future_ms` after their record's; records of more than `most_bytes` are not read.
    #[new]
    fn new(learn: Py<PyAny>, text_columns: usize, most_bytes: usize, past_ms: i64, future_ms: i64) -> Self {
        Self { learn, text_columns, most_bytes, times: Times { past_ms, future_ms }, shapes: Shapes::new() }
    }

    /// The rows of those records of a chunk that are plain objects.
    ///
    /// `values` are `Values`, or bytes, and None for those not to be read; `record_ms` holds their times, 64 bits each.
    /// Raises what `learn` raises, and RuntimeError for a mistake in this code. Other threads run meanwhile.
    fn read(&mut self, py: Python<'_>, values: &Bound<'_, PyAny>, record_ms: PyBuffer<i8>) -> PyResult<Columns> {
        let records = Records::of(values)?;
        let times = milliseconds(py, &record_ms)?;
        if times.len() < records.len() {
            return Err(PyValueError::new_err("fewer times than records"));
        }
        let mut rows = Rows::with_capacity(records.len(), self.text_columns);
        let work = AssertUnwindSafe(|| self.push_all(&records, &times, &mut rows));
        match py.detach(|| catch_unwind(work)) {
            Ok(others) => rows.into_columns(py, others?),
            Err(_) => {
                self.shapes = Shapes::new();
                Err(PyRuntimeError::new_err("a mistake in the compiled code"))
            }
        }
    }
}

/// The values of records, wherever they lie.
enum Records {
    Packed(Values),
    Single(Vec<Option<PyBackedBytes>>),
}

impl Records {
    fn of(values: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(packed) = values.cast::<Values>() {
            return Ok(Self::Packed(packed.get().clone()));
        }
        let bytes = values.try_iter()?.map(|value| Ok(value?.cast_into::<PyBytes>().ok().map(PyBackedBytes::from)));
        bytes.collect::<PyResult<_>>().map(Self::Single)
    }

    fn len(&self) -> usize {
        match self {
            Self::Packed(values) => values.len(),
            Self::Single(values) => values.len(),
        }
    }

    fn get(&self, number: usize) -> Option<&[u8]> {
        match self {
            Self::Packed(values) => values.get(number),
            Self::Single(values) => values[number].as_deref(),
        }
    }
}

fn milliseconds(py: Python<'_>, buffer: &PyBuffer<i8>) -> PyResult<Vec<i64>> {
    let bytes: Vec<u8> = buffer.to_vec(py)?.into_iter().map(|byte| byte as u8).collect();
    let numbers = bytes.chunks_exact(size_of::<i64>()).filter_map(|number| number.try_into().ok());
    Ok(numbers.map(i64::from_ne_bytes).collect())
}

impl Reader {
    /// Push the rows, and return the numbers of the records that became none.
    fn push_all(&mut self, records: &Records, times: &[i64], rows: &mut Rows) -> PyResult<Vec<usize>> {
        let mut others = Vec::new();
        let mut values = Vec::new();
        for (number, time_ms) in times.iter().enumerate().take(records.len()) {
            let is_taken = match records.get(number) {
                Some(value) => self.push(value, *time_ms, &mut values, rows)?,
                None => false,
            };
            if !is_taken {
                others.push(number);
            }
            values.clear();
        }
        Ok(others)
    }

    fn push<'a>(
        &mut self,
        value: &'a [u8],
        time_ms: i64,
        values: &mut Vec<Value<'a>>,
        rows: &mut Rows,
    ) -> PyResult<bool> {
        if value.first() != Some(&b'{') || value.len() > self.most_bytes {
            return Ok(false);
        }
        let Ok(text) = std::str::from_utf8(value) else {
            return Ok(false);
        };
        self.shapes.tidy();
        let Some(node) = record::read(text, &mut self.shapes, values) else {
            return Ok(false);
        };
        if matches!(self.shapes.found(node), Found::Unknown) {
            let found = self.learn(node)?;
            self.shapes.remember(node, found);
        }
        match self.shapes.found(node) {
            Found::Plain(plan) if plan.leaves.len() == values.len() => {
                row::push(rows, plan, values, &Record { bytes: value.len(), time_ms }, &self.times)
            }
            _ => Ok(false),
        }
    }

    fn learn(&self, node: Node) -> PyResult<Found> {
        let (keys, inner) = self.shapes.keys(node);
        Python::attach(|py| {
            let inner = inner.into_iter().map(|of| of.map(|keys| PyTuple::new(py, keys)).transpose());
            let inner = PyTuple::new(py, inner.collect::<PyResult<Vec<_>>>()?)?;
            let plan = self.learn.bind(py).call1((PyTuple::new(py, keys)?, inner))?;
            if plan.is_none() { Ok(Found::NotPlain) } else { Plan::of(&plan).map(Found::Plain) }
        })
    }
}
