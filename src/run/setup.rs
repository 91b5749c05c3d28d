//! Topics and tables, made where they are missing; of what is there already it is told how it differs.

use super::{Error, Rows, generations};
use crate::consume::Stream;
use crate::consume::kafka::{Settings as Kafka, setup};
use crate::store::alias::Alias;
use crate::store::{self, Doors, Store};
use crate::topology::{Retention, Topology};

/// What was found or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Each topic with what was done about it.
    pub topics: Vec<(String, setup::Found)>,
    /// Generations whose tables are there now, and as they should be.
    pub generations: Vec<u32>,
    /// What is not as it should be in the database, a sentence each.
    pub tables: Vec<String>,
}

impl Report {
    /// Whether tables are as they should be. What differs in all of them is told once.
    fn note(&mut self, outcome: Result<(), store::Error>) -> Result<bool, store::Error> {
        match outcome {
            Ok(()) => Ok(true),
            Err(store::Error::Drift { what, .. }) => {
                let is_new = |one: &String| !self.tables.contains(one);
                let more: Vec<String> = what.into_iter().filter(is_new).collect();
                self.tables.extend(more);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether something is there that is not as it should be.
    pub fn has_drift(&self) -> bool {
        let differs =
            |found: &setup::Found| matches!(found, setup::Found::There(differences) if !differences.is_empty());
        !self.tables.is_empty() || self.topics.iter().any(|(_, found)| differs(found))
    }
}

/// The topics as `topology/topics.toml` has them; `partitions` where it is set.
pub fn wanted(kafka: &Kafka, replication: u16, partitions: Option<u32>, topology: &Topology) -> Vec<setup::Wanted> {
    let in_sync = if replication >= 3 { "2" } else { "1" };
    let wanted = |stream: Stream| {
        let topic = topology.topics.iter().find(|topic| topic.name == stream.name()).expect("a test compares them");
        let retention = match topic.retention {
            Retention::Forever => "-1".to_owned(),
            Retention::Days(days) => (u64::from(days) * 86_400_000).to_string(),
        };
        let settings = [
            ("cleanup.policy", topic.cleanup.name()),
            ("retention.ms", retention.as_str()),
            ("retention.bytes", "-1"),
            ("min.insync.replicas", in_sync),
            ("message.timestamp.type", "LogAppendTime"),
        ];
        setup::Wanted {
            name: kafka.topic(stream),
            partitions: partitions.unwrap_or(topic.partitions),
            replication,
            settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        }
    };
    Stream::ALL.map(wanted).to_vec()
}

/// Makes what is missing. One at a time: two that make the same table at once may leave two of them.
pub async fn set_up(kafka: &Kafka, topics: &[setup::Wanted], store: Option<&Rows>) -> Result<Report, Error> {
    let found = setup::setup(kafka, topics).await?;
    let topics = topics.iter().map(|topic| topic.name.clone()).zip(found).collect();
    let mut report = Report { topics, generations: Vec::new(), tables: Vec::new() };
    if let Some(rows) = store {
        // The tables that belong to no generation first: they say which others there should be.
        report.note(rows.setup(&[]).await)?;
        let named = match Alias::read(rows).await {
            Ok((alias, _)) => alias.all(),
            // What differs may be why they cannot be read, and is told.
            Err(_) if !report.tables.is_empty() => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        for generation in named {
            if report.note(rows.of(generation).setup(&generations::table_names(generation)).await)? {
                report.generations.push(generation);
            }
        }
    }
    Ok(report)
}
