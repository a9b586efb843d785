//! Plain JSON objects, which nearly all logs are, from the bytes of records to the columns of rows.
//!
//! It has no rules of its own: what the keys of an object mean it asks Python once for each sequence of keys, and a
//! record of which it is not certain that Python would read it in the same way is left to Python.

mod buffer;
mod columns;
mod fetcher;
mod librdkafka;
mod plan;
mod reader;
mod record;
mod row;
mod shapes;
mod texts;
mod times;
mod values;

use pyo3::prelude::*;

/// Of the interface between this module and `app/pipeline/native_reader.py`; it changes with each change of either.
const INTERFACE: u32 = 3;

#[pymodule]
fn log_decoder(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("INTERFACE", INTERFACE)?;
    module.add_class::<reader::Reader>()?;
    module.add_class::<columns::Columns>()?;
    module.add_class::<values::Values>()?;
    module.add_class::<fetcher::Fetcher>()
}
