//! What happened: one type for every record of the log, borrowed from its bytes.
//!
//! Promise: a value of these types is well formed (ids of 1 to 64 bytes, currencies of three capitals, known
//! kinds); whether it is *admitted* is for `fold` to say. Pure: no clock, no file, no library beyond serde and, for the
//! lists of bots, two that search texts.

mod bots;
mod check;
mod control;
mod money;
mod people;
mod symbol;
mod traffic;

pub use bots::{BotKind, Bots};
pub use check::{Invalid, check};
pub use control::{
    Erasure, ErasureSubject, ListEntry, ListKey, ListKind, Review, ReviewLabel, ReviewSubject, RuleSet, RuleSetMode,
    Template, Verdict,
};
pub use money::{Commission, CommissionKind, Conversion, ConversionKind, PaymentType};
pub use people::{
    AttributionModel, AttributionPolicy, CommissionPolicy, CommissionSource, Creator, Member, MemberStatus, OnDue,
    Precedence, ReviewPolicy, Sighting,
};
pub use traffic::{Click, Share, ShareType};

use serde::{Deserialize, Serialize};

use crate::ids::{CreatorId, EventId, Millis};

/// Most bytes of all `attributes` of one event, keys and values together.
pub const ATTRIBUTES_BYTES_MAX: usize = 10_000;
/// Most coupons, embed origins and the like in one record.
pub const LIST_LEN_MAX: usize = 64;
/// Most pairs of dimensions a creator may have broken down together.
pub const BREAKDOWN_PAIRS_MAX: usize = 6;

/// One fact, as its producer stated it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event<'a> {
    #[serde(borrow)]
    pub event_id: EventId<'a>,
    /// The key of the record in the log.
    pub creator_id: CreatorId<'a>,
    /// The event's own time.
    pub occurred_at: Millis,
    /// Stamped at intake; absent for producers that write to the log themselves.
    pub received_at: Option<Millis>,
    /// The producer's own notes; carried, never interpreted.
    pub attributes: Vec<(&'a str, &'a str)>,
    pub body: Body<'a>,
}

/// Of nobody, at no time: to be filled.
impl Default for Event<'_> {
    fn default() -> Self {
        Self {
            event_id: EventId(""),
            creator_id: CreatorId(""),
            occurred_at: Millis(0),
            received_at: None,
            attributes: Vec::new(),
            body: Body::Tick,
        }
    }
}

/// The record types of the log. A new one must fail to compile wherever it matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Body<'a> {
    #[serde(borrow)]
    Creator(Creator<'a>),
    Member(Member<'a>),
    Sighting(Sighting<'a>),
    Share(Share<'a>),
    Click(Click<'a>),
    Conversion(Conversion<'a>),
    Commission(Commission<'a>),
    Review(Review<'a>),
    RuleSet(RuleSet<'a>),
    ListEntry(ListEntry<'a>),
    Template(Template<'a>),
    Erasure(Erasure<'a>),
    /// Moves a quiet creator's clock so that due dates fire.
    Tick,
}

/// The name of a record type, as in the schemas and in JSON's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    Creator,
    Member,
    Sighting,
    Share,
    Click,
    Conversion,
    Commission,
    Review,
    RuleSet,
    ListEntry,
    Template,
    Erasure,
    Tick,
}

impl Kind {
    pub const ALL: [Self; 13] = [
        Self::Creator,
        Self::Member,
        Self::Sighting,
        Self::Share,
        Self::Click,
        Self::Conversion,
        Self::Commission,
        Self::Review,
        Self::RuleSet,
        Self::ListEntry,
        Self::Template,
        Self::Erasure,
        Self::Tick,
    ];

    /// The record's name, as in its schema.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Creator => "Creator",
            Self::Member => "Member",
            Self::Sighting => "Sighting",
            Self::Share => "Share",
            Self::Click => "Click",
            Self::Conversion => "Conversion",
            Self::Commission => "Commission",
            Self::Review => "Review",
            Self::RuleSet => "RuleSet",
            Self::ListEntry => "ListEntry",
            Self::Template => "Template",
            Self::Erasure => "Erasure",
            Self::Tick => "Tick",
        }
    }

    /// The kind of this name, letter by letter.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Body<'_> {
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Creator(_) => Kind::Creator,
            Self::Member(_) => Kind::Member,
            Self::Sighting(_) => Kind::Sighting,
            Self::Share(_) => Kind::Share,
            Self::Click(_) => Kind::Click,
            Self::Conversion(_) => Kind::Conversion,
            Self::Commission(_) => Kind::Commission,
            Self::Review(_) => Kind::Review,
            Self::RuleSet(_) => Kind::RuleSet,
            Self::ListEntry(_) => Kind::ListEntry,
            Self::Template(_) => Kind::Template,
            Self::Erasure(_) => Kind::Erasure,
            Self::Tick => Kind::Tick,
        }
    }
}
