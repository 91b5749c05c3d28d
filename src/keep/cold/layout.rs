//! How the records of a Cold map stand in its files: `crc32, prev, time, key, value`, little-endian.

use std::path::PathBuf;

use super::{NOWHERE, Record};
use crate::{
    ids::Millis,
    keep::{Pod, bytes::Bytes, bytes::count64, map::Home},
};

/// Bytes before the key.
const HEAD_BYTES: usize = 16;

/// The files of one Cold map and the size of a record in them.
#[derive(Clone)]
pub(in crate::keep) struct Layout {
    pub(in crate::keep) home: Home,
    pub(in crate::keep) key_bytes: usize,
    pub(in crate::keep) record_bytes: usize,
}

/// A record as it stands in a file, its crc verified.
pub(in crate::keep) struct Raw<'a> {
    pub(in crate::keep) prev: u32,
    pub(in crate::keep) erased: bool,
    pub(in crate::keep) time: Millis,
    body: &'a [u8],
}

impl Layout {
    pub(in crate::keep) const fn new(home: Home, key_bytes: usize, value_bytes: usize) -> Self {
        Self { home, key_bytes, record_bytes: HEAD_BYTES + key_bytes + value_bytes }
    }

    pub(in crate::keep) fn log(&self, file: u64) -> PathBuf {
        self.home.dir.join(format!("{}-{file:08}.log", self.home.name))
    }

    pub(in crate::keep) fn idx(&self, file: u64) -> PathBuf {
        self.home.dir.join(format!("{}-{file:08}.idx", self.home.name))
    }

    /// The file that holds record `number`.
    pub(in crate::keep) const fn file(&self, number: u64) -> u64 {
        number / self.home.file_records
    }

    /// Number of the first record of `file`.
    pub(in crate::keep) const fn start(&self, file: u64) -> u64 {
        file * self.home.file_records
    }

    /// Where record `number` begins in its file.
    pub(in crate::keep) fn at(&self, number: u64) -> u64 {
        (number % self.home.file_records) * count64(self.record_bytes)
    }

    pub(in crate::keep) fn key<'a>(&self, raw: &Raw<'a>) -> &'a [u8] {
        raw.body.get(..self.key_bytes).unwrap_or_default()
    }
}

/// The low 32 bits of a record's number: what indexes and `prev` hold.
pub(in crate::keep) fn place(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).expect("masked to 32 bits")
}

pub(super) fn encode<K: Pod, V: Pod>(number: u64, record: &Record<K, V>, to: &mut Vec<u8>) {
    let start = to.len();
    to.extend_from_slice(&[0; 4]);
    to.extend_from_slice(&record.prev.to_le_bytes());
    let time = record.time.0.saturating_mul(2) & !1 | i64::from(record.erased);
    to.extend_from_slice(&time.to_le_bytes());
    to.extend_from_slice(bytemuck::bytes_of(&record.key));
    to.extend_from_slice(bytemuck::bytes_of(&record.value));
    let crc = crc(number, to.get(start + 4..).unwrap_or_default());
    to.get_mut(start..start + 4).expect("pushed above").copy_from_slice(&crc.to_le_bytes());
}

/// `None`: wrong crc, or not record `number`.
pub(in crate::keep) fn check(number: u64, record: &[u8]) -> Option<Raw<'_>> {
    let mut bytes = Bytes(record);
    if bytes.pod::<u32>()? != crc(number, bytes.0) {
        return None;
    }
    let (prev, time): (u32, i64) = (bytes.pod()?, bytes.pod()?);
    Some(Raw { prev, erased: time & 1 == 1, time: Millis(time >> 1), body: bytes.0 })
}

impl Raw<'_> {
    /// `None`: of another size.
    pub(super) fn record<K: Pod, V: Pod>(&self) -> Option<Record<K, V>> {
        let mut body = Bytes(self.body);
        let (key, value) = (body.pod()?, body.pod()?);
        Some(Record { prev: self.prev, erased: self.erased, time: self.time, key, value })
    }
}

/// Over the place too, so that a record is good at its own place only.
fn crc(number: u64, record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(place(number) ^ NOWHERE);
    hasher.update(record);
    hasher.finalize()
}
