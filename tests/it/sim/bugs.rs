//! Faults that are switched on, and a seed that catches each.

use tributary::worker::seeded::Bug;

/// A fault of an engine behind its seam, or of the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Worker(Bug),
    Engine(Engine),
}

/// Faults that an engine of the log could have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// E is read before the group fences the former owner.
    EBeforeJoin,
    /// E is read while a transaction that moves it is pending.
    UnstableE,
}

impl Fault {
    pub(super) fn name(self) -> String {
        match self {
            Self::Worker(bug) => format!("{bug:?}"),
            Self::Engine(bug) => format!("{bug:?}"),
        }
    }

    pub(super) const fn worker(self) -> Option<Bug> {
        match self {
            Self::Worker(bug) => Some(bug),
            Self::Engine(_) => None,
        }
    }

    /// What it does is that nothing comes out any more.
    pub(super) fn stops_outputs(self) -> bool {
        self == Self::Worker(Bug::EmissionMissed)
    }

    pub(super) const fn engine(self) -> Option<Engine> {
        match self {
            Self::Engine(bug) => Some(bug),
            Self::Worker(_) => None,
        }
    }
}

/// All of them, each with a seed whose schedule catches it.
pub(super) const FAULTS: &[(Fault, u64)] = &[
    // those of the protocol's own simulation
    (Fault::Worker(Bug::LocalBeforeTxn), 4),
    (Fault::Worker(Bug::LocalBeforeRows), 3),
    (Fault::Worker(Bug::NoSuppression), 0),
    (Fault::Worker(Bug::ResumeAtE), 0),
    (Fault::Engine(Engine::EBeforeJoin), 1),
    (Fault::Engine(Engine::UnstableE), 11),
    (Fault::Worker(Bug::RejoinedZombie), 209),
    (Fault::Worker(Bug::ClockStamp), 3),
    (Fault::Worker(Bug::CleanAtSend), 12),
    (Fault::Worker(Bug::SnapshotAhead), 0),
    (Fault::Worker(Bug::AmbiguousIsAbort), 76),
    (Fault::Worker(Bug::AmbiguousIsCommit), 0),
    (Fault::Worker(Bug::DirtyLost), 0),
    (Fault::Worker(Bug::FetchAhead), 0),
    (Fault::Worker(Bug::RelativeRows), 6),
    (Fault::Worker(Bug::StaleSnapshot), 0),
    // and others
    (Fault::Worker(Bug::DeleteCoalesced), 0),
    (Fault::Worker(Bug::SuppressedNotFolded), 0),
    (Fault::Worker(Bug::ReleasedBeforeSlow), 494),
    (Fault::Worker(Bug::OutputsReversed), 0),
    (Fault::Worker(Bug::AppliedTrusted), 576),
    (Fault::Worker(Bug::AppliedAhead), 1),
    (Fault::Worker(Bug::ReopenedMeanwhile), 28),
    (Fault::Worker(Bug::RowsGoBack), 62),
    (Fault::Worker(Bug::EmittedAtSend), 4),
    (Fault::Worker(Bug::WriteErrorIsAck), 3),
    (Fault::Worker(Bug::TriggerOfBatch), 0),
    (Fault::Worker(Bug::OutputsBesideE), 0),
    (Fault::Worker(Bug::AckCleansAll), 1),
    (Fault::Worker(Bug::ForgottenAtFence), 28),
    (Fault::Worker(Bug::EmissionMissed), 352),
];
