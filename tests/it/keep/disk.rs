//! A full disk and a read-only one: a message that says what to do, nothing lost, on it goes when the cause is gone.

use std::{fs, path::Path, process::Command};

use tributary::{
    ids::Next,
    keep::{Error, Verdict},
};

use super::toy::{Replay, Task};

/// A file system of a few MiB of its own.
struct Small(tempfile::TempDir);

impl Small {
    /// `None`, loudly, where nobody may mount.
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(dir.path()).output();
        if mounted.is_ok_and(|o| o.status.success()) {
            return Some(Self(dir));
        }
        eprintln!("\n!!! NOT TESTED: a tmpfs cannot be mounted here, so full and read-only disks were not tried\n");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn free(&self) -> usize {
        let stat = rustix::fs::statvfs(self.path()).unwrap();
        usize::try_from(stat.f_bavail * stat.f_frsize).unwrap()
    }

    fn remount(&self, how: &str) {
        let done = Command::new("mount").args(["-o", how]).arg(self.path()).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

fn fold_until_it_fails(task: &mut Task) -> Error {
    for _ in 0..100_000 {
        if let Err(error) = task.step(50, 0).and_then(|_| task.store.flush()) {
            return error;
        }
    }
    panic!("the disk never filled")
}

#[test]
fn a_full_disk_ends_the_store_and_an_emptier_one_takes_it_up_again() {
    let Some(small) = Small::mount() else { return };
    let (dir, filler) = (small.path().join("state"), small.path().join("filler"));
    let mut replay = Replay::new();
    let mut position = 0;
    for round in 0..6_usize {
        // A different byte of a different file is the last one that fits.
        fs::write(&filler, vec![7; small.free() - 150_000 - 1_777 * round]).unwrap();
        let mut task = match Task::open(&dir) {
            Ok(task) => task,
            Err(error) => {
                assert!(error.to_string().contains("the disk is full: free some space"), "{error}");
                fs::remove_file(&filler).unwrap();
                Task::open(&dir).unwrap()
            }
        };
        assert!(task.at >= position);
        position = task.at;
        assert_eq!(task.digest().unwrap(), replay.digest(Next(position)));
        if filler.exists() {
            let error = fold_until_it_fails(&mut task);
            assert_eq!(error.verdict(), Verdict::Retry);
            let message = error.to_string();
            assert!(message.contains("the disk is full: free some space"), "{message}");
            assert!(message.contains(dir.to_str().unwrap()), "{message}");
            // It stays at its end.
            assert!(task.store.tick(&mut task.toy).is_err());
            position = task.store.durable().0;
        }
        drop(task);
        fs::remove_file(&filler).unwrap_or_default();
        let mut task = Task::open(&dir).unwrap();
        assert!(task.at >= position, "round {round}: at {}, was {position}", task.at);
        position = task.at;
        assert_eq!(task.digest().unwrap(), replay.digest(Next(position)), "round {round}");
        task.run(position + 300).unwrap();
        position += 300;
    }
}

#[test]
fn a_read_only_folder_is_refused_until_it_is_writable() {
    let Some(small) = Small::mount() else { return };
    let dir = small.path().join("state");
    Task::open(&dir).unwrap().run(700).unwrap();
    small.remount("remount,ro");
    let message = Task::open(&dir).err().expect("nothing can be written").to_string();
    assert!(message.contains("make the folder writable"), "{message}");
    small.remount("remount,rw");
    let mut task = Task::open(&dir).unwrap();
    assert_eq!((task.at, task.digest().unwrap()), (700, Replay::new().digest(Next(700))));
}
