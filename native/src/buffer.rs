//! Memory that Python reads where it lies.

use std::ffi::{c_int, c_void};

use pyo3::ffi;
use pyo3::prelude::*;

/// The elements of a column, for Python's buffer protocol.
#[pyclass(frozen)]
pub struct Buffer(Box<dyn Elements>);

impl Buffer {
    pub fn of<T: Copy + Send + Sync + 'static>(mut elements: Vec<T>) -> Self {
        // Batches wait in memory until they are stored, and are counted by what is in them.
        elements.shrink_to_fit();
        Self(Box::new(elements))
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }
}

#[pymethods]
impl Buffer {
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let bytes = slf.get().bytes();
        let start = bytes.as_ptr().cast_mut().cast::<c_void>();
        let is_read_only = 1;
        // SAFETY: Python hands in the view. The elements neither move nor change, as the class is frozen, and the view
        // holds a reference to their owner.
        let filled =
            unsafe { ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start, bytes.len() as isize, is_read_only, flags) };
        if filled == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}

trait Elements: Send + Sync {
    fn bytes(&self) -> &[u8];
}

impl<T: Copy + Send + Sync> Elements for Vec<T> {
    fn bytes(&self) -> &[u8] {
        // SAFETY: the elements are numbers without padding, and every byte of them is initialized.
        unsafe { std::slice::from_raw_parts(self.as_ptr().cast(), size_of_val(self.as_slice())) }
    }
}
