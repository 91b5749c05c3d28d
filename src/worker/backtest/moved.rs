//! Money that two folds book differently.

use bytemuck::{Pod, Zeroable};

use super::Asked;
use super::compared::Balances;
use crate::fold::commissions::State as Stand;
use crate::fold::records::{Commission, CurrencyCode, MemberKey, NONE, Text};
use crate::fold::state::{FOR_EVER, State};
use crate::ids::Millis;
use crate::keep::Id128;

/// A commission or an order on which the two differ.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Moved {
    /// What is left of it, whoever counts it.
    pub(super) net: i128,
    held: i128,
    approved: i128,
    carry: i128,
    creator: u32,
    n: u32,
    pub(super) currency: CurrencyCode,
    /// Where it stands, as `Stand` numbers it; of an order 1 if it is blocked.
    today: u8,
    candidate: u8,
    is_order: u8,
    pad: u8,
}

/// Where something stood, and where it would stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum MovedKey {
    Commission { from: &'static str, to: &'static str },
    Order { is_blocked: bool },
}

impl Moved {
    pub(super) const fn key(&self) -> MovedKey {
        if self.is_order == 1 {
            return MovedKey::Order { is_blocked: self.candidate == 1 };
        }
        MovedKey::Commission { from: name(self.today), to: name(self.candidate) }
    }

    pub(super) const fn balances(&self) -> Balances {
        let revenue_blocked = match (self.is_order, self.candidate) {
            (0, _) => 0,
            (_, 1) => self.net,
            (_, _) => -self.net,
        };
        Balances { held: self.held, approved: self.approved, carry: self.carry, revenue_blocked }
    }

    /// The creator, and the member whose it is.
    pub(super) fn whose(&self, state: &State) -> Option<(Text, Text)> {
        let creator = state.creator_profiles.peek(&self.creator, FOR_EVER)?.id;
        let member = state.profile(MemberKey { creator: self.creator, n: self.n })?;
        Some((creator, member.id))
    }
}

/// Where a commission stands; of a paid one that counts nowhere, that it is owed back.
const OWED_BACK: u8 = 6;

const fn name(number: u8) -> &'static str {
    if number == OWED_BACK { "owed_back" } else { Stand::of_number(number).name() }
}

/// What is booked of a commission on one side.
struct Booked {
    stand: u8,
    held: i128,
    approved: i128,
    carry: i128,
}

fn booked(record: &Commission) -> Booked {
    let net = if record.blocked == 1 { 0 } else { record.earned - record.reversed };
    let none = Booked { stand: record.state, held: 0, approved: 0, carry: 0 };
    match Stand::of_number(record.state) {
        Stand::Held => Booked { held: net, ..none },
        Stand::Approved => Booked { approved: net, ..none },
        Stand::Paid => {
            let stand = if record.blocked == 1 { OWED_BACK } else { record.state };
            Booked { stand, carry: net - record.paid_amount, ..none }
        }
        Stand::Reversed | Stand::Blocked => none,
    }
}

/// A commission's part in the difference; none, if there is none.
pub(super) fn of_commission((today, candidate): (&State, &State), id: Id128, asked: &Asked) -> Option<Moved> {
    let (was, would) = (today.commissions.get(&id, FOR_EVER)?, candidate.commissions.get(&id, FOR_EVER)?);
    let (today, candidate) = (booked(&was), booked(&would));
    if today.stand == candidate.stand || !asked.has(Millis(was.t)) {
        return None;
    }
    Some(Moved {
        net: was.earned - was.reversed,
        held: candidate.held - today.held,
        approved: candidate.approved - today.approved,
        carry: candidate.carry - today.carry,
        creator: was.creator,
        n: was.n,
        currency: was.currency,
        today: today.stand,
        candidate: candidate.stand,
        is_order: 0,
        pad: 0,
    })
}

/// An order's part in the difference; none, if there is none.
pub(super) fn of_order((today, candidate): (&State, &State), id: Id128, asked: &Asked) -> Option<Moved> {
    let (was, would) = (today.conversions.get(&id, FOR_EVER)?, candidate.conversions.get(&id, FOR_EVER)?);
    if !was.is_order() || was.blocked == would.blocked || was.n == NONE || !asked.has(Millis(was.t)) {
        return None;
    }
    Some(Moved {
        net: i128::from(was.amount) - i128::from(was.moved),
        held: 0,
        approved: 0,
        carry: 0,
        creator: was.creator,
        n: was.n,
        currency: was.currency,
        today: was.blocked,
        candidate: would.blocked,
        is_order: 1,
        pad: 0,
    })
}
