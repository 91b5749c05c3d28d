//! Refunds, chargebacks, and chargebacks that were won (SEMANTICS §7).

use super::booking::Movement;
use super::parts::part;
use super::records::{Conversion as Record, NO_ID};
use super::state::FOR_EVER;
use super::{Refusal, Stop, Turn, kind, refuse};
use crate::event::{Conversion, ConversionKind};
use crate::ids::Millis;
use crate::keep::Id128;

/// A change of an order's money: positive took, negative gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) t: Millis,
    pub(super) taken: i64,
}

impl Turn<'_> {
    /// A refund or chargeback: no more than is left of its order.
    pub(super) fn take_back(&mut self, stated: &Conversion<'_>) -> Result<(), Stop> {
        let (order_id, order) = self.original(stated)?;
        if !order.is_order() {
            return Err(refuse("not_refundable", format!("{:?} is not an order", named(stated))));
        }
        if stated.currency.is_some_and(|currency| order.currency != currency.into()) {
            let paid_in = crate::ids::Currency::from(order.currency);
            return Err(refuse("currency_mismatch", format!("{:?} was paid in {paid_in}", named(stated))));
        }
        let left = order.left();
        let asked = stated.amount.map_or(left, i64::saturating_abs);
        if left == 0 {
            return Err(refuse("over_refund", format!("nothing is left of {:?}", named(stated))));
        }
        if asked > left {
            let message = format!("{asked} asked of {:?}, {left} left: clamped", named(stated));
            self.letter(Refusal { class: "over_refund", message });
        }
        let (id, mut record) = self.conversion_record(stated);
        record.amount = asked.min(left);
        record.currency = order.currency;
        if stated.kind == ConversionKind::Chargeback {
            self.arrive(self.chargeback_of(order_id));
        }
        let taken = record.amount;
        self.book_move(order_id, id, record, taken);
        self.count_move(order_id, id, &record);
        self.judge_moved(order_id);
        self.arrive(id);
        Ok(())
    }

    /// A chargeback was won: what it took comes back. It is named, or the latest open one of the order named.
    pub(super) fn give_back(&mut self, stated: &Conversion<'_>) -> Result<(), Stop> {
        let (original_id, original) = self.original(stated)?;
        let (chargeback_id, chargeback) = match original.kind() {
            ConversionKind::Chargeback => (original_id, original),
            ConversionKind::Purchase | ConversionKind::Renewal => {
                self.latest_open_chargeback(&original).ok_or_else(|| Stop::Park(self.chargeback_of(original_id)))?
            }
            ConversionKind::Signup | ConversionKind::Refund | ConversionKind::ChargebackReversed => {
                return Err(refuse("not_refundable", format!("{:?} is not a chargeback", named(stated))));
            }
        };
        if chargeback.undone == 1 {
            let message =
                format!("the chargeback {:?} was reversed before", self.conversion_name(chargeback_id).as_str());
            return Err(refuse("not_refundable", message));
        }
        if let Some(record) = self.state.conversions.get_mut(&chargeback_id, FOR_EVER) {
            record.undone = 1;
        }
        self.touch_conversion(chargeback_id);
        let (id, mut record) = self.conversion_record(stated);
        record.amount = chargeback.amount;
        record.currency = chargeback.currency;
        self.book_move(chargeback.original, id, record, -chargeback.amount);
        self.count_move(chargeback.original, chargeback_id, &record);
        self.judge_moved(chargeback.original);
        self.arrive(id);
        Ok(())
    }

    /// The id that a chargeback's reversal waits for when it names the order.
    fn chargeback_of(&self, order: Id128) -> Id128 {
        self.state.hash_key.id(kind::CHARGEBACK_OF, self.c, &order.0)
    }

    fn original(&self, stated: &Conversion<'_>) -> Result<(Id128, Record), Stop> {
        let Some(original) = stated.original_id else {
            return Err(refuse("invalid_field", "original_id is missing"));
        };
        let id = self.id(kind::CONVERSION, original.0);
        self.state.conversions.get(&id, FOR_EVER).map(|record| (id, record)).ok_or(Stop::Park(id))
    }

    fn latest_open_chargeback(&self, order: &Record) -> Option<(Id128, Record)> {
        let mut id = order.last_move;
        let mut latest: Option<(Id128, Record)> = None;
        while id != NO_ID {
            let record = self.conversion_at(id);
            let is_open = record.kind() == ConversionKind::Chargeback && record.undone == 0;
            if is_open
                && latest.as_ref().is_none_or(|(best_id, best)| self.is_before((best.t, *best_id), (record.t, id)))
            {
                latest = Some((id, record));
            }
            id = record.prev_move;
        }
        latest
    }

    /// Hangs the move on its order and books it on its own instant.
    fn book_move(&mut self, order_id: Id128, id: Id128, mut record: Record, taken: i64) {
        if let Some(order) = self.state.conversions.get_mut(&order_id, FOR_EVER) {
            order.moved = order.moved.saturating_add(taken);
            record.prev_move = std::mem::replace(&mut order.last_move, id);
        }
        self.state.conversions.put(&id, record, self.t);
        self.touch_conversion(id);
        self.touch_conversion(order_id);
        let order = self.conversion_at(order_id);
        let moved = Movement { refunded: i128::from(taken), ..Movement::default() };
        let moved = if order.blocked == 1 { moved.with_blocked() } else { moved };
        self.book_creator(order.booked(self.t), order.currency, &moved);
        if order.counts_for_members() {
            self.book_move_parts(order_id, &order, taken);
        }
        self.recount_customer(order_id);
        self.reverse_commissions(order_id, self.t, order.moved);
    }

    /// Each member's part of what was taken in all, less its part of what was taken before.
    fn book_move_parts(&mut self, id: Id128, order: &Record, taken: i64) {
        let members = self.credited(id, order);
        let (after, before) = (i128::from(order.moved), i128::from(order.moved) - i128::from(taken));
        for (i, n) in members.iter().enumerate() {
            let refunded = part(after, i, members.len()) - part(before, i, members.len());
            let moved = Movement { refunded, ..Movement::default() };
            self.book_member(*n, order.booked(self.t), order.currency, &moved);
        }
    }

    /// The moves of an order in the order of the log.
    pub(super) fn moves_of(&self, order: &Record) -> Vec<Move> {
        let mut moves = Vec::new();
        let mut id = order.last_move;
        while id != NO_ID {
            let record = self.conversion_at(id);
            let gave_back = record.kind() == ConversionKind::ChargebackReversed;
            let taken = if gave_back { -record.amount } else { record.amount };
            moves.push(Move { t: Millis(record.t), taken });
            id = record.prev_move;
        }
        moves.reverse();
        moves
    }
}

/// The id of what a move is about.
fn named<'a>(stated: &Conversion<'a>) -> &'a str {
    stated.original_id.map_or("", |id| id.0)
}
