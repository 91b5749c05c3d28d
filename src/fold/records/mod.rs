//! What the fold keeps of each thing: records of fixed size, little-endian, as `keep` wants them.
//!
//! Texts stand in a record only where a row shows them; everything else is known by the hash of its id.

mod activity;
mod fraud;
mod groups;
mod money;
mod people;
mod scores;
mod sums;
mod text;
mod traffic;
mod waiting;

pub use activity::{ActiveKey, ActiveWeek, Activity, Tally as ActiveTally};
pub use fraud::{
    Actor, ClickJudged, CreatorPageKey, DEFINITION_PAGE, DefinitionPage, FROZEN, Frozen, FrozenEvidence, Judged,
    Listed, MemberFraud, MemberPageKey, ORDER_DAYS, ORDER_DAYS_I64, OrderDay, OrderDays, OrderDaysKey, OwnToken,
    Proxies, RulesHead, SHORT_LIST, SeenAt, ShadowHead, ShadowMember, ShadowWindow, ShortList, TAG_PAGE,
    TAG_PAGE_EVENTS, Tag, TagPage, WINDOW_KEYS, WINDOW_PAGE, WINDOW_RECENT, Window, WindowClick, WindowCounts,
    WindowKeys, WindowPage, WindowPageKey,
};
pub use groups::{AdmittedKey, Combo, ComboKey, ComboList, ComboSlot, GroupDay, GroupHead, OrdinalKey, PAIRS};
pub use money::{
    Commission, CommissionMove, CommissionMoveKey, CommissionTexts, Conversion, ConversionTexts, CreditPage,
    CreditPageKey, Customer, Head,
};
pub use people::{Creator, CreatorProfile, LongProfile, Member, MemberKey, Name, Partition, ShortProfile};
pub use scores::{BoardClock, Cell, DayCell, Score, ScoreDayKey, ScoreKey, ScoreLink};
pub use sums::{Counts, Day, MemberDay, MemberDayKey, OpenDay, OpenSlot, Purse, PurseKey, Slot, SlotCounts, SlotKey};
pub use text::{CurrencyCode, LongText, Text};
pub use traffic::{Click, Mark, Seen, Share, Touch, Visitor};
pub use waiting::{Awaited, HourKey, Parked, ParkedPage, SeqKey, Timer, TimerHour};

use crate::keep::Id128;

/// "Nobody" or "nothing" where an ordinal stands.
pub const NONE: u32 = u32::MAX;
/// "Nothing" where an id stands.
pub const NO_ID: Id128 = Id128([0; 16]);
/// "None yet" where a slot or day stands: before all of them.
pub const NO_SLOT: i32 = i32::MIN;
