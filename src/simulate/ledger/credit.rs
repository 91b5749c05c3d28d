//! §6 Attribution, by the model `last`.

use std::collections::HashMap;

use super::clicks::{Visitor, visitor};
use super::people::normal;
use super::waiting::{Awaited, Key, key};
use super::{Book, Stop, Timer};
use crate::event::{Conversion, ConversionKind};
use crate::ids::Millis;

const WAITS_MAX: i64 = 24 * Millis::HOUR;
const CLICK_AFTER_MAX: i64 = 5 * Millis::MINUTE;

/// Whom a conversion is credited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credit {
    Waiting,
    To(usize),
    Nobody,
}

/// Whether unknown evidence may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    Waits,
    Over,
}

/// What a conversion names, and who made it.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    click: Option<Key>,
    code: Option<String>,
    coupon: Option<String>,
    visitor: Option<Visitor>,
    original: Option<Key>,
}

/// Credits that wait for a click or a code.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    evidence: HashMap<usize, Evidence>,
    by_awaited: HashMap<Awaited, Vec<usize>>,
    /// A customer's conversions, in log order.
    of_customer: HashMap<Key, Vec<usize>>,
}

/// What one stage says.
enum Found {
    Member(usize),
    /// Go on to the next stage.
    Nothing,
    Unknown(Awaited),
}

impl Book {
    /// A new signup or order: credit it now, or wait.
    pub(super) fn open_credit(&mut self, conversion: usize, facts: &Conversion<'_>) {
        let evidence = Evidence {
            click: facts.click_id.map(|id| key(3, id.0)),
            code: facts.referral_code.map(|code| normal(code.0)),
            coupon: facts.coupon.map(|code| normal(code.0)),
            visitor: visitor(facts.device_token, facts.ip_token),
            original: facts.original_id.map(|id| key(4, id.0)),
        };
        self.credits.evidence.insert(conversion, evidence);
        self.credits.of_customer.entry(self.conversion(conversion).customer).or_default().push(conversion);
        self.settle_credit(conversion, Patience::Waits);
        if self.conversion(conversion).credit == Credit::Waiting {
            let clock = self.clock.expect("an admitted record has moved the clock");
            self.set_timer(Millis(clock.0 + WAITS_MAX), Timer::Credit(conversion));
        }
    }

    pub(super) fn try_credits(&mut self, arrival: Awaited) {
        for conversion in self.credits.by_awaited.remove(&arrival).unwrap_or_default() {
            self.settle_credit(conversion, Patience::Waits);
        }
    }

    /// §6: the first stage to find a member wins; unknown evidence is waited for, then skipped. What is credited may
    /// be what later conversions of the customer hung on.
    pub(super) fn settle_credit(&mut self, conversion: usize, patience: Patience) {
        if self.conversion(conversion).credit != Credit::Waiting || !self.try_credit(conversion, patience) {
            return;
        }
        let (customer, from) = (self.conversion(conversion).customer, self.conversion(conversion).t);
        loop {
            let all = self.credits.of_customer.get(&customer).cloned().unwrap_or_default();
            let mut open: Vec<usize> = all.into_iter().filter(|place| self.may_hang(*place, from)).collect();
            open.sort_by_key(|place| (self.conversion(*place).t, &self.conversion(*place).id));
            let patience = |credit| if credit == Credit::Waiting { Patience::Waits } else { Patience::Over };
            if !open.into_iter().any(|place| self.try_credit(place, patience(self.conversion(place).credit))) {
                return;
            }
        }
    }

    fn may_hang(&self, place: usize, from: Millis) -> bool {
        let conversion = self.conversion(place);
        conversion.t >= from && !matches!(conversion.credit, Credit::To(_))
    }

    /// Whether it is credited now.
    fn try_credit(&mut self, conversion: usize, patience: Patience) -> bool {
        let Some(evidence) = self.credits.evidence.get(&conversion).cloned() else { return false };
        for stage in self.stages(conversion, &evidence) {
            match stage {
                Found::Member(member) => {
                    self.conversion_mut(conversion).credit = Credit::To(member);
                    self.derive_commission(conversion, member);
                    return true;
                }
                Found::Unknown(awaited) if patience == Patience::Waits => {
                    self.conversion_mut(conversion).credit = Credit::Waiting;
                    let waiting = self.credits.by_awaited.entry(awaited).or_default();
                    if !waiting.contains(&conversion) {
                        waiting.push(conversion);
                    }
                    return false;
                }
                Found::Unknown(_) | Found::Nothing => {}
            }
        }
        self.conversion_mut(conversion).credit = Credit::Nobody;
        false
    }

    /// A renewal of a customer who is somebody's asks for nothing else.
    fn stages(&self, conversion: usize, evidence: &Evidence) -> Vec<Found> {
        let owner = self.owner(conversion, evidence);
        let by_owner = owner.map_or(Found::Nothing, |member| self.unless_removed(member));
        if owner.is_some() && self.conversion(conversion).kind == ConversionKind::Renewal {
            return vec![by_owner];
        }
        let (coupon, click) = (self.by_coupon(evidence), self.by_click(conversion, evidence));
        let (first, second) =
            if self.conversion(conversion).terms.click_first { (click, coupon) } else { (coupon, click) };
        vec![first, second, self.by_code(evidence), self.by_visitor(conversion, evidence), by_owner]
    }

    /// §6.1: a coupon nobody holds is a plain discount.
    fn by_coupon(&self, evidence: &Evidence) -> Found {
        let Some(coupon) = &evidence.coupon else { return Found::Nothing };
        self.codes.get(coupon).map_or(Found::Nothing, |member| self.unless_removed(*member))
    }

    /// §6.2: inside the window, both ends included, or at most five minutes after.
    fn by_click(&self, conversion: usize, evidence: &Evidence) -> Found {
        let Some(id) = evidence.click else { return Found::Nothing };
        let Some(click) = self.click(id) else { return Found::Unknown(Awaited::Click(id)) };
        let t = self.conversion(conversion).t.0;
        let inside = (t - self.window_ms(conversion)..=t + CLICK_AFTER_MAX).contains(&click.t.0);
        if inside { self.unless_removed(click.member) } else { Found::Nothing }
    }

    /// §6.3.
    fn by_code(&self, evidence: &Evidence) -> Found {
        let Some(code) = &evidence.code else { return Found::Nothing };
        match self.member_of_code(code) {
            Ok(member) => self.unless_removed(member),
            Err(Stop::Park(awaited)) => Found::Unknown(awaited),
            Err(Stop::Dead(_)) => Found::Nothing,
        }
    }

    /// §6.4: the visitor's latest click inside the window.
    fn by_visitor(&self, conversion: usize, evidence: &Evidence) -> Found {
        let t = self.conversion(conversion).t;
        let from = Millis(t.0 - self.window_ms(conversion));
        let seen = evidence.visitor.and_then(|visitor| self.visitor_clicks.get(&visitor)).into_iter().flatten().rev();
        let mut touches = seen.filter(|click| self.remembers(click.t) && (from..=t).contains(&click.t));
        let latest = touches.find(|click| self.may_be_credited(click.member));
        latest.map_or(Found::Nothing, |click| Found::Member(click.member))
    }

    /// §6.5: what a renewal renews, else the customer's latest credited conversion by then.
    fn owner(&self, conversion: usize, evidence: &Evidence) -> Option<usize> {
        let this = self.conversion(conversion);
        let credited = |place: usize| match self.conversion(place).credit {
            Credit::To(member) => Some(member),
            Credit::Waiting | Credit::Nobody => None,
        };
        let original = evidence.original.filter(|_| this.kind == ConversionKind::Renewal);
        let original = original.and_then(|id| self.conversion_by_id.get(&id)).filter(|place| **place != conversion);
        if let Some(member) = original.and_then(|place| credited(*place)) {
            return Some(member);
        }
        let others = self.credits.of_customer.get(&this.customer).into_iter().flatten().copied();
        let earlier = others.filter(|place| self.conversion(*place).t <= this.t && credited(*place).is_some());
        let latest = earlier.max_by_key(|place| (self.conversion(*place).t, &self.conversion(*place).id));
        latest.and_then(credited)
    }

    fn window_ms(&self, conversion: usize) -> i64 {
        let conversion = self.conversion(conversion);
        let signup = conversion.kind == ConversionKind::Signup;
        if signup { conversion.terms.signup_window_ms } else { conversion.terms.purchase_window_ms }
    }

    fn unless_removed(&self, member: usize) -> Found {
        if self.may_be_credited(member) { Found::Member(member) } else { Found::Nothing }
    }
}
