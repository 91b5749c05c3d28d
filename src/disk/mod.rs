//! One redb file held by one process: how it is opened, locked, checked and reopened, and what its failures mean.
//!
//! Promise: a second process is refused by name; what is read is what was written, or an error; a full disk is told
//! apart from all else and is over when there is room again. Transactions must set `quick_repair`: `begin_write`.

mod behind;
mod guard;
mod head;
mod joined;
pub(crate) mod lock;

use std::error::Error as StdError;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use redb::{Builder, Database, DatabaseError, Durability, StorageError, WriteTransaction};

pub(crate) use behind::stand_back;
use guard::{Fault, Guard, Watch, fault_of};
pub(crate) use joined::Joined;

/// How a file is kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Memory for pages of the file.
    pub cache_bytes: usize,
    /// The file takes no more than this, as if the disk ended there.
    pub bytes_max: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 16 << 20, bytes_max: None }
    }
}

/// An open file.
pub(crate) struct Disk {
    name: String,
    options: Options,
    /// Locked as long as it is open.
    file: Arc<File>,
    current: RwLock<Current>,
}

/// The engine on the file. It refuses everything after a failure; another then takes its place.
#[derive(Clone)]
struct Current {
    db: Arc<Database>,
    watch: Arc<Watch>,
}

impl Disk {
    /// Creates the file when there is none.
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let name = path.display().to_string();
        if !path.exists() {
            create(path, options)?;
        }
        let file = Arc::new(lock(path, &name)?);
        let current = start(&file, options).map_err(|error| explain(&name, error, None))?;
        Ok(Self { name, options, file, current: RwLock::new(current) })
    }

    /// The path, for messages.
    pub(crate) fn file(&self) -> &str {
        &self.name
    }

    /// Runs `work` on the open database, and once more on a fresh one if an earlier failure is still in the way: `work`
    /// must come to the same when it is done twice.
    pub(crate) fn run<T>(&self, mut work: impl FnMut(&Database) -> Result<T, redb::Error>) -> Result<T, Error> {
        let current = self.current();
        match work(&current.db) {
            Err(redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::LockPoisoned(_)) => {
                let current = self.restart(&current)?;
                work(&current.db).map_err(|error| self.explain(error, &current))
            }
            done => done.map_err(|error| self.explain(error, &current)),
        }
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn restart(&self, failed: &Current) -> Result<Current, Error> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current.db, &failed.db) {
            // What is left of the old engine must not touch the file any more.
            failed.watch.retire();
            *current =
                start(&self.file, self.options).map_err(|error| explain(&self.name, error, failed.watch.fault()))?;
        }
        Ok(current.clone())
    }

    fn explain(&self, error: redb::Error, current: &Current) -> Error {
        explain(&self.name, error, current.watch.fault())
    }
}

/// A transaction that is on the disk when it is committed, and that keeps a restart after a crash short.
pub(crate) fn begin_write(db: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut write = db.begin_write()?;
    write.set_durability(Durability::Immediate)?;
    write.set_quick_repair(true);
    Ok(write)
}

/// For closures given to [`Disk::run`] that find the contents wrong.
pub(crate) fn damaged(what: impl Into<String>) -> redb::Error {
    StorageError::Corrupted(what.into()).into()
}

/// A file under its name is a whole one: it is made beside, then named.
fn create(path: &Path, options: Options) -> Result<(), Error> {
    let mut beside = PathBuf::from(path).into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let name = beside.display().to_string();
    let open = |source| Error::Open { file: name.clone(), source };
    let file = lock(&beside, &name)?;
    // Who had the lock before may have named the file meanwhile: then it is theirs.
    if path.exists() {
        return Ok(());
    }
    file.set_len(0).map_err(open)?;
    let file = Arc::new(file);
    drop(start(&file, options).map_err(|error| explain(&name, error, None))?);
    file.sync_all().map_err(open)?;
    std::fs::rename(&beside, path).map_err(open)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(open)
}

/// Makes the file and holds it, for a folder that no other file keeps for one process.
pub(crate) fn hold(path: &Path) -> Result<File, Error> {
    lock(path, &path.display().to_string())
}

fn lock(path: &Path, name: &str) -> Result<File, Error> {
    let open = |source| Error::Open { file: name.to_owned(), source };
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(open)?;
    if lock::within_a_second(&file).map_err(open)? {
        Ok(file)
    } else {
        Err(Error::InUse { file: name.to_owned(), holder: holder(&file) })
    }
}

/// Who holds the lock, where the system tells.
fn holder(file: &File) -> String {
    let inode = file.metadata().map_or(0, |metadata| metadata.ino());
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let found = locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(4);
        let (process, place) = (words.next()?, words.next()?);
        place.ends_with(&format!(":{inode}")).then(|| format!("process {process}"))
    });
    found.unwrap_or_else(|| "its number is not known here".to_owned())
}

fn start(file: &Arc<File>, options: Options) -> Result<Current, redb::Error> {
    let watch = Arc::new(Watch::default());
    let guard = Guard::new(Arc::clone(file), Arc::clone(&watch), options.bytes_max)?;
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    let db = builder.create_with_backend(guard).map_err(|error| match (error, watch.fault()) {
        (DatabaseError::Storage(StorageError::PreviousIo), Some(Fault::Damaged(what))) => damaged(what),
        (error, _) => error.into(),
    })?;
    Ok(Current { db: Arc::new(db), watch })
}

fn explain(name: &str, error: redb::Error, earlier: Option<Fault>) -> Error {
    let file = name.to_owned();
    // The engine has many more errors, and may get others: none of them is of the disk.
    let fault = if let redb::Error::Io(source) = &error {
        Some(fault_of(source))
    } else if let redb::Error::Corrupted(what) = &error {
        Some(Fault::Damaged(what.clone()))
    } else {
        earlier.filter(|_| matches!(error, redb::Error::PreviousIo))
    };
    match fault {
        Some(Fault::Full) => Error::Full { file },
        Some(Fault::Damaged(what)) => Error::Damaged { file, what },
        Some(Fault::Other) | None => Error::Engine { file, source: Box::new(error) },
    }
}

/// What can go wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "{file} is in use by another tributary process ({holder}); stop that one, or give this one another data folder"
    )]
    InUse { file: String, holder: String },
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
            Self::InUse { holder, .. } => Self::InUse { file, holder: holder.clone() },
            Self::Full { .. } => Self::Full { file },
            Self::Damaged { what, .. } => Self::Damaged { file, what: what.clone() },
            Self::Open { source, .. } => Self::Engine { file, source: source.to_string().into() },
            Self::Engine { source, .. } => Self::Engine { file, source: source.to_string().into() },
        }
    }
}
