//! The nodes' disks: folders of state, older copies to fall back to, snapshots to begin from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use object_store::memory::InMemory;
use object_store::path::Path as Object;
use tempfile::TempDir;
use tributary::fold::FINGERPRINT;
use tributary::fold::state::State;
use tributary::ids::{Next, Partition};
use tributary::keep::export::{self, Hashes, Wanted};
use tributary::keep::{self, Identity, Limits};
use xxhash_rust::xxh3::xxh3_64;

use super::programme::{PARTITIONS, SECRET, digest};
use super::random::Random;

/// Bytes of the magic before the secret in `KEY`.
const MAGIC: usize = 8;

/// Names and contents.
type Files = Vec<(OsString, Vec<u8>)>;

/// The files of an empty state of each partition, all with one secret, so that states can be compared.
static EMPTY: LazyLock<Vec<Files>> = LazyLock::new(|| {
    let dir = in_memory();
    let files = |partition: Partition| {
        let folder = dir.path().join(format!("p{}", partition.0));
        drop(keep::Store::open(&folder, identity(partition), limits(), &mut State::default()).unwrap());
        let key = folder.join("KEY");
        let mut bytes = fs::read(&key).unwrap();
        let sum = bytes.len() - 8;
        bytes[MAGIC..MAGIC + SECRET.len()].copy_from_slice(&SECRET);
        let hash = xxh3_64(&bytes[..sum]).to_le_bytes();
        bytes[sum..].copy_from_slice(&hash);
        fs::write(key, bytes).unwrap();
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect()
    };
    (0..PARTITIONS).map(Partition).map(files).collect()
});

pub(super) fn in_memory() -> TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { TempDir::new_in(shm).unwrap() } else { TempDir::new().unwrap() }
}

fn identity(partition: Partition) -> Identity {
    Identity { topic: [7; 16], partition, generation: 1, fingerprint: FINGERPRINT }
}

/// Whichever snapshot is the newest.
fn newest(partition: Partition) -> Wanted {
    Wanted { identity: identity(partition), above: Next(0), at_most: Next(u64::MAX) }
}

pub(super) fn limits() -> Limits {
    Limits { waits_for_writer: true, journal_bytes: 64 << 10, file_records: 2_048, ..Limits::default() }
}

pub(super) struct Disks {
    home: TempDir,
    copies: BTreeMap<(usize, Partition), PathBuf>,
    numbered: u64,
    snapshots: InMemory,
    runtime: tokio::runtime::Runtime,
}

impl Disks {
    pub(super) fn new(nodes: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let disks =
            Self { home: in_memory(), copies: BTreeMap::new(), numbered: 0, snapshots: InMemory::new(), runtime };
        for node in 0..nodes {
            (0..PARTITIONS).for_each(|p| disks.lose(node, Partition(p)));
        }
        disks
    }

    pub(super) fn of(&self, node: usize) -> PathBuf {
        self.home.path().join(format!("n{node}"))
    }

    fn folder(&self, node: usize, partition: Partition) -> PathBuf {
        self.of(node).join(format!("p{}", partition.0))
    }

    /// A folder for something new.
    fn fresh(&mut self) -> PathBuf {
        self.numbered += 1;
        self.home.path().join(format!("{}", self.numbered))
    }

    /// As of now, to fall back to.
    pub(super) fn copy(&mut self, node: usize, partition: Partition) {
        let to = self.fresh();
        copy_folder(&self.folder(node, partition), &to);
        if let Some(old) = self.copies.insert((node, partition), to) {
            fs::remove_dir_all(old).unwrap();
        }
    }

    fn replace(&self, node: usize, partition: Partition, from: &Path) {
        let folder = self.folder(node, partition);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        copy_folder(from, &folder);
    }

    fn lose(&self, node: usize, partition: Partition) {
        let folder = self.folder(node, partition);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in &EMPTY[partition.0 as usize] {
            fs::write(folder.join(name), bytes).unwrap();
        }
    }

    /// What a crash does to the disk of a node that does not run; in words.
    pub(super) fn crash(&mut self, node: usize, partition: Partition, random: &mut Random) -> &'static str {
        match random.below(12) {
            0..4 => "kept",
            4 => {
                let mut journals: Vec<_> =
                    fs::read_dir(self.folder(node, partition)).unwrap().map(|it| it.unwrap().path()).collect();
                journals.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with("journal-"));
                let last = journals.into_iter().max().unwrap();
                let mut bytes = fs::read(&last).unwrap();
                bytes.extend(std::iter::repeat_n(7, 1 + random.below(40)));
                fs::write(last, bytes).unwrap();
                "torn"
            }
            5..8 => match self.copies.get(&(node, partition)) {
                Some(copy) => {
                    self.replace(node, partition, copy);
                    "as it was before"
                }
                None => "kept",
            },
            8 => {
                self.lose(node, partition);
                "lost"
            }
            _ => {
                let to = self.fresh();
                let prefix = Object::from(format!("p{}", partition.0));
                match self.runtime.block_on(export::restore(&self.snapshots, &prefix, &newest(partition), &to)).unwrap()
                {
                    Some(_) => {
                        self.replace(node, partition, &to);
                        fs::remove_dir_all(to).unwrap();
                        "from a snapshot"
                    }
                    None => "kept",
                }
            }
        }
    }

    /// A folder on the disk of the state for the hard links of a snapshot.
    pub(super) fn for_snapshot(&mut self) -> PathBuf {
        self.fresh()
    }

    pub(super) fn send_snapshot(&self, partition: Partition, dir: &Path) -> Next {
        let prefix = Object::from(format!("p{}", partition.0));
        let known = &mut Hashes::default();
        let sent = self.runtime.block_on(export::upload(&self.snapshots, &prefix, dir, known)).unwrap();
        fs::remove_dir_all(dir).unwrap();
        sent.next
    }

    /// P and the digest of what a node's disk holds.
    pub(super) fn look(&self, node: usize, partition: Partition) -> Result<(Next, u128), keep::Error> {
        look(&self.folder(node, partition), partition)
    }

    /// The same of the newest snapshot, if there is one.
    pub(super) fn look_at_snapshot(&mut self, partition: Partition) -> Option<(Next, u128)> {
        let to = self.fresh();
        let prefix = Object::from(format!("p{}", partition.0));
        self.runtime.block_on(export::restore(&self.snapshots, &prefix, &newest(partition), &to)).unwrap()?;
        Some(look(&to, partition).unwrap())
    }
}

fn look(folder: &Path, partition: Partition) -> Result<(Next, u128), keep::Error> {
    let mut state = State::default();
    let (_keep, position) = keep::Store::open(folder, identity(partition), limits(), &mut state)?;
    Ok((position.unwrap_or_default(), digest(&mut state)))
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
