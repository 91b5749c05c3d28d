//! Records that came before what they refer to (SEMANTICS §3).

use super::records::{Awaited, NO_ID, Parked, ParkedPage, SeqKey};
use super::state::FOR_EVER;
use super::timers::Due;
use super::{Origin, Refusal, Turn, time};
use crate::event::{Body, Event, ReviewSubject};
use crate::ids::{Millis, Offset};
use crate::keep::Id128;

/// Most parked records of one creator.
const PARKED_MAX: u32 = 10_000;
/// What is not money waits this long.
const EXPIRES: i64 = 30 * Millis::DAY;
const PAGE_BYTES: usize = 1000;

/// A record that was parked.
pub(super) struct Waited {
    pub(super) bytes: Vec<u8>,
    /// The creator's clock when it began to wait.
    pub(super) since: Millis,
}

impl Turn<'_> {
    pub(super) fn park(&mut self, event: &Event<'_>, awaited: Id128) {
        if self.creator().parked >= PARKED_MAX {
            let message = format!("{PARKED_MAX} records of this creator wait already");
            return self.dead(Refusal { class: "park_full", message });
        }
        self.effects.tally.parked += 1;
        let since = Millis(self.creator().clock);
        let Waited { bytes, since } = self.parked.take().unwrap_or_else(|| Waited { bytes: encode(event), since });
        let creator = self.creator_mut();
        creator.parked += 1;
        let seq = creator.seq;
        creator.seq += 1;
        self.write_pages(seq, &bytes);
        self.link(awaited, seq, &bytes, since);
        if expires(event) {
            self.set_timer(Millis(since.0.saturating_add(EXPIRES)), Due::Park, subject(seq));
        }
    }

    /// Puts the record in hand into the list of what waits for `awaited`, which is in the order of the log: one that
    /// waits for something else after it has waited once goes before younger ones.
    fn link(&mut self, awaited: Id128, seq: u64, bytes: &[u8], since: Millis) {
        let offset = self.origin.offset.0;
        let list: &mut Awaited = self.state.awaited.entry(&awaited, self.t, FOR_EVER);
        let (mut prev, mut next) = (list.last, 0);
        while let Some(place) = prev.checked_sub(1)
            && let Some(other) = self.state.parked.peek(&self.seq_key(place), FOR_EVER)
            && other.offset > offset
        {
            (prev, next) = (other.prev, prev);
        }
        let parked = Parked {
            awaited,
            next,
            prev,
            offset,
            timestamp: self.origin.timestamp.0,
            since: since.0,
            len: u32::try_from(bytes.len()).unwrap_or_default(),
            pages: u32::try_from(bytes.len().div_ceil(PAGE_BYTES)).unwrap_or_default(),
        };
        self.state.parked.put(&self.seq_key(seq), parked, Millis(0));
        match prev.checked_sub(1) {
            None => self.list_mut(awaited, |list| list.first = seq + 1),
            Some(prev) => self.parked_mut(prev, |record| record.next = seq + 1),
        }
        match next.checked_sub(1) {
            None => self.list_mut(awaited, |list| list.last = seq + 1),
            Some(next) => self.parked_mut(next, |record| record.prev = seq + 1),
        }
    }

    /// `id` is here: what waits for it is due, once the record in hand is applied.
    pub(super) fn arrive(&mut self, id: Id128) {
        if self.state.awaited.contains(&id, FOR_EVER) {
            self.fold.arrived.push((id, self.head.seq));
        }
    }

    /// What waited for the ids that came is applied, oldest first whichever it waited for; then credit is tried again.
    pub(super) fn release_arrived(&mut self) {
        while !self.fold.arrived.is_empty() {
            if let Some((id, seq)) = self.oldest_arrived() {
                self.release(id, seq);
                continue;
            }
            let (id, _) = self.fold.arrived.remove(0);
            let waiting = self.state.awaited.get(&id, FOR_EVER).map_or(NO_ID, |list| list.conversions);
            if waiting != NO_ID {
                self.list_mut(id, |list| (list.conversions, list.conversions_last) = (NO_ID, NO_ID));
                self.forget_if_empty(id);
                self.retry_waiting(id, waiting);
            }
        }
    }

    /// The oldest record that waits for one of the ids that came.
    fn oldest_arrived(&self) -> Option<(Id128, u64)> {
        let heads = self.fold.arrived.iter().filter_map(|(id, limit)| {
            let (seq, record) = self.first_waiting(*id, *limit)?;
            Some((record.offset, *id, seq))
        });
        heads.min_by_key(|(offset, _, _)| *offset).map(|(_, id, seq)| (id, seq))
    }

    /// The oldest record that waits for `id` and was parked before `limit`.
    fn first_waiting(&self, id: Id128, limit: u64) -> Option<(u64, &Parked)> {
        let mut seq = self.state.awaited.get(&id, FOR_EVER)?.first.checked_sub(1)?;
        loop {
            let record = self.state.parked.peek(&self.seq_key(seq), FOR_EVER)?;
            if seq < limit {
                return Some((seq, record));
            }
            seq = record.next.checked_sub(1)?;
        }
    }

    fn release(&mut self, awaited: Id128, seq: u64) {
        let Some((record, bytes)) = self.unpark(seq) else {
            // Damage: the store is poisoned, and what is made of it is dropped.
            return self.fold.arrived.retain(|(id, _)| *id != awaited);
        };
        self.unlink(&record);
        self.reapply(&record, bytes);
    }

    pub(super) fn expire_parked(&mut self, subject: Id128) {
        let seq = seq_of(subject);
        let Some((record, bytes)) = self.unpark(seq) else { return };
        self.unlink(&record);
        let message = "what it refers to did not come within 30 days".to_owned();
        self.effects.tally.dead += 1;
        self.effects.letters.push(super::Letter {
            class: "unresolved",
            message,
            offset: Offset(record.offset),
            timestamp: Millis(record.timestamp),
            trigger: self.at,
            parked: Some(bytes),
        });
    }

    /// A released record is applied as itself: its own time and place in the log, the rows' `at` of now.
    fn reapply(&mut self, record: &Parked, bytes: Vec<u8>) {
        let Ok(event) = postcard::from_bytes::<Event<'_>>(&bytes) else { return };
        let origin = Origin { offset: Offset(record.offset), timestamp: Millis(record.timestamp) };
        let Ok(t) = time::of(&event, origin.timestamp) else { return };
        let outer = (self.t, self.origin, self.parked.take(), self.subject, self.claim);
        let waited = Waited { bytes: bytes.clone(), since: Millis(record.since) };
        (self.t, self.origin, self.parked) = (t, origin, Some(waited));
        self.readmit(&event);
        (self.t, self.origin, self.parked, self.subject, self.claim) = outer;
    }

    /// Takes a parked record out, but for its place in the list.
    fn unpark(&mut self, seq: u64) -> Option<(Parked, Vec<u8>)> {
        let record = self.state.parked.get(&self.seq_key(seq), FOR_EVER)?;
        let mut bytes = Vec::new();
        for page in 0..record.pages {
            let key = SeqKey { creator: self.c, page, seq };
            if let Some(page) = self.state.parked_pages.get(&key, FOR_EVER) {
                bytes.extend_from_slice(&page.bytes);
            }
            self.state.parked_pages.remove(&key);
        }
        bytes.truncate(usize::try_from(record.len).unwrap_or_default());
        self.state.parked.remove(&self.seq_key(seq));
        self.creator_mut().parked -= 1;
        self.effects.tally.parked -= 1;
        Some((record, bytes))
    }

    fn unlink(&mut self, record: &Parked) {
        match record.prev.checked_sub(1) {
            None => self.list_mut(record.awaited, |list| list.first = record.next),
            Some(prev) => self.parked_mut(prev, |other| other.next = record.next),
        }
        match record.next.checked_sub(1) {
            None => self.list_mut(record.awaited, |list| list.last = record.prev),
            Some(next) => self.parked_mut(next, |other| other.prev = record.prev),
        }
        self.forget_if_empty(record.awaited);
    }

    pub(super) fn forget_if_empty(&mut self, awaited: Id128) {
        let list = self.state.awaited.get(&awaited, FOR_EVER);
        if list.is_some_and(|list| list.first == 0 && list.conversions == NO_ID) {
            self.state.awaited.remove(&awaited);
        }
    }

    fn write_pages(&mut self, seq: u64, bytes: &[u8]) {
        for (page, chunk) in (0..).zip(bytes.chunks(PAGE_BYTES)) {
            let mut record = ParkedPage { bytes: [0; PAGE_BYTES] };
            record.bytes.iter_mut().zip(chunk).for_each(|(place, byte)| *place = *byte);
            self.state.parked_pages.put(&SeqKey { creator: self.c, page, seq }, record, Millis(0));
        }
    }

    pub(super) fn list_mut(&mut self, awaited: Id128, change: impl FnOnce(&mut Awaited)) {
        if let Some(list) = self.state.awaited.get_mut(&awaited, FOR_EVER) {
            change(list);
        }
    }

    fn parked_mut(&mut self, seq: u64, change: impl FnOnce(&mut Parked)) {
        if let Some(record) = self.state.parked.get_mut(&self.seq_key(seq), FOR_EVER) {
            change(record);
        }
    }

    const fn seq_key(&self, seq: u64) -> SeqKey {
        SeqKey { creator: self.c, page: 0, seq }
    }
}

/// Money waits for ever.
fn expires(event: &Event<'_>) -> bool {
    match &event.body {
        Body::Share(_) | Body::Click(_) | Body::Sighting(_) => true,
        Body::Review(review) => review.subject_type == ReviewSubject::Click,
        Body::Creator(_)
        | Body::Member(_)
        | Body::Conversion(_)
        | Body::Commission(_)
        | Body::RuleSet(_)
        | Body::ListEntry(_)
        | Body::Template(_)
        | Body::Erasure(_)
        | Body::Tick => false,
    }
}

fn encode(event: &Event<'_>) -> Vec<u8> {
    postcard::to_allocvec(event).expect("events encode into memory")
}

/// A number where a timer keeps an id.
fn subject(seq: u64) -> Id128 {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(seq.to_le_bytes()).for_each(|(place, byte)| *place = byte);
    Id128(bytes)
}

fn seq_of(subject: Id128) -> u64 {
    let Id128([a, b, c, d, e, f, g, h, ..]) = subject;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
