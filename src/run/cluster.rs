//! On many machines: the log in Kafka, projections in ScyllaDB or Cassandra; or in a file, for one worker alone.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::engine::{Log, Rows};
use super::{Error, Options, PROJECTIONS_FILE, Program, keys};
use crate::clock::Clock;
use crate::consume::kafka::Settings as Kafka;
use crate::disk;
use crate::store;
use crate::store::alias::Alias;
use crate::store::embedded::{EmbeddedStore, Options as StoreOptions};
use crate::store::origin::Origin;
use crate::store::scylla::{Options as Cql, ScyllaStore};
use crate::telemetry::with_causes;

/// Where log and projections are.
#[derive(Debug, Clone)]
pub enum Engines {
    /// Both in the data folder.
    Embedded,
    /// The log in Kafka, the projections in the data folder of the one worker.
    Kafka(Box<Kafka>),
    /// Both outside.
    Cluster(Box<(Kafka, Cql)>),
}

/// The file that one process holds while it has the folder.
const LOCK_FILE: &str = "tributary.lock";
/// The file with the name that this folder's transactions have.
const NAME_FILE: &str = "instance";

impl Program {
    /// On the engines given: topics and tables must be there, `setup` makes them; here nothing of them is changed. Nothing
    /// is folded before [`Program::start`].
    pub async fn open_on(engines: Engines, options: Options, clock: Clock) -> Result<Self, Error> {
        let (kafka, cql) = match engines {
            Engines::Embedded => return Self::open(options, clock).await,
            Engines::Kafka(kafka) => (*kafka, None),
            Engines::Cluster(both) => (both.0, Some(both.1)),
        };
        let lock = lock(&options.data_dir)?;
        let log = log(&options.data_dir, kafka).await?;
        let rows = match cql {
            Some(cql) => Rows::Cql(ScyllaStore::connect(cql).await?),
            None => rows(&options.data_dir)?,
        };
        check_tables(&rows).await?;
        check_origin(&log, &rows).await?;
        Self::on((log, rows), Some(lock), options, clock).await
    }
}

/// The tables must be there and as they should be: what does not fit into them would be refused for ever. What cannot
/// be compared now, because nobody answers, shows itself to whoever writes.
async fn check_tables(rows: &Rows) -> Result<(), Error> {
    if !rows.is_shared() {
        return Ok(());
    }
    // Those of no generation first: they say which generations there are.
    compare(rows, &[]).await?;
    let mut named = Alias::read(rows).await?.0.all();
    loop {
        let outcome = compare(rows, &named).await;
        if outcome.is_ok() {
            return Ok(());
        }
        let now = Alias::read(rows).await?.0.all();
        // One that was dropped meanwhile has no tables any more.
        if now == named {
            return Ok(outcome?);
        }
        named = now;
    }
}

async fn compare(rows: &Rows, generations: &[u32]) -> Result<(), store::Error> {
    match rows.check(generations).await {
        Err(error) if !matches!(error, store::Error::Drift { .. }) => {
            tracing::warn!(error = %with_causes(&error), "the tables are not compared with what they should be");
            Ok(())
        }
        outcome => outcome,
    }
}

/// The projections must be those of this very log.
async fn check_origin(log: &Log, rows: &Rows) -> Result<(), Error> {
    let topic = log.topic();
    let was = Origin { topic: topic.id, partitions: topic.partitions }.claim(rows).await?;
    Ok(topic.check(was.topic, was.partitions)?)
}

/// The projections of a data folder.
pub fn rows(dir: &Path) -> Result<Rows, Error> {
    Ok(Rows::File(EmbeddedStore::open(&dir.join(PROJECTIONS_FILE), StoreOptions::default())?))
}

async fn log(dir: &Path, mut settings: Kafka) -> Result<Log, Error> {
    settings.transactional = format!("{}-{}", settings.group, name_of(dir)?);
    let opened = tokio::task::spawn_blocking(move || Log::connect(settings)).await;
    opened.map_err(|_| Error::Panicked)?
}

fn lock(dir: &Path) -> Result<File, Error> {
    fs::create_dir_all(dir).map_err(|source| Error::Folder { dir: dir.to_owned(), source })?;
    Ok(disk::hold(&dir.join(LOCK_FILE))?)
}

/// A name that the folder keeps: after a crash the next process resolves what the former one left open.
fn name_of(dir: &Path) -> Result<String, Error> {
    let failed = |source| Error::Folder { dir: dir.to_owned(), source };
    let path = dir.join(NAME_FILE);
    match fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let name = format!("{:016x}", u64::from_be_bytes(keys::entropy().map_err(failed)?));
    fs::write(&path, &name).map_err(failed)?;
    Ok(name)
}
