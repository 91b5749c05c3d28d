//! Giving a conversion to members, once and for ever (SEMANTICS §6).

use super::Turn;
use super::attribute::{Attribution, Credit, Outcome};
use super::booking::Movement;
use super::firsts::First;
use super::fraud::Cause;
use super::parts::part;
use super::records::{Awaited, Conversion, Counts, NO_ID, NONE};
use super::state::FOR_EVER;
use super::timers::Due;
use crate::ids::Millis;
use crate::keep::Id128;

/// Credit waits this long for a click or code that is not known yet.
const WAIT: i64 = Millis::DAY;

/// A member's credit, found.
struct Found {
    /// The primary last.
    members: Vec<u32>,
    how: Credit,
    /// The click that it is credited by, if a click is.
    click: Id128,
}

impl Turn<'_> {
    /// Attributes a conversion that has no credit yet, and those of its customer that hung on it.
    pub(super) fn try_credit(&mut self, id: Id128, skip_unknown: bool) {
        if !self.credit_once(id, skip_unknown) {
            return;
        }
        let conversion = self.conversion_at(id);
        let mut from = conversion.t;
        // Each one credited may be what others hung on; all of them are at or after it.
        while let Some(next) = self.credit_next(conversion.customer, from) {
            from = from.min(next);
        }
    }

    /// Tries the customer's uncredited conversions at or after `from` in the order of (t, id), until one is credited;
    /// its time.
    fn credit_next(&mut self, customer: Id128, from: i64) -> Option<i64> {
        let record = self.state.customers.get(&customer, FOR_EVER)?;
        if record.uncredited == 0 {
            return None;
        }
        let mut open: Vec<(i64, Id128)> = Vec::new();
        for id in self.conversions_of(&record) {
            let conversion = self.conversion_at(id);
            if conversion.n == NONE && conversion.t >= from {
                open.push((conversion.t, id));
            }
        }
        open.sort_by_cached_key(|(t, id)| (*t, self.conversion_name(*id).as_str().to_owned()));
        let found = open.into_iter().find(|(_, id)| {
            let is_waiting = self.conversion_at(*id).credit == Credit::Waiting.number();
            self.credit_once(*id, !is_waiting)
        });
        found.map(|(t, _)| t)
    }

    /// Whether it is credited now.
    fn credit_once(&mut self, id: Id128, skip_unknown: bool) -> bool {
        let conversion = self.conversion_at(id);
        let attribution = self.attribute(id, &conversion, skip_unknown);
        let Attribution { trail, click_t, owner, .. } = attribution;
        if (trail, click_t, owner) != (conversion.trail, conversion.click_t, conversion.owner) {
            self.change_conversion(id, |conversion| {
                (conversion.trail, conversion.click_t, conversion.owner) = (trail, click_t, owner);
            });
        }
        match attribution.outcome {
            Outcome::To { members, how, click } => {
                self.credit(id, Found { members, how, click });
                return true;
            }
            Outcome::Wait(awaited) => self.wait(id, awaited),
            Outcome::Nobody(reason) => {
                if conversion.credit != reason.number() {
                    self.change_conversion(id, |conversion| conversion.credit = reason.number());
                }
            }
        }
        false
    }

    pub(super) fn change_conversion(&mut self, id: Id128, change: impl FnOnce(&mut Conversion)) {
        if let Some(conversion) = self.state.conversions.get_mut(&id, FOR_EVER) {
            change(conversion);
        }
        self.touch_conversion(id);
    }

    /// Until `awaited` arrives, a day at most from when it first waited.
    fn wait(&mut self, id: Id128, awaited: Id128) {
        let conversion = self.conversion_at(id);
        if conversion.credit != Credit::Waiting.number() {
            self.set_timer(Millis(self.creator().clock.saturating_add(WAIT)), Due::Credit, id);
        } else if conversion.awaited == awaited {
            // In that list already.
            return;
        } else {
            self.leave_waiting(id, &conversion);
        }
        self.change_conversion(id, |conversion| {
            conversion.credit = Credit::Waiting.number();
            conversion.awaited = awaited;
            conversion.next_waiting = NO_ID;
        });
        let list: &mut Awaited = self.state.awaited.entry(&awaited, self.t, FOR_EVER);
        let last = std::mem::replace(&mut list.conversions_last, id);
        if last == NO_ID {
            list.conversions = id;
        } else if let Some(last) = self.state.conversions.get_mut(&last, FOR_EVER) {
            last.next_waiting = id;
        }
    }

    /// Takes a conversion out of the list that it waits in, from which its place in another would cut off the rest.
    fn leave_waiting(&mut self, id: Id128, conversion: &Conversion) {
        let Some(list) = self.state.awaited.get(&conversion.awaited, FOR_EVER) else { return };
        let (mut before, mut place) = (NO_ID, list.conversions);
        while place != id {
            let Some(other) = self.state.conversions.get(&place, FOR_EVER) else { return };
            (before, place) = (place, other.next_waiting);
        }
        if let Some(before) = self.state.conversions.get_mut(&before, FOR_EVER) {
            before.next_waiting = conversion.next_waiting;
        }
        self.list_mut(conversion.awaited, |list| {
            if before == NO_ID {
                list.conversions = conversion.next_waiting;
            }
            if list.conversions_last == id {
                list.conversions_last = before;
            }
        });
        self.forget_if_empty(conversion.awaited);
    }

    /// What they waited for has come: each is tried again, oldest first.
    pub(super) fn retry_waiting(&mut self, arrived: Id128, first: Id128) {
        // All before any: one that is tried, or another of its customer, may go on to wait in another list.
        let (mut waiting, mut next) = (Vec::new(), first);
        while next != NO_ID {
            waiting.push(next);
            next = self.conversion_at(next).next_waiting;
        }
        for id in waiting {
            let conversion = self.conversion_at(id);
            if conversion.credit == Credit::Waiting.number() && conversion.awaited == arrived {
                self.change_conversion(id, |conversion| conversion.awaited = NO_ID);
                self.try_credit(id, false);
            }
        }
    }

    pub(super) fn credit_overdue(&mut self, id: Id128) {
        if self.conversion_at(id).credit == Credit::Waiting.number() {
            self.try_credit(id, true);
        }
    }

    /// Books what the members missed while the credit was open, each on its own instant.
    fn credit(&mut self, id: Id128, found: Found) {
        let Found { members, how, click } = found;
        let Some(primary) = members.last().copied() else { return };
        if members.len() > 1 {
            self.write_credited(id, &members);
        }
        let parts = u32::try_from(members.len()).unwrap_or(u32::MAX);
        self.change_conversion(id, |conversion| {
            (conversion.n, conversion.parts, conversion.credit) = (primary, parts, how.number());
            conversion.credited_click = click;
        });
        self.name_click(id, click);
        self.regroup(id, click);
        let conversion = self.conversion_at(id);
        self.own(id, &conversion);
        if conversion.blocked == 0 {
            self.book_credit(id, &conversion, 1);
        }
        self.count_credited_order(id, &conversion);
        self.count_customer(id, &conversion);
        self.judge_conversion(id, Cause::Evidence);
        self.derive(id);
        self.judge_commissions_of(id, Cause::Evidence);
        self.judge_brought(id, conversion.n);
    }

    fn name_click(&mut self, id: Id128, click: Id128) {
        if click == NO_ID {
            return;
        }
        let text = self.click_text(click);
        if let Some(texts) = self.state.conversion_texts.get_mut(&id, FOR_EVER) {
            texts.credited_click_id = text;
        }
    }

    /// Everything that members have of a conversion: given (`sign` 1) or taken back (−1).
    pub(super) fn book_credit(&mut self, id: Id128, conversion: &Conversion, sign: i64) {
        let members = self.credited(id, conversion);
        let made = conversion.booked(Millis(conversion.t));
        // A signup counts nothing by itself, yet the member was active.
        let orders = if conversion.is_order() { sign } else { 0 };
        self.count_member(conversion.n, made, &Counts { orders, ..Counts::default() });
        for (i, n) in members.iter().enumerate() {
            self.active(*n, conversion.day, sign);
            if conversion.is_order() {
                self.book_part(conversion, (i, members.len()), *n, sign);
            }
        }
        let Some(mut customer) = self.state.customers.get(&conversion.customer, FOR_EVER) else { return };
        for first in First::ALL {
            if *first.of(&mut customer) == id {
                let delta = first.counts_if_credited(sign);
                if delta != Counts::default() {
                    self.count_creator(made, &delta);
                }
                self.count_member(conversion.n, made, &first.counts_of_member(sign));
            }
        }
    }

    /// One member's part of an order and of all that was taken of it.
    fn book_part(&mut self, order: &Conversion, (i, of): (usize, usize), n: u32, sign: i64) {
        let sign = i128::from(sign);
        let gross = sign * part(i128::from(order.amount), i, of);
        let moved = Movement { gross, ..Movement::default() };
        self.book_member(n, order.booked(Millis(order.t)), order.currency, &moved);
        let mut total = 0_i128;
        for step in self.moves_of(order) {
            let before = part(total, i, of);
            total += i128::from(step.taken);
            let refunded = sign * (part(total, i, of) - before);
            let moved = Movement { refunded, ..Movement::default() };
            self.book_member(n, order.booked(step.t), order.currency, &moved);
        }
    }
}
