//! From touched things to whole rows.

use crate::event::ConversionKind;
use crate::fold::attribute::{Credit, model};
use crate::fold::calendar::month_start;
use crate::fold::commissions::State as CommissionState;
use crate::fold::effects::{FastRows, LedgerLeft, Named, SlowRows, TouchedName};
use crate::fold::groups::dimension::Axis;
use crate::fold::groups::{LATE, Quarters};
use crate::fold::orders::number as kind_number;
use crate::fold::records::{Commission, CommissionTexts, Conversion, Creator, MemberDayKey, MemberKey, NONE, Purse};
use crate::fold::state::{FOR_EVER, State};
use crate::fold::verdicts::review;
use crate::fold::views::Sums;
use crate::ids::{Currency, Millis, Next, Partition};
use crate::keep::Id128;

use super::groups;
use super::key::{Key, Row};
use super::rows::{
    CommissionRow, ConversionRow, CreatorRow, MemberRow, MemberState, NameRow, SeriesRow, Streak, TotalsRow,
};
use super::scores::MemberScore;
use super::tables::{self, NameKind};
use super::totals::{Counts, Money, Totals};
use super::words::Words;

/// Rows of the tables that follow fast.
pub fn fast(state: &State, touched: &FastRows, p: Partition) -> Vec<Row> {
    let builder = Builder { state, p };
    let mut rows = Vec::with_capacity(touched.len() + touched.commissions.len());
    rows.extend(touched.creators.iter().filter_map(|(creator, at)| builder.creator(*creator, *at)));
    rows.extend(touched.members.iter().filter_map(|key| builder.member(*key)));
    rows.extend(touched.names.iter().filter_map(|name| builder.name(name)));
    rows.extend(touched.conversions.iter().filter_map(|(id, at)| builder.conversion(*id, *at)));
    for (id, at) in &touched.commissions {
        builder.commission(*id, *at, &mut rows);
    }
    rows.extend(touched.ledger_left.iter().filter_map(|left| builder.ledger_left(left)));
    rows.extend(touched.decisions.iter().map(|decision| builder.decision(&decision)));
    rows.extend(touched.reviews.iter().filter_map(|(place, moved)| builder.review(place, moved)));
    rows
}

/// Rows of the tables that follow within a second.
pub fn slow(state: &State, caches: (&mut Words, &Quarters), touched: &SlowRows, p: Partition) -> Vec<Row> {
    slow_in_parts(state, caches, touched, p, || ())
}

/// The same; `between` its parts, each of which may take a while, something else is done.
pub fn slow_in_parts(
    state: &State,
    (words, lately): (&mut Words, &Quarters),
    touched: &SlowRows,
    p: Partition,
    mut between: impl FnMut(),
) -> Vec<Row> {
    let builder = Builder { state, p };
    let mut rows = Vec::with_capacity(touched.len());
    rows.extend(touched.hours.iter().filter_map(|((creator, hour), at)| builder.hour(*creator, *hour, *at)));
    rows.extend(touched.days.iter().filter_map(|((creator, day), at)| builder.day(*creator, *day, *at)));
    for ((creator, hour), at) in &touched.hour_groups {
        between();
        builder.hour_groups((words, lately), (*creator, *hour), *at, &mut rows);
    }
    for (touched, late) in [(&touched.day_groups, false), (&touched.late_groups, true)] {
        for ((creator, day), at) in touched {
            between();
            builder.day_groups((words, lately), (*creator, *day, late), *at, &mut rows);
        }
    }
    between();
    rows.extend(touched.months.iter().filter_map(|((creator, month), at)| builder.month(*creator, *month, *at)));
    for (page, at) in &touched.touches {
        between();
        rows.extend(builder.touches(words, *page, *at));
    }
    rows.extend(touched.active.iter().filter_map(|(key, at)| builder.active(key, *at)));
    rows.extend(touched.member_days.iter().filter_map(|(key, at)| builder.member_day(*key, *at)));
    rows
}

/// What spares reading the state's files.
type Caches<'a> = (&'a mut Words, &'a Quarters);

pub(super) struct Builder<'a> {
    pub(super) state: &'a State,
    pub(super) p: Partition,
}

impl Builder<'_> {
    fn head(&self, creator: u32) -> Option<&Creator> {
        self.state.creators.peek(&creator, FOR_EVER)
    }

    pub(super) fn id(&self, creator: u32) -> Option<&str> {
        self.state.creator_profiles.peek(&creator, FOR_EVER).map(|profile| profile.id.as_str())
    }

    /// None before the creator's own record: there is nothing to show yet.
    fn creator(&self, creator: u32, at: Next) -> Option<Row> {
        let head = self.head(creator).filter(|head| head.known == 1)?;
        let profile = self.state.creator_profiles.peek(&creator, FOR_EVER)?;
        let value = CreatorRow {
            at,
            name: profile.name.as_str().to_owned(),
            currency: head.currency.into(),
            time_zone: profile.zone.as_str().to_owned(),
            clock: Millis(head.clock),
            coverage_start: Millis(head.coverage_start),
            members: i64::from(head.members),
            members_active: i64::from(head.members_active),
            totals: totals(&self.state.creator_sums(creator)?),
            floor: Millis(head.floor),
            pairs: self.state.pairs(creator).into_iter().map(Axis::part).collect(),
            rolled_to: (head.boards.phase == 0).then_some(i64::from(head.boards.swept)),
        };
        Some(row(tables::creator(self.p, profile.id.as_str()), at, value.encode()))
    }

    fn member(&self, key: MemberKey) -> Option<Row> {
        let (creator, member) = (self.id(key.creator)?, self.state.members.peek(&key, FOR_EVER)?);
        let at = Next(member.at);
        let profile = self.state.profile(key)?;
        let value = MemberRow {
            at,
            member_id: profile.id.as_str().to_owned(),
            user_id: profile.user_id.as_str().to_owned(),
            username: profile.username.as_str().to_owned(),
            referral_code: profile.code.as_str().to_owned(),
            status: match member.status {
                0 => MemberState::Active,
                1 => MemberState::Suspended,
                _ => MemberState::Removed,
            },
            joined_at: Millis(profile.joined_at),
            active_at: Millis(member.active_at),
            totals: totals(&self.state.member_sums(key)?),
            touch: member.touch,
            streak: Streak {
                end: i64::from(member.activity.end),
                length: i64::from(member.activity.length),
                best: i64::from(member.activity.best),
            },
            scores: scores(self.state, key),
        };
        Some(row(tables::member(self.p, creator, key.n), at, value.encode()))
    }

    fn name(&self, name: &TouchedName) -> Option<Row> {
        let creator = self.id(name.creator)?;
        let (kind, n, made_at) = match name.to {
            Named::Member(n) => (NameKind::Member, n, None),
            Named::Code(n) => (NameKind::Code, n, None),
            Named::Conversion(at) => (NameKind::Conversion, 0, Some(at)),
            Named::Commission(at, payment_type) => (NameKind::Commission, payment_type.into(), Some(at)),
        };
        let key = tables::name(self.p, creator, kind, &name.text);
        Some(row(key, name.at, NameRow { at: name.at, n, made_at }.encode()))
    }

    fn member_day(&self, key: MemberDayKey, at: Next) -> Option<Row> {
        let creator = self.id(key.creator)?;
        let value = TotalsRow { at, totals: totals(&self.state.member_day_sums(key)?) };
        let key = tables::member_day(self.p, creator, key.n, i64::from(key.day));
        Some(row(key, at, value.encode()))
    }

    fn hour(&self, creator: u32, hour: i64, at: Next) -> Option<Row> {
        let (id, first) = (self.id(creator)?, i32::try_from(hour * 60).ok()?);
        let mut value = series(at, 60, |slot| self.state.minute_sums(creator, first + i32::from(slot)));
        let has_groups = quarters_of(hour)?.any(|quarter| self.state.has_combos(creator, quarter));
        value.groups = has_groups.then_some(at);
        let expires = Some(expiry(hour));
        Some(Row { key: tables::hour(self.p, id, hour), at, value: Some(value.encode()), expires })
    }

    fn day(&self, creator: u32, day: i64, at: Next) -> Option<Row> {
        let (id, slot) = (self.id(creator)?, i32::try_from(day).ok()?);
        let mut value = series(at, 96, |quarter| self.state.quarter_sums(creator, slot * 96 + i32::from(quarter)));
        let groups = self.state.group_day(creator, slot).filter(|day| day.changed > 0);
        value.groups = groups.map(|day| Next(day.changed));
        Some(row(tables::day(self.p, id, day), at, value.encode()))
    }

    /// The breakdowns of an hour as they are until its day is sealed.
    fn hour_groups(&self, caches: Caches<'_>, (creator, hour): (u32, i64), at: Next, rows: &mut Vec<Row>) {
        let (Some(id), Some(quarters)) = (self.id(creator), quarters_of(hour)) else { return };
        let built = groups::build(self.state, caches, creator, quarters);
        if !built.has_combos {
            return;
        }
        let expires = Some(expiry(hour));
        for (part, value) in built.parts(at) {
            rows.push(Row { key: tables::hour_part(self.p, id, hour, part), at, value: Some(value), expires });
        }
    }

    /// The breakdowns of a day when it was sealed, or of what came late.
    fn day_groups(&self, caches: Caches<'_>, (creator, day, late): (u32, i64, bool), at: Next, rows: &mut Vec<Row>) {
        let (Some(id), Ok(slot)) = (self.id(creator), i32::try_from(day)) else { return };
        let (after, parts) = if late { (LATE, tables::LATE) } else { (0, 0) };
        let first = slot * 96 + after;
        let built = groups::build(self.state, caches, creator, first..first + 96);
        for (part, value) in built.parts(at) {
            rows.push(row(tables::day_part(self.p, id, day, parts + part), at, value));
        }
    }

    fn month(&self, creator: u32, month: u16, at: Next) -> Option<Row> {
        let head = self.head(creator)?;
        let sealed_to = i32::try_from(head.sealed_to).ok()?;
        let mut value = TotalsRow { at, totals: Totals::default() };
        for day in days_of(month).filter(|day| *day < sealed_to) {
            if let Some(sums) = self.state.day_sums(creator, day) {
                value.totals.add(&totals(&sums));
            }
        }
        Some(row(tables::month(self.p, self.id(creator)?, month), at, value.encode()))
    }

    fn conversion(&self, id: Id128, at: Next) -> Option<Row> {
        let record = self.state.conversions.get(&id, FOR_EVER)?;
        let texts = self.state.conversion_texts.get(&id, FOR_EVER)?;
        let creator = self.id(record.creator)?;
        let name = |n: u32| {
            let profile = self.state.profile(MemberKey { creator: record.creator, n });
            profile.map_or_else(String::new, |profile| profile.id.as_str().to_owned())
        };
        let shared_by = if record.parts > 1 { self.state.credited(id, &record) } else { Vec::new() };
        let owner = self.state.conversion_texts.get(&record.owner, FOR_EVER);
        let value = ConversionRow {
            at,
            conversion_id: texts.id.as_str().to_owned(),
            kind: kind_name(record.kind).to_owned(),
            converted_at: Millis(record.t),
            original_id: texts.original_id.as_str().to_owned(),
            customer_id: texts.customer_id.as_str().to_owned(),
            plan: texts.plan.as_str().to_owned(),
            amount: record.amount,
            currency: record.currency.into(),
            refunded: record.moved,
            member_id: if record.n == NONE { String::new() } else { name(record.n) },
            click_id: texts.click_id.as_str().to_owned(),
            credit: Credit::of_number(record.credit).name().to_owned(),
            referral_code: texts.code.as_str().to_owned(),
            coupon: texts.coupon.as_str().to_owned(),
            shared_by: shared_by.into_iter().map(name).collect(),
            credited_click_id: texts.credited_click_id.as_str().to_owned(),
            click_at: (record.click_t != i64::MIN).then_some(Millis(record.click_t)),
            owner_id: owner.map_or_else(String::new, |owner| owner.id.as_str().to_owned()),
            trail: trail(&record),
            model: model_name(&record).to_owned(),
            is_click_first: record.click_first == 1,
            window_ms: record.window,
            is_blocked: record.blocked == 1,
        };
        let key = tables::conversion(self.p, creator, Millis(record.t), texts.id.as_str());
        Some(row(key, at, value.encode()))
    }

    /// The commission's own row, and its place in its member's ledger.
    fn commission(&self, id: Id128, at: Next, rows: &mut Vec<Row>) {
        let Some(record) = self.state.commissions.get(&id, FOR_EVER) else { return };
        let Some(texts) = self.state.commission_texts.get(&id, FOR_EVER) else { return };
        let Some((creator, value)) = self.commission_value(&record, &texts, at) else { return };
        let bytes = value.encode();
        let made = Millis(record.t);
        let key = tables::commission(self.p, creator, i64::from(record.payment_type), made, texts.id.as_str());
        rows.push(row(key, at, bytes.clone()));
        let is_paid = record.paid == 1;
        let time = if is_paid { Millis(record.paid_at) } else { made };
        rows.push(row(tables::ledger(self.p, creator, record.n, is_paid, time, texts.id.as_str()), at, bytes));
    }

    fn commission_value(
        &self,
        record: &Commission,
        texts: &CommissionTexts,
        at: Next,
    ) -> Option<(&str, CommissionRow)> {
        let creator = self.id(record.creator)?;
        let member = self.state.profile(MemberKey { creator: record.creator, n: record.n })?;
        let order = self.state.conversions.get(&record.conversion, FOR_EVER);
        let value = CommissionRow {
            at,
            commission_id: texts.id.as_str().to_owned(),
            member_id: member.id.as_str().to_owned(),
            conversion_id: texts.conversion_id.as_str().to_owned(),
            currency: record.currency.into(),
            payment_type: i64::from(record.payment_type),
            created_at: Millis(record.t),
            earned: record.earned,
            reversed: record.reversed,
            state: CommissionState::of_number(record.state).name().to_owned(),
            paid_amount: record.paid_amount,
            paid_at: (record.paid == 1).then_some(Millis(record.paid_at)),
            is_derived: record.derived == 1,
            stated_reversed: record.stated,
            is_approved: record.approved == 1,
            matures_at: (record.matures_at != i64::MAX).then_some(Millis(record.matures_at)),
            order_amount: order.as_ref().map(|order| order.amount),
            order_refunded: order.as_ref().map(|order| order.moved),
            review: review_name(record.review).to_owned(),
            is_blocked: record.blocked == 1,
        };
        Some((creator, value))
    }

    fn ledger_left(&self, left: &LedgerLeft) -> Option<Row> {
        let record = self.state.commissions.get(&left.commission, FOR_EVER)?;
        let texts = self.state.commission_texts.get(&left.commission, FOR_EVER)?;
        let creator = self.id(record.creator)?;
        let key = tables::ledger(self.p, creator, record.n, left.paid, left.time, texts.id.as_str());
        Some(Row { key, at: left.at, value: None, expires: None })
    }
}

/// The quarter hours of an hour.
fn quarters_of(hour: i64) -> Option<std::ops::Range<i32>> {
    let first = i32::try_from(hour * 4).ok()?;
    Some(first..first + 4)
}

const fn expiry(hour: i64) -> Millis {
    Millis(hour * Millis::HOUR + tables::HOUR_KEPT)
}

/// Those that hold anything.
fn scores(state: &State, key: MemberKey) -> Vec<MemberScore> {
    let scores = state.scores_of(key.creator, key.n).map(|(key, score)| MemberScore::new(key, score));
    scores.filter(|score| !score.is_empty()).collect()
}

pub(super) fn row(key: Key, at: Next, value: bytes::Bytes) -> Row {
    Row { key, at, value: Some(value), expires: None }
}

/// The slots that hold anything, and their sum.
fn series(at: Next, slots: u16, sums_of: impl Fn(u16) -> Option<Sums>) -> SeriesRow {
    let mut row = SeriesRow { at, totals: Totals::default(), slots: Vec::new(), groups: None };
    for slot in 0..slots {
        let Some(sums) = sums_of(slot) else { continue };
        let totals = totals(&sums);
        row.totals.add(&totals);
        row.slots.push((slot, totals));
    }
    row
}

pub(super) fn totals(sums: &Sums) -> Totals {
    let counts = &sums.counts;
    let mut totals = Totals {
        counts: Counts {
            clicks_total: counts.clicks_total,
            clicks_human: counts.clicks_human,
            clicks_unique: counts.clicks_unique,
            clicks_shared: counts.clicks_shared,
            shares: counts.shares,
            signups: counts.signups,
            orders: counts.orders,
            customers: counts.customers,
            referrals: counts.referrals,
            signups_credited: counts.signups_credited,
        },
        money: sums.purses.iter().map(|(code, purse)| (Currency::from(*code), money(purse))).collect(),
    };
    totals.money.sort_unstable_by_key(|(currency, _)| *currency);
    totals
}

const fn money(purse: &Purse) -> Money {
    Money {
        revenue_gross: purse.gross,
        revenue_refunded: purse.refunded,
        revenue_blocked: purse.blocked,
        commission_earned: purse.earned,
        commission_reversed: purse.reversed,
        commission_held: purse.held,
        commission_approved: purse.approved,
        commission_paid: purse.paid,
        commission_carry: purse.carry,
    }
}

/// Days since 1970 of a UTC month that counts from year 0.
fn days_of(month: u16) -> std::ops::Range<i32> {
    month_start(month.into())..month_start(i32::from(month) + 1)
}

/// What each stage ended with; nothing for kinds that have no credit of their own.
fn trail(record: &Conversion) -> Vec<String> {
    if !record.has_credit() {
        return Vec::new();
    }
    let name = |ended: u8| match Credit::of_number(ended).name() {
        "not_applicable" => String::new(),
        ended => ended.to_owned(),
    };
    record.trail.into_iter().map(name).collect()
}

fn model_name(record: &Conversion) -> &'static str {
    match record.model {
        _ if !record.has_credit() => "",
        model::FIRST => "first",
        model::LINEAR => "linear",
        _ => "last",
    }
}

const fn review_name(number: u8) -> &'static str {
    match number {
        review::APPROVED => "approved",
        review::BLOCKED => "blocked",
        _ => "",
    }
}

fn kind_name(number: u8) -> &'static str {
    let kinds = [
        (ConversionKind::Signup, "signup"),
        (ConversionKind::Purchase, "purchase"),
        (ConversionKind::Renewal, "renewal"),
        (ConversionKind::Refund, "refund"),
        (ConversionKind::Chargeback, "chargeback"),
        (ConversionKind::ChargebackReversed, "chargeback_reversed"),
    ];
    kinds.into_iter().find(|(kind, _)| kind_number(*kind) == number).map_or("", |(_, name)| name)
}
