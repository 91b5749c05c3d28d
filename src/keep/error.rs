//! What can go wrong with a partition's state.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::ids::Partition;

/// Errors name the file, the place in it and what to do. After any of them the store is at its end: drop it with its
/// state, and open again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot {verb} {}; {}", file.display(), advice(source))]
    Io { verb: &'static str, file: PathBuf, source: io::Error },
    #[error("{} is damaged at byte {at} ({what}); {REBUILD}", file.display())]
    Damaged { file: PathBuf, at: u64, what: &'static str },
    #[error("{} is missing; {REBUILD}", file.display())]
    Missing { file: PathBuf },
    #[error("the frame at byte {at} of {} is of another fold; {REBUILD}", file.display())]
    OtherFold { file: PathBuf, at: u64 },
    #[error(
        "the state in {} belongs to {what} {has}, and partition {} of this log to {what} {wanted}; point the worker at \
         its own folder, or make it again: stop, remove the folder, start; the log is replayed", dir.display(), partition.0
    )]
    OtherOwner { dir: PathBuf, partition: Partition, what: &'static str, has: String, wanted: String },
    #[error("{} is in use by another process; stop it, or give this one a folder of its own", dir.display())]
    InUse { dir: PathBuf },
    #[error("map `{map}` in {} has used all its 4 billion places; give the log more partitions and rebuild", dir.display())]
    NoPlaces { map: &'static str, dir: PathBuf },
    #[error("the writer of {} has ended; drop the store and open it again", dir.display())]
    Ended { dir: PathBuf },
    #[error("nothing of {} is released yet; take the snapshot later", dir.display())]
    NothingReleased { dir: PathBuf },
    #[error("{} is not empty; restore into a folder of its own", dir.display())]
    NotEmpty { dir: PathBuf },
    #[error("cannot {verb} {object} in the snapshot store; check its address and credentials, it is tried again")]
    Snapshots { verb: &'static str, object: String, source: object_store::Error },
    #[error("the snapshot store did not answer within {} s; is it reachable from here?", waited.as_secs())]
    SnapshotsSilent { waited: std::time::Duration },
    #[error("`{url}` {what}; write file:///folder, or s3://bucket/prefix")]
    SnapshotsUrl { url: String, what: &'static str },
    #[error("{object} of the snapshot store is not what was put there; the snapshot before it is taken")]
    SnapshotDamaged { object: String },
}

const REBUILD: &str = "restore a snapshot, or rebuild: stop, remove the partition's folder, start; the log is replayed";

/// What the caller does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Drop the task and open again after a while: the cause may have gone.
    Retry,
    /// Stop and tell the operator.
    Halt,
}

impl Error {
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Io { .. } | Self::Ended { .. } | Self::InUse { .. } => Verdict::Retry,
            Self::NothingReleased { .. } | Self::Snapshots { .. } | Self::SnapshotDamaged { .. } => Verdict::Retry,
            Self::SnapshotsSilent { .. } => Verdict::Retry,
            Self::SnapshotsUrl { .. } => Verdict::Halt,
            Self::Damaged { .. } | Self::Missing { .. } | Self::OtherFold { .. } => Verdict::Halt,
            Self::OtherOwner { .. } | Self::NoPlaces { .. } | Self::NotEmpty { .. } => Verdict::Halt,
        }
    }
}

/// Names the verb and the file of an I/O error.
pub(super) trait Naming<T> {
    fn naming(self, verb: &'static str, file: &Path) -> Result<T, Error>;
}

impl<T> Naming<T> for io::Result<T> {
    fn naming(self, verb: &'static str, file: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Io { verb, file: file.to_owned(), source })
    }
}

fn advice(source: &io::Error) -> &'static str {
    if source.kind() == io::ErrorKind::StorageFull || source.kind() == io::ErrorKind::QuotaExceeded {
        "the disk is full: free some space, nothing is lost and the worker goes on by itself"
    } else if source.kind() == io::ErrorKind::FileTooLarge {
        "the file may not grow: raise the limit on file sizes, nothing is lost"
    } else if source.kind() == io::ErrorKind::ReadOnlyFilesystem || source.kind() == io::ErrorKind::PermissionDenied {
        "make the folder writable for this user, nothing is lost and the worker goes on by itself"
    } else if source.kind() == io::ErrorKind::CrossesDevices {
        "snapshots are hard links: choose a folder on the same file system as the state"
    } else {
        "check the disk, then start again; if it stays, restore a snapshot or rebuild"
    }
}
