//! Customers, conversions and commissions.

use bytemuck::{Pod, Zeroable};

use super::{CurrencyCode, LongText, Text};
use crate::keep::Id128;

/// A customer: its first conversions, who owns it, and the list of its conversions.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Customer {
    /// First conversion by (t, id); `NO_ID` before it.
    pub first: Id128,
    pub first_signup: Id128,
    /// First order with money left, by (t, id).
    pub first_order: Id128,
    /// Its earliest and latest credited conversion by (t, id).
    pub owner_first: Id128,
    pub owner_last: Id128,
    /// Head of the list of its conversions through `Conversion::prev_of_customer`: newest first.
    pub newest: Id128,
    /// Those of them that nobody was credited with so far.
    pub uncredited: u32,
    pub pad: u32,
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
    pub prev_of_customer: Id128,
    /// The next conversion that waits for the same click or code.
    pub next_waiting: Id128,
    /// The click or code that its credit waits for.
    pub awaited: Id128,
    /// Who converted, as far as a token tells; see `Visitor`.
    pub visitor: Id128,
    /// The click that it is credited by, if a click is.
    pub credited_click: Id128,
    /// The customer's earlier conversion that made it somebody's, if attribution asked for one.
    pub owner: Id128,
    /// Time of the credited click, else of the named one if it is known, else `i64::MIN`.
    pub click_t: i64,
    pub review_until: i64,
    pub creator: u32,
    /// The credited member, of several the primary one, or `NONE`.
    pub n: u32,
    /// Members that share the credit.
    pub parts: u32,
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
    /// See `attribute::model`.
    pub model: u8,
    /// See `verdicts::review`.
    pub review: u8,
    /// It counts for nobody.
    pub blocked: u8,
    /// What each stage of attribution ended with; see `attribute::Stage`.
    pub trail: [u8; 5],
    /// Of an order: chargebacks that stand.
    pub chargebacks: u8,
    /// See `evidence::flag`.
    pub history: u8,
    /// Its day on the creator's calendar, as that was when it came.
    pub day: i32,
    /// Its combination of dimensions, with those of its credited click once it has one.
    pub group: u32,
}

/// What a conversion's row shows of it and nothing else needs; apart, because it hardly changes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct ConversionTexts {
    pub id: Text,
    pub original_id: Text,
    pub customer_id: Text,
    pub click_id: Text,
    /// The click that it is credited by, if a click is.
    pub credited_click_id: Text,
    pub code: Text,
    pub coupon: Text,
    pub plan: Text,
}

/// Members that share a conversion's credit, page by page; `NONE` behind the last.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct CreditPage {
    pub members: [u32; crate::fold::parts::PAGE],
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct CreditPageKey {
    pub conversion: Id128,
    pub page: u32,
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
    pub review_until: i64,
    pub conversion: Id128,
    pub next_of_conversion: Id128,
    pub prev_of_member: Id128,
    /// Neighbours among the member's commissions that are not paid, oldest first.
    pub prev_open: Id128,
    pub next_open: Id128,
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
    /// See `verdicts::review`.
    pub review: u8,
    /// It counts nowhere, but for what was paid.
    pub blocked: u8,
    /// It is held until somebody has looked.
    pub in_review: u8,
    pub pad: [u8; 7],
    /// Entries of it in `commission_moves`.
    pub moves: u32,
    /// Day of `t` on the creator's calendar, as that was when it was made.
    pub day: i32,
    /// Its order's combination of dimensions.
    pub group: u32,
}

/// What moved of a commission at one instant.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct CommissionMove {
    pub earned: i128,
    pub reversed: i128,
    pub paid: i128,
    pub t: i64,
    pub pad: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct CommissionMoveKey {
    pub commission: Id128,
    pub i: u32,
}

/// What a commission's row shows of it and nothing else needs; apart, because it never changes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct CommissionTexts {
    pub id: LongText,
    /// Of the record that made it; its conversion may come later.
    pub conversion_id: Text,
}
