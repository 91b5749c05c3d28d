//! What members are owed (SEMANTICS §8).

use bytemuck::Zeroable;

use super::booking::{Balance, Movement};
use super::effects::{LedgerLeft, Named};
use super::fraud::Cause;
use super::groups::NO_GROUP;
use super::moves::Move;
use super::orders::payment_type;
use super::parts::part;
use super::people::status;
use super::records::{Commission as Record, CommissionTexts, Conversion, Head, LongText, NO_ID, Text};
use super::state::FOR_EVER;
use super::timers::Due;
use super::{Stop, Turn, kind, refuse};
use crate::event::{Commission, CommissionKind, PaymentType};
use crate::ids::{Currency, Millis};
use crate::keep::Id128;

/// What the ids of derived commissions begin with, and no others: a producer's must not stand in their way.
const DERIVED_PREFIX: &str = "auto:";

/// Where a commission's net stands; kept in the record by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Held,
    Approved,
    Paid,
    /// Nothing is left of it.
    Reversed,
    /// It counts nowhere.
    Blocked,
}

impl State {
    const fn number(self) -> u8 {
        match self {
            Self::Held => 1,
            Self::Approved => 2,
            Self::Paid => 3,
            Self::Reversed => 4,
            Self::Blocked => 5,
        }
    }

    pub const fn of_number(number: u8) -> Self {
        match number {
            2 => Self::Approved,
            3 => Self::Paid,
            4 => Self::Reversed,
            5 => Self::Blocked,
            _ => Self::Held,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Approved => "approved",
            Self::Paid => "paid",
            Self::Reversed => "reversed",
            Self::Blocked => "blocked",
        }
    }
}

impl Record {
    const fn net(&self) -> i128 {
        self.earned - self.reversed
    }

    /// What of it counts.
    const fn counted_net(&self) -> i128 {
        if self.blocked == 1 { 0 } else { self.net() }
    }

    /// What purses hold of it now; nothing before it is first booked.
    fn balance(&self) -> Balance {
        let net = self.counted_net();
        match self.state {
            0 => Balance::default(),
            number => match State::of_number(number) {
                State::Held => Balance { held: net, ..Balance::default() },
                State::Approved => Balance { approved: net, ..Balance::default() },
                State::Paid => Balance { paid: self.paid_amount, carry: net - self.paid_amount, ..Balance::default() },
                State::Reversed | State::Blocked => Balance::default(),
            },
        }
    }

    /// `min(E, max(round(E·R/S), Σ stated))` if E > 0, else 0; the round is 0 without an order.
    fn reversed_of(&self, order_amount: i64, moved: i64) -> i128 {
        if self.earned <= 0 {
            return 0;
        }
        let (amount, moved) = (i128::from(order_amount), i128::from(moved));
        // E·R/S in two steps: the product of all three may be wider than 128 bits.
        let share =
            if amount > 0 { self.earned / amount * moved + round_div(self.earned % amount * moved, amount) } else { 0 };
        self.earned.min(share.max(self.stated))
    }
}

/// Nearest, halves away from zero; `b` > 0.
fn round_div(a: i128, b: i128) -> i128 {
    let doubled = a.unsigned_abs().saturating_mul(2).saturating_add(b.unsigned_abs());
    let magnitude = (doubled / b.unsigned_abs().saturating_mul(2)).cast_signed();
    if a < 0 { -magnitude } else { magnitude }
}

impl Turn<'_> {
    pub(super) fn commission_record(&mut self, stated: &Commission<'_>) -> Result<(), Stop> {
        let id = self.subject.id;
        let n = self.member_or_park(stated.member_id)?;
        if stated.kind == CommissionKind::Earned {
            return self.earned(id, n, stated);
        }
        let Some(known) = self.state.commissions.get(&id, FOR_EVER) else { return Err(Stop::Park(id)) };
        if stated.currency.is_some_and(|currency| known.currency != currency.into()) {
            let owed_in = Currency::from(known.currency);
            return Err(refuse("currency_mismatch", format!("{:?} is owed in {owed_in}", stated.commission_id.0)));
        }
        let amount = i128::from(stated.amount.unwrap_or(0));
        let (facts, t) = (self.subject.facts, self.t);
        match stated.kind {
            CommissionKind::Adjusted => self.rebook(id, t, |record| record.earned += amount),
            CommissionKind::Reversed => self.rebook(id, t, |record| record.stated += amount.abs()),
            CommissionKind::Approved => self.rebook(id, t, |record| {
                record.approved = 1;
                record.approved_names = facts;
            }),
            CommissionKind::Earned | CommissionKind::Paid => self.pay(id, stated, facts),
        }
        Ok(())
    }

    /// Paid once: the amount stated, else all that is owed.
    fn pay(&mut self, id: Id128, stated: &Commission<'_>, facts: u64) {
        let t = self.t;
        self.rebook(id, t, |record| {
            record.paid = 1;
            record.paid_names = facts;
            record.paid_amount = stated.amount.map_or_else(|| record.net(), i128::from);
            record.paid_at = stated.paid_at.unwrap_or(t).0;
        });
        let made = self.state.commissions.get(&id, FOR_EVER).map_or(t, |record| Millis(record.t));
        self.close_commission(id);
        self.effects.fast.ledger_left.push(LedgerLeft { commission: id, paid: false, time: made, at: self.at });
    }

    fn earned(&mut self, id: Id128, n: u32, stated: &Commission<'_>) -> Result<(), Stop> {
        if self.creator().source == 1 && stated.conversion_id.is_some() {
            let message = "this creator's commissions are derived from its conversions; a bonus names none";
            return Err(refuse("commission_is_derived", message));
        }
        if stated.commission_id.0.starts_with(DERIVED_PREFIX) {
            let message = format!("ids that begin with {DERIVED_PREFIX:?} are those of derived commissions");
            return Err(refuse("commission_is_derived", message));
        }
        let mut record = Record::zeroed();
        record.t = self.t.0;
        record.matures_at = i64::MAX;
        record.conversion = stated.conversion_id.map_or(NO_ID, |id| self.id(kind::CONVERSION, id.0));
        record.names = self.subject.facts;
        record.creator = self.c;
        record.n = n;
        record.currency = self.currency(stated.currency);
        record.payment_type = payment_type(stated.payment_type);
        let texts = CommissionTexts {
            id: LongText::new(stated.commission_id.0),
            conversion_id: Text::new(stated.conversion_id.map_or("", |id| id.0)),
        };
        self.state.commission_texts.put(&id, texts, self.t);
        self.make(id, record, i128::from(stated.amount.unwrap_or(0)));
        self.arrive(id);
        Ok(())
    }

    /// The commissions of a credited conversion, one a member, if its creator has them derived.
    pub(super) fn derive(&mut self, conversion_id: Id128) {
        let conversion = self.conversion_at(conversion_id);
        if conversion.derives == 0 {
            return;
        }
        let rate = i128::from(conversion.amount) * i128::from(conversion.rate_bp);
        let amount = round_div(rate, 10_000) + i128::from(conversion.flat_amount);
        let members = self.credited(conversion_id, &conversion);
        for (i, n) in members.iter().enumerate() {
            self.derive_for(*n, part(amount, i, members.len()), conversion_id, &conversion);
        }
    }

    fn derive_for(&mut self, n: u32, amount: i128, conversion_id: Id128, conversion: &Conversion) {
        let name = self.conversion_name(conversion_id);
        let text = format!("{DERIVED_PREFIX}{}:{}", name.as_str(), self.profile(n).id.as_str());
        let id = self.id(kind::COMMISSION, &text);
        let mut record = Record::zeroed();
        record.t = conversion.t;
        record.matures_at = conversion.t.saturating_add(conversion.hold_days.saturating_mul(Millis::DAY));
        record.conversion = conversion_id;
        record.creator = self.c;
        record.n = n;
        record.currency = conversion.currency;
        record.payment_type = derived_payment_type(conversion);
        record.derived = 1;
        let texts = CommissionTexts { id: LongText::new(&text), conversion_id: name };
        self.state.commission_texts.put(&id, texts, self.t);
        if self.watermark().0 >= record.matures_at {
            record.matured = 1;
        } else {
            self.set_timer(Millis(record.matures_at), Due::Commission, id);
        }
        self.make(id, record, amount);
        self.arrive(id);
    }

    /// Hangs the commission on its conversion and member, and books it with all that has happened to the order since.
    fn make(&mut self, id: Id128, mut record: Record, amount: i128) {
        if record.conversion != NO_ID {
            let head: &mut Head = self.state.conversion_commissions.entry(&record.conversion, self.t, FOR_EVER);
            record.next_of_conversion = std::mem::replace(&mut head.first, id);
        }
        record.prev_of_member = std::mem::replace(&mut self.member_mut(record.n).commissions, id);
        self.open_commission(id, &mut record);
        let made = Millis(record.t);
        let order = self.state.conversions.get(&record.conversion, FOR_EVER);
        record.day = self.booked_day(made);
        record.group = order.as_ref().map_or(NO_GROUP, |order| order.group);
        record.blocked = order.as_ref().map_or(0, |order| order.blocked);
        if let Some(texts) = self.state.commission_texts.get(&id, FOR_EVER) {
            self.touch_name(Named::Commission(made, record.payment_type), texts.id.as_str().to_owned());
        }
        self.state.commissions.put(&id, record, self.t);
        let order_amount = order.as_ref().map_or(0, |order| order.amount);
        self.rebook_at(id, made, (order_amount, 0), |record| record.earned = amount);
        let moves: Vec<Move> = order.map_or_else(Vec::new, |order| self.moves_of(&order));
        let mut moved = 0_i64;
        for step in moves {
            moved = moved.saturating_add(step.taken);
            self.rebook_at(id, step.t, (order_amount, moved), |_| {});
        }
        self.judge_commission(id, Cause::Evidence);
    }

    /// An order's money moved at `t`; all its commissions follow.
    pub(super) fn reverse_commissions(&mut self, order_id: Id128, t: Millis, moved: i64) {
        let amount = self.conversion_at(order_id).amount;
        let mut id = self.first_commission(order_id);
        while id != NO_ID {
            self.rebook_at(id, t, (amount, moved), |_| {});
            id = self.state.commissions.get(&id, FOR_EVER).map_or(NO_ID, |record| record.next_of_conversion);
        }
    }

    /// The member's status changed: what is not paid is held, or no longer.
    pub(super) fn restate_commissions(&mut self, n: u32) {
        let mut id = self.member(n).commissions;
        while id != NO_ID {
            let Some(record) = self.state.commissions.get(&id, FOR_EVER) else { return };
            if record.paid == 0 {
                self.rebook(id, self.t, |_| {});
            }
            id = record.prev_of_member;
        }
    }

    /// Its own verdict, or its conversion's, may have changed; the next one of the conversion.
    pub(super) fn restate_commission(&mut self, id: Id128) -> Id128 {
        let Some(before) = self.state.commissions.get(&id, FOR_EVER) else { return NO_ID };
        let (blocked, in_review) = self.withheld(id, &before);
        if blocked && before.blocked == 0 {
            self.book_withheld(id, &before, -1);
        }
        if !blocked && before.blocked == 1 {
            self.book_withheld(id, &before, 1);
        }
        if (before.blocked == 1, before.in_review == 1) != (blocked, in_review) {
            self.rebook(id, self.t, |record| {
                (record.blocked, record.in_review) = (u8::from(blocked), u8::from(in_review));
            });
        }
        before.next_of_conversion
    }

    pub(super) fn mature(&mut self, id: Id128) {
        self.rebook(id, self.t, |record| record.matured = 1);
    }

    /// Changes a commission at `t` and books the difference.
    fn rebook(&mut self, id: Id128, t: Millis, change: impl FnOnce(&mut Record)) {
        let conversion = self.state.commissions.get(&id, FOR_EVER).map_or(NO_ID, |record| record.conversion);
        let order = self.state.conversions.get(&conversion, FOR_EVER);
        self.rebook_at(id, t, order.map_or((0, 0), |order| (order.amount, order.moved)), change);
    }

    fn rebook_at(&mut self, id: Id128, t: Millis, order: (i64, i64), change: impl FnOnce(&mut Record)) {
        let Some(before) = self.state.commissions.get(&id, FOR_EVER) else { return };
        let mut record = before;
        change(&mut record);
        record.reversed = record.reversed_of(order.0, order.1);
        record.state = self.state_of(&record).number();
        if let Some(place) = self.state.commissions.get_mut(&id, FOR_EVER) {
            *place = record;
        }
        self.effects.fast.commissions.insert(id, self.at);
        let moved = Movement {
            earned: record.earned - before.earned,
            paid: record.paid_amount - before.paid_amount,
            ..Movement::default()
        };
        let reversed = Movement { reversed: record.reversed - before.reversed, ..Movement::default() };
        // Nothing is taken back before there was something.
        for (t, moved) in [(t, moved), (Millis(t.0.max(record.t)), reversed)] {
            if moved != Movement::default() {
                self.book_commission(id, t, &moved);
            }
        }
        let change = record.balance().minus(before.balance());
        if change != Balance::default() {
            self.balance(record.n, record.currency, &change);
        }
    }

    fn state_of(&self, record: &Record) -> State {
        if record.paid == 1 {
            State::Paid
        } else if record.blocked == 1 {
            State::Blocked
        } else if record.net() == 0 {
            State::Reversed
        } else if record.in_review == 1 || self.member(record.n).status != status::ACTIVE {
            State::Held
        } else if record.approved == 1 || record.matured == 1 {
            State::Approved
        } else {
            State::Held
        }
    }
}

/// As the order states it; else a purchase is an initial payment and a renewal a recurring one.
fn derived_payment_type(conversion: &Conversion) -> u8 {
    match (conversion.payment_type, conversion.kind) {
        (0, 1) => payment_type(Some(PaymentType::Initial)),
        (0, 2) => payment_type(Some(PaymentType::Recurring)),
        (stated, _) => stated,
    }
}
