//! Faults that a test build can switch on, each of which the simulator must catch, and an output that it counts.
//!
//! Without the feature `seeded-bugs` there is nothing here: `Seeded::has` is `false`, and the compiler takes the
//! faults out. The tests switch the feature on for themselves; what is built to be run has it not.

use bytes::Bytes;

use crate::append::{Outgoing, Stream};
use crate::event::{Body, Event};
use crate::fold::Origin;
use crate::fold::state::{FOR_EVER, State};
use crate::ids::{Next, Partition};
use crate::project::rows::CreatorRow;
use crate::project::tables;
use crate::store::Row;

/// A fault of the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// P moves before the outputs are out.
    LocalBeforeTxn,
    /// P moves before the rows are acknowledged.
    LocalBeforeRows,
    /// Outputs of events below E are put out again.
    NoSuppression,
    /// Events between P and E are left out.
    ResumeAtE,
    /// A task outlives the loss of its partition, and speaks in the name of the next generation.
    RejoinedZombie,
    /// Rows are stamped with the writer's clock.
    ClockStamp,
    /// Rows count as written when they are sent.
    CleanAtSend,
    /// A snapshot is taken of state that is not released.
    SnapshotAhead,
    /// An unknown outcome is taken for "nothing happened", and the outputs are sent again.
    AmbiguousIsAbort,
    /// An unknown outcome is taken for "it is out".
    AmbiguousIsCommit,
    /// What is touched is forgotten when state is committed.
    DirtyLost,
    /// E moves to the end of the log instead of the end of what is folded.
    FetchAhead,
    /// Rows are made of what this task has seen, not of what the log says.
    RelativeRows,
    /// A lost disk begins empty at E.
    StaleSnapshot,
    /// The deletion of a key that moved is left out.
    DeleteCoalesced,
    /// Events whose outputs are out are not folded.
    SuppressedNotFolded,
    /// P moves before the rows of slow tables are acknowledged.
    ReleasedBeforeSlow,
    /// Outputs leave in another order than the events'.
    OutputsReversed,
    /// Rows that a former owner said were written are not made sure of again.
    AppliedTrusted,
    /// How far the rows are is written before them.
    AppliedAhead,
    /// State that cannot be read is opened again while outputs are on their way.
    ReopenedMeanwhile,
    /// Rows are taken to be written as far as those of slow tables are said to be, which goes back.
    RowsGoBack,
    /// Outputs count as out when they are sent.
    EmittedAtSend,
    /// Rows whose write failed count as written.
    WriteErrorIsAck,
    /// An output is taken for one of the last event of its batch.
    TriggerOfBatch,
    /// Outputs go beside the transaction that moves E.
    OutputsBesideE,
    /// An acknowledgement makes everything clean, also what was touched since.
    AckCleansAll,
    /// A record beyond the place where generations stop is forgotten by who has not come there.
    ForgottenAtFence,
    /// Who may put outputs out now, and is not told how far they are, does not ask again.
    EmissionMissed,
}

/// What is switched on; nothing, unless a test says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seeded {
    #[cfg(feature = "seeded-bugs")]
    bug: Option<Bug>,
    #[cfg(feature = "seeded-bugs")]
    tells: bool,
}

impl Seeded {
    /// With an output a conversion, and perhaps a fault.
    #[cfg(feature = "seeded-bugs")]
    pub const fn new(bug: Option<Bug>) -> Self {
        Self { bug, tells: true }
    }

    #[cfg(feature = "seeded-bugs")]
    pub(super) fn has(self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    #[cfg(not(feature = "seeded-bugs"))]
    #[expect(clippy::unused_self, reason = "with the feature it is used")]
    pub(super) const fn has(self, _bug: Bug) -> bool {
        false
    }

    /// Where a task begins that has P on its disk.
    pub(super) fn position(self, position: Next, emitted: Next) -> Next {
        let skips = self.has(Bug::ResumeAtE) || (self.has(Bug::StaleSnapshot) && position == Next(0));
        if skips { emitted } else { position }
    }

    pub(super) fn at_start(self, state: &State, (written, end): (Next, Next)) -> AtStart {
        let mut found = AtStart::default();
        if self.has(Bug::RelativeRows) {
            let made = state.partition.peek(&0, FOR_EVER).map_or(0, |record| record.creators);
            let one = |c| {
                let profile = state.creator_profiles.peek(&c, FOR_EVER)?;
                Some((profile.id.as_str().to_owned(), i64::from(state.creators.peek(&c, FOR_EVER)?.members)))
            };
            found.members.extend((0..made).filter_map(one));
        }
        if self.has(Bug::FetchAhead) {
            found.fetched = end;
        }
        if self.has(Bug::AppliedTrusted) {
            found.written = written;
        }
        found
    }

    /// Whether the event has an output that tests count.
    #[cfg(feature = "seeded-bugs")]
    pub(super) const fn tells_of(self, event: &Event<'_>) -> bool {
        self.tells && matches!(event.body, Body::Conversion(_))
    }

    #[cfg(not(feature = "seeded-bugs"))]
    #[expect(clippy::unused_self, reason = "with the feature it is used")]
    pub(super) const fn tells_of(self, _event: &Event<'_>) -> bool {
        false
    }
}

/// What faults need to know of a task's start; nothing without them.
#[derive(Debug, Default)]
pub(super) struct AtStart {
    /// Members of each creator, for [`Bug::RelativeRows`].
    members: Vec<(String, i64)>,
    /// The log's end, for [`Bug::FetchAhead`].
    pub(super) fetched: Next,
    /// As `applied` said, for [`Bug::AppliedTrusted`].
    pub(super) written: Next,
}

impl AtStart {
    /// Takes away what the rows' creators had at the start.
    pub(super) fn take_from(&self, rows: &mut [Row]) {
        for row in rows.iter_mut().filter(|row| row.key.part.table == tables::CREATOR.id) {
            let Some(Ok(mut head)) = row.value.as_deref().map(CreatorRow::decode) else { continue };
            let known = self.members.iter().find(|(id, _)| row.key == tables::creator(row.key.part.p, id));
            head.members -= known.map_or(0, |(_, members)| *members);
            row.value = Some(head.encode());
        }
    }
}

/// The output for a conversion that was just folded: what its creator's state is then.
pub fn told(state: &State, event: &Event<'_>, origin: Origin, partition: Partition) -> Option<Outgoing> {
    let Body::Conversion(conversion) = &event.body else { return None };
    let is_it = |c: &u32| {
        state.creator_profiles.peek(c, FOR_EVER).is_some_and(|profile| profile.id.as_str() == event.creator_id.0)
    };
    let made = state.partition.peek(&0, FOR_EVER).map_or(0, |record| record.creators);
    let head = (0..made).find(is_it).and_then(|c| state.creators.peek(&c, FOR_EVER));
    let head = head.map(|head| (head.clock, head.seq, head.touches, head.members, head.counts.orders));
    Some(Outgoing {
        stream: Stream::Decisions,
        partition,
        timestamp: origin.timestamp,
        key: Bytes::copy_from_slice(conversion.conversion_id.0.as_bytes()),
        value: Bytes::from(format!("{} {head:?}", origin.offset.0)),
    })
}
