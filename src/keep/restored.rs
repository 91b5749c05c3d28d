//! A snapshot that was fetched takes the place of what a folder holds: all of it or nothing, whenever it is killed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    Error,
    error::Naming,
    export::UNFINISHED,
    key::{self, sync_dir},
};

/// Below a state's folder: a whole snapshot that waits to take its place.
const RESTORED: &str = "restored";

/// Where a snapshot is fetched to for the state in `dir`, whoever has that open.
pub(super) fn waiting(dir: &Path) -> PathBuf {
    dir.join(RESTORED)
}

/// Puts the snapshot that waits, if one does, in the place of the state. The folder is locked, and closed. What is
/// begun is begun anew, as long as the snapshot is whole.
pub(super) fn install(dir: &Path) -> Result<(), Error> {
    let waiting = waiting(dir);
    let done = waiting.with_extension(UNFINISHED);
    if waiting.exists() {
        remove_state(dir)?;
        for entry in fs::read_dir(&waiting).naming("list", &waiting)? {
            let path = entry.naming("list", &waiting)?.path();
            let name = path.file_name().unwrap_or_default();
            fs::hard_link(&path, dir.join(name)).naming("link", &path)?;
        }
        sync_dir(dir)?;
        remove(&done)?;
        // In one step: from now on it is no whole snapshot any more.
        fs::rename(&waiting, &done).naming("rename", &waiting)?;
        sync_dir(dir)?;
    }
    remove(&done)
}

/// Takes all files of a state away, for one to be made anew. The folder is locked, and closed.
pub(super) fn remove_state(dir: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(dir).naming("list", dir)? {
        let entry = entry.naming("list", dir)?;
        if entry.file_name() != key::LOCK && entry.path().is_file() {
            fs::remove_file(entry.path()).naming("remove", &entry.path())?;
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        outcome => outcome.naming("remove", folder),
    }
}
