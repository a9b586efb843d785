//! A consumer of librdkafka that fetches from partitions at given offsets, by the library's functions in C.
//!
//! The library is the one that the package confluent-kafka brings and has loaded. All unsafe code for it is here and in the
//! modules below.

mod functions;
mod message;

use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;
use std::sync::Mutex;

use pyo3::prelude::*;

use functions::{Functions, Kafka, Queue, Topic};
use message::text_of;
pub use message::{Header, Message};

/// Which major version of librdkafka has the functions as they are declared here.
const MAJOR: c_int = 2;
const CONSUMER: c_int = 1;
const OK: c_int = 0;
/// What is kept of the library's log until it is read.
const MOST_LINES: usize = 1000;

/// An error of the whole client: librdkafka's number, and a sentence.
pub type Failure = (c_int, String);
/// A line of its log, and how grave it is, by syslog.
pub type Line = (c_int, String);
/// Why there is no client.
pub enum Unusable {
    /// The library cannot be used from here.
    Library(String),
    /// It does not accept an option.
    Option(String),
}

/// What the library calls back for. Its address is known to the library, so it lies outside of the client.
struct Heard {
    functions: Functions,
    failures: Mutex<Vec<Failure>>,
    token: Option<Py<PyAny>>,
}

/// The log of all clients: the library does not say for which of them it calls back.
static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());

/// A client without a group. When it is dropped, the library has ended all that it did for it.
pub struct Client {
    heard: Box<Heard>,
    kafka: Kafka,
    queue: Queue,
    topics: HashMap<CString, Topic>,
    started: HashSet<(CString, i32)>,
}

// SAFETY: librdkafka's functions may be called from every thread. What has `&mut self` is called by one at a time, and
// nothing is changed by what has `&self`.
unsafe impl Send for Client {}
// SAFETY: as above.
unsafe impl Sync for Client {}

impl Client {
    /// `library` is the path of what has loaded librdkafka; `token` returns a token and until when it is valid.
    pub fn open(library: &CStr, options: &[(CString, CString)], token: Option<Py<PyAny>>) -> Result<Self, Unusable> {
        let functions = loaded(library).map_err(Unusable::Library)?;
        let has_token = token.is_some();
        let heard = Box::new(Heard { functions, failures: Mutex::default(), token });
        let call = &heard.functions;
        let mut text = [0; 512];
        // SAFETY: what is handed in are texts that end with a zero, memory of the given length, and functions of the
        // declared types. `heard` outlives the client. The configuration belongs to the client from `rd_kafka_new` on,
        // if that succeeds.
        unsafe {
            let conf = (call.rd_kafka_conf_new)();
            for (name, value) in options {
                if (call.rd_kafka_conf_set)(conf, name.as_ptr(), value.as_ptr(), text.as_mut_ptr(), text.len()) != OK {
                    (call.rd_kafka_conf_destroy)(conf);
                    return Err(Unusable::Option(text_of(text.as_ptr())));
                }
            }
            (call.rd_kafka_conf_set_opaque)(conf, &raw const *heard);
            (call.rd_kafka_conf_set_error_cb)(conf, note_failure);
            (call.rd_kafka_conf_set_log_cb)(conf, note_line);
            if has_token {
                (call.rd_kafka_conf_set_oauthbearer_token_refresh_cb)(conf, set_token);
                (call.rd_kafka_conf_enable_sasl_queue)(conf, 1);
            }
            let kafka = (call.rd_kafka_new)(CONSUMER, conf, text.as_mut_ptr(), text.len());
            if kafka.is_null() {
                (call.rd_kafka_conf_destroy)(conf);
                return Err(Unusable::Option(text_of(text.as_ptr())));
            }
            if has_token {
                // On a thread of the library: to get a token takes time. It returns no error for a client like this.
                (call.rd_kafka_sasl_background_callbacks_enable)(kafka);
            }
            let queue = (call.rd_kafka_queue_new)(kafka);
            Ok(Self { heard, kafka, queue, topics: HashMap::new(), started: HashSet::new() })
        }
    }

    /// Fetch from a partition too, from this offset on.
    pub fn start(&mut self, topic: CString, partition: i32, offset: i64) -> Result<(), String> {
        let call = &self.heard.functions;
        // SAFETY: the client is open, the name ends with a zero, and topic and queue are of this client.
        let result = unsafe {
            let handle = match self.topics.get(&topic) {
                Some(handle) => *handle,
                None => (call.rd_kafka_topic_new)(self.kafka, topic.as_ptr(), ptr::null_mut()),
            };
            if handle.is_null() {
                return Err(self.last_error());
            }
            self.topics.insert(topic.clone(), handle);
            (call.rd_kafka_consume_start_queue)(handle, partition, offset, self.queue)
        };
        if result != OK {
            return Err(self.last_error());
        }
        self.started.insert((topic, partition));
        Ok(())
    }

    /// Fetch no more from a partition. What was fetched of it and was not taken yet does not come any more.
    pub fn stop(&mut self, topic: CString, partition: i32) -> Result<(), String> {
        let place = (topic, partition);
        if !self.started.remove(&place) {
            return Ok(());
        }
        // SAFETY: the client is open, and the topic is of this client.
        let result = unsafe { (self.heard.functions.rd_kafka_consume_stop)(self.topics[&place.0], partition) };
        if result == OK { Ok(()) } else { Err(self.last_error()) }
    }

    /// Records and errors of partitions: those that are there, otherwise the first that comes within the time.
    pub fn take(&mut self, most: usize, timeout_ms: c_int) -> Vec<Message<'_>> {
        // SAFETY: the client is open.
        unsafe { (self.heard.functions.rd_kafka_poll)(self.kafka, 0) };
        let mut found = Vec::new();
        self.consume(&mut found, most, 0);
        if found.is_empty() {
            self.consume(&mut found, 1, timeout_ms); // for more than one it would wait until all are there
            let rest = most.saturating_sub(found.len());
            if !found.is_empty() && rest > 0 {
                self.consume(&mut found, rest, 0);
            }
        }
        found
    }

    fn consume<'a>(&'a self, found: &mut Vec<Message<'a>>, most: usize, timeout_ms: c_int) {
        let functions = &self.heard.functions;
        let mut raw = vec![ptr::null_mut(); most];
        // SAFETY: the client is open, and there is room for so many.
        let count =
            unsafe { (functions.rd_kafka_consume_batch_queue)(self.queue, timeout_ms, raw.as_mut_ptr(), raw.len()) };
        raw.truncate(usize::try_from(count).unwrap_or(0));
        found.extend(raw.into_iter().map(|raw| Message { functions, raw }));
    }

    /// The errors of the whole client since the last call.
    pub fn failures(&self) -> Vec<Failure> {
        taken(&self.heard.failures)
    }

    fn last_error(&self) -> String {
        let call = &self.heard.functions;
        // SAFETY: both only read; the text is constant.
        unsafe { text_of((call.rd_kafka_err2str)((call.rd_kafka_last_error)())) }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        for (topic, partition) in std::mem::take(&mut self.started) {
            // SAFETY: the client is open, and the topic is of this client.
            unsafe { (self.heard.functions.rd_kafka_consume_stop)(self.topics[&topic], partition) };
        }
        let call = &self.heard.functions;
        // SAFETY: all messages are destroyed, since each borrows the client. Nothing is used after it was destroyed,
        // and the client last, when its threads end, so that none of them needs `heard` any more.
        unsafe {
            self.topics.values().for_each(|topic| (call.rd_kafka_topic_destroy)(*topic));
            (call.rd_kafka_queue_destroy)(self.queue);
            (call.rd_kafka_destroy)(self.kafka);
        }
    }
}

/// The functions of the librdkafka that this library has loaded; it stays loaded.
fn loaded(library: &CStr) -> Result<Functions, String> {
    // SAFETY: nothing is loaded that was not before, so no code of it runs. What it depends on is searched too.
    let handle = unsafe { libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD) };
    if handle.is_null() {
        return Err(format!("{} is not loaded", library.to_string_lossy()));
    }
    // SAFETY: the handle is valid. Were it of another version, only the function of the version would be called, which
    // never was another.
    let functions = unsafe { Functions::of(handle) }?;
    // SAFETY: it has no arguments.
    let version = unsafe { (functions.rd_kafka_version)() };
    if version >> 24 == MAJOR { Ok(functions) } else { Err(format!("the library's version is {version:#010x}")) }
}

/// The lines of the log of all clients since the last call.
pub fn lines() -> Vec<Line> {
    taken(&LINES)
}

fn taken<T>(list: &Mutex<Vec<T>>) -> Vec<T> {
    list.lock().map(|mut list| std::mem::take(&mut *list)).unwrap_or_default()
}

fn note<T>(list: &Mutex<Vec<T>>, item: T) {
    if let Ok(mut list) = list.lock() {
        if list.len() < MOST_LINES {
            list.push(item);
        }
    }
}

/// # Safety
/// As librdkafka calls it, with what `Client::open` has handed in.
unsafe extern "C" fn note_failure(_: Kafka, number: c_int, text: *const c_char, heard: *const Heard) {
    // SAFETY: `heard` lives as long as the client, and the text as long as this call.
    unsafe { note(&(*heard).failures, (number, text_of(text))) };
}

/// # Safety
/// As librdkafka calls it; on any thread.
unsafe extern "C" fn note_line(_: Kafka, level: c_int, about: *const c_char, text: *const c_char) {
    // SAFETY: both live as long as this call.
    note(&LINES, unsafe { (level, format!("{} {}", text_of(about), text_of(text))) });
}

/// # Safety
/// As `note_failure`; on a thread of the library.
unsafe extern "C" fn set_token(kafka: Kafka, _: *const c_char, heard: *const Heard) {
    // SAFETY: `heard` lives as long as the client.
    let heard = unsafe { &*heard };
    let Some(found) = Python::try_attach(|py| {
        let token = heard.token.as_ref()?.call1(py, ("",)).ok()?;
        let (token, expiry_secs) = token.extract::<(String, f64)>(py).ok()?;
        Some((CString::new(token).ok()?, (expiry_secs * 1000.0) as i64))
    }) else {
        return; // Python ends
    };
    let mut text: [c_char; 512] = [0; 512];
    let call = &heard.functions;
    // SAFETY: the client is open while it calls, and the texts end with a zero.
    unsafe {
        let result = found.map_or(!OK, |(token, expiry_ms)| {
            (call.rd_kafka_oauthbearer_set_token)(
                kafka,
                token.as_ptr(),
                expiry_ms,
                c"".as_ptr(),
                ptr::null(),
                0,
                text.as_mut_ptr(),
                text.len(),
            )
        });
        if result != OK {
            (call.rd_kafka_oauthbearer_set_token_failure)(kafka, c"there is no token".as_ptr());
        }
    }
}
