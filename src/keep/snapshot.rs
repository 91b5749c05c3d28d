//! Snapshots: hard links of a store's files, and a manifest of how much of each counts.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    Error,
    bytes::count64,
    error::Naming,
    key::{self, write_whole},
    writer::Writer,
};
use crate::ids::Next;

pub(super) const MANIFEST: &str = "MANIFEST";

/// What a snapshot consists of. Files grow behind `length`: only so much of them counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) next: Next,
    pub(super) files: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) length: u64,
    /// XXH3-128 in hex; empty until the file is exported.
    #[serde(default)]
    pub(super) hash: String,
}

impl Manifest {
    pub(super) fn read(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(MANIFEST);
        let bytes = fs::read(&path).naming("read", &path)?;
        serde_json::from_slice(&bytes).map_err(|_| Error::Damaged { file: path, at: 0, what: "it is no manifest" })
    }
}

/// Right behind a frame: journals whole, Cold files up to P. What counts is never written to again.
pub(super) fn link(writer: &Writer, dir: &Path) -> Result<(), Error> {
    let Some(position) = &writer.position else { return Err(Error::NothingReleased { dir: writer.dir.clone() }) };
    fs::create_dir_all(dir).naming("create", dir)?;
    if fs::read_dir(dir).naming("list", dir)?.next().is_some() {
        return Err(Error::NotEmpty { dir: dir.to_owned() });
    }
    let mut files = Vec::new();
    let mut add = |path: &Path, length: Option<u64>| {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        fs::hard_link(path, dir.join(&name)).naming("link", path)?;
        let whole = fs::metadata(path).naming("look at", path)?.len();
        files.push(Entry { name, length: length.unwrap_or(whole), hash: String::new() });
        Ok(())
    };
    add(&writer.dir.join(key::NAME), None)?;
    for part in &writer.journal.parts {
        add(&part.path, Some(part.length))?;
    }
    for (cold, (first, end)) in writer.colds.iter().zip(&position.colds) {
        let layout = &cold.layout;
        let mut file = *first;
        while layout.start(file) < *end {
            let records = layout.home.file_records.min(end - layout.start(file));
            add(&layout.log(file), Some(records * count64(layout.record_bytes)))?;
            // Without it the index is made again from the file.
            if layout.start(file + 1) <= *end && layout.idx(file).exists() {
                add(&layout.idx(file), None)?;
            }
            file += 1;
        }
    }
    let manifest = Manifest { next: position.next, files };
    let json = serde_json::to_vec_pretty(&manifest).expect("names and numbers are JSON");
    write_whole(dir, MANIFEST, &json)
}
