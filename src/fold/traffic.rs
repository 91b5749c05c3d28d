//! Shares and clicks (SEMANTICS §5).

use super::booking::Booked;
use super::records::{Click as Record, Counts, Mark, NO_ID, Share as ShareRecord};
use super::touches::{Disposition, Touched};
use super::{Stop, Subject, Turn, kind};
use crate::event::{Click, Share};
use crate::keep::{HashKey, Id128};

impl Turn<'_> {
    pub(super) fn share(&mut self, share: &Share<'_>) -> Result<(), Stop> {
        let n = self.member_or_park(share.member_id)?;
        let booked = Booked { t: self.t, day: self.booked_day(self.t), group: self.group_of_share(share) };
        let record = ShareRecord { names: self.subject.facts, n, group: booked.group };
        self.state.shares.put(&self.subject.id, record, self.t);
        self.enter_touch(Touched {
            n,
            group: booked.group,
            id: share.share_id.0,
            share_id: "",
            disposition: Disposition::Share,
        });
        let delta = Counts { shares: 1, ..Counts::default() };
        self.count_creator(booked, &delta);
        self.count_member(n, booked, &delta);
        self.active(n, booked.day, 1);
        Ok(())
    }

    pub(super) fn click(&mut self, click: &Click<'_>) -> Result<(), Stop> {
        let n = match (click.member_id, click.referral_code) {
            (Some(member), _) => self.member_or_park(member)?,
            (None, Some(code)) => {
                let code = self.code_id(code);
                self.holder(code).ok_or(Stop::Park(code))?
            }
            (None, None) => return Err(super::refuse("invalid_field", "neither member_id nor referral_code")),
        };
        let Subject { id, facts: names } = self.subject;
        let bot = self.bot_kind(click);
        let human = bot.is_none();
        let share =
            click.share_id.and_then(|share| self.state.shares.get(&self.id(kind::SHARE, share.0), self.floor()));
        let booked = Booked { t: self.t, day: self.booked_day(self.t), group: self.group_of_click(click, share) };
        let unique = human && self.is_first_visit(click, n);
        let disposition = Disposition::of_click(human, unique);
        let touch = self.enter_touch(Touched {
            n,
            group: booked.group,
            id: click.click_id.0,
            share_id: click.share_id.map_or("", |share| share.0),
            disposition,
        });
        let noted = self.judge_click(click, (n, id), (disposition, bot));
        let record = Record {
            t: self.t.0,
            names,
            touch,
            before: NO_ID,
            before_t: 0,
            n,
            group: booked.group,
            human: u8::from(human),
            judged: noted.judged,
            unknown: noted.unknown,
            pad: [0; 4],
        };
        let record = if human { self.remember_click(click, id, record) } else { record };
        self.state.clicks.put(&id, record, self.t);
        let delta = Counts {
            clicks_total: 1,
            clicks_human: i64::from(human),
            clicks_unique: i64::from(unique),
            clicks_shared: i64::from(human && click.share_id.is_some()),
            ..Counts::default()
        };
        self.count_creator(booked, &delta);
        self.count_member(n, booked, &delta);
        if human {
            self.active(n, booked.day, 1);
        }
        self.arrive(id);
        Ok(())
    }

    /// First of this visitor for this member on this creator's day, in the order of the log. A visitor without a
    /// token is this click alone.
    fn is_first_visit(&mut self, click: &Click<'_>, n: u32) -> bool {
        if click.device_token.or(click.ip_token).is_none() {
            return true;
        }
        let day = self.local_day(self.t);
        let Some(visit) = visit(&self.state.hash_key, (self.c, n), click, day) else { return true };
        self.state.visits.insert_new(&visit, Mark { pad: 0 }, self.t, self.floor())
    }
}

/// What a visitor's first click for a member on a day leaves; `None` for one without a token.
pub(super) fn visit(key: &HashKey, (creator, n): (u32, u32), click: &Click<'_>, day: i64) -> Option<Id128> {
    let token = click.device_token.or(click.ip_token)?;
    let by_device = u8::from(click.device_token.is_some());
    let mut bytes = [0_u8; 29];
    bytes
        .iter_mut()
        .zip(token.0.into_iter().chain(n.to_le_bytes()).chain(day.to_le_bytes()).chain([by_device]))
        .for_each(|(place, byte)| *place = byte);
    Some(key.id(kind::VISIT, creator, &bytes))
}
