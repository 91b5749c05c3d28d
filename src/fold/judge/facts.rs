//! What is known of an actor and a member, gathered from state.

use super::frozen::thaw;
use crate::fold::Turn;
use crate::fold::evidence::{What, known};
use crate::fold::fraud::{
    Accounts, Answer, Compared, CustomerHistory, Guard, History, Missing, Own, Question, Rule, SelfReferral, Share,
    Winning, span,
};
use crate::fold::reading::Reading;
use crate::fold::records::{Actor, Click, Conversion, NO_ID, NONE, OrderDay};
use crate::fold::state::FOR_EVER;
use crate::ids::Millis;
use crate::keep::Id128;

/// Of a sale or signup, what its history is looked for by.
#[derive(Clone, Copy)]
pub(super) struct Ordered {
    /// `NO_ID`: nobody knows who it was.
    pub(super) customer: Id128,
    pub(super) hold_days: i64,
    pub(super) is_charged_back: bool,
}

impl Ordered {
    pub(super) const fn of(conversion: &Conversion) -> Self {
        Self {
            customer: conversion.customer,
            hold_days: conversion.hold_days,
            is_charged_back: conversion.chargebacks > 0,
        }
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

    /// Orders of the member, of the customer and of all, and what became of them, by `t`; and the accounts around the
    /// member, and who acted.
    pub(super) fn abuse(&self, n: u32, order: Option<Ordered>, actor: &Actor, t: Millis) -> (History, Accounts) {
        let [chargebacks, lately] = self.orders_within(n, t, [span::MEMBER_CHARGEBACKS, span::REFUNDS]);
        let hold_days = order.map_or(self.head.hold_days, |order| order.hold_days);
        let customer = order.filter(|order| order.customer != NO_ID).map(|order| CustomerHistory {
            is_charged_back: order.is_charged_back,
            ..self.customer_history(order.customer, t)
        });
        // An order counts before it is scored.
        let more = u32::from(self.would.is_some_and(|would| would.is_order));
        // How much is usual is asked only of who sent something back, or brought something in haste.
        let is_asked = lately.refunds + lately.rushed > 0 || customer.is_some_and(|customer| customer.refunds > 0);
        let [all] = if is_asked { self.orders_within(NONE, t, [span::REFUNDS]) } else { [OrderDay::default()] };
        let accounts = self.accounts(n, actor, (&lately, &all), t);
        let history = History {
            customer,
            chargebacks: Share { some: chargebacks.chargebacks, all: chargebacks.orders.saturating_add(more) },
            refunds: Share { some: lately.refunds, all: lately.orders.saturating_add(more) },
            creator_refunds: Share { some: all.refunds, all: all.orders.saturating_add(more) },
            early_refunds: (hold_days > 0).then_some(lately.early_refunds),
        };
        (history, accounts)
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

    /// Whether it came sooner after its click than people decide.
    pub(in crate::fold) fn is_rushed(&self, conversion: &Conversion) -> bool {
        let click = self.credited_click(conversion);
        click.is_some_and(|click| conversion.t.saturating_sub_unsigned(span::RUSH) < click.t)
    }

    /// Whether the click by which a conversion was won said that a machine made it.
    pub(in crate::fold) fn is_by_robot(&self, conversion: &Conversion) -> bool {
        if self.credited_click(conversion).is_none_or(|click| click.judged == 0) {
            return false;
        }
        let judged = self.state.judged_clicks.get(&conversion.credited_click, self.floor());
        judged.is_some_and(|judged| thaw(&judged.frozen).iter().any(|finding| finding.fired() == Some(Rule::Bot)))
    }

    /// Whether a conversion came by a device of the member's own that is that of many.
    pub(super) fn is_at_crowd(&self, conversion: Id128) -> bool {
        let Some(frozen) = self.state.frozen.get(&conversion, FOR_EVER) else { return false };
        let is_crowded = |answer: Answer| matches!(answer, Answer::Silenced(_, Guard::CrowdedDevice));
        thaw(&frozen).iter().any(|finding| finding.question == Question::SameDevice && is_crowded(finding.answer))
    }
}
