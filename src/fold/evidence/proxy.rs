//! Addresses that stand for nobody: a proxy, or a shop that reports its own address for all its customers.

use bytemuck::Zeroable;

use super::tags::tag_of;
use crate::fold::Turn;
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
        let mut tags = self.tags();
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
        if found != before {
            self.creator_mut().proxies = u16::from(found != Proxies::zeroed());
            self.state.proxies.put(&self.c, found, self.t);
        }
    }

    pub(in crate::fold) fn is_proxy(&self, ip: Id128) -> bool {
        if self.creator().proxies == 0 {
            return false;
        }
        self.state.proxies.peek(&self.c, FOR_EVER).is_some_and(|proxies| proxies.ips.contains(&tag_of(ip)))
    }
}

/// Different devices of one address; sorted.
fn devices(some: &[Tag]) -> usize {
    some.chunk_by(|a, b| a.device == b.device).filter(|same| same.first().is_some_and(|tag| tag.device != 0)).count()
}
