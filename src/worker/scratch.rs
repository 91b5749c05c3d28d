//! State that is folded once more beside the live one, kept in files while it is needed so that memory stays bounded.

use std::path::{Path, PathBuf};

use super::Error;
use crate::fold::FINGERPRINT;
use crate::ids::{Next, Partition};
use crate::keep::{self, Identity, Maps, Store as Keep};
use crate::store::alias;

/// The folder of all that is kept meanwhile; removed at the end, however it ends.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Below a folder; `what` it is for names it.
    pub(super) fn new(below: &Path, what: &str, partition: Partition) -> Self {
        let scratch = Self(below.join(format!("{what}-p{}", partition.0)));
        // What a killed one left behind.
        drop(std::fs::remove_dir_all(&scratch.0));
        scratch
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

pub(super) fn open<M: Maps>(
    dir: &Path,
    (partition, limits): (Partition, keep::Limits),
    maps: &mut M,
) -> Result<Keep, Error> {
    let identity = Identity { topic: [0; 16], partition, generation: alias::FIRST, fingerprint: FINGERPRINT };
    let opened = Keep::open(dir, identity, limits, maps);
    opened.map(|(keep, _)| keep).map_err(|source| Error::State { partition, source })
}

/// After a batch: what may leave memory leaves it.
pub(super) fn settle<M: Maps>(
    keep: &mut Keep,
    maps: &mut M,
    (partition, position): (Partition, Next),
) -> Result<(), Error> {
    let failed = |source| Error::State { partition, source };
    keep.tick(maps).map_err(failed)?;
    if keep.due() {
        keep.commit(maps, position).map_err(failed)?;
    }
    keep.release(position);
    Ok(())
}
