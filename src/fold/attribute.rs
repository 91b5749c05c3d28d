//! Whose conversion is it? The first stage to find a member wins; the failures before it are the trail (SEMANTICS §6).

use super::Turn;
use super::owner::Owner;
use super::people::status;
use super::records::{Conversion, NO_ID};
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

/// The order of the stages if coupons go first; `trail` stands in this order.
pub const STAGES: [Credit; 5] = [Credit::Coupon, Credit::Click, Credit::Code, Credit::Visitor, Credit::Owner];
const CLICK_FIRST: [Credit; 5] = [Credit::Click, Credit::Coupon, Credit::Code, Credit::Visitor, Credit::Owner];

/// `Conversion::model`.
pub mod model {
    pub const LAST: u8 = 0;
    pub const FIRST: u8 = 1;
    pub const LINEAR: u8 = 2;
}

/// What attribution found, and what became of each stage.
pub(super) struct Attribution {
    pub(super) outcome: Outcome,
    /// In the order of [`STAGES`]: what the stage ended with; `NotApplicable` where it was silent or not reached.
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
enum Stage {
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
            let failure = match self.stage(*how, id, conversion) {
                Stage::Silent => continue,
                Stage::Unknown(awaited, _) if !skip_unknown => {
                    found.end(*how, Credit::Waiting);
                    found.outcome = Outcome::Wait(awaited);
                    return found;
                }
                Stage::Failed(failure) | Stage::Unknown(_, failure) => failure,
                winner @ (Stage::One(_) | Stage::Touched(_) | Stage::Owned(_)) => {
                    found.end(*how, *how);
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
    fn stages(&self, id: Id128, conversion: &Conversion) -> &'static [Credit] {
        if conversion.kind() == ConversionKind::Renewal && self.owner(id, conversion).is_some() {
            return &[Credit::Owner];
        }
        if conversion.click_first == 1 { &CLICK_FIRST } else { &STAGES }
    }

    fn stage(&self, how: Credit, id: Id128, conversion: &Conversion) -> Stage {
        match how {
            Credit::Coupon => self.by_coupon(conversion),
            Credit::Click => self.by_click(conversion),
            Credit::Code => self.by_code(conversion),
            Credit::Visitor => self.by_visitor(conversion),
            Credit::Owner => self.by_owner(id, conversion),
            Credit::NotApplicable
            | Credit::Waiting
            | Credit::NoTouch
            | Credit::WindowExpired
            | Credit::MemberRemoved
            | Credit::UnknownCoupon
            | Credit::UnknownClick
            | Credit::UnknownCode
            | Credit::ClickAfter => Stage::Silent,
        }
    }

    /// An unknown coupon is a plain discount.
    fn by_coupon(&self, conversion: &Conversion) -> Stage {
        if conversion.coupon == NO_ID {
            return Stage::Silent;
        }
        self.holder(conversion.coupon).map_or(Stage::Failed(Credit::UnknownCoupon), |n| self.if_creditable(n))
    }

    fn by_code(&self, conversion: &Conversion) -> Stage {
        let code = conversion.code;
        if code == NO_ID {
            return Stage::Silent;
        }
        self.holder(code).map_or(Stage::Unknown(code, Credit::UnknownCode), |n| self.if_creditable(n))
    }

    fn by_click(&self, conversion: &Conversion) -> Stage {
        let id = conversion.click;
        if id == NO_ID {
            return Stage::Silent;
        }
        let Some(click) = self.state.clicks.get(&id, self.floor()) else {
            return Stage::Unknown(id, Credit::UnknownClick);
        };
        let age = conversion.t - click.t;
        if age > conversion.window {
            return Stage::Failed(Credit::WindowExpired);
        }
        if age < -CLICK_AFTER_MAX {
            return Stage::Failed(Credit::ClickAfter);
        }
        if !self.is_creditable(click.n) {
            return Stage::Failed(Credit::MemberRemoved);
        }
        let Seen { mut touched, .. } = self.seen_by(conversion);
        touched.name(self, id, &click);
        Stage::Touched(touched)
    }

    fn by_visitor(&self, conversion: &Conversion) -> Stage {
        let Seen { touched, failure } = self.seen_by(conversion);
        if touched.is_empty() { failure.map_or(Stage::Silent, Stage::Failed) } else { Stage::Touched(touched) }
    }

    fn by_owner(&self, id: Id128, conversion: &Conversion) -> Stage {
        match self.owner(id, conversion) {
            None => Stage::Silent,
            Some(owner) if owner.members.is_empty() => Stage::Failed(Credit::MemberRemoved),
            Some(owner) => Stage::Owned(owner),
        }
    }

    fn if_creditable(&self, n: u32) -> Stage {
        if self.is_creditable(n) { Stage::One(n) } else { Stage::Failed(Credit::MemberRemoved) }
    }

    pub(super) fn is_creditable(&self, n: u32) -> bool {
        self.member(n).status != status::REMOVED
    }

    /// The creator's model picks from what the winning stage found.
    fn decide(&self, how: Credit, winner: Stage, (id, conversion): (Id128, &Conversion), found: &mut Attribution) {
        let (members, click) = match winner {
            Stage::One(n) => (vec![n], NO_ID),
            Stage::Owned(owner) => {
                found.owner = owner.id;
                (owner.taken_by(conversion.model), NO_ID)
            }
            Stage::Touched(touched) => {
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
            Stage::Failed(_) | Stage::Unknown(..) | Stage::Silent => (Vec::new(), NO_ID),
        };
        if let Some(click) = self.state.clicks.get(&click, self.floor()) {
            found.click_t = click.t;
        }
        found.outcome = Outcome::To { members, how, click };
    }
}

impl Attribution {
    fn end(&mut self, stage: Credit, with: Credit) {
        for (place, of) in self.trail.iter_mut().zip(STAGES) {
            if of == stage {
                *place = with.number();
            }
        }
    }
}
