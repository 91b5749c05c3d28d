//! What projections read of the state: sums with their purses gathered from the lists.

use super::boards::Measure;
use super::booking::scope;
use super::records::{
    Counts, Creator, CurrencyCode, Day, MemberDay, MemberDayKey, MemberKey, OpenSlot, Purse, PurseKey, Score, ScoreKey,
    Slot, SlotKey,
};
use super::state::{FOR_EVER, State};
use crate::keep::Cold;

/// The sums of one scope.
#[derive(Clone, PartialEq, Eq)]
pub struct Sums {
    pub counts: Counts,
    /// In no particular order.
    pub purses: Vec<(CurrencyCode, Purse)>,
}

impl State {
    pub fn creator_sums(&self, creator: u32) -> Option<Sums> {
        let record = self.creators.peek(&creator, FOR_EVER)?;
        Some(Sums { counts: record.counts, purses: self.all_time(creator, scope::CREATOR, 0, record.purses) })
    }

    pub fn member_sums(&self, key: MemberKey) -> Option<Sums> {
        let record = self.members.peek(&key, FOR_EVER)?;
        let purses = self.all_time(key.creator, scope::MEMBER, key.n, record.purses);
        Some(Sums { counts: record.counts, purses })
    }

    pub fn member_day_sums(&self, key: MemberDayKey) -> Option<Sums> {
        let record = self.member_day_of(key)?;
        let day = u32::try_from(key.day).ok()?;
        let first = PurseKey { creator: key.creator, kind: scope::MEMBER_DAY, a: key.n, b: day, currency: [0; 4] };
        Some(Sums { counts: record.counts.into(), purses: self.series(first, record.purses) })
    }

    /// `minute` counts minutes since 1970.
    pub fn minute_sums(&self, creator: u32, minute: i32) -> Option<Sums> {
        let open = &self.creators.peek(&creator, FOR_EVER)?.minute;
        self.slot_sums(open, &self.minutes, scope::MINUTE, SlotKey { creator, slot: minute })
    }

    /// `quarter` counts quarter hours since 1970.
    pub fn quarter_sums(&self, creator: u32, quarter: i32) -> Option<Sums> {
        let open = &self.creators.peek(&creator, FOR_EVER)?.quarter;
        self.slot_sums(open, &self.quarters, scope::QUARTER, SlotKey { creator, slot: quarter })
    }

    /// `day` counts days since 1970.
    pub fn day_sums(&self, creator: u32, day: i32) -> Option<Sums> {
        let record = self.day_of(creator, self.creators.peek(&creator, FOR_EVER)?, day)?;
        let first = slot_purse(scope::DAY, SlotKey { creator, slot: day });
        Some(Sums { counts: record.counts, purses: self.series(first, record.purses) })
    }

    /// A creator's day, open or closed.
    pub(super) fn day_of(&self, creator: u32, head: &Creator, day: i32) -> Option<Day> {
        if head.day.day == day {
            return Some(head.day.sums);
        }
        self.days.get(&SlotKey { creator, slot: day }, FOR_EVER)
    }

    /// A member's day, open or closed.
    pub(super) fn member_day_of(&self, key: MemberDayKey) -> Option<MemberDay> {
        let member = self.members.peek(&MemberKey { creator: key.creator, n: key.n }, FOR_EVER)?;
        if member.day == key.day {
            return Some(member.of_day);
        }
        self.member_days.get(&key, FOR_EVER)
    }

    /// What boards rank a member by, one by one.
    pub fn scores_of(&self, creator: u32, n: u32) -> impl Iterator<Item = (ScoreKey, &Score)> {
        let member = self.members.peek(&MemberKey { creator, n }, FOR_EVER);
        let scored = member.map_or(0, |member| member.scored);
        let purse =
            move |currency| self.purses.peek(&PurseKey::all_time(creator, scope::MEMBER, n, currency), FOR_EVER);
        let first = member.map(|member| member.purses);
        let currencies = std::iter::successors(first, move |currency| Some(purse(*currency)?.next));
        let measures = Measure::all(currencies.take_while(|currency| *currency != CurrencyCode::NONE));
        let scored = measures.filter(move |measure| measure.metric().is_some_and(|metric| scored & metric.bit() != 0));
        scored.filter_map(move |measure| {
            let key = ScoreKey { creator, n, measure: measure.0 };
            Some((key, self.scores.peek(&key, FOR_EVER)?))
        })
    }

    fn slot_sums(&self, open: &OpenSlot, closed: &Cold<SlotKey, Slot>, kind: u32, key: SlotKey) -> Option<Sums> {
        let record = if open.slot == key.slot { open.sums } else { closed.get(&key, FOR_EVER)? };
        Some(Sums { counts: record.counts.into(), purses: self.series(slot_purse(kind, key), record.purses) })
    }

    pub(super) fn series(&self, mut key: PurseKey, mut head: CurrencyCode) -> Vec<(CurrencyCode, Purse)> {
        let mut purses = Vec::new();
        while head != CurrencyCode::NONE {
            key.currency = head.0;
            let Some(purse) = self.series_purses.get(&key, FOR_EVER) else { break };
            purses.push((head, purse));
            head = purse.next;
        }
        purses
    }

    fn all_time(&self, creator: u32, kind: u32, a: u32, mut head: CurrencyCode) -> Vec<(CurrencyCode, Purse)> {
        let mut purses = Vec::new();
        while head != CurrencyCode::NONE {
            let key = PurseKey::all_time(creator, kind, a, head);
            let Some(purse) = self.purses.peek(&key, FOR_EVER) else { break };
            purses.push((head, *purse));
            head = purse.next;
        }
        purses
    }
}

const fn slot_purse(kind: u32, key: SlotKey) -> PurseKey {
    PurseKey { creator: key.creator, kind, a: key.slot.cast_unsigned(), b: 0, currency: [0; 4] }
}
