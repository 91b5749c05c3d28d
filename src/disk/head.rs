//! What the engine keeps in its first page, kept so that neither a torn write nor a flipped byte can change it.
//!
//! Two places, each of two copies: a write goes to the place that was not synced last, so that a torn write leaves the
//! former head; a damaged copy is made up for by the other. Each copy has a page of its own:
//! `magic | number u64 | length u64 | bytes | XXH3 u64`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use xxhash_rust::xxh3::xxh3_64;

use super::guard::PAGE_BYTES;

pub(super) const HEAD_PAGES: u64 = 4;

const MAGIC: [u8; 16] = *b"tributary pages1";
/// Bytes of its first page that the engine uses: 320, and some room.
const IMAGE: usize = 512;
const COPY: usize = 16 + 8 + IMAGE + 8;

/// The newest head, and where it stands.
#[derive(Debug)]
pub(super) struct Head {
    image: [u8; IMAGE],
    number: u64,
    /// The place that holds what was synced last: 0 or 1.
    kept: u64,
    /// Written to the other place and not synced yet.
    pending: bool,
}

impl Head {
    /// The newest head in the file; an empty one for an empty file.
    pub(super) fn read(file: &File) -> io::Result<Self> {
        let empty = Self { image: [0; IMAGE], number: 0, kept: 1, pending: false };
        if file.metadata()?.len() == 0 {
            return Ok(empty);
        }
        let mut newest: Option<Self> = None;
        for page in 0..HEAD_PAGES {
            let mut bytes = [0; COPY];
            let whole = file.read_exact_at(&mut bytes, page * PAGE_BYTES).is_ok();
            let Some((number, image)) = decode(&bytes).filter(|_| whole) else { continue };
            if newest.as_ref().is_none_or(|newest| number > newest.number) {
                newest = Some(Self { image, number, kept: page / 2, pending: false });
            }
        }
        newest.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "its head is not what was written"))
    }

    pub(super) fn get(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let (from, to) = span(offset, out.len())?;
        out.copy_from_slice(self.image.get(from..to).ok_or(io::ErrorKind::InvalidInput)?);
        Ok(())
    }

    pub(super) fn put(&mut self, file: &File, offset: u64, data: &[u8]) -> io::Result<()> {
        let (from, to) = span(offset, data.len())?;
        self.image.get_mut(from..to).ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(data);
        self.number += 1;
        self.pending = true;
        let bytes = encode(self.number, &self.image);
        let place = 2 * (1 - self.kept);
        file.write_all_at(&bytes, place * PAGE_BYTES)?;
        file.write_all_at(&bytes, (place + 1) * PAGE_BYTES)
    }

    /// All that was put is on the disk.
    pub(super) const fn synced(&mut self) {
        if self.pending {
            self.kept = 1 - self.kept;
            self.pending = false;
        }
    }
}

fn span(offset: u64, len: usize) -> io::Result<(usize, usize)> {
    let from = usize::try_from(offset).map_err(io::Error::other)?;
    Ok((from, from + len))
}

fn encode(number: u64, image: &[u8; IMAGE]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(COPY);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(image);
    bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
    bytes
}

fn decode(bytes: &[u8; COPY]) -> Option<(u64, [u8; IMAGE])> {
    let (body, sum) = bytes.split_last_chunk()?;
    if xxh3_64(body) != u64::from_le_bytes(*sum) {
        return None;
    }
    let (magic, rest) = body.split_first_chunk()?;
    let (number, image) = rest.split_first_chunk()?;
    (*magic == MAGIC).then_some((u64::from_le_bytes(*number), image.try_into().ok()?))
}
