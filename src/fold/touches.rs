//! Clicks and shares one by one, in the order of the log: what lists of them show.
//!
//! A place is the number of the touch within its month, behind the month of the creator's clock when it came; places
//! only ever grow. Pages of 128 places are rows; a month begins a page.

use bytemuck::Zeroable;
use serde::{Deserialize, Serialize};

use super::Turn;
use super::calendar::key_month;
use super::records::{MemberKey, SeqKey, Text, Touch};
use super::state::{FOR_EVER, State};
use crate::ids::Millis;

/// Places of a page.
pub const PAGE: u64 = 128;
/// Bits of a place below its month.
const MONTH_BITS: u32 = 40;

/// What became of a touch; kept in the record by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Disposition {
    Share,
    /// Counts as unique.
    Countable,
    ExcludedBot,
    /// The visitor was seen for this member on this day already.
    ExcludedDuplicate,
}

impl Disposition {
    pub(super) const fn of_click(human: bool, unique: bool) -> Self {
        match (human, unique) {
            (false, _) => Self::ExcludedBot,
            (true, true) => Self::Countable,
            (true, false) => Self::ExcludedDuplicate,
        }
    }

    /// As the record keeps it.
    pub const fn number(self) -> u8 {
        match self {
            Self::Share => 0,
            Self::Countable => 1,
            Self::ExcludedBot => 2,
            Self::ExcludedDuplicate => 3,
        }
    }

    pub const fn of_number(number: u8) -> Self {
        match number {
            0 => Self::Share,
            1 => Self::Countable,
            2 => Self::ExcludedBot,
            _ => Self::ExcludedDuplicate,
        }
    }

    /// As answers show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Countable => "countable",
            Self::ExcludedBot => "excluded_bot",
            Self::ExcludedDuplicate => "excluded_duplicate",
        }
    }
}

/// A touch, as it comes.
pub(super) struct Touched<'a> {
    pub(super) n: u32,
    pub(super) group: u32,
    pub(super) id: &'a str,
    /// Empty: none.
    pub(super) share_id: &'a str,
    pub(super) disposition: Disposition,
}

/// The month of a page, counted from year 0.
pub fn month_of_page(page: u64) -> u16 {
    u16::try_from(page.saturating_mul(PAGE) >> MONTH_BITS).unwrap_or(u16::MAX)
}

impl Turn<'_> {
    /// Takes a click or share in; its place.
    pub(super) fn enter_touch(&mut self, touched: Touched<'_>) -> u64 {
        let horizon = self.horizon();
        let creator = self.creator_mut();
        let month = u64::from(key_month(creator.clock.div_euclid(Millis::DAY))) << MONTH_BITS;
        let seq = creator.touches.max(month);
        creator.touches = seq + 1;
        let (clock, floor) = (creator.clock, creator.floor);
        let member = MemberKey { creator: self.c, n: touched.n };
        let member = self.state.members.get_mut(&member, FOR_EVER).expect("ordinals are given out with the member");
        let touch = Touch {
            t: self.t.0,
            clock,
            floor,
            prev: std::mem::replace(&mut member.touch, seq + 1),
            n: touched.n,
            group: touched.group,
            horizon_hours: u32::try_from(horizon / Millis::HOUR).unwrap_or(u32::MAX),
            id: Text::new(touched.id),
            share_id: Text::new(touched.share_id),
            disposition: touched.disposition.number(),
            pad: 0,
        };
        // Kept by the clock, which never goes back: what came before a touch that is forgotten is forgotten too.
        self.state.touches.put(&SeqKey { creator: self.c, page: 0, seq }, touch, Millis(clock));
        self.effects.slow.touches.insert((self.c, seq / PAGE), self.at);
        seq
    }

    /// The click or share at a place, unless it is forgotten.
    pub(super) fn touch_at(&self, seq: u64) -> Option<Touch> {
        let touch = self.state.touches.get(&SeqKey { creator: self.c, page: 0, seq }, self.floor())?;
        (touch.t >= self.floor().0).then_some(touch)
    }

    pub(super) fn touch_id(&self, seq: u64) -> Option<Text> {
        self.touch_at(seq).map(|touch| touch.id)
    }
}

impl State {
    /// The touches of a page, each with its place, and when the page can be forgotten. A row of it is a function of
    /// the log up to its newest touch: the floor at that time tells which ones are left.
    pub fn touches_of_page(&self, creator: u32, page: u64) -> (Vec<(u64, Touch)>, Millis) {
        let mut found = Vec::new();
        for seq in page * PAGE..(page + 1) * PAGE {
            let touch = self.touches.get(&SeqKey { creator, page: 0, seq }, FOR_EVER);
            found.extend(touch.map(|touch| (seq, touch)));
        }
        let newest = found.last().map_or_else(Touch::zeroed, |(_, touch)| *touch);
        found.retain(|(_, touch)| touch.clock >= newest.floor);
        let horizon = i64::from(newest.horizon_hours).saturating_add(1).saturating_mul(Millis::HOUR);
        (found, Millis(newest.clock.saturating_add(horizon)))
    }
}
