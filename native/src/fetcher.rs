//! The fetcher, as Python uses it: records by partition, each partition's in a few pieces of memory.

use std::ffi::{CString, c_int};

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::buffer::Buffer;
use crate::librdkafka::{Client, Failure, Header, Line, Message, Unusable, lines};
use crate::values::{Packed, Values};

/// Fetches from partitions at given offsets, by librdkafka. It is in no group.
#[pyclass]
pub struct Fetcher {
    client: Option<Client>,
    has_keys: bool,
}

#[pymethods]
impl Fetcher {
    /// `library` is the path of what has loaded librdkafka, `options` are its configuration; `token` returns a token
    /// of OAuth and when it expires, Unix seconds. With `has_keys` records come with their keys.
    ///
    /// Raises OSError if the library cannot be used from here, ValueError if it does not accept the options. Does not
    /// wait for a connection.
    #[new]
    fn new(
        py: Python<'_>,
        library: String,
        options: Vec<(String, String)>,
        token: Option<Py<PyAny>>,
        has_keys: bool,
    ) -> PyResult<Self> {
        let library = CString::new(library)?;
        let options: Result<Vec<_>, _> =
            options.into_iter().map(|(name, value)| Ok((CString::new(name)?, CString::new(value)?))).collect();
        let options = options.map_err(|error: std::ffi::NulError| PyValueError::new_err(error.to_string()))?;
        match py.detach(|| Client::open(&library, &options, token)) {
            Ok(client) => Ok(Self { client: Some(client), has_keys }),
            Err(Unusable::Library(reason)) => Err(PyOSError::new_err(reason)),
            Err(Unusable::Option(reason)) => Err(PyValueError::new_err(reason)),
        }
    }

    /// Fetch from a partition too, from this offset on.
    fn start(&mut self, py: Python<'_>, topic: String, partition: i32, offset: i64) -> PyResult<()> {
        let (client, topic) = (self.client()?, CString::new(topic)?);
        py.detach(|| client.start(topic, partition, offset)).map_err(PyRuntimeError::new_err)
    }

    /// Fetch no more from a partition; what was fetched of it does not come any more.
    fn stop(&mut self, py: Python<'_>, topic: String, partition: i32) -> PyResult<()> {
        let (client, topic) = (self.client()?, CString::new(topic)?);
        py.detach(|| client.stop(topic, partition)).map_err(PyRuntimeError::new_err)
    }

    /// Records, and what partitions report: what is there, otherwise the first that comes within the time.
    fn take(&mut self, py: Python<'_>, most: usize, timeout_ms: c_int) -> PyResult<Taken> {
        let has_keys = self.has_keys;
        let client = self.client()?;
        let (found, failures) = py.detach(|| {
            let mut found = Found::default();
            client.take(most, timeout_ms).into_iter().for_each(|message| found.push(&message, has_keys));
            (found, client.failures())
        });
        let records = found.runs.into_iter().map(|run| run.into_records(py, has_keys)).collect::<PyResult<_>>()?;
        Ok(Taken { records, reports: found.reports, failures, lines: lines() })
    }

    /// Disconnect. Closing again does nothing.
    fn close(&mut self, py: Python<'_>) {
        let client = self.client.take();
        // Its threads may wait for Python before they end.
        py.detach(|| drop(client));
    }
}

impl Fetcher {
    fn client(&mut self) -> PyResult<&mut Client> {
        self.client.as_mut().ok_or_else(|| PyRuntimeError::new_err("the fetcher is closed"))
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        Python::attach(|py| self.close(py));
    }
}

/// Topic, partition, offset, and the error of a partition.
type Report = (String, i32, i64, c_int, String);

/// What was taken.
#[pyclass(get_all, frozen)]
pub struct Taken {
    records: Vec<Py<Records>>,
    /// Errors of partitions. Of the records of a partition, those that came after an error are left out.
    reports: Vec<Report>,
    /// Errors of the client.
    failures: Vec<Failure>,
    lines: Vec<Line>,
}

/// The records of one partition, at least one.
#[pyclass(get_all, frozen)]
pub struct Records {
    topic: String,
    partition: i32,
    /// 64 bits each, as the times, which are Unix milliseconds.
    offsets: Py<Buffer>,
    times: Py<Buffer>,
    values: Py<Values>,
    /// Of those records that have any.
    headers: Vec<(usize, Vec<Header>)>,
    keys: Option<Vec<Option<Vec<u8>>>>,
}

#[derive(Default)]
struct Found {
    runs: Vec<Run>,
    reports: Vec<Report>,
    /// The partitions that have reported an error.
    failed: Vec<(usize, i32)>,
    /// The number of the run that the last record belongs to.
    last: usize,
}

impl Found {
    fn push(&mut self, message: &Message<'_>, has_keys: bool) {
        let place = message.place();
        if let Some((number, text)) = message.error() {
            self.reports.push((message.topic(), place.1, message.offset(), number, text));
            if number != END_OF_PARTITION {
                self.failed.push(place);
            }
        } else if self.failed.is_empty() || !self.failed.contains(&place) {
            self.run(place, message).push(message, has_keys);
        }
    }

    /// What gathers the records of the message's partition.
    fn run(&mut self, place: (usize, i32), message: &Message<'_>) -> &mut Run {
        if self.runs.get(self.last).is_none_or(|run| run.place != place) {
            self.last = self.runs.iter().position(|run| run.place == place).unwrap_or(self.runs.len());
            if self.last == self.runs.len() {
                self.runs.push(Run { place, topic: message.topic(), ..Run::default() });
            }
        }
        &mut self.runs[self.last]
    }
}

/// Librdkafka's number for what is no error: a partition was read to its end.
const END_OF_PARTITION: c_int = -191;

#[derive(Default)]
struct Run {
    place: (usize, i32),
    topic: String,
    offsets: Vec<i64>,
    times: Vec<i64>,
    values: Packed,
    headers: Vec<(usize, Vec<Header>)>,
    keys: Vec<Option<Vec<u8>>>,
}

impl Run {
    fn push(&mut self, message: &Message<'_>, has_keys: bool) {
        let headers = message.headers();
        if !headers.is_empty() {
            self.headers.push((self.offsets.len(), headers));
        }
        if has_keys {
            self.keys.push(message.key().map(<[u8]>::to_vec));
        }
        self.offsets.push(message.offset());
        self.times.push(message.time_ms());
        self.values.push(message.value());
    }

    fn into_records(self, py: Python<'_>, has_keys: bool) -> PyResult<Py<Records>> {
        let records = Records {
            topic: self.topic,
            partition: self.place.1,
            offsets: Py::new(py, Buffer::of(self.offsets))?,
            times: Py::new(py, Buffer::of(self.times))?,
            values: Py::new(py, Values::of(self.values.shrunk()))?,
            headers: self.headers,
            keys: has_keys.then_some(self.keys),
        };
        Py::new(py, records)
    }
}
