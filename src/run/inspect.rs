//! Looking into a data folder that no worker is writing.

use crate::ids::{Next, Partition};
use crate::project::rows::AppliedRow;
use crate::project::tables;
use crate::store::Store;

use super::engine::Log;
use super::{Error, Options, Program};

/// How far one partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub partition: Partition,
    /// Of the log.
    pub end: Next,
    /// E: outputs are out up to here.
    pub emitted: Next,
    /// Rows of fast and of slow tables are written up to here.
    pub fast: Next,
    pub slow: Next,
}

impl Program {
    /// How far each partition is.
    pub async fn places(&self) -> Result<Vec<Place>, Error> {
        let mut places = Vec::new();
        for (partition, end) in self.ends() {
            let row = self.store.get(&[tables::applied(partition)]).await?.into_iter().flatten().next();
            let applied = row.and_then(|row| AppliedRow::decode(row.value.as_deref().unwrap_or_default()).ok());
            let (fast, slow) = applied.map_or_else(Default::default, |applied| (applied.fast, applied.slow));
            let log = self.log.clone();
            let asked = tokio::task::spawn_blocking(move || log.committed(partition)).await;
            let emitted = asked.map_err(|_| Error::Panicked)??.unwrap_or_default();
            places.push(Place { partition, end, emitted, fast, slow });
        }
        Ok(places)
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
