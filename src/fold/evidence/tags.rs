//! By which address and device the creator's newest thousand events came.

use bytemuck::Zeroable;

use super::short;
use crate::fold::Turn;
use crate::fold::reading::Reading;
use crate::fold::records::{CreatorPageKey, NO_ID, Proxies, TAG_PAGE_EVENTS, Tag, TagPage};
use crate::fold::state::FOR_EVER;
use crate::keep::Id128;

/// Events of a page.
const PAGE: u64 = TAG_PAGE_EVENTS;
/// Pages that are looked at: the newest 1,024 events.
const PAGES: u32 = 32;
/// They are looked at once so many pages are full.
const EVERY: u64 = 2;

impl Turn<'_> {
    /// Takes note of how the record in hand came; an address that carries too much is found every 64 events.
    pub(in crate::fold) fn tag(&mut self, ip: Id128, device: Id128) {
        if self.is_late() {
            return;
        }
        let place = self.creator().tags;
        let page = u32::try_from(place / PAGE % u64::from(PAGES)).unwrap_or_default();
        self.creator_mut().tags = place + 1;
        let slot = usize::try_from(place % PAGE).unwrap_or_default();
        let key = CreatorPageKey { creator: self.c, page };
        let record: &mut TagPage = self.state.tag_pages.entry(&key, self.t, FOR_EVER);
        if slot == 0 {
            *record = TagPage::zeroed();
        }
        if let Some(tag) = record.tags.get_mut(slot) {
            *tag = Tag { ip: tag_of(ip), device: tag_of(device) };
        }
        if is_looked_at(place) {
            self.find_proxies();
        }
    }
}

impl Reading<'_> {
    /// Addresses that would tell nobody apart once one more event had come by `ip` and `device`; none where nobody
    /// would look for them.
    pub(in crate::fold) fn would_be_proxies(&self, ip: Id128, device: Id128) -> Option<Proxies> {
        if self.is_late() || !is_looked_at(self.head.tags) {
            return None;
        }
        let own = Tag { ip: tag_of(ip), device: tag_of(device) };
        Some(self.proxies_among(self.tags().chain(Some(own).filter(|tag| tag.ip != 0))))
    }

    /// The tags of the newest events, in no order of meaning.
    pub(super) fn tags(&self) -> impl Iterator<Item = Tag> + Clone {
        let pages = (0..PAGES).map(|page| CreatorPageKey { creator: self.c, page });
        let known = pages.filter_map(|key| self.state.tag_pages.peek(&key, FOR_EVER));
        known.flat_map(|record| record.tags.iter().copied()).filter(|tag| tag.ip != 0)
    }
}

/// With the event of this place a round of them is full, and they are looked at.
fn is_looked_at(place: u64) -> bool {
    (place + 1).is_multiple_of(PAGE * EVERY)
}

/// A hash small enough to be kept a thousand times; 0 is none.
pub(super) fn tag_of(id: Id128) -> u32 {
    if id == NO_ID {
        return 0;
    }
    u32::try_from(short(id) & u64::from(u32::MAX)).unwrap_or(1).max(1)
}
