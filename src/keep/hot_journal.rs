//! How a Hot map gets into frames and out of them.

use bytemuck::Pod;

use super::{
    Error, Hot,
    bytes::{Bytes, count32},
    hot::Journal,
    map::{Batch, Home, Map, Pending, Shape, Take},
    slab::Slot,
};
use crate::ids::Millis;

/// Slots that a tick looks at for expired entities, beside two for each that was added.
const SWEEP_SLOTS_MIN: usize = 64;

impl<K: Pod + Eq, V: Pod> Map for Hot<K, V> {
    fn shape(&self) -> Shape {
        Shape { cold: false, key_bytes: size_of::<K>(), value_bytes: size_of::<V>() }
    }

    fn entities(&self) -> usize {
        self.len()
    }

    fn each(&self, take: &mut Take<'_>) {
        for chunk in &self.slab.chunks {
            for (_, slot) in chunk.slots.iter().enumerate().filter(|(at, _)| chunk.live.get(*at)) {
                take(bytemuck::bytes_of(&slot.key), slot.time, bytemuck::bytes_of(&slot.value));
            }
        }
    }

    fn set_floor(&mut self, floor: Millis) {
        self.floor = self.floor.max(floor);
    }

    fn attach(&mut self, home: Home) {
        *self = Self { seed: home.seed, ..Self::default() };
    }

    /// Images are absolute: a later one replaces, whatever its time.
    fn load(&mut self, section: &[u8]) -> Option<()> {
        let mut section = Bytes(section);
        for _ in 0..section.pod::<u32>()? {
            self.load_image(&mut section)?;
        }
        for _ in 0..section.pod::<u32>()? {
            self.remove(&section.pod()?);
        }
        for _ in 0..section.pod::<u32>()? {
            self.load_image(&mut section)?;
        }
        section.is_empty().then_some(())
    }

    fn start(&mut self, needed: u64, seq: u64) -> Result<(), Error> {
        for chunk in &mut self.slab.chunks {
            chunk.written = needed;
        }
        self.journal = Some(Journal { seq, ..Journal::default() });
        Ok(())
    }

    fn tick(&mut self) -> Result<(), Error> {
        if self.floor > Millis(i64::MIN) {
            self.sweep();
        }
        Ok(())
    }

    fn pending(&self) -> Pending {
        let journal = self.journal.as_ref();
        let changed = journal.map_or(0, |j| j.changed.len() * image_bytes::<K, V>() + j.removed.len() * size_of::<K>());
        Pending { hot: changed, cold: 0 }
    }

    fn oldest(&self) -> Option<u64> {
        self.slab.chunks.iter().map(|c| c.written).min()
    }

    fn slice(&mut self, seq: u64) -> usize {
        let Some(journal) = &mut self.journal else { return 0 };
        let Some(chunk) = self.slab.chunks.iter_mut().min_by_key(|c| c.written) else { return 0 };
        chunk.written = seq;
        let before = journal.slice.len();
        journal.slice.reserve(chunk.live.count() * image_bytes::<K, V>());
        for (at, slot) in chunk.slots.iter().enumerate() {
            if chunk.live.get(at) && slot.time >= self.floor {
                image(slot, &mut journal.slice);
                journal.slices += 1;
            }
        }
        journal.slice.len() - before
    }

    /// Slices, removals, changes, in the order in which they must be loaded.
    fn save(&mut self, section: &mut Vec<u8>, seq: u64) -> Option<Batch> {
        let journal = self.journal.as_mut()?;
        section.extend_from_slice(&journal.slices.to_le_bytes());
        section.append(&mut journal.slice);
        section.extend_from_slice(&count32(journal.removed.len()).to_le_bytes());
        section.extend_from_slice(bytemuck::cast_slice(&journal.removed));
        let count_at = section.len();
        section.extend_from_slice(&[0; 4]);
        section.reserve(journal.changed.len() * image_bytes::<K, V>());
        let mut count = 0_u32;
        for place in journal.changed.drain(..) {
            let (chunk, at) = self.slab.chunk_mut(place).expect("places of the slab only");
            chunk.dirty.clear(at);
            if chunk.live.get(at) {
                image(chunk.slots.get(at).expect("live slots exist"), section);
                count += 1;
            }
        }
        section.get_mut(count_at..count_at + 4).expect("pushed above").copy_from_slice(&count.to_le_bytes());
        journal.removed.clear();
        (journal.slices, journal.seq) = (0, seq);
        None
    }
}

impl<K: Pod + Eq, V: Pod> Hot<K, V> {
    fn load_image(&mut self, from: &mut Bytes<'_>) -> Option<()> {
        let (key, time, value) = (from.pod()?, Millis(from.pod()?), from.pod()?);
        let (hash, slot) = (self.seed.of(&key), Slot { time, key, value });
        match self.find(hash, &key) {
            Some(place) => {
                let (chunk, at) = self.slab.chunk_mut(place)?;
                *chunk.slots.get_mut(at)? = slot;
            }
            None => {
                self.add(hash, slot);
            }
        }
        Some(())
    }

    /// Frees expired entities of the next few slots. No frame tells of it: loaded again they are still expired.
    fn sweep(&mut self) {
        let Some(journal) = &mut self.journal else { return };
        let slots = self.slab.slots();
        let budget = (SWEEP_SLOTS_MIN + 2 * std::mem::take(&mut journal.added)).min(slots);
        let mut at = journal.swept;
        for _ in 0..budget {
            if at >= slots {
                at = 0;
            }
            self.free_if_expired(count32(at));
            at += 1;
        }
        if let Some(journal) = &mut self.journal {
            journal.swept = at;
        }
    }

    fn free_if_expired(&mut self, place: u32) {
        let floor = self.floor;
        let Some((chunk, at)) = self.slab.chunk_mut(place) else { return };
        let Some(slot) = chunk.slots.get(at) else { return };
        if slot.time < floor && chunk.live.get(at) {
            let hash = self.seed.of(&slot.key);
            self.free(hash, place);
        }
    }
}

const fn image_bytes<K, V>() -> usize {
    size_of::<K>() + size_of::<Millis>() + size_of::<V>()
}

fn image<K: Pod, V: Pod>(slot: &Slot<K, V>, to: &mut Vec<u8>) {
    to.extend_from_slice(bytemuck::bytes_of(&slot.key));
    to.extend_from_slice(&slot.time.0.to_le_bytes());
    to.extend_from_slice(bytemuck::bytes_of(&slot.value));
}
