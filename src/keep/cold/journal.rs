//! How a Cold map gets into frames and its files, and out of them.

use std::{fs, sync::Arc};

use bytemuck::Pod;

use super::{
    Cold, Disk, Layout, NOWHERE, Steps, Tail,
    idx::{Step, open},
    layout,
    layout::place,
};
use crate::{
    ids::Millis,
    keep::{
        Error,
        bytes::{Bytes, count64},
        error::Naming,
        map::{Batch, Home, Map, Pending, Shape, Take},
    },
};

/// Records of which the index is rebuilt at a time.
const STAGED_MAX: usize = 1 << 20;

impl<K: Pod + Eq + Send + Sync, V: Pod + Send + Sync> Map for Cold<K, V> {
    fn shape(&self) -> Shape {
        Shape { cold: true, key_bytes: size_of::<K>(), value_bytes: size_of::<V>() }
    }

    fn entities(&self) -> usize {
        self.len()
    }

    fn each(&self, take: &mut Take<'_>) {
        for place in self.index.places() {
            let number = self.number(place);
            let record = self.tail.get(number).copied().or_else(|| self.disk.as_ref()?.read(number));
            if let Some(record) = record {
                take(bytemuck::bytes_of(&record.key), record.time, bytemuck::bytes_of(&record.value));
            }
        }
    }

    fn set_floor(&mut self, floor: Millis) {
        self.floor = self.floor.max(floor);
    }

    fn attach(&mut self, home: Home) {
        let seed = home.seed;
        let layout = Layout::new(home, size_of::<K>(), size_of::<V>());
        *self = Self { seed, disk: Some(Disk::new(layout)), ..Self::default() };
    }

    /// `first file, end`; the section of the last frame counts.
    fn load(&mut self, section: &[u8]) -> Option<()> {
        let mut section = Bytes(section);
        let disk = self.disk.as_mut()?;
        disk.first = section.pod()?;
        let end: u64 = section.pod()?;
        self.tail = Tail::new(end);
        (section.is_empty() && disk.layout.start(disk.first) <= end).then_some(())
    }

    fn start(&mut self, _needed: u64, _seq: u64) -> Result<(), Error> {
        let end = self.tail.base;
        let Some(disk) = &mut self.disk else { return Ok(()) };
        (disk.settled, disk.ticked) = (end, end);
        let layout = disk.layout.clone();
        cut(&layout, disk.first, end)?;
        let (mut file, mut start) = (disk.first, layout.start(disk.first));
        let mut staged = Staged::default();
        while start < end {
            let next = layout.start(file + 1);
            let steps = if next <= end {
                check_length(&layout, file, layout.home.file_records)?;
                Steps::of_full(&layout, file)?
            } else {
                check_length(&layout, file, end - start)?;
                Steps::of_file(&layout, file, end - start)?
            };
            self.stage(start, &steps, &mut staged);
            (file, start) = (file + 1, next);
        }
        self.rebuild(&mut staged);
        Ok(())
    }

    fn tick(&mut self) -> Result<(), Error> {
        let Some(disk) = &self.disk else { return Ok(()) };
        disk.take_poison()?;
        if self.tail.end() - disk.layout.start(disk.first) > u64::from(u32::MAX) - 2 * disk.layout.home.file_records {
            return Err(Error::NoPlaces { map: disk.layout.home.name, dir: disk.layout.home.dir.clone() });
        }
        self.clean()
    }

    fn pending(&self) -> Pending {
        let record = self.disk.as_ref().map_or(0, |d| d.layout.record_bytes);
        Pending { hot: 0, cold: self.tail.len() * record }
    }

    fn save(&mut self, section: &mut Vec<u8>, _seq: u64) -> Option<Batch> {
        let disk = self.disk.as_mut()?;
        let (start, end) = (self.tail.base, self.tail.end());
        section.extend_from_slice(&disk.first.to_le_bytes());
        section.extend_from_slice(&end.to_le_bytes());
        let tail = Arc::new(std::mem::replace(&mut self.tail, Tail::new(end)));
        for (number, record) in (start..end).zip(tail.iter()) {
            disk.note_time(number, record.time);
        }
        if start < end {
            disk.given.push_back(Arc::clone(&tail));
        }
        let encode = Box::new(move |numbers: std::ops::Range<u64>, to: &mut Vec<u8>| {
            for number in numbers {
                layout::encode(number, tail.get(number).expect("the batch names its own records"), to);
            }
        });
        Some(Batch { start, end, first_file: disk.first, encode })
    }

    fn settle(&mut self, end: u64) {
        let Some(disk) = &mut self.disk else { return };
        disk.settled = disk.settled.max(end);
        while disk.given.front().is_some_and(|t| t.end() <= end) {
            disk.given.pop_front();
        }
    }
}

impl<K: Pod + Eq, V: Pod> Cold<K, V> {
    /// Sorts the records of a file by index shard: what has the same hash stays in order.
    fn stage(&mut self, start: u64, steps: &Steps, staged: &mut Staged) {
        for (number, step) in (start..).zip(&steps.steps) {
            let shard = staged.shards.get_mut(usize::from(step.hash.shard)).expect("a byte is below their number");
            shard.push((number, *step));
        }
        // The file may hold nothing that lives: it still has its place among the files.
        self.count(start, 0);
        if let Some(disk) = &mut self.disk {
            disk.note_time(start, steps.newest);
        }
        staged.steps += steps.steps.len();
        if staged.steps >= STAGED_MAX {
            self.rebuild(staged);
        }
    }

    /// Does to the index what the records did when they were new, shard by shard: a shard fits the processor's cache.
    fn rebuild(&mut self, staged: &mut Staged) {
        staged.steps = 0;
        for (shard, steps) in (0..=u8::MAX).zip(&mut staged.shards) {
            self.index.reserve(shard, steps.iter().filter(|(_, step)| step.is_new()).count());
            for (number, step) in steps.drain(..) {
                self.redo(number, step);
            }
        }
    }

    fn redo(&mut self, number: u64, step: Step) {
        let replaces = step.prev != NOWHERE;
        if step.erased {
            if replaces {
                let old = self.number(step.prev);
                self.forget(step.hash, old);
            }
            return;
        }
        if replaces && self.index.replace(step.hash, step.prev, place(number)) {
            self.count(self.number(step.prev), -1);
        } else {
            self.index.insert(step.hash, place(number));
        }
        self.count(number, 1);
    }
}

/// Records whose part in the index is still to be made, by shard.
struct Staged {
    shards: Vec<Vec<(u64, Step)>>,
    steps: usize,
}

impl Default for Staged {
    fn default() -> Self {
        Self { shards: (0..=u8::MAX).map(|_| Vec::new()).collect(), steps: 0 }
    }
}

fn check_length(layout: &Layout, file: u64, records: u64) -> Result<(), Error> {
    let path = layout.log(file);
    let length = open(&path)?.metadata().naming("look at", &path)?.len();
    if length < records * count64(layout.record_bytes) {
        return Err(Error::Damaged { file: path, at: length, what: "the file ends before its last record" });
    }
    Ok(())
}

/// Takes away what lies behind `end` or before the first file, and the `.idx` of what is no longer full.
fn cut(layout: &Layout, first: u64, end: u64) -> Result<(), Error> {
    let dir = &layout.home.dir;
    for entry in fs::read_dir(dir).naming("list", dir)? {
        let path = entry.naming("list", dir)?.path();
        let Some((file, log)) = path.file_name().and_then(|n| number_of(n.to_str()?, layout.home.name)) else {
            continue;
        };
        let dead = file < first || layout.start(file) >= end;
        if dead || (!log && layout.start(file + 1) > end) {
            fs::remove_file(&path).naming("remove", &path)?;
        } else if log {
            let keep = layout.home.file_records.min(end - layout.start(file)) * count64(layout.record_bytes);
            shorten(&path, keep)?;
        }
    }
    Ok(())
}

/// Need not be synced. If the old end comes back it is cut again: what comes in its place is synced before the frame that
/// names it.
fn shorten(path: &std::path::Path, length: u64) -> Result<(), Error> {
    if fs::metadata(path).naming("look at", path)?.len() > length {
        let file = fs::OpenOptions::new().write(true).open(path).naming("open", path)?;
        file.set_len(length).naming("cut", path)?;
    }
    Ok(())
}

/// The number in `<map>-<n>.log` or `.idx`, and whether it is the log.
fn number_of(name: &str, map: &str) -> Option<(u64, bool)> {
    let (number, kind) = name.strip_prefix(map)?.strip_prefix('-')?.split_once('.')?;
    let log = kind == "log";
    (log || kind == "idx").then_some((number.parse().ok()?, log))
}
