//! The ways into the log.

use crate::append::embedded::EmbeddedSink;
use crate::append::kafka::KafkaSink;
use crate::append::{self, Appended, Error, Outgoing};
use crate::consume::kafka::Member;
use crate::ids::{Next, Partition};
use crate::publish::Publish;
use crate::publish::kafka::KafkaPublisher;

/// For what comes in.
#[derive(Clone)]
pub enum Sink {
    File(EmbeddedSink),
    Kafka(KafkaSink),
}

/// For what a worker puts out.
#[derive(Clone)]
pub enum Publisher {
    File(EmbeddedSink),
    Kafka(KafkaPublisher),
}

impl Sink {
    /// What was handed over before is in the log, or never will be.
    pub(in crate::run) async fn settle(&self) {
        match self {
            // One writer does one after the other: once for what waits, once for what it had in hand.
            Self::File(sink) => {
                for _ in 0..2 {
                    drop(sink.put_out(Partition(0), Vec::new(), Next(0)).await);
                }
            }
            // Who asks what is committed waits for what is pending.
            Self::Kafka(_) => {}
        }
    }
}

impl append::Sink for Sink {
    async fn append(&self, records: Vec<Outgoing>) -> Result<Vec<Appended>, Error> {
        match self {
            Self::File(sink) => sink.append(records).await,
            Self::Kafka(sink) => sink.append(records).await,
        }
    }
}

impl append::Sink for Publisher {
    async fn append(&self, records: Vec<Outgoing>) -> Result<Vec<Appended>, Error> {
        match self {
            Self::File(sink) => sink.append(records).await,
            Self::Kafka(sink) => sink.append(records).await,
        }
    }
}

impl Publish for Publisher {
    type Member = Member;

    async fn emit(&self, owner: &Member, from: Partition, outputs: Vec<Outgoing>, position: Next) -> Result<(), Error> {
        match self {
            Self::File(sink) => sink.emit(&(), from, outputs, position).await,
            Self::Kafka(sink) => sink.emit(owner, from, outputs, position).await,
        }
    }
}
