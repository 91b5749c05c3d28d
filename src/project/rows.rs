//! The values of the rows, table by table. `at` is the first field of each.

use bytes::Bytes;

use super::codec::{Malformed, Reader, Writer};
use super::scores::{self, MemberScore};
use super::tables::Class;
use super::totals::{Totals, put_unsigned, take_unsigned};
use crate::ids::{Currency, Millis, Next};

/// `creator`: head, clock and all-time totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatorRow {
    pub at: Next,
    pub name: String,
    pub currency: Currency,
    pub time_zone: String,
    /// Greatest event time admitted; the watermark is ten minutes before it.
    pub clock: Millis,
    /// Event time of the first record admitted: figures cover from here on.
    pub coverage_start: Millis,
    /// Member ordinals given out so far.
    pub members: i64,
    pub members_active: i64,
    pub totals: Totals,
    /// Clicks and shares before it are forgotten.
    pub floor: Millis,
    /// The pairs that days are broken down by from now on, as `fold::groups` numbers them.
    pub pairs: Vec<u8>,
    /// Rolling windows of its members hold the local days before this one; `None` while they move on.
    pub rolled_to: Option<i64>,
}

/// The watermark's distance from the clock: events may be this much out of order.
const LATENESS: i64 = 10 * Millis::MINUTE;

impl CreatorRow {
    /// Everything at or before it has come, as far as expiry is concerned. It never moves back.
    pub const fn watermark(&self) -> Millis {
        Millis(self.clock.0.saturating_sub(LATENESS))
    }
}

/// `member`: all-time totals, and what a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    pub at: Next,
    pub member_id: String,
    /// Empty when unknown.
    pub user_id: String,
    pub username: String,
    pub referral_code: String,
    pub status: MemberState,
    pub joined_at: Millis,
    /// Event time of the newest record that touched the member.
    pub active_at: Millis,
    pub totals: Totals,
    /// The place of its newest click or share, plus one; 0 is none.
    pub touch: u64,
    pub streak: Streak,
    /// What boards rank it by.
    pub scores: Vec<MemberScore>,
}

/// Runs of active days on the creator's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Streak {
    /// Where the last run ends, in days since 1970; meaningless without one.
    pub end: i64,
    pub length: i64,
    /// Length of the longest.
    pub best: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberState {
    Active,
    Suspended,
    Removed,
}

/// `member_day`, `month`: the sums of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotalsRow {
    pub at: Next,
    pub totals: Totals,
}

/// `hour` (60 minutes) and `day` (96 quarter hours): sums of the whole and of its slots, empty slots left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesRow {
    pub at: Next,
    pub totals: Totals,
    /// Slot number within the row, ascending.
    pub slots: Vec<(u16, Totals)>,
    /// Where it has breakdowns, which are in rows of their own: the event that changed them last. An hour's are
    /// read until its day is sealed; beyond, this follows the hour.
    pub groups: Option<Next>,
}

/// `conversion`: one conversion and whom it was credited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversionRow {
    pub at: Next,
    pub conversion_id: String,
    /// signup, purchase, renewal, refund, chargeback, chargeback_reversed.
    pub kind: String,
    pub converted_at: Millis,
    pub original_id: String,
    pub customer_id: String,
    pub plan: String,
    pub amount: i64,
    pub currency: Currency,
    /// What refunds and chargebacks took of it so far.
    pub refunded: i64,
    /// Empty: credited to nobody (yet).
    pub member_id: String,
    /// The click that it names.
    pub click_id: String,
    /// coupon, click, code, visitor, owner; waiting while evidence may still come; else why nobody: window_expired,
    /// no_touch, …
    pub credit: String,
    pub referral_code: String,
    pub coupon: String,
    /// Whom it is credited to, if several share it: the last is `member_id`, the primary one.
    pub shared_by: Vec<String>,
    /// The click that it is credited by, if a click is.
    pub credited_click_id: String,
    /// Time of that click, else of the named one if it is known.
    pub click_at: Option<Millis>,
    /// The customer's earlier conversion that had a say in it.
    pub owner_id: String,
    /// What each stage of attribution ended with, `coupon` first, see `fold::attribute::Stage`; empty where it had
    /// nothing to go by or was not reached. None for refunds and the like.
    pub trail: Vec<String>,
    /// last, first, linear; the creator's when it came.
    pub model: String,
    pub is_click_first: bool,
    pub window_ms: i64,
    /// It counts for nobody, by a verdict.
    pub is_blocked: bool,
}

/// `commission` and `ledger`: what one member is owed for one conversion, or as a bonus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommissionRow {
    pub at: Next,
    pub commission_id: String,
    pub member_id: String,
    /// Empty for a bonus.
    pub conversion_id: String,
    pub currency: Currency,
    /// 0 unknown, 1 initial, 2 recurring.
    pub payment_type: i64,
    pub created_at: Millis,
    pub earned: i128,
    pub reversed: i128,
    /// held, approved, paid, reversed, blocked.
    pub state: String,
    pub paid_amount: i128,
    pub paid_at: Option<Millis>,
    /// Made by the fold from a conversion; else a producer stated it.
    pub is_derived: bool,
    /// Σ of the take-backs that producers stated.
    pub stated_reversed: i128,
    pub is_approved: bool,
    /// From when a derived one may be paid.
    pub matures_at: Option<Millis>,
    /// Of its order: amount, and what was taken of it.
    pub order_amount: Option<i64>,
    pub order_refunded: Option<i64>,
    /// approved, blocked; empty without a verdict of its own.
    pub review: String,
    pub is_blocked: bool,
}

/// `name`: from an id or code to what the key of its row asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameRow {
    pub at: Next,
    /// Of a member's id or a code: the member's ordinal. Of a commission: its payment type.
    pub n: u32,
    /// Of a conversion or commission: when it was made.
    pub made_at: Option<Millis>,
}

/// `applied`: how far the rows of a partition are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppliedRow {
    /// Every row of a fast table changed below it is written.
    pub fast: Next,
    pub slow: Next,
    /// Log timestamp of the newest record applied.
    pub record_time: Millis,
    /// P, when it was written: the state on the owner's disk is of there.
    pub committed: Next,
}

impl CreatorRow {
    pub fn encode(&self) -> Bytes {
        let mut row = Writer::default();
        row.int(next_to_int(self.at))
            .text(&self.name)
            .text(self.currency.as_str())
            .text(&self.time_zone)
            .int(self.clock.0)
            .int(self.coverage_start.0)
            .int(self.members)
            .int(self.members_active);
        totals(&mut row, &self.totals).int(self.floor.0).blob(&self.pairs).optional_int(self.rolled_to).finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        Ok(Self {
            at: take_next(&mut row)?,
            name: row.text()?,
            currency: take_currency(&mut row)?,
            time_zone: row.text()?,
            clock: row.millis()?,
            coverage_start: row.millis()?,
            members: row.int()?,
            members_active: row.int()?,
            totals: take_totals(&mut row)?,
            floor: row.millis()?,
            pairs: row.field()?.unwrap_or_default().to_vec(),
            rolled_to: row.optional_int()?,
        })
    }
}

impl MemberRow {
    pub fn encode(&self) -> Bytes {
        let mut row = Writer::default();
        row.int(next_to_int(self.at))
            .text(&self.member_id)
            .optional_text(&self.user_id)
            .optional_text(&self.username)
            .optional_text(&self.referral_code)
            .text(self.status.name())
            .int(self.joined_at.0)
            .int(self.active_at.0);
        let mut packed = Vec::new();
        scores::pack(&self.scores, &mut packed);
        totals(&mut row, &self.totals)
            .int(i64::try_from(self.touch).unwrap_or_default())
            .int(self.streak.end)
            .int(self.streak.length)
            .int(self.streak.best)
            .blob(&packed)
            .finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        Ok(Self {
            at: take_next(&mut row)?,
            member_id: row.text()?,
            user_id: row.text()?,
            username: row.text()?,
            referral_code: row.text()?,
            status: MemberState::parse(&row.text()?).ok_or(Malformed { field: 6 })?,
            joined_at: row.millis()?,
            active_at: row.millis()?,
            totals: take_totals(&mut row)?,
            touch: u64::try_from(row.int()?).map_err(|_| Malformed { field: 10 })?,
            streak: Streak { end: row.int()?, length: row.int()?, best: row.int()? },
            scores: scores::unpack(row.field()?.unwrap_or_default()).ok_or(Malformed { field: 14 })?,
        })
    }
}

impl MemberState {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Removed].into_iter().find(|state| state.name() == name)
    }
}

impl TotalsRow {
    pub fn encode(&self) -> Bytes {
        let mut row = Writer::default();
        row.int(next_to_int(self.at));
        totals(&mut row, &self.totals).finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        Ok(Self { at: take_next(&mut row)?, totals: take_totals(&mut row)? })
    }
}

impl SeriesRow {
    pub fn encode(&self) -> Bytes {
        let mut row = Writer::default();
        row.int(next_to_int(self.at));
        totals(&mut row, &self.totals);
        let mut packed = Vec::new();
        for (slot, sums) in &self.slots {
            put_unsigned(&mut packed, u128::from(*slot));
            sums.pack(&mut packed);
        }
        row.blob(&packed).optional_int(self.groups.map(next_to_int)).finish()
    }

    /// The sum of the whole alone: a tenth of the work.
    pub fn decode_totals(bytes: &[u8]) -> Result<Totals, Malformed> {
        let mut row = Reader::new(bytes);
        take_next(&mut row)?;
        take_totals(&mut row)
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        let (at, totals) = (take_next(&mut row)?, take_totals(&mut row)?);
        let mut packed = row.field()?.unwrap_or_default();
        let mut slots = Vec::new();
        while !packed.is_empty() {
            slots.push(take_slot(&mut packed).ok_or(Malformed { field: 3 })?);
        }
        Ok(Self { at, totals, slots, groups: take_groups(&mut row)? })
    }

    /// When its breakdowns changed last, alone.
    pub fn decode_groups(bytes: &[u8]) -> Result<Option<Next>, Malformed> {
        let mut row = Reader::new(bytes);
        for _ in 0..3 {
            row.field()?;
        }
        take_groups(&mut row)
    }
}

fn take_groups(row: &mut Reader<'_>) -> Result<Option<Next>, Malformed> {
    let groups = row.optional_int()?.map(u64::try_from).transpose();
    Ok(groups.map_err(|_| Malformed { field: 4 })?.map(Next))
}

fn take_slot(packed: &mut &[u8]) -> Option<(u16, Totals)> {
    let slot = u16::try_from(take_unsigned(packed)?).ok()?;
    Some((slot, Totals::unpack(packed)?))
}

impl ConversionRow {
    pub fn encode(&self) -> Bytes {
        Writer::default()
            .int(next_to_int(self.at))
            .text(&self.conversion_id)
            .text(&self.kind)
            .int(self.converted_at.0)
            .optional_text(&self.original_id)
            .optional_text(&self.customer_id)
            .optional_text(&self.plan)
            .int(self.amount)
            .text(self.currency.as_str())
            .int(self.refunded)
            .optional_text(&self.member_id)
            .optional_text(&self.click_id)
            .text(&self.credit)
            .optional_text(&self.referral_code)
            .optional_text(&self.coupon)
            .texts(&self.shared_by)
            .optional_text(&self.credited_click_id)
            .optional_int(self.click_at.map(|at| at.0))
            .optional_text(&self.owner_id)
            .texts(&self.trail)
            .optional_text(&self.model)
            .int(i64::from(self.is_click_first))
            .int(self.window_ms)
            .int(i64::from(self.is_blocked))
            .finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        Ok(Self {
            at: take_next(&mut row)?,
            conversion_id: row.text()?,
            kind: row.text()?,
            converted_at: row.millis()?,
            original_id: row.text()?,
            customer_id: row.text()?,
            plan: row.text()?,
            amount: row.int()?,
            currency: take_currency(&mut row)?,
            refunded: row.int()?,
            member_id: row.text()?,
            click_id: row.text()?,
            credit: row.text()?,
            referral_code: row.text()?,
            coupon: row.text()?,
            shared_by: row.texts()?,
            credited_click_id: row.text()?,
            click_at: row.optional_int()?.map(Millis),
            owner_id: row.text()?,
            trail: row.texts()?,
            model: row.text()?,
            is_click_first: row.int()? == 1,
            window_ms: row.int()?,
            is_blocked: row.int()? == 1,
        })
    }
}

impl CommissionRow {
    pub fn encode(&self) -> Bytes {
        Writer::default()
            .int(next_to_int(self.at))
            .text(&self.commission_id)
            .text(&self.member_id)
            .optional_text(&self.conversion_id)
            .text(self.currency.as_str())
            .int(self.payment_type)
            .int(self.created_at.0)
            .varint(self.earned)
            .varint(self.reversed)
            .text(&self.state)
            .varint(self.paid_amount)
            .optional_int(self.paid_at.map(|at| at.0))
            .int(i64::from(self.is_derived))
            .varint(self.stated_reversed)
            .int(i64::from(self.is_approved))
            .optional_int(self.matures_at.map(|at| at.0))
            .optional_int(self.order_amount)
            .optional_int(self.order_refunded)
            .optional_text(&self.review)
            .int(i64::from(self.is_blocked))
            .finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        Ok(Self {
            at: take_next(&mut row)?,
            commission_id: row.text()?,
            member_id: row.text()?,
            conversion_id: row.text()?,
            currency: take_currency(&mut row)?,
            payment_type: row.int()?,
            created_at: row.millis()?,
            earned: row.varint()?,
            reversed: row.varint()?,
            state: row.text()?,
            paid_amount: row.varint()?,
            paid_at: row.optional_int()?.map(Millis),
            is_derived: row.int()? == 1,
            stated_reversed: row.varint()?,
            is_approved: row.int()? == 1,
            matures_at: row.optional_int()?.map(Millis),
            order_amount: row.optional_int()?,
            order_refunded: row.optional_int()?,
            review: row.text()?,
            is_blocked: row.int()? == 1,
        })
    }
}

impl NameRow {
    pub fn encode(&self) -> Bytes {
        Writer::default()
            .int(next_to_int(self.at))
            .int(i64::from(self.n))
            .optional_int(self.made_at.map(|at| at.0))
            .finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        let at = take_next(&mut row)?;
        let n = u32::try_from(row.int()?).map_err(|_| Malformed { field: 2 })?;
        Ok(Self { at, n, made_at: row.optional_int()?.map(Millis) })
    }
}

impl AppliedRow {
    /// Every row of such a table changed below it is written.
    pub const fn next(&self, class: Class) -> Next {
        match class {
            Class::Fast => self.fast,
            Class::Slow => self.slow,
        }
    }

    pub fn encode(&self) -> Bytes {
        let mut row = Writer::default();
        row.int(next_to_int(self.fast)).int(next_to_int(self.slow)).int(self.record_time.0);
        row.int(next_to_int(self.committed)).finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        let (fast, slow, record_time) = (take_next(&mut row)?, take_next(&mut row)?, row.millis()?);
        let committed = row.optional_int()?.and_then(|p| u64::try_from(p).ok()).map(Next).unwrap_or_default();
        Ok(Self { fast, slow, record_time, committed })
    }
}

fn next_to_int(next: Next) -> i64 {
    i64::try_from(next.0).expect("a log has fewer than 2^63 records")
}

fn take_next(row: &mut Reader<'_>) -> Result<Next, Malformed> {
    let at = row.int()?;
    u64::try_from(at).map(Next).map_err(|_| Malformed { field: 1 })
}

fn take_currency(row: &mut Reader<'_>) -> Result<Currency, Malformed> {
    Currency::parse(&row.text()?).ok_or(Malformed { field: 0 })
}

fn totals<'w>(row: &'w mut Writer, totals: &Totals) -> &'w mut Writer {
    let mut packed = Vec::new();
    totals.pack(&mut packed);
    row.blob(&packed)
}

fn take_totals(row: &mut Reader<'_>) -> Result<Totals, Malformed> {
    let mut packed = row.field()?.unwrap_or_default();
    Totals::unpack(&mut packed).ok_or(Malformed { field: 0 })
}
