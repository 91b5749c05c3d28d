//! What the program is made of, as data: topics, processors and tables, from the files in `topology/`.
//!
//! Promise: what is drawn is what runs; a test compares the files with the code.

mod draw;

use serde::{Deserialize, Serialize};

const TOPICS: (&str, &str) = ("topology/topics.toml", include_str!("../topology/topics.toml"));
const PROCESSORS: (&str, &str) = ("topology/processors.toml", include_str!("../topology/processors.toml"));
const TABLES: (&str, &str) = ("topology/tables.toml", include_str!("../topology/tables.toml"));

/// In `reads` and `writes`: every projection table.
pub const ALL_TABLES: &str = "tables";

/// Everything that data passes through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Topology {
    pub outside: Vec<Outside>,
    pub processors: Vec<Processor>,
    pub topics: Vec<Topic>,
    pub tables: Vec<Table>,
}

/// Where data comes from or goes to, beyond this program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outside {
    pub name: String,
    pub does: String,
}

/// A part of the program that reads and writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processor {
    pub name: String,
    pub does: String,
    pub reads: Vec<String>,
    pub writes: Vec<String>,
    /// What it remembers from one record to the next.
    pub keeps: Vec<String>,
}

/// A stream of records in partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    pub name: String,
    pub does: String,
    /// The field whose value is the record's key.
    pub key: String,
    /// Of a log that was not told otherwise.
    pub partitions: u32,
    pub partitioner: String,
    pub retention: Retention,
    pub cleanup: Cleanup,
    /// Names of the Avro records it holds.
    pub records: Vec<String>,
}

/// How long a topic keeps its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retention {
    Forever,
    Days(u32),
}

/// What happens to records that are no longer kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cleanup {
    Delete,
    /// The newest record of each key stays.
    Compact,
}

impl Cleanup {
    /// As Kafka calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Compact => "compact",
        }
    }
}

/// A projection table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub id: u16,
    pub name: String,
    /// Clustering columns; a leading minus sorts downwards.
    pub key: Vec<String>,
    pub shards: u16,
    pub class: Class,
    #[serde(default)]
    pub by_month: bool,
    pub serves: String,
}

/// How soon a table follows the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    Fast,
    Slow,
}

/// How to draw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Mermaid,
    Dot,
    Json,
}

impl Format {
    pub const ALL: [Self; 4] = [Self::Text, Self::Mermaid, Self::Dot, Self::Json];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Mermaid => "mermaid",
            Self::Dot => "dot",
            Self::Json => "json",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| Error::Format { given: text.to_owned() })
    }
}

/// What can be wrong with the files, or with what is asked of them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {file}; it is part of the program, so build it again from an unchanged {file}")]
    Malformed { file: &'static str, source: toml::de::Error },
    #[error("{file} names {name:?} twice; give each a name and number of its own")]
    Twice { file: &'static str, name: String },
    #[error("processor {processor:?} names {name:?}, which is no topic, no outside and not {ALL_TABLES:?}")]
    Unknown { processor: String, name: String },
    #[error("no format {given:?}; take text, mermaid, dot or json")]
    Format { given: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicsFile {
    topic: Vec<Topic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcessorsFile {
    outside: Vec<Outside>,
    processor: Vec<Processor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TablesFile {
    table: Vec<Table>,
}

impl Topology {
    /// From the files that are part of the program. Every name stands for one thing, and stands for something.
    pub fn load() -> Result<Self, Error> {
        Self::parse(TOPICS.1, PROCESSORS.1, TABLES.1)
    }

    /// From the texts of the three files.
    pub fn parse(topics: &str, processors: &str, tables: &str) -> Result<Self, Error> {
        let topics: TopicsFile = read(TOPICS.0, topics)?;
        let processors: ProcessorsFile = read(PROCESSORS.0, processors)?;
        let tables: TablesFile = read(TABLES.0, tables)?;
        let topology = Self {
            outside: processors.outside,
            processors: processors.processor,
            topics: topics.topic,
            tables: tables.table,
        };
        topology.check()?;
        Ok(topology)
    }

    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Text => draw::text(self),
            Format::Mermaid => draw::mermaid(self),
            Format::Dot => draw::dot(self),
            Format::Json => serde_json::to_string_pretty(self).expect("plain structs of texts and numbers"),
        }
    }

    fn check(&self) -> Result<(), Error> {
        unique(TOPICS.0, self.topics.iter().map(|topic| topic.name.clone()))?;
        unique(PROCESSORS.0, self.processors.iter().map(|processor| processor.name.clone()))?;
        unique(PROCESSORS.0, self.outside.iter().map(|outside| outside.name.clone()))?;
        unique(TABLES.0, self.tables.iter().map(|table| table.name.clone()))?;
        unique(TABLES.0, self.tables.iter().map(|table| table.id.to_string()))?;
        for processor in &self.processors {
            for name in processor.reads.iter().chain(&processor.writes) {
                if !self.knows(name) {
                    return Err(Error::Unknown { processor: processor.name.clone(), name: name.clone() });
                }
            }
        }
        Ok(())
    }

    fn knows(&self, name: &str) -> bool {
        name == ALL_TABLES
            || self.topics.iter().any(|topic| topic.name == name)
            || self.outside.iter().any(|outside| outside.name == name)
    }
}

fn read<T: serde::de::DeserializeOwned>(file: &'static str, text: &str) -> Result<T, Error> {
    toml::from_str(text).map_err(|source| Error::Malformed { file, source })
}

fn unique(file: &'static str, names: impl Iterator<Item = String>) -> Result<(), Error> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name.clone()) {
            return Err(Error::Twice { file, name });
        }
    }
    Ok(())
}
