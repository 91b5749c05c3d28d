//! Whose conversion is it? The first stage to find a member wins (SEMANTICS §6; model last).

use super::Turn;
use super::people::status;
use super::records::{Conversion, NO_ID};
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
}

impl Credit {
    const ALL: [Self; 12] = [
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
        }
    }
}

/// What attribution found.
pub(super) enum Outcome {
    To {
        n: u32,
        how: Credit,
    },
    /// For this click or code.
    Wait(Id128),
    Nobody(Credit),
}

/// What one stage found.
enum Stage {
    Found(u32),
    Failed(Credit),
    Unknown(Credit),
    /// The conversion names nothing of the kind.
    Silent,
}

impl Turn<'_> {
    /// `skip_unknown`: waiting is over, evidence that never came is passed over.
    pub(super) fn attribute(&self, conversion: &Conversion, skip_unknown: bool) -> Outcome {
        let mut stages = [
            (Credit::Coupon, self.by_coupon(conversion), NO_ID),
            (Credit::Click, self.by_click(conversion), conversion.click),
            (Credit::Code, self.by_code(conversion), conversion.code),
        ];
        if conversion.click_first == 1 {
            stages.swap(0, 1);
        }
        let mut reason = Credit::NoTouch;
        for (how, stage, awaited) in stages {
            match stage {
                Stage::Found(n) => return Outcome::To { n, how },
                Stage::Unknown(_) if awaited != NO_ID && !skip_unknown => return Outcome::Wait(awaited),
                Stage::Failed(failure) | Stage::Unknown(failure) => {
                    if reason != Credit::WindowExpired {
                        reason = failure;
                    }
                }
                Stage::Silent => {}
            }
        }
        Outcome::Nobody(reason)
    }

    /// An unknown coupon is a plain discount.
    fn by_coupon(&self, conversion: &Conversion) -> Stage {
        if conversion.coupon == NO_ID {
            return Stage::Silent;
        }
        self.holder(conversion.coupon).map_or(Stage::Failed(Credit::UnknownCoupon), |n| self.if_creditable(n))
    }

    fn by_click(&self, conversion: &Conversion) -> Stage {
        if conversion.click == NO_ID {
            return Stage::Silent;
        }
        let Some(click) = self.state.clicks.get(&conversion.click, self.floor()) else {
            return Stage::Unknown(Credit::UnknownClick);
        };
        let age = conversion.t - click.t;
        if age > conversion.window {
            return Stage::Failed(Credit::WindowExpired);
        }
        if age < -CLICK_AFTER_MAX {
            return Stage::Failed(Credit::ClickAfter);
        }
        self.if_creditable(click.n)
    }

    fn by_code(&self, conversion: &Conversion) -> Stage {
        if conversion.code == NO_ID {
            return Stage::Silent;
        }
        self.holder(conversion.code).map_or(Stage::Unknown(Credit::UnknownCode), |n| self.if_creditable(n))
    }

    fn if_creditable(&self, n: u32) -> Stage {
        if self.member(n).status == status::REMOVED {
            return Stage::Failed(Credit::MemberRemoved);
        }
        Stage::Found(n)
    }
}
