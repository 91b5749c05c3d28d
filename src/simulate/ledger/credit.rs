//! §6 Attribution: stages 1 coupon, 2 click, 3 referral code.

use std::collections::HashMap;

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

/// What a conversion names.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    click: Option<Key>,
    code: Option<String>,
    coupon: Option<String>,
}

/// Credits that wait for a click or a code.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    evidence: HashMap<usize, Evidence>,
    by_awaited: HashMap<Awaited, Vec<usize>>,
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
        };
        self.credits.evidence.insert(conversion, evidence);
        self.settle_credit(conversion, Patience::Waits);
        if self.credits.evidence.contains_key(&conversion) {
            let clock = self.clock.expect("an admitted record has moved the clock");
            self.set_timer(Millis(clock.0 + WAITS_MAX), Timer::Credit(conversion));
        }
    }

    pub(super) fn try_credits(&mut self, arrival: Awaited) {
        for conversion in self.credits.by_awaited.remove(&arrival).unwrap_or_default() {
            self.settle_credit(conversion, Patience::Waits);
        }
    }

    /// §6: the first stage to find a member wins; unknown evidence is waited for, then skipped.
    pub(super) fn settle_credit(&mut self, conversion: usize, patience: Patience) {
        let Some(evidence) = self.credits.evidence.get(&conversion).cloned() else { return };
        for stage in self.stages(conversion, &evidence) {
            match stage {
                Found::Member(member) => return self.credit(conversion, Credit::To(member)),
                Found::Unknown(awaited) if patience == Patience::Waits => {
                    return self.credits.by_awaited.entry(awaited).or_default().push(conversion);
                }
                Found::Unknown(_) | Found::Nothing => {}
            }
        }
        self.credit(conversion, Credit::Nobody);
    }

    fn stages(&self, conversion: usize, evidence: &Evidence) -> [Found; 3] {
        let coupon = self.by_coupon(evidence);
        let click = self.by_click(conversion, evidence);
        let code = self.by_code(evidence);
        if self.conversion(conversion).terms.click_first { [click, coupon, code] } else { [coupon, click, code] }
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
        let conversion = self.conversion(conversion);
        let signup = conversion.kind == ConversionKind::Signup;
        let window_ms = if signup { conversion.terms.signup_window_ms } else { conversion.terms.purchase_window_ms };
        let inside = (conversion.t.0 - window_ms..=conversion.t.0 + CLICK_AFTER_MAX).contains(&click.t.0);
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

    fn unless_removed(&self, member: usize) -> Found {
        if self.may_be_credited(member) { Found::Member(member) } else { Found::Nothing }
    }

    fn credit(&mut self, conversion: usize, credit: Credit) {
        self.credits.evidence.remove(&conversion);
        self.conversion_mut(conversion).credit = credit;
        if let Credit::To(member) = credit {
            self.derive_commission(conversion, member);
        }
    }
}
