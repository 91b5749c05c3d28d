//! kill -9 anywhere: the child folds into a store, the parent kills it and looks.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use tributary::ids::Next;

use super::toy::{Replay, Task, in_memory};

const DIR: &str = "TRIBUTARY_KEEP_KILL_DIR";

/// Not a test of its own: what the tests below start and kill. Without the variable it does nothing.
#[test]
fn the_child_that_is_killed() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let mut task = Task::open(Path::new(&dir)).unwrap();
    let mut out = std::io::stdout();
    let mut turn = 0;
    loop {
        turn += 1;
        if task.step(1 + turn * 7 % 61, turn * 13 % 500).unwrap() {
            // What is told here was on disk before.
            writeln!(out, "durable {}", task.store.durable().0).unwrap();
        } else if turn % 17 == 0 {
            task.store.mark().unwrap();
        }
    }
}

fn kill_again_and_again(kills: u64) {
    let dir = in_memory();
    let mut replay = Replay::new();
    let mut position = 0;
    for round in 0..kills {
        let told = run_and_kill(dir.path(), round);
        let mut task = Task::open(dir.path()).unwrap();
        assert!(task.at >= told.max(position), "round {round}: at {}, told {told}, was {position}", task.at);
        position = task.at;
        assert_eq!(task.digest().unwrap(), replay.digest(Next(position)), "round {round}, position {position}");
    }
    assert!(position > kills * 20, "the child came as far as {position} only");
}

/// The greatest position that the child told to be durable.
fn run_and_kill(dir: &Path, round: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "keep::kill::the_child_that_is_killed", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let draw = |what: u64, below: u64| xxhash_rust::xxh3::xxh3_64_with_seed(&round.to_le_bytes(), what) % below;
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let told = |line: String| line.strip_prefix("durable ").map(|n| n.parse::<u64>().unwrap());
    let mut durable = 0;
    let mut left = 1 + draw(1, 12);
    while left > 0 {
        let line = lines.next().expect("the child goes on until it is killed");
        if let Some(next) = told(line) {
            durable = next;
            left -= 1;
        }
    }
    // A moment that has nothing to do with what was told.
    for _ in 0..draw(2, 3_000_000) {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    lines.filter_map(told).last().unwrap_or(durable)
}

#[test]
fn killed_anywhere_it_is_what_a_replay_makes_of_the_position() {
    kill_again_and_again(25);
}

#[test]
#[ignore = "long"]
fn killed_anywhere_it_is_what_a_replay_makes_of_the_position_long() {
    kill_again_and_again(400);
}
