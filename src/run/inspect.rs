//! How far log and projections are, from wherever they can be read.

use crate::consume;
use crate::ids::{Millis, Next, Partition};
use crate::project::rows::AppliedRow;
use crate::project::tables;
use crate::store::accord::Accord;
use crate::store::{Doors, Store};

use super::engine::{Log, Rows};
use super::{Error, Options, Program};

/// How far one partition is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub partition: Partition,
    /// Of the log.
    pub end: Next,
    /// E: outputs are out up to here.
    pub emitted: Next,
    /// Rows of fast and of slow tables are written up to here.
    pub fast: Next,
    pub slow: Next,
    /// P, as of the last write of rows: state on its owner's disk is of there.
    pub committed: Next,
    /// Log timestamp of the newest record that has rows.
    pub record_time: Millis,
    /// Who folds it now, where a group says so.
    pub owner: Option<String>,
}

/// How far each partition of a log is, in the generation of these rows that is live; with its number.
pub async fn live_places(log: &Log, rows: &Rows) -> Result<(u32, Vec<Place>), Error> {
    let accord = Accord::read(rows).await?;
    // E is what the generation has committed that puts outputs out, and that may be any of them.
    log.follow(&accord.emitted_by());
    let live = accord.alias.live;
    Ok((live, places(log, &rows.of(live)).await?))
}

/// The same in the rows given.
async fn places(log: &Log, rows: &Rows) -> Result<Vec<Place>, Error> {
    let ends = log.ends().map_err(|what| consume::Error::Unavailable { topic: log.topic().name.clone(), what })?;
    let generation = rows.generation();
    let mut places = Vec::new();
    for (partition, end) in (0..).map(Partition).zip(ends) {
        let row = rows.get(&[tables::applied(partition)]).await?.into_iter().flatten().next();
        let applied = row.and_then(|row| AppliedRow::decode(row.value.as_deref().unwrap_or_default()).ok());
        let AppliedRow { fast, slow, record_time, committed } = applied.unwrap_or_default();
        places.push(Place { partition, end, emitted: Next(0), fast, slow, committed, record_time, owner: None });
    }
    let log = log.clone();
    let asking = move || {
        let owners = log.owners(generation)?;
        for place in &mut places {
            place.emitted = log.committed(place.partition)?.unwrap_or_default();
            place.owner = owners.get(&place.partition).cloned();
        }
        Ok(places)
    };
    tokio::task::spawn_blocking(asking).await.map_err(|_| Error::Panicked)?
}

impl Program {
    /// How far each partition is, in the live generation.
    pub async fn places(&self) -> Result<Vec<Place>, Error> {
        places(&self.log, &self.live().now().store).await
    }

    /// Throws away what the log can make again: rows and state. The log stays.
    pub fn forget_projections(options: &Options) -> Result<(), Error> {
        let failed = |source| Error::Folder { dir: options.data_dir.clone(), source };
        let absent_is_fine = |outcome: std::io::Result<()>| match outcome {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        };
        // Opened first: whoever holds the folder keeps it.
        drop(Log::open(&options.data_dir, options.partitions)?);
        absent_is_fine(std::fs::remove_file(options.data_dir.join(super::PROJECTIONS_FILE))).map_err(failed)?;
        absent_is_fine(std::fs::remove_dir_all(options.data_dir.join(super::fleet::STATE_FOLDER))).map_err(failed)
    }
}
