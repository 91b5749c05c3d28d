//! What the fold keeps of each thing: records of fixed size, little-endian, as `keep` wants them.
//!
//! Texts stand in a record only where a row shows them; everything else is known by the hash of its id.

use bytemuck::{Pod, Zeroable};

use crate::ids::Currency;
use crate::keep::Id128;

/// "Nobody" or "nothing" where an ordinal stands.
pub const NONE: u32 = u32::MAX;
/// "Nothing" where an id stands.
pub const NO_ID: Id128 = Id128([0; 16]);

/// A text of at most 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Text {
    len: u8,
    bytes: [u8; 64],
}

impl Text {
    /// Longer texts are cut at a character's edge; ids and codes never are.
    pub fn new(text: &str) -> Self {
        let mut end = text.len().min(64);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut bytes = [0; 64];
        let kept = text.get(..end).unwrap_or_default().as_bytes();
        if let Some(place) = bytes.get_mut(..end) {
            place.copy_from_slice(kept);
        }
        Self { len: u8::try_from(end).unwrap_or_default(), bytes }
    }

    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// Commission ids: those the fold derives are longer than those producers choose.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LongText {
    len: u8,
    bytes: [u8; 135],
}

impl LongText {
    pub fn new(text: &str) -> Self {
        let mut bytes = [0; 135];
        let end = text.len().min(135);
        if let (Some(place), Some(kept)) = (bytes.get_mut(..end), text.as_bytes().get(..end)) {
            place.copy_from_slice(kept);
        }
        Self { len: u8::try_from(end).unwrap_or_default(), bytes }
    }

    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// A currency code and a zero byte.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
#[repr(C)]
pub struct CurrencyCode(pub [u8; 4]);

impl From<Currency> for CurrencyCode {
    fn from(currency: Currency) -> Self {
        let [a, b, c] = currency.0;
        Self([a, b, c, 0])
    }
}

impl From<CurrencyCode> for Currency {
    fn from(code: CurrencyCode) -> Self {
        let [a, b, c, _] = code.0;
        Self([a, b, c])
    }
}

impl CurrencyCode {
    pub const NONE: Self = Self([0; 4]);
}

/// What is counted of a scope; see `project::totals::Counts`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Counts {
    pub clicks_total: i64,
    pub clicks_human: i64,
    pub clicks_unique: i64,
    pub clicks_shared: i64,
    pub shares: i64,
    pub signups: i64,
    pub orders: i64,
    pub customers: i64,
    pub referrals: i64,
}

/// Money of a scope in one currency; the purses of a scope are a list.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Purse {
    pub gross: i128,
    pub refunded: i128,
    pub blocked: i128,
    pub earned: i128,
    pub reversed: i128,
    pub held: i128,
    pub approved: i128,
    pub paid: i128,
    pub carry: i128,
    /// The scope's purse made before this one.
    pub next: CurrencyCode,
    pub pad: [u8; 12],
}

/// Whose money: `kind` of scope, and its ordinal and day, or minute, as `a` and `b`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct PurseKey {
    pub creator: u32,
    pub kind: u32,
    pub a: u32,
    pub b: u32,
    pub currency: [u8; 4],
}

/// Ordinals given out in this partition, and what became of its records so far.
#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Partition {
    pub applied: i64,
    pub duplicate: i64,
    pub parked: i64,
    pub dead: i64,
    pub creators: u32,
    pub pad: u32,
}

/// A creator: settings, clock, totals. Made at the first record that names it, `known` from its own record on.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Creator {
    /// Greatest event time of the admitted records.
    pub clock: i64,
    /// Clicks and shares before it are forgotten.
    pub floor: i64,
    /// Event time of the first record admitted.
    pub coverage_start: i64,
    /// UTC days before it are sealed.
    pub sealed_to: i64,
    /// No timer is due before.
    pub next_due: i64,
    pub signup_window: i64,
    pub purchase_window: i64,
    pub rate_bp: i64,
    pub flat_amount: i64,
    pub hold_days: i64,
    pub counts: Counts,
    /// Next number for a timer or a parked record.
    pub seq: u64,
    /// Members given out; the next one's ordinal.
    pub members: u32,
    pub members_active: u32,
    pub parked: u32,
    /// Timers set and not yet fired.
    pub timers: u32,
    pub currency: CurrencyCode,
    pub purses: CurrencyCode,
    pub model: u8,
    pub precedence: u8,
    pub source: u8,
    /// Bit i: conversions of kind i earn derived commissions.
    pub earns_on: u8,
    pub known: u8,
    pub pad: [u8; 3],
    pub id: Text,
    pub name: Text,
    pub zone: Text,
    pub pad2: [u8; 5],
}

/// A member's ordinal, by the hash of its id or of a code.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Name {
    pub n: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct MemberKey {
    pub creator: u32,
    pub n: u32,
}

/// What moves of a member.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Member {
    pub active_at: i64,
    pub counts: Counts,
    /// The member's newest commission: head of the list through `Commission::prev_of_member`.
    pub commissions: Id128,
    pub purses: CurrencyCode,
    pub status: u8,
    pub pad: [u8; 3],
}

/// What rarely changes of a member; apart, so that a click touches two lines of cache and not eight.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Profile {
    pub joined_at: i64,
    pub id: Text,
    pub user_id: Text,
    pub username: Text,
    pub code: Text,
    pub pad: [u8; 4],
}

/// A member's sums of one UTC day.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct MemberDay {
    pub counts: Counts,
    /// The next member active on that day, plus one: a list that starts in `Day::members`.
    pub next: u32,
    pub purses: CurrencyCode,
    /// In that list already.
    pub listed: u32,
    pub pad: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct MemberDayKey {
    pub creator: u32,
    pub n: u32,
    pub day: i32,
}

/// A creator's sums of one UTC day.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Day {
    pub counts: Counts,
    /// Head of the list of members active on that day, plus one; 0 is none.
    pub members: u32,
    pub purses: CurrencyCode,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct SlotKey {
    pub creator: u32,
    /// Days, quarter hours or minutes since 1970.
    pub slot: i32,
}

/// A creator's counts of one UTC minute or quarter hour.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Slot {
    pub counts: Counts,
    pub purses: CurrencyCode,
    pub pad: [u8; 4],
}

/// A click, as far as attribution needs it.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Click {
    pub t: i64,
    /// Hash of the member and code it named: must agree when the id comes again.
    pub names: u64,
    pub n: u32,
    pub human: u8,
    pub pad: [u8; 3],
}

#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Share {
    /// Hash of member and platform: must agree when the id comes again.
    pub names: u64,
    pub n: u32,
    pub pad: u32,
}

/// Hash of what an id said first.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Seen {
    pub hash: u64,
}

/// That something was there.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Mark {
    pub pad: u32,
}

/// A customer: its first conversions, and the list of its orders.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Customer {
    /// First conversion by (t, id); `NO_ID` before it.
    pub first: Id128,
    pub first_signup: Id128,
    /// First order with money left, by (t, id).
    pub first_order: Id128,
    /// Orders in the list of `customer_orders`.
    pub orders: u32,
    pub pad: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct CustomerOrderKey {
    pub customer: Id128,
    pub page: u32,
}

/// Sixteen orders of a customer, in log order.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct CustomerOrders {
    pub ids: [Id128; 16],
}

/// A conversion of any kind. Moves (refunds, chargebacks and their reversals) hang on their order.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Conversion {
    pub t: i64,
    /// Signed for orders; what it really took, or gave back, for moves.
    pub amount: i64,
    /// Of an order: the sum of its moves.
    pub moved: i64,
    /// Hash of kind, original, customer, amount and currency: must agree when the id comes again.
    pub names: u64,
    /// The creator's settings when the order came: window, rate, flat amount (its own currency only), hold.
    pub window: i64,
    pub rate_bp: i64,
    pub flat_amount: i64,
    pub hold_days: i64,
    pub original: Id128,
    pub customer: Id128,
    pub click: Id128,
    pub code: Id128,
    pub coupon: Id128,
    /// Head of the list through `prev_move`: newest first.
    pub last_move: Id128,
    pub prev_move: Id128,
    /// The next conversion that waits for the same click or code.
    pub next_waiting: Id128,
    pub creator: u32,
    /// The credited member, or `NONE`.
    pub n: u32,
    pub currency: CurrencyCode,
    pub kind: u8,
    /// See `attribute::Credit`.
    pub credit: u8,
    pub payment_type: u8,
    /// Of a chargeback: it was won.
    pub undone: u8,
    /// Clicks go before coupons.
    pub click_first: u8,
    /// Earns a derived commission once credited.
    pub derives: u8,
    pub id: Text,
    pub original_id: Text,
    pub customer_id: Text,
    pub click_id: Text,
    pub plan: Text,
    pub pad: [u8; 1],
}

/// The commissions of a conversion: head of the list through `Commission::next_of_conversion`.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Head {
    pub first: Id128,
}

/// What one member is owed.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Commission {
    /// earned + Σ adjusted.
    pub earned: i128,
    /// Σ of stated take-backs.
    pub stated: i128,
    /// What is booked as reversed now.
    pub reversed: i128,
    pub paid_amount: i128,
    /// Event time of `earned`, or of the conversion for a derived one.
    pub t: i64,
    pub paid_at: i64,
    /// When a derived one may be paid; `i64::MAX` for a producer's.
    pub matures_at: i64,
    pub conversion: Id128,
    pub next_of_conversion: Id128,
    pub prev_of_member: Id128,
    /// Hashes of member, amount and currency of `earned`, `approved` and `paid`.
    pub names: u64,
    pub approved_names: u64,
    pub paid_names: u64,
    pub creator: u32,
    pub n: u32,
    pub currency: CurrencyCode,
    pub payment_type: u8,
    pub approved: u8,
    pub paid: u8,
    pub derived: u8,
    pub matured: u8,
    /// See `commissions::State`: where its net is booked now.
    pub state: u8,
    pub id: LongText,
    /// Of the record that made it; its conversion may come later.
    pub conversion_id: Text,
    pub pad: [u8; 5],
}

/// A timer: fires once the creator's watermark reaches `due`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Timer {
    pub due: i64,
    /// The next timer of the same hour.
    pub next: u64,
    /// A conversion, a commission, or in its first eight bytes the number of a parked record.
    pub subject: Id128,
    pub kind: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct SeqKey {
    pub creator: u32,
    pub page: u32,
    pub seq: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct HourKey {
    pub creator: u32,
    pub hour: i32,
}

/// The timers of one hour: a list of timer numbers plus one; 0 ends it.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct TimerHour {
    pub first: u64,
}

/// What waits for one id: parked records and conversions, each a list; 0 and `NO_ID` end them.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Awaited {
    pub first: u64,
    pub last: u64,
    pub conversions: Id128,
    pub conversions_last: Id128,
}

/// A record that waits for what it refers to; its bytes stand in pages.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Parked {
    pub awaited: Id128,
    /// The number of the next record that waits for the same id, plus one.
    pub next: u64,
    pub prev: u64,
    /// Offset and log timestamp of the record.
    pub offset: u64,
    pub timestamp: i64,
    /// The creator's clock when it began to wait.
    pub since: i64,
    pub len: u32,
    pub pages: u32,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct ParkedPage {
    pub bytes: [u8; 1000],
}
