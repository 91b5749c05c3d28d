//! Whose conversion is it? The first stage to find a member wins; the failures before it are the trail (SEMANTICS §6).

use super::Turn;
use super::owner::Owner;
use super::people::status;
use super::records::{Click, Conversion, NO_ID};
use super::visitors::{Seen, Touched};
use crate::event::ConversionKind;
use crate::ids::Millis;
use crate::keep::Id128;

/// A named click may be this much after its conversion.
const CLICK_AFTER_MAX: i64 = 5 * Millis::MINUTE;

/// How a conversion stands with its credit; kept in the record by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credit {
    /// Refunds and the like: theirs is their order's.
    NotApplicable,
    Coupon,
    Click,
    Code,
    /// For a click or code not known yet.
    Waiting,
    NoTouch,
    WindowExpired,
    MemberRemoved,
    UnknownCoupon,
    UnknownClick,
    UnknownCode,
    /// The named click came too long after the conversion.
    ClickAfter,
    /// One of the visitor's own clicks.
    Visitor,
    /// The customer was somebody's already.
    Owner,
}

impl Credit {
    const ALL: [Self; 14] = [
        Self::NotApplicable,
        Self::Coupon,
        Self::Click,
        Self::Code,
        Self::Waiting,
        Self::NoTouch,
        Self::WindowExpired,
        Self::MemberRemoved,
        Self::UnknownCoupon,
        Self::UnknownClick,
        Self::UnknownCode,
        Self::ClickAfter,
        Self::Visitor,
        Self::Owner,
    ];

    /// As the record keeps it.
    pub fn number(self) -> u8 {
        let place = Self::ALL.iter().position(|credit| *credit == self);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or_default()
    }

    pub fn of_number(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::NotApplicable)
    }

    /// As rows and answers show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotApplicable => "not_applicable",
            Self::Coupon => "coupon",
            Self::Click => "click",
            Self::Code => "code",
            Self::Waiting => "waiting",
            Self::NoTouch => "no_touch",
            Self::WindowExpired => "window_expired",
            Self::MemberRemoved => "member_removed",
            Self::UnknownCoupon => "unknown_coupon",
            Self::UnknownClick => "unknown_click",
            Self::UnknownCode => "unknown_code",
            Self::ClickAfter => "click_after",
            Self::Visitor => "visitor",
            Self::Owner => "owner",
        }
    }
}

/// Where credit is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Coupon,
    Click,
    Code,
    Visitor,
    Owner,
}

impl Stage {
    /// In their order if coupons go first; a trail stands in this order.
    pub const ALL: [Self; 5] = [Self::Coupon, Self::Click, Self::Code, Self::Visitor, Self::Owner];
    const CLICK_FIRST: [Self; 5] = [Self::Click, Self::Coupon, Self::Code, Self::Visitor, Self::Owner];

    /// The credit of what it finds.
    pub const fn credit(self) -> Credit {
        match self {
            Self::Coupon => Credit::Coupon,
            Self::Click => Credit::Click,
            Self::Code => Credit::Code,
            Self::Visitor => Credit::Visitor,
            Self::Owner => Credit::Owner,
        }
    }
}

/// `Conversion::model`.
pub mod model {
    pub const LAST: u8 = 0;
    pub const FIRST: u8 = 1;
    pub const LINEAR: u8 = 2;
}

/// What attribution found, and what became of each stage.
pub(super) struct Attribution {
    pub(super) outcome: Outcome,
    /// In the order of [`Stage::ALL`]: what the stage ended with; `NotApplicable` where it was silent or not reached.
    pub(super) trail: [u8; 5],
    /// The named click's time, if it is known.
    pub(super) click_t: i64,
    /// The conversion that made the customer somebody's, if that had a say.
    pub(super) owner: Id128,
}

pub(super) enum Outcome {
    /// The primary member is the last. `click`: the one that it is credited by, if a click is.
    To {
        members: Vec<u32>,
        how: Credit,
        click: Id128,
    },
    /// For this click or code.
    Wait(Id128),
    Nobody(Credit),
}

/// What one stage found.
enum Found {
    One(u32),
    /// Touches have a say: the model decides.
    Touched(Touched),
    Owned(Owner),
    Failed(Credit),
    /// It may still come.
    Unknown(Id128, Credit),
    /// The conversion names nothing of the kind.
    Silent,
}

impl Turn<'_> {
    /// `skip_unknown`: waiting is over, evidence that never came is passed over.
    pub(super) fn attribute(&self, id: Id128, conversion: &Conversion, skip_unknown: bool) -> Attribution {
        let named = self.state.clicks.get(&conversion.click, self.floor());
        let mut found = Attribution {
            outcome: Outcome::Nobody(Credit::NoTouch),
            trail: [0; 5],
            click_t: named.map_or(i64::MIN, |click| click.t),
            owner: NO_ID,
        };
        for how in self.stages(id, conversion) {
            let failure = match self.stage(*how, id, conversion, named) {
                Found::Silent => continue,
                Found::Unknown(awaited, _) if !skip_unknown => {
                    found.end(*how, Credit::Waiting);
                    found.outcome = Outcome::Wait(awaited);
                    return found;
                }
                Found::Failed(failure) | Found::Unknown(_, failure) => failure,
                winner @ (Found::One(_) | Found::Touched(_) | Found::Owned(_)) => {
                    found.end(*how, how.credit());
                    self.decide(*how, winner, (id, conversion), &mut found);
                    return found;
                }
            };
            found.end(*how, failure);
            found.outcome = match found.outcome {
                Outcome::Nobody(Credit::WindowExpired) => Outcome::Nobody(Credit::WindowExpired),
                Outcome::Nobody(_) | Outcome::Wait(_) | Outcome::To { .. } => Outcome::Nobody(failure),
            };
        }
        found
    }

    /// A renewal of a customer who is somebody's asks for nothing else.
    fn stages(&self, id: Id128, conversion: &Conversion) -> &'static [Stage] {
        if conversion.kind() == ConversionKind::Renewal && self.owning(id, conversion).is_some() {
            return &[Stage::Owner];
        }
        if conversion.click_first == 1 { &Stage::CLICK_FIRST } else { &Stage::ALL }
    }

    fn stage(&self, how: Stage, id: Id128, conversion: &Conversion, named: Option<Click>) -> Found {
        match how {
            Stage::Coupon => self.by_coupon(conversion),
            Stage::Click => self.by_click(conversion, named),
            Stage::Code => self.by_code(conversion),
            Stage::Visitor => self.by_visitor(conversion),
            Stage::Owner => self.by_owner(id, conversion),
        }
    }

    /// An unknown coupon is a plain discount.
    fn by_coupon(&self, conversion: &Conversion) -> Found {
        if conversion.coupon == NO_ID {
            return Found::Silent;
        }
        self.holder(conversion.coupon).map_or(Found::Failed(Credit::UnknownCoupon), |n| self.if_creditable(n))
    }

    fn by_code(&self, conversion: &Conversion) -> Found {
        let code = conversion.code;
        if code == NO_ID {
            return Found::Silent;
        }
        self.holder(code).map_or(Found::Unknown(code, Credit::UnknownCode), |n| self.if_creditable(n))
    }

    fn by_click(&self, conversion: &Conversion, named: Option<Click>) -> Found {
        let id = conversion.click;
        if id == NO_ID {
            return Found::Silent;
        }
        let Some(click) = named else { return Found::Unknown(id, Credit::UnknownClick) };
        let age = conversion.t - click.t;
        if age > conversion.window {
            return Found::Failed(Credit::WindowExpired);
        }
        if age < -CLICK_AFTER_MAX {
            return Found::Failed(Credit::ClickAfter);
        }
        if !self.is_creditable(click.n) {
            return Found::Failed(Credit::MemberRemoved);
        }
        let Seen { mut touched, .. } = self.seen_by(conversion);
        touched.name(self, id, &click);
        Found::Touched(touched)
    }

    fn by_visitor(&self, conversion: &Conversion) -> Found {
        let Seen { touched, failure } = self.seen_by(conversion);
        if touched.is_empty() { failure.map_or(Found::Silent, Found::Failed) } else { Found::Touched(touched) }
    }

    fn by_owner(&self, id: Id128, conversion: &Conversion) -> Found {
        match self.owner(id, conversion) {
            None => Found::Silent,
            Some(owner) if owner.members.is_empty() => Found::Failed(Credit::MemberRemoved),
            Some(owner) => Found::Owned(owner),
        }
    }

    fn if_creditable(&self, n: u32) -> Found {
        if self.is_creditable(n) { Found::One(n) } else { Found::Failed(Credit::MemberRemoved) }
    }

    pub(super) fn is_creditable(&self, n: u32) -> bool {
        self.member(n).status != status::REMOVED
    }

    /// The creator's model picks from what the winning stage found.
    fn decide(&self, how: Stage, winner: Found, (id, conversion): (Id128, &Conversion), found: &mut Attribution) {
        let (members, click) = match winner {
            Found::One(n) => (vec![n], NO_ID),
            Found::Owned(owner) => {
                found.owner = owner.id;
                (owner.taken_by(conversion.model), NO_ID)
            }
            Found::Touched(touched) => {
                let owner = self.owner(id, conversion).filter(|owner| !owner.members.is_empty());
                if conversion.model != model::LAST {
                    found.owner = owner.as_ref().map_or(NO_ID, |owner| owner.id);
                }
                match (conversion.model, owner) {
                    (model::FIRST, Some(owner)) => (owner.taken_by(model::FIRST), NO_ID),
                    (model::FIRST, None) => touched.first(),
                    (model::LINEAR, owner) => touched.linear(owner),
                    (_, _) => touched.last(),
                }
            }
            Found::Failed(_) | Found::Unknown(..) | Found::Silent => (Vec::new(), NO_ID),
        };
        if let Some(click) = self.state.clicks.get(&click, self.floor()) {
            found.click_t = click.t;
        }
        found.outcome = Outcome::To { members, how: how.credit(), click };
    }
}

impl Attribution {
    fn end(&mut self, stage: Stage, with: Credit) {
        for (place, of) in self.trail.iter_mut().zip(Stage::ALL) {
            if of == stage {
                *place = with.number();
            }
        }
    }
}
