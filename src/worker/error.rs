//! What a worker cannot go on with by itself.

use crate::ids::{Next, Partition};

/// Each names the place and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Log(#[from] crate::consume::Error),
    #[error("partition {}: its state cannot go on", partition.0)]
    State { partition: Partition, source: crate::keep::Error },
    /// Not the state's fault: the program is another one.
    #[error(
        "partition {}: the state of generation {generation} was made by another version of the fold, which this one cannot go on with: its rows stay readable as they are; run `tributary projections rebuild` to make them again beside it from the log, then `tributary projections switch`",
        partition.0
    )]
    OtherFold { partition: Partition, generation: u32 },
    #[error("partition {}: cannot start a thread for its snapshots", partition.0)]
    Thread { partition: Partition, source: std::io::Error },
    #[error("partition {}: cannot read its position in the projections", partition.0)]
    Store { partition: Partition, source: crate::store::Error },
    #[error(
        "partition {}: state has applied {} but the log has committed only {} and ends at {}: {}",
        partition.0, state.0, committed.0, end.0, way_on(*partition, *state, *end)
    )]
    Ahead { partition: Partition, state: Next, committed: Next, end: Next },
    #[error(
        "partition {}: state has applied {} but the projections only {}: they were lost or restored; run `tributary projections rebuild` to make them again from the log",
        partition.0, state.0, rows.0
    )]
    RowsBehind { partition: Partition, state: Next, rows: Next },
    /// Skipping the record would lose what only a newer program can read.
    #[error(transparent)]
    Unreadable(crate::decode::Error),
    #[error("partition {}: the state's map {map} holds {entities} entities, its limit is {limit}; raise `state.entities_max` and restart", partition.0)]
    MapFull { partition: Partition, map: &'static str, entities: usize, limit: usize },
    #[error("the generations cannot be compared as they move: {why}")]
    NotMet { why: String },
    /// By whoever asked for it, or by the end of the process.
    #[error("told to stop before the end")]
    Stopped,
}

impl Error {
    /// Trying again later may help.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Log(source) => source.is_transient(),
            Self::Store { source, .. } => source.is_transient(),
            // Another worker of this process had the partition and has not noticed yet that it lost it.
            Self::State { source, .. } => matches!(source, crate::keep::Error::InUse { .. }),
            Self::Thread { .. } => true,
            Self::OtherFold { .. }
            | Self::Ahead { .. }
            | Self::RowsBehind { .. }
            | Self::Unreadable(_)
            | Self::MapFull { .. }
            | Self::NotMet { .. }
            | Self::Stopped => false,
        }
    }
}

/// What to do with state that is ahead of E or of the log.
fn way_on(partition: Partition, state: Next, end: Next) -> String {
    let rebuild = "make everything again from what the log holds with `tributary projections rebuild --switch`";
    if state > end {
        return format!("the log was shortened, restored or made anew; restore what matches, or {rebuild}");
    }
    let (partition, state) = (partition.0, state.0);
    format!(
        "the log was restored or made anew, or its group's offsets were reset; restore what matches, or, if only the offsets are lost, run `tributary accept-gap --partition {partition} --to {state}` and start again, or {rebuild}"
    )
}
