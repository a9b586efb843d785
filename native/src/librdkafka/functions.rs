//! What is called of librdkafka, as its `rdkafka.h` declares it since version 2.0.

use std::ffi::{c_char, c_int, c_void};

use super::Heard;

/// Memory of the library.
#[repr(C)]
pub struct Opaque {
    _data: [u8; 0],
}

pub type Conf = *mut Opaque;
pub type Kafka = *mut Opaque;
pub type Topic = *mut Opaque;
pub type Queue = *mut Opaque;
pub type Headers = *mut Opaque;

/// `rd_kafka_message_t`.
#[repr(C)]
pub struct RawMessage {
    pub err: c_int,
    pub topic: Topic,
    pub partition: i32,
    pub payload: *const u8,
    pub len: usize,
    pub key: *const u8,
    pub key_len: usize,
    pub offset: i64,
    private: *mut c_void,
}

macro_rules! functions {
    ($($name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// What is called of the library.
        pub struct Functions {
            $(pub $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Functions {
            /// Those of a library that is loaded and stays so, or a sentence on which it does not have.
            ///
            /// # Safety
            /// The handle is one of `dlopen`, of a librdkafka whose functions are as they are declared here.
            pub unsafe fn of(handle: *mut c_void) -> Result<Self, String> {
                Ok(Self {
                    $($name: {
                        let symbol = concat!(stringify!($name), "\0");
                        // SAFETY: the handle is valid, and the name ends with a zero.
                        let found = unsafe { libc::dlsym(handle, symbol.as_ptr().cast()) };
                        if found.is_null() {
                            return Err(format!("the library has no {}", stringify!($name)));
                        }
                        // SAFETY: what has this name is this function.
                        unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $result)?>(found) }
                    },)*
                })
            }
        }
    };
}

functions! {
    rd_kafka_version() -> c_int;
    rd_kafka_conf_new() -> Conf;
    rd_kafka_conf_destroy(Conf);
    rd_kafka_conf_set(Conf, *const c_char, *const c_char, *mut c_char, usize) -> c_int;
    rd_kafka_conf_set_opaque(Conf, *const Heard);
    rd_kafka_conf_set_error_cb(Conf, unsafe extern "C" fn(Kafka, c_int, *const c_char, *const Heard));
    rd_kafka_conf_set_log_cb(Conf, unsafe extern "C" fn(Kafka, c_int, *const c_char, *const c_char));
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(Conf, unsafe extern "C" fn(Kafka, *const c_char, *const Heard));
    rd_kafka_conf_enable_sasl_queue(Conf, c_int);
    rd_kafka_sasl_background_callbacks_enable(Kafka) -> *mut Opaque;
    rd_kafka_oauthbearer_set_token(Kafka, *const c_char, i64, *const c_char, *const *const c_char, usize, *mut c_char, usize) -> c_int;
    rd_kafka_oauthbearer_set_token_failure(Kafka, *const c_char) -> c_int;
    rd_kafka_new(c_int, Conf, *mut c_char, usize) -> Kafka;
    rd_kafka_destroy(Kafka);
    rd_kafka_poll(Kafka, c_int) -> c_int;
    rd_kafka_queue_new(Kafka) -> Queue;
    rd_kafka_queue_destroy(Queue);
    rd_kafka_topic_new(Kafka, *const c_char, *mut Opaque) -> Topic;
    rd_kafka_topic_destroy(Topic);
    rd_kafka_topic_name(Topic) -> *const c_char;
    rd_kafka_consume_start_queue(Topic, i32, i64, Queue) -> c_int;
    rd_kafka_consume_stop(Topic, i32) -> c_int;
    rd_kafka_last_error() -> c_int;
    rd_kafka_err2str(c_int) -> *const c_char;
    rd_kafka_consume_batch_queue(Queue, c_int, *mut *mut RawMessage, usize) -> isize;
    rd_kafka_message_destroy(*mut RawMessage);
    rd_kafka_message_errstr(*const RawMessage) -> *const c_char;
    rd_kafka_message_timestamp(*const RawMessage, *mut c_int) -> i64;
    rd_kafka_message_headers(*const RawMessage, *mut Headers) -> c_int;
    rd_kafka_header_get_all(Headers, usize, *mut *const c_char, *mut *const u8, *mut usize) -> c_int;
}
