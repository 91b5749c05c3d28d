//! One redb file held by one process: how it is opened, locked and closed, and what its failures mean.
//!
//! Promise: a second process is refused by name, a full disk and a damaged file are told apart from all else.

mod joined;

use std::error::Error as StdError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use redb::backends::FileBackend;
use redb::{Builder, Database, StorageError};

pub(crate) use joined::Joined;

/// How a file is kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Memory for pages of the file.
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20 }
    }
}

/// An open file.
pub(crate) struct Disk {
    file: String,
    db: Database,
}

impl Disk {
    /// Creates the file when there is none.
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let file = path.display().to_string();
        let handle = lock(path, &file)?;
        let engine = |source: Box<dyn StdError + Send + Sync>| Error::Engine { file: file.clone(), source };
        let backend = FileBackend::new(handle).map_err(|error| engine(error.into()))?;
        let db = Builder::new()
            .set_cache_size(options.cache_bytes)
            .create_with_backend(backend)
            .map_err(|error| engine(error.into()))?;
        Ok(Self { file, db })
    }

    /// The path, for messages.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// Runs `work` on the open database.
    pub(crate) fn run<T>(&self, mut work: impl FnMut(&Database) -> Result<T, redb::Error>) -> Result<T, Error> {
        work(&self.db).map_err(|error| self.explain(error))
    }

    fn explain(&self, error: redb::Error) -> Error {
        match error {
            redb::Error::Io(source) if source.kind() == io::ErrorKind::StorageFull => {
                Error::Full { file: self.file.clone() }
            }
            redb::Error::Corrupted(what) => Error::Damaged { file: self.file.clone(), what },
            other => Error::Engine { file: self.file.clone(), source: Box::new(other) },
        }
    }
}

/// For closures given to [`Disk::run`] that find the contents wrong.
pub(crate) fn damaged(what: impl Into<String>) -> redb::Error {
    StorageError::Corrupted(what.into()).into()
}

fn lock(path: &Path, file: &str) -> Result<File, Error> {
    let open = |source| Error::Open { file: file.to_owned(), source };
    let handle = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(open)?;
    match handle.try_lock() {
        Ok(()) => handle.unlock().map_err(open).map(|()| handle),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { file: file.to_owned() }),
        Err(TryLockError::Error(source)) => Err(open(source)),
    }
}

/// What can go wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{file} is in use by another tributary process; stop that one or give this one another data folder")]
    InUse { file: String },
    #[error("cannot open {file}; check that its folder exists and may be written to")]
    Open { file: String, source: io::Error },
    #[error("{file} cannot grow: the disk is full; free some space")]
    Full { file: String },
    #[error("{file} is damaged ({what})")]
    Damaged { file: String, what: String },
    #[error("cannot use {file}")]
    Engine { file: String, source: Box<dyn StdError + Send + Sync> },
}

impl Error {
    /// The same failure once more, for another who waited.
    pub(crate) fn again(&self, file: &str) -> Self {
        let file = file.to_owned();
        match self {
            Self::InUse { .. } => Self::InUse { file },
            Self::Full { .. } => Self::Full { file },
            Self::Damaged { what, .. } => Self::Damaged { file, what: what.clone() },
            Self::Open { source, .. } => Self::Engine { file, source: source.to_string().into() },
            Self::Engine { source, .. } => Self::Engine { file, source: source.to_string().into() },
        }
    }
}
