//! A flipped bit, a cut or a missing file: refused with the place, or equal; never different.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use tributary::{
    ids::Next,
    keep::{Error, Limits},
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::toy::{Replay, Task, in_memory, limits};

/// A store that has rolled, dropped, cleaned and reopened; and what is right at each position it may open at.
fn victim(dir: &Path) -> BTreeMap<u64, u64> {
    let mut nexts = vec![0];
    for to in [4_000, 9_000, 12_000] {
        let mut task = Task::open(dir).unwrap();
        while task.at < to {
            if task.step(43, 200).unwrap() {
                nexts.push(task.at);
            }
        }
    }
    nexts.sort_unstable();
    let mut replay = Replay::new();
    nexts.into_iter().map(|next| (next, replay.digest(Next(next)))).collect()
}

fn copy(from: &Path, to: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let copy = to.join(entry.file_name());
        fs::copy(entry.path(), &copy).unwrap();
        if entry.file_name() != "LOCK" {
            files.push(copy);
        }
    }
    files.sort();
    files
}

fn open_and_read(dir: &Path) -> Result<(u64, u64), Error> {
    let mut task = Task::open(dir)?;
    Ok((task.at, task.digest()?))
}

fn harm(trials: u64) {
    let dir = in_memory();
    let right = victim(dir.path());
    let (mut equal, mut refused) = (0, 0);
    for trial in 0..trials {
        let draw = |what: u64, below: usize| {
            usize::try_from(xxh3_64_with_seed(&trial.to_le_bytes(), what) % u64::try_from(below).unwrap()).unwrap()
        };
        let copied = in_memory();
        let files = copy(dir.path(), copied.path());
        let file = &files[draw(1, files.len())];
        let mut bytes = fs::read(file).unwrap();
        let at = draw(2, bytes.len().max(1));
        let done = match trial % 8 {
            0 => fs::remove_file(file).map(|()| "removed"),
            1 | 2 => fs::write(file, &bytes[..at]).map(|()| "cut"),
            3 => fs::write(file, [&bytes[..], &bytes[..at]].concat()).map(|()| "grown"),
            _ if bytes.is_empty() => Ok("empty"),
            _ => {
                bytes[at] ^= 1 << draw(3, 8);
                fs::write(file, &bytes).map(|()| "flipped")
            }
        };
        let what = format!("trial {trial}: {} {} at {at}", file.display(), done.unwrap());
        match open_and_read(copied.path()) {
            Ok((next, digest)) => {
                assert_eq!(right.get(&next), Some(&digest), "{what}: opened at {next}, and different");
                equal += 1;
            }
            Err(error) => {
                let named = error.to_string().contains(&copied.path().display().to_string());
                assert!(named, "{what}: {error} names no file");
                refused += 1;
            }
        }
    }
    assert!(equal > 0 && refused > 0, "{equal} equal, {refused} refused");
}

#[test]
fn damaged_files_are_refused_or_make_no_difference() {
    harm(150);
}

#[test]
#[ignore = "long"]
fn damaged_files_are_refused_or_make_no_difference_long() {
    harm(5_000);
}

#[test]
fn a_torn_end_is_cut_and_a_broken_middle_is_refused() {
    let dir = in_memory();
    let right = victim(dir.path());
    let journals = |dir: &Path| -> Vec<PathBuf> {
        let files = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
        let mut files: Vec<_> = files.filter(|p| p.to_string_lossy().contains("journal-")).collect();
        files.sort();
        files
    };
    let whole = fs::read(journals(dir.path()).last().unwrap()).unwrap();
    // The beginning of a frame behind the last whole one: what a crash in the middle of an append leaves.
    for torn in [1, 10, 63, 64, 65, 80] {
        let copied = in_memory();
        copy(dir.path(), copied.path());
        let last = journals(copied.path()).pop().unwrap();
        fs::write(&last, [&whole[..], &whole[..torn]].concat()).unwrap();
        let (next, digest) = open_and_read(copied.path()).unwrap();
        assert_eq!(right[&next], digest);
        // It goes on from there.
        let mut task = Task::open(copied.path()).unwrap();
        task.run(next + 500).unwrap();
        drop(task);
        assert_eq!(open_and_read(copied.path()).unwrap(), (next + 500, Replay::new().digest(Next(next + 500))));
    }
    let dir = in_memory();
    let mut task = Task::open_with(dir.path(), Limits { journal_bytes: 1 << 30, ..limits() }).unwrap();
    task.run(2_000).unwrap();
    drop(task);
    let first = journals(dir.path()).remove(0);
    let mut bytes = fs::read(&first).unwrap();
    bytes[100] ^= 4;
    fs::write(&first, bytes).unwrap();
    let message = open_and_read(dir.path()).unwrap_err().to_string();
    let message = message.replace(first.to_str().unwrap(), "FILE");
    expect_test::expect![[r#"FILE is damaged at byte 0 (a frame is broken and others follow it); restore a snapshot, or rebuild: stop, remove the partition's folder, start; the log is replayed"#]].assert_eq(&message);
}
