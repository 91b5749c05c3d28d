//! The API keys of a data folder: a file of their own, which no rebuild of the projections touches.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Error;
use super::engine::Rows;
use crate::clock::Clock;
use crate::disk;
use crate::store::embedded::{EmbeddedStore, Options as StoreOptions};
use crate::web::Keys;
use crate::web::keys::{Limits, Random, Secret};

const KEYS_FILE: &str = "keys.redb";
/// The file in the data folder with the key of the process that holds it, for commands of the same user.
const LOCAL_FILE: &str = "tributary.key";

/// Opens the keys of the folder, or makes an empty file for them. One process at a time holds it.
pub fn keys(data_dir: &Path, clock: Clock, limits: Limits) -> Result<Keys<Rows>, Error> {
    let failed = |source| Error::Folder { dir: data_dir.to_owned(), source };
    fs::create_dir_all(data_dir).map_err(failed)?;
    let disk = disk::Options { cache_bytes: 1 << 20, ..disk::Options::default() };
    let options = StoreOptions { disk, readers: 1, waiting_bytes_max: 1 << 20, waiting_reads_max: 64 };
    let store = EmbeddedStore::open(&data_dir.join(KEYS_FILE), options)?;
    Ok(Keys::new(Rows::File(store), clock, random(), limits))
}

/// The system's random numbers.
pub fn random() -> Random {
    Arc::new(entropy::<64>)
}

/// Bytes that nobody can guess.
pub(super) fn entropy<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The key of the process that holds the folder, for those who may read it there. The process may be gone since.
pub fn local_key_of(data_dir: &Path) -> Option<Secret> {
    Secret::parse(fs::read_to_string(data_dir.join(LOCAL_FILE)).ok()?.trim())
}

/// Removed when the server ends in order.
pub(super) struct LocalFile {
    path: PathBuf,
}

impl LocalFile {
    /// Only the user who runs the server may read it.
    pub(super) fn write(data_dir: &Path, key: &Secret) -> Result<Self, Error> {
        let path = data_dir.join(LOCAL_FILE);
        let written = match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            // Made anew: an old file keeps the mode that somebody gave it.
            Ok(()) | Err(_) => OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path),
        };
        let told = written.and_then(|mut file| file.write_all(key.reveal().as_bytes()));
        told.map_err(|source| Error::Folder { dir: data_dir.to_owned(), source })?;
        Ok(Self { path })
    }
}

impl Drop for LocalFile {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}
