//! The lock on a file that one process holds.

use std::fs::{File, TryLockError};
use std::io;
use std::thread::sleep;
use std::time::Duration;

const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// Whether the lock was had within a second: an owner that is just ending, or a child between fork and exec, holds it
/// for a moment more. It goes with the file, and with the process.
pub(crate) fn within_a_second(file: &File) -> io::Result<bool> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => sleep(PAUSE),
            Err(TryLockError::Error(source)) => return Err(source),
        }
    }
    Ok(false)
}
