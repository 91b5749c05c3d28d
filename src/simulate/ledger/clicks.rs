//! §5 Clicks, and shares.

use super::waiting::{Awaited, Key, key};
use super::{Book, Stop};
use crate::event::{Click, Share};
use crate::ids::{Millis, Token};
use crate::project::totals::Counts;

/// What attribution needs of a click.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClickFact {
    pub(super) t: Millis,
    pub(super) member: usize,
}

/// Who clicks or converts, as far as a token tells: a device (1), else an address (2).
pub(super) type Visitor = (u8, u128);

pub(super) fn visitor(device: Option<Token>, ip: Option<Token>) -> Option<Visitor> {
    let by_device = device.map(|token| (1, u128::from_be_bytes(token.0)));
    by_device.or_else(|| ip.map(|token| (2, u128::from_be_bytes(token.0))))
}

/// A human click, as its visitor remembers it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VisitorClick {
    pub(super) t: Millis,
    id: Box<str>,
    pub(super) member: usize,
}

/// §6: a visitor keeps its newest human clicks by (t, id).
const VISITOR_CLICKS_MAX: usize = 32;

impl Book {
    pub(super) fn apply_share(&mut self, t: Millis, share: &Share<'_>) -> Result<(), Stop> {
        let member = self.member(share.member_id.0)?;
        self.count(t, member, &Counts { shares: 1, ..Counts::default() });
        Ok(())
    }

    pub(super) fn apply_click(&mut self, t: Millis, click: &Click<'_>) -> Result<(), Stop> {
        let member = self.member_of_click(click)?;
        let human = self.bots.of(click.user_agent, click.method, click.purpose).is_none();
        let unique = human && self.is_first_today(t, member, click);
        let shared = human && click.share_id.is_some();
        let counts = Counts {
            clicks_total: 1,
            clicks_human: human.into(),
            clicks_unique: unique.into(),
            clicks_shared: shared.into(),
            ..Counts::default()
        };
        self.count(t, member, &counts);
        if human {
            self.remember(t, member, click);
        }
        let id = key(3, click.click_id.0);
        self.clicks.insert(id, ClickFact { t, member });
        self.arrived.push_back(Awaited::Click(id));
        Ok(())
    }

    fn remember(&mut self, t: Millis, member: usize, click: &Click<'_>) {
        let Some(visitor) = visitor(click.device_token, click.ip_token) else { return };
        let clicks = self.visitor_clicks.entry(visitor).or_default();
        let this = VisitorClick { t, id: click.click_id.0.into(), member };
        clicks.insert(clicks.partition_point(|other| *other < this), this);
        if clicks.len() > VISITOR_CLICKS_MAX {
            clicks.remove(0);
        }
    }

    fn member_of_click(&self, click: &Click<'_>) -> Result<usize, Stop> {
        match (click.member_id, click.referral_code) {
            (Some(id), _) => self.member(id.0),
            (None, Some(code)) => self.member_of_code(code.0),
            (None, None) => Err(Stop::Dead("malformed")),
        }
    }

    /// §5: the visitor has not been seen for this member on this creator day, in log order.
    fn is_first_today(&mut self, t: Millis, member: usize, click: &Click<'_>) -> bool {
        let (kind, visitor) = visitor(click.device_token, click.ip_token).unwrap_or((3, key(3, click.click_id.0)));
        let seen = postcard::to_allocvec(&(member, kind, visitor, self.local_day(t))).expect("plain data");
        self.seen.insert(xxhash_rust::xxh3::xxh3_128(&seen))
    }

    /// The day in the creator's zone now in force.
    fn local_day(&self, t: Millis) -> i64 {
        let at = jiff::Timestamp::from_millisecond(t.0).unwrap_or_default();
        let offset_s = i64::from(self.settings().zone.to_offset(at).seconds());
        (t.0 + offset_s * Millis::SECOND).div_euclid(Millis::DAY)
    }

    fn count(&mut self, t: Millis, member: usize, counts: &Counts) {
        self.totals.counts.add(counts);
        self.day(t).counts.add(counts);
        self.member_book(member).totals.counts.add(counts);
    }

    /// §2: a click below the floor is forgotten.
    pub(super) fn click(&self, id: Key) -> Option<ClickFact> {
        self.clicks.get(&id).copied().filter(|click| self.remembers(click.t))
    }
}
