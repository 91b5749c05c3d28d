//! What is known of an actor and a member, gathered from state.

use crate::fold::Turn;
use crate::fold::evidence::{What, known};
use crate::fold::fraud::{Compared, History, Missing, Own, SelfReferral, Share, Winning, span};
use crate::fold::reading::Reading;
use crate::fold::records::{Actor, Click, Conversion, NO_ID, NONE, OrderDay};
use crate::ids::Millis;
use crate::keep::Id128;

/// Of a sale or signup, what its history is looked for by.
#[derive(Clone, Copy)]
pub(super) struct Ordered {
    /// `NO_ID`: nobody knows who it was.
    pub(super) customer: Id128,
    pub(super) hold_days: i64,
}

impl Ordered {
    pub(super) const fn of(conversion: &Conversion) -> Self {
        Self { customer: conversion.customer, hold_days: conversion.hold_days }
    }
}

impl Reading<'_> {
    /// Whether the actor is the member, as far as tokens tell.
    pub(super) fn self_referral(&self, n: u32, actor: &Actor, t: Millis) -> SelfReferral {
        SelfReferral {
            user: self.same_user(n, actor.user),
            email: self.same_token(n, (What::Email, actor.email), (Missing::ActorEmail, Missing::MemberEmail)),
            payout: self.same_token(n, (What::Payment, actor.payment), (Missing::ActorPayment, Missing::MemberPayout)),
            device: self.own_seen(n, (What::Device, actor.device), t),
            ip: self.own_seen(n, (What::Ip, actor.ip), t),
            follows_others: false,
        }
    }

    fn same_user(&self, n: u32, user: Id128) -> Compared {
        if user == NO_ID {
            return Compared::Missing(Missing::ActorUser);
        }
        let own = self.profile(n).user_id;
        if own.as_str().is_empty() {
            return Compared::Missing(Missing::MemberUser);
        }
        if self.user(Some(own.as_str())) == user { Compared::Same } else { Compared::Different }
    }

    fn same_token(&self, n: u32, (what, token): (What, Id128), (actor, member): (Missing, Missing)) -> Compared {
        let bit = if what == What::Email { known::EMAIL } else { known::PAYOUT };
        if token == NO_ID {
            return Compared::Missing(actor);
        }
        if self.member(n).fraud & bit == 0 {
            return Compared::Missing(member);
        }
        if self.own_since(n, what, token).is_some() { Compared::Same } else { Compared::Different }
    }

    fn own_seen(&self, n: u32, (what, token): (What, Id128), t: Millis) -> Own {
        let is_ip = what == What::Ip;
        let (bit, actor, member) = if is_ip {
            (known::IP, Missing::ActorIp, Missing::MemberIps)
        } else {
            (known::DEVICE, Missing::ActorDevice, Missing::MemberDevices)
        };
        if token == NO_ID {
            return Own::Missing(actor);
        }
        if self.member(n).fraud & bit == 0 {
            return Own::Missing(member);
        }
        let Some(seen) = self.own_since(n, what, token) else { return Own::Never };
        Own::Seen {
            age: u64::try_from(t.0.saturating_sub(seen)).unwrap_or_default(),
            is_shared: if is_ip { self.is_shared_ip(token, t) } else { self.is_crowded_device(token, t) },
            is_proxy: is_ip && self.is_proxy(token),
        }
    }

    /// Orders of the member, of the customer and of all, and what became of them, by `t`.
    pub(super) fn history(&self, n: u32, order: Option<Ordered>, t: Millis) -> History {
        let [chargebacks, refunds] = self.orders_within(n, t, [span::MEMBER_CHARGEBACKS, span::REFUNDS]);
        let hold_days = order.map_or(self.head.hold_days, |order| order.hold_days);
        let customer = order.map(|order| order.customer).filter(|customer| *customer != NO_ID);
        // An order counts before it is scored.
        let more = u32::from(self.would.is_some_and(|would| would.is_order));
        let customer = customer.map(|customer| self.customer_history(customer, t));
        // How much is usual is asked only of who sent something back.
        let is_asked = refunds.refunds > 0 || customer.is_some_and(|customer| customer.refunds > 0);
        let [all] = if is_asked { self.orders_within(NONE, t, [span::REFUNDS]) } else { [OrderDay::default()] };
        History {
            customer,
            chargebacks: Share { some: chargebacks.chargebacks, all: chargebacks.orders.saturating_add(more) },
            refunds: Share { some: refunds.refunds, all: refunds.orders.saturating_add(more) },
            creator_refunds: Share { some: all.refunds, all: all.orders.saturating_add(more) },
            early_refunds: (hold_days > 0).then_some(refunds.early_refunds),
        }
    }
}

impl Turn<'_> {
    /// The click that a conversion was won by, and whom it was won from.
    pub(super) fn winning(&self, conversion: &Conversion) -> Winning {
        let Some(click) = self.credited_click(conversion) else { return Winning::NoClick };
        let others = self.others_clicks(conversion);
        let has_rival = others.iter().any(|t| (0..=conversion.window).contains(&conversion.t.saturating_sub(*t)));
        let behind = others.iter().filter(|t| **t <= click.t).map(|t| click.t.abs_diff(*t)).min();
        Winning::Click {
            before: u64::try_from(conversion.t.saturating_sub(click.t)).unwrap_or_default(),
            is_purchase: conversion.is_order(),
            has_rival,
            behind,
        }
    }

    pub(super) fn credited_click(&self, conversion: &Conversion) -> Option<Click> {
        if conversion.credited_click == NO_ID {
            return None;
        }
        self.state.clicks.get(&conversion.credited_click, self.floor())
    }
}
