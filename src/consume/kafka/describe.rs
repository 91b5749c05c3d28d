//! What a topic is, its id and its partitions, and what a consumer has last heard of its ends. The crate has no call for
//! either, so the library is called itself.

use std::ffi::{CStr, CString};
use std::ptr;

use rdkafka::admin::AdminClient;
use rdkafka::bindings as ffi;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};

use super::changes::Quiet;
use super::{REQUEST_MAX, failed};
use crate::consume::kafka::Settings;
use crate::consume::{Error, Stream, Topic};
use crate::ids::Next;

/// The topic of the events.
pub(super) fn events(admin: &AdminClient<Quiet>, settings: &Settings) -> Result<Topic, Error> {
    describe(admin, settings, &settings.topic(Stream::Events))
}

/// What the brokers say of a topic.
pub(super) fn describe(admin: &AdminClient<Quiet>, settings: &Settings, name: &str) -> Result<Topic, Error> {
    let unavailable = |what: String| Error::Unavailable { topic: name.to_owned(), what };
    let (id, partitions) = ask(admin, name)
        .map_err(unavailable)?
        .ok_or_else(|| Error::NoTopic { topic: name.to_owned(), brokers: settings.brokers.clone() })?;
    let partitions = u32::try_from(partitions).unwrap_or(u32::MAX);
    Ok(Topic { name: name.to_owned(), id, partitions })
}

/// Whether the brokers answer at all.
pub(super) fn reach(settings: &Settings) -> Result<(), Error> {
    let consumer: BaseConsumer<Quiet> =
        settings.client().create_with_context(Quiet).map_err(|error| failed(settings, &error))?;
    consumer.fetch_metadata(None, REQUEST_MAX).map(drop).map_err(|error| failed(settings, &error))
}

/// How far the log of a partition went, as the last answer to a fetch said; nobody is asked.
#[allow(unsafe_code)]
pub(super) fn fetched_end<C: ConsumerContext>(consumer: &BaseConsumer<C>, topic: &str, partition: i32) -> Option<Next> {
    let name = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client lives as long as `consumer`; name and numbers are read and written during the call alone.
    let code = unsafe {
        let client = consumer.client().native_ptr();
        ffi::rd_kafka_get_watermark_offsets(client, name.as_ptr(), partition, &raw mut low, &raw mut high)
    };
    (code == ffi::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| u64::try_from(high).ok().map(Next))?
}

/// `None`: there is no such topic.
#[allow(unsafe_code)]
fn ask(admin: &AdminClient<Quiet>, name: &str) -> Result<Option<([u8; 16], usize)>, String> {
    let name = CString::new(name).map_err(|error| error.to_string())?;
    let timeout = i32::try_from(REQUEST_MAX.as_millis()).unwrap_or(i32::MAX);
    let client = admin.inner().native_ptr();
    // SAFETY: `client` lives as long as `admin`. Each of the objects made here is destroyed once, after its last use:
    // options, collection and queue at the end, the event behind what is read from it. The names are copied by
    // `TopicCollection_of_topic_names`. What is read from the event is copied before it is destroyed.
    unsafe {
        let queue = ffi::rd_kafka_queue_new(client);
        let options =
            ffi::rd_kafka_AdminOptions_new(client, ffi::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
        ffi::rd_kafka_AdminOptions_set_request_timeout(options, timeout, ptr::null_mut(), 0);
        let mut names = [name.as_ptr()];
        let collection = ffi::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
        ffi::rd_kafka_DescribeTopics(client, collection, options, queue);
        let event = ffi::rd_kafka_queue_poll(queue, timeout.saturating_add(1_000));
        let answer = if event.is_null() { Err("no answer".to_owned()) } else { read(event) };
        if !event.is_null() {
            ffi::rd_kafka_event_destroy(event);
        }
        ffi::rd_kafka_TopicCollection_destroy(collection);
        ffi::rd_kafka_AdminOptions_destroy(options);
        ffi::rd_kafka_queue_destroy(queue);
        answer
    }
}

/// # Safety
/// `event` is a live one that answers `DescribeTopics` of one topic.
#[allow(unsafe_code)]
unsafe fn read(event: *mut ffi::rd_kafka_event_t) -> Result<Option<([u8; 16], usize)>, String> {
    use ffi::rd_kafka_resp_err_t as Code;
    // SAFETY: as of `ask`; pointers into the event are read while it lives.
    unsafe {
        if ffi::rd_kafka_event_error(event) != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(CStr::from_ptr(ffi::rd_kafka_event_error_string(event)).to_string_lossy().into_owned());
        }
        let mut count = 0;
        let result = ffi::rd_kafka_event_DescribeTopics_result(event);
        if result.is_null() {
            return Err("an answer to another question".to_owned());
        }
        let topics = ffi::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        if topics.is_null() || count == 0 {
            return Err("an answer about no topic".to_owned());
        }
        let topic = *topics;
        let error = ffi::rd_kafka_TopicDescription_error(topic);
        let code = ffi::rd_kafka_error_code(error);
        if code == Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART {
            return Ok(None);
        }
        if code != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(CStr::from_ptr(ffi::rd_kafka_error_string(error)).to_string_lossy().into_owned());
        }
        let mut partitions = 0;
        ffi::rd_kafka_TopicDescription_partitions(topic, &raw mut partitions);
        let id = ffi::rd_kafka_TopicDescription_topic_id(topic);
        let (high, low) = (ffi::rd_kafka_Uuid_most_significant_bits(id), ffi::rd_kafka_Uuid_least_significant_bits(id));
        let id = u128::from(high.cast_unsigned()) << 64 | u128::from(low.cast_unsigned());
        Ok(Some((id.to_be_bytes(), partitions)))
    }
}
