//! The `.idx` beside a full file of a Cold map: what a rebuild of the RAM index needs of each record.
//!
//! Only a copy: missing or damaged it is made again from the file.

use std::{fs, os::unix::fs::FileExt, path::Path};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{
    NOWHERE,
    layout::{Layout, check},
};
use crate::{
    ids::Millis,
    keep::{
        Error,
        bytes::{Bytes, count64, size},
        error::Naming,
        hash::KeyHash,
    },
};

/// Records read at a time when a file is gone through.
const READ_RECORDS: u64 = 1_024;
/// Marks an erasing record in the 64 bits of its hash.
const ERASED: u64 = 1 << 63;

/// What one record does to the RAM index.
#[derive(Clone, Copy)]
pub(in crate::keep) struct Step {
    pub(in crate::keep) hash: KeyHash,
    pub(in crate::keep) prev: u32,
    pub(in crate::keep) erased: bool,
}

impl Step {
    /// Whether it brings a key that was not there.
    pub(in crate::keep) const fn is_new(self) -> bool {
        self.prev == NOWHERE && !self.erased
    }
}

/// Records in order, and the newest time among them.
pub(in crate::keep) struct Steps {
    pub(in crate::keep) newest: Millis,
    pub(in crate::keep) steps: Vec<Step>,
}

impl Steps {
    /// From the `.idx` of `file`, else from the file itself, which leaves a new `.idx`.
    pub(in crate::keep) fn of_full(layout: &Layout, file: u64) -> Result<Self, Error> {
        if let Ok(bytes) = fs::read(layout.idx(file))
            && let Some(steps) = decode(layout, file, &bytes)
        {
            return Ok(steps);
        }
        let steps = Self::of_file(layout, file, layout.home.file_records)?;
        steps.write(layout, file)?;
        Ok(steps)
    }

    /// From the first `records` of `file`, each verified.
    pub(in crate::keep) fn of_file(layout: &Layout, file: u64, records: u64) -> Result<Self, Error> {
        let mut all = Self { newest: Millis(i64::MIN), steps: Vec::with_capacity(size(records)) };
        let start = layout.start(file);
        read(layout, start..start + records, |_, raw| {
            all.newest = all.newest.max(raw.time);
            let hash = layout.home.seed.of_bytes(layout.key(&raw));
            all.steps.push(Step { hash, prev: raw.prev, erased: raw.erased });
        })?;
        Ok(all)
    }

    /// Need not be synced: what is torn is made again.
    pub(in crate::keep) fn write(&self, layout: &Layout, file: u64) -> Result<(), Error> {
        let mut bytes = vec![0; 8];
        bytes.extend_from_slice(&self.newest.0.to_le_bytes());
        for step in &self.steps {
            let erased = if step.erased { ERASED } else { 0 };
            bytes.extend_from_slice(&(step.hash.to_bits() | erased).to_le_bytes());
            bytes.extend_from_slice(&step.prev.to_le_bytes());
        }
        let hash = hash(file, bytes.get(8..).unwrap_or_default());
        bytes.get_mut(..8).expect("begins with the hash").copy_from_slice(&hash.to_le_bytes());
        let path = layout.idx(file);
        fs::write(&path, bytes).naming("write", &path)
    }
}

/// Reads and verifies records of one file, some at a time.
pub(in crate::keep) fn read(
    layout: &Layout,
    numbers: std::ops::Range<u64>,
    mut each: impl FnMut(u64, super::layout::Raw<'_>),
) -> Result<(), Error> {
    let path = layout.log(layout.file(numbers.start));
    let log = open(&path)?;
    let mut room = vec![0; size(READ_RECORDS.min(numbers.end - numbers.start)) * layout.record_bytes];
    let mut from = numbers.start;
    while from < numbers.end {
        let to = numbers.end.min(from + READ_RECORDS);
        let bytes = room.get_mut(..size(to - from) * layout.record_bytes).expect("room for so many records");
        log.read_exact_at(bytes, layout.at(from)).naming("read", &path)?;
        for (number, record) in (from..to).zip(bytes.chunks_exact(layout.record_bytes)) {
            let at = layout.at(number);
            let raw = check(number, record);
            each(number, raw.ok_or_else(|| Error::Damaged { file: path.clone(), at, what: WRONG_CRC })?);
        }
        from = to;
    }
    Ok(())
}

pub(in crate::keep) const WRONG_CRC: &str = "the record's checksum is wrong";

/// A file of state that must be there.
pub(in crate::keep) fn open(path: &Path) -> Result<fs::File, Error> {
    match fs::File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(Error::Missing { file: path.to_owned() }),
        other => other.naming("open", path),
    }
}

fn decode(layout: &Layout, file: u64, bytes: &[u8]) -> Option<Steps> {
    let mut bytes = Bytes(bytes);
    if bytes.pod::<u64>()? != hash(file, bytes.0) {
        return None;
    }
    let newest = Millis(bytes.pod()?);
    let mut steps = Vec::with_capacity(size(layout.home.file_records));
    while !bytes.is_empty() {
        let (bits, prev): (u64, u32) = (bytes.pod()?, bytes.pod()?);
        steps.push(Step { hash: KeyHash::from_bits(bits), prev, erased: bits & ERASED != 0 });
    }
    (count64(steps.len()) == layout.home.file_records).then_some(Steps { newest, steps })
}

fn hash(file: u64, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, file)
}
