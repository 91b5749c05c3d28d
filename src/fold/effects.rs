//! What an event caused, as values: rows to write, letters to send, what was counted.

use hashbrown::HashMap;

use super::boards::BoardChanges;
use super::fraud::{Decision, Packed, Subject};
use super::records::{ActiveKey, LongText, Member, MemberDayKey, MemberKey};
use crate::ids::{Millis, Next, Offset};
use crate::keep::Id128;

/// Everything since the shell last took it away.
#[derive(Debug)]
pub struct Effects {
    pub fast: FastRows,
    pub slow: SlowRows,
    pub letters: Vec<Letter>,
    pub decisions: Vec<Decision>,
    pub tally: Tally,
}

/// Touched rows of tables that follow within 250 ms. Touched means dirty, even if the value is back where it was.
#[derive(Debug, Default)]
pub struct FastRows {
    /// Gathered from here on: a member whose `at` is beyond it is among `members`.
    since: Next,
    pub creators: HashMap<u32, Next>,
    /// Each once; their `at` stands in the state.
    pub members: Vec<MemberKey>,
    pub conversions: HashMap<Id128, Next>,
    pub commissions: HashMap<Id128, Next>,
    pub names: Vec<TouchedName>,
    /// Keys of the ledger that moved away; never coalesced.
    pub ledger_left: Vec<LedgerLeft>,
    /// Those that have a row: each is one of its own.
    pub decisions: Packed,
    /// Places in the queue of open reviews that were taken or left.
    pub reviews: HashMap<ReviewPlace, ReviewMoved>,
}

/// Touched rows of tables that follow within a second.
#[derive(Debug, Default)]
pub struct SlowRows {
    /// (creator, hours since 1970)
    pub hours: HashMap<(u32, i64), Next>,
    /// The same, of days that were not sealed: their breakdowns.
    pub hour_groups: HashMap<(u32, i64), Next>,
    /// (creator, days since 1970), sealed days only
    pub days: HashMap<(u32, i64), Next>,
    /// The same, when they were sealed: their breakdowns up to then.
    pub day_groups: HashMap<(u32, i64), Next>,
    /// The same, for what came later.
    pub late_groups: HashMap<(u32, i64), Next>,
    /// (creator, months since year 0)
    pub months: HashMap<(u32, u16), Next>,
    pub member_days: HashMap<MemberDayKey, Next>,
    /// (creator, page of touches)
    pub touches: HashMap<(u32, u64), Next>,
    pub active: HashMap<ActiveKey, Next>,
    pub boards: BoardChanges,
}

/// A name that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedName {
    pub creator: u32,
    /// An id, or a code in its compared form.
    pub text: String,
    pub to: Named,
    pub at: Next,
}

/// What a name leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    Member(u32),
    /// The member who holds it.
    Code(u32),
    /// When it happened: its row's key has that.
    Conversion(Millis),
    /// When it was made, and its payment type.
    Commission(Millis, u8),
}

/// An unpaid commission's place in the ledger, left when it was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerLeft {
    pub commission: Id128,
    pub paid: bool,
    pub time: Millis,
    pub at: Next,
}

/// Where an open review stands in its creator's queue: the first that is due first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReviewPlace {
    pub creator: u32,
    /// `i64::MAX`: never.
    pub due: i64,
    /// When the subject happened.
    pub since: Millis,
    pub subject: Subject,
    pub id: Id128,
}

/// What became of such a place.
#[derive(Debug, Clone)]
pub struct ReviewMoved {
    pub subject_id: LongText,
    pub at: Next,
    /// What is to be reviewed; `None`: nothing is, any more.
    pub open: Option<Box<Decision>>,
}

/// A record, or a part of what it asked for, that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub class: &'static str,
    pub message: String,
    /// The refused record's own place.
    pub offset: Offset,
    /// When the log took the refused record in.
    pub timestamp: Millis,
    /// The event that made the fold decide; letters of events below E are out already.
    pub trigger: Next,
    /// The event itself (postcard) if it was parked before it was refused.
    pub parked: Option<Vec<u8>>,
}

/// read = applied + duplicate + parked + dead + misrouted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Records of the log, whatever they were.
    pub read: i64,
    /// Under another's key, or in another's partition: put where they belong, and read there.
    pub misrouted: i64,
    pub applied: i64,
    pub duplicate: i64,
    /// Waiting now: falls when they are released.
    pub parked: i64,
    pub dead: i64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.misrouted += other.misrouted;
        self.applied += other.applied;
        self.duplicate += other.duplicate;
        self.parked += other.parked;
        self.dead += other.dead;
    }
}

impl Effects {
    /// Nothing yet of the events from `position` on.
    pub fn from(position: Next) -> Self {
        let fast = FastRows { since: position, ..FastRows::default() };
        Self {
            fast,
            slow: SlowRows::from(position),
            letters: Vec::new(),
            decisions: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// What was touched by events below `position`, the next to be folded.
    pub fn take_fast(&mut self, position: Next) -> FastRows {
        std::mem::replace(&mut self.fast, FastRows { since: position, ..FastRows::default() })
    }

    /// What was touched by the same events as what `take_fast` gave before.
    pub fn take_slow(&mut self) -> SlowRows {
        std::mem::replace(&mut self.slow, SlowRows::from(self.fast.since))
    }
}

impl FastRows {
    pub(super) fn touch_member(&mut self, key: MemberKey, member: &mut Member, at: Next) {
        if member.at <= self.since.0 {
            self.members.push(key);
        }
        member.at = at.0;
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn len(&self) -> usize {
        self.creators.len()
            + self.members.len()
            + self.conversions.len()
            + self.commissions.len()
            + self.names.len()
            + self.ledger_left.len()
            + self.decisions.len()
            + self.reviews.len()
    }
}

impl SlowRows {
    fn from(position: Next) -> Self {
        Self { boards: BoardChanges { since: position, ..BoardChanges::default() }, ..Self::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn len(&self) -> usize {
        self.hours.len()
            + self.hour_groups.len()
            + self.days.len()
            + self.day_groups.len()
            + self.late_groups.len()
            + self.months.len()
            + self.member_days.len()
            + self.touches.len()
            + self.active.len()
            + self.boards.len()
    }
}
