//! Addresses that stand for nobody: a proxy, or a shop that reports its own address for all its customers.

use bytemuck::Zeroable;

use super::tags::tag_of;
use crate::fold::Turn;
use crate::fold::reading::Reading;
use crate::fold::records::{Proxies, Tag};
use crate::fold::state::FOR_EVER;
use crate::keep::Id128;

/// More than a fifth of the newest thousand events, by so many devices: no evidence from here on ...
const BEGINS: usize = 200;
const DEVICES: usize = 20;
/// ... until it is less than a twentieth.
const ENDS: usize = 50;

impl Turn<'_> {
    /// Looks at the newest events once more.
    pub(super) fn find_proxies(&mut self) {
        let found = self.reading().proxies_among(self.reading().tags());
        let before = self.state.proxies.get(&self.c, FOR_EVER).unwrap_or_else(Proxies::zeroed);
        if found != before {
            self.creator_mut().proxies = u16::from(found != Proxies::zeroed());
            self.state.proxies.put(&self.c, found, self.t);
        }
    }
}

impl Reading<'_> {
    /// Those of `tags`, which are the newest events'; where there was one before, it takes less.
    pub(super) fn proxies_among(&self, tags: impl Iterator<Item = Tag> + Clone) -> Proxies {
        if self.head.proxies == 0 && !may_hold_one(tags.clone()) {
            return Proxies::zeroed();
        }
        let mut tags: Vec<Tag> = tags.collect();
        tags.sort_unstable();
        let before = self.state.proxies.get(&self.c, FOR_EVER).unwrap_or_else(Proxies::zeroed);
        let mut found = Proxies::zeroed();
        let is_one = |some: &[Tag], ip: u32| {
            let was_one = before.ips.contains(&ip);
            let least = if was_one { ENDS } else { BEGINS + 1 };
            some.len() >= least && (was_one || devices(some) >= DEVICES)
        };
        let ips = tags.chunk_by(|a, b| a.ip == b.ip).filter_map(|some| {
            let ip = some.first()?.ip;
            is_one(some, ip).then_some(ip)
        });
        found.ips.iter_mut().zip(ips).for_each(|(place, ip)| *place = ip);
        found
    }

    pub(in crate::fold) fn is_proxy(&self, ip: Id128) -> bool {
        if let Some(proxies) = self.would.and_then(|would| would.proxies) {
            return proxies.ips.contains(&tag_of(ip));
        }
        if self.head.proxies == 0 {
            return false;
        }
        self.state.proxies.peek(&self.c, FOR_EVER).is_some_and(|proxies| proxies.ips.contains(&tag_of(ip)))
    }
}

/// Whether some address may have more than its share: addresses that fall together are counted as one.
fn may_hold_one(tags: impl Iterator<Item = Tag>) -> bool {
    let mut counts = [0_u16; 256];
    for tag in tags {
        if let Some(count) = usize::try_from(tag.ip % 256).ok().and_then(|place| counts.get_mut(place)) {
            *count += 1;
        }
    }
    counts.iter().any(|count| usize::from(*count) > BEGINS)
}

/// Different devices of one address; sorted.
fn devices(some: &[Tag]) -> usize {
    some.chunk_by(|a, b| a.device == b.device).filter(|same| same.first().is_some_and(|tag| tag.device != 0)).count()
}
