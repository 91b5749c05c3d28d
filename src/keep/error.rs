//! What can go wrong with a partition's state.

use std::{io, path::PathBuf};

/// Errors name the file, the place in it and what to do. After any of them the store is at its end: drop it and the
/// state, and open again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot {verb} {}", file.display())]
    Io { verb: &'static str, file: PathBuf, source: io::Error },
}
