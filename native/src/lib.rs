//! Plain JSON objects, which nearly all logs are, from the bytes of records to the columns of rows, and their texts on to
//! the blocks that ClickHouse reads.
//!
//! It has no rules of its own: what the keys of an object mean it asks Python once for each sequence of keys, and a
//! record of which it is not certain that Python would read it in the same way is left to Python.

mod block;
mod buffer;
mod columns;
mod fetcher;
mod librdkafka;
mod plan;
mod reader;
mod record;
mod row;
mod scan;
mod shapes;
mod texts;
mod times;
mod values;

use pyo3::prelude::*;

/// Of the interface between this module and the service (`app/build/native.py`); it changes with each change of either.
const INTERFACE: u32 = 5;

#[pymodule]
fn log_decoder(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("INTERFACE", INTERFACE)?;
    module.add_class::<reader::Reader>()?;
    module.add_class::<columns::Columns>()?;
    module.add_class::<values::Values>()?;
    module.add_class::<fetcher::Fetcher>()?;
    module.add_function(wrap_pyfunction!(block::with_lengths, module)?)?;
    module.add_function(wrap_pyfunction!(block::few_values, module)?)
}
