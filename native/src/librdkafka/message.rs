//! A message of librdkafka.

use std::ffi::{CStr, c_char};
use std::ptr;

use super::functions::{Functions, RawMessage};
use super::{Failure, OK};

/// A record, or an error of a partition.
pub struct Message<'a> {
    pub(super) functions: &'a Functions,
    pub(super) raw: *mut RawMessage,
}

/// Name and value; a name that is not UTF-8 is None.
pub type Header = (Option<String>, Option<Vec<u8>>);

impl Message<'_> {
    fn fields(&self) -> &RawMessage {
        // SAFETY: librdkafka has filled it in, and it is destroyed when this is dropped.
        unsafe { &*self.raw }
    }

    /// What is the same for all of one partition, and differs between those that were taken together.
    pub fn place(&self) -> (usize, i32) {
        (self.fields().topic as usize, self.fields().partition)
    }

    /// The name of the topic; empty for an error that is of none.
    pub fn topic(&self) -> String {
        let topic = self.fields().topic;
        if topic.is_null() {
            return String::new();
        }
        // SAFETY: the message holds its topic.
        unsafe { text_of((self.functions.rd_kafka_topic_name)(topic)) }
    }

    /// Librdkafka's number and a sentence, if it is no record.
    pub fn error(&self) -> Option<Failure> {
        let number = self.fields().err;
        // SAFETY: the message is alive, and so is the text as long as that.
        (number != OK).then(|| (number, unsafe { text_of((self.functions.rd_kafka_message_errstr)(self.raw)) }))
    }

    pub fn offset(&self) -> i64 {
        self.fields().offset
    }

    pub fn time_ms(&self) -> i64 {
        let mut kind = 0;
        // SAFETY: the message is alive.
        unsafe { (self.functions.rd_kafka_message_timestamp)(self.raw, &raw mut kind) }
    }

    pub fn value(&self) -> Option<&[u8]> {
        // SAFETY: of a record these are where its value lies and its length; the message holds it.
        unsafe { bytes_of(self.fields().payload, self.fields().len) }
    }

    pub fn key(&self) -> Option<&[u8]> {
        // SAFETY: as for the value.
        unsafe { bytes_of(self.fields().key, self.fields().key_len) }
    }

    pub fn headers(&self) -> Vec<Header> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message is alive; it says so if it has none.
        if unsafe { (self.functions.rd_kafka_message_headers)(self.raw, &raw mut headers) } != OK {
            return Vec::new();
        }
        let mut found = Vec::new();
        let (mut name, mut value, mut len) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the message holds its headers, and they the texts; a number behind the last one is an error.
        unsafe {
            while (self.functions.rd_kafka_header_get_all)(
                headers,
                found.len(),
                &raw mut name,
                &raw mut value,
                &raw mut len,
            ) == OK
            {
                let name = CStr::from_ptr(name).to_str().ok().map(str::to_owned);
                found.push((name, bytes_of(value, len).map(<[u8]>::to_vec)));
            }
        }
        found
    }
}

impl Drop for Message<'_> {
    fn drop(&mut self) {
        // SAFETY: it is this one's, and nobody else has it.
        unsafe { (self.functions.rd_kafka_message_destroy)(self.raw) }
    }
}

/// # Safety
/// The text ends with a zero, or is null.
pub(super) unsafe fn text_of(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// # Safety
/// There are so many bytes, and they stay as long as the result, or it is null.
unsafe fn bytes_of<'a>(start: *const u8, len: usize) -> Option<&'a [u8]> {
    // SAFETY: as the caller promises.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start, len) })
}
