//! Where copies of the workers' states go.

use std::time::Duration;

use super::fleet::Parts;
use super::{Error, Program};
use crate::keep::archive::{Archive, Place};
use crate::telemetry::with_causes;
use crate::worker;

/// So many events are replayed about as soon as a state of some size is fetched from far away and opened: ten seconds.
const WORTH_EVENTS: u64 = 500_000;

/// Settings of the snapshot store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshots {
    pub place: Place,
    /// A copy of each partition is made as often as this.
    pub every: Duration,
    /// A worker's own state is replaced when a snapshot is further on by more events than this.
    pub worth_events: u64,
}

impl Snapshots {
    pub fn new(place: Place, every: Duration) -> Self {
        Self { place, every, worth_events: WORTH_EVENTS }
    }

    pub(super) fn open(&self) -> Result<worker::Snapshots, Error> {
        let archive = Archive::open(&self.place).map_err(Error::Snapshots)?;
        Ok(worker::Snapshots::new(archive, self.every, self.worth_events))
    }
}

/// Takes the snapshots of a dropped generation away. What cannot be removed costs room, and nothing else.
pub(super) async fn forget(parts: &Parts, generation: u32) {
    let Some(snapshots) = &parts.options.snapshots else { return };
    let forgotten = async { Archive::open(&snapshots.place)?.forget(parts.log.topic().id, generation).await };
    if let Err(error) = forgotten.await {
        let error = with_causes(&error);
        tracing::warn!(generation, error, "snapshots of a dropped generation stay; remove them by hand");
    }
}

impl Program {
    /// Whether the snapshot store, if there is one, can be written. One that does not answer now may do so later; what a
    /// setting is to blame for is an error.
    pub async fn check_snapshots(&self) -> Result<(), Error> {
        let Some(snapshots) = &self.options.snapshots else { return Ok(()) };
        let archive = Archive::open(&snapshots.place).map_err(Error::Snapshots)?;
        match archive.check().await {
            Err(error) if archive.blames_settings(&error) => Err(Error::Snapshots(error)),
            Err(error) => {
                let error = with_causes(&error);
                tracing::warn!(error, "the snapshot store does not answer; it is tried again with each snapshot");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}
