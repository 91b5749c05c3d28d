use std::fs;

use tributary::{
    ids::{Next, Partition},
    keep::{Error, HashKey, Identity, Intake, Limits, Store, Verdict},
};

use super::toy::{IDENTITY, Replay, Task, Toy, in_memory, limits};

#[test]
fn what_was_released_is_there_after_a_restart() {
    let dir = in_memory();
    let mut replay = Replay::new();
    let mut from = 0;
    for to in [1, 500, 501, 9_000, 20_000] {
        let mut task = Task::open(dir.path()).unwrap();
        assert_eq!(task.at, from);
        assert_eq!(task.digest().unwrap(), replay.digest(Next(from)), "opened at {from}");
        task.run(to).unwrap();
        assert_eq!(task.digest().unwrap(), replay.digest(Next(to)), "folded to {to}");
        assert_eq!(task.store.durable(), Next(to));
        from = to;
    }
}

#[test]
fn what_was_not_released_is_cut_off_again_and_again() {
    let dir = in_memory();
    let mut replay = Replay::new();
    let mut position = 0;
    for round in 0..12 {
        let mut task = Task::open(dir.path()).unwrap();
        assert!(task.at >= position, "opened at {}, was at {position}", task.at);
        position = task.at;
        assert_eq!(task.digest().unwrap(), replay.digest(Next(position)), "round {round}");
        while task.at < position + 1_500 {
            task.step(29, 400).unwrap();
        }
        task.store.flush().unwrap();
        assert!(task.store.durable() < task.store.written());
        position = task.store.durable().0;
    }
    assert!(position > 3_000);
}

#[test]
fn a_release_counts_from_the_next_tick_on() {
    let dir = in_memory();
    let mut toy = Toy::default();
    let (mut store, _) = Store::open(dir.path(), IDENTITY, limits(), &mut toy).unwrap();
    for at in 0..10 {
        toy.fold(at);
    }
    store.commit(&mut toy, Next(10)).unwrap();
    store.flush().unwrap();
    store.release(Next(10));
    store.tick(&mut toy).unwrap();
    drop(store);
    assert_eq!(Store::open(dir.path(), IDENTITY, limits(), &mut toy).unwrap().1, Some(Next(10)));
}

#[test]
fn nothing_released_means_an_empty_state() {
    let dir = in_memory();
    let mut task = Task::open(dir.path()).unwrap();
    while task.at < 3_000 {
        task.step(50, 3_000).unwrap();
    }
    drop(task);
    let mut task = Task::open(dir.path()).unwrap();
    assert_eq!(task.at, 0);
    task.run(2_000).unwrap();
    drop(task);
    let mut task = Task::open(dir.path()).unwrap();
    assert_eq!((task.at, task.digest().unwrap()), (2_000, Replay::new().digest(Next(2_000))));
}

#[test]
fn files_that_nothing_needs_go() {
    let dir = in_memory();
    let mut task = Task::open(dir.path()).unwrap();
    task.run(20_000).unwrap();
    let before = sizes(dir.path());
    task.run(60_000).unwrap();
    let after = sizes(dir.path());
    // The ring is a few times the 140 KB of the Hot maps, whatever was written: 20 MB by now.
    assert!(after["journal"] < 700_000, "{} bytes of journal", after["journal"]);
    let (old, new) = (before["clicks"], after["clicks"]);
    assert!(new < old * 2, "{old} bytes of clicks at 20,000 events, {new} at 60,000");
    for gone in ["journal-000000000001.log", "clicks-00000000.log"] {
        assert!(!dir.path().join(gone).exists(), "{gone} is still there");
    }
    // Orders live for ever, but half of what is written of them is edits.
    let orders = u64::try_from(task.toy.orders.len()).unwrap() * (16 + 20 + 64);
    assert!(after["orders"] < orders * 5 / 2, "{} bytes for {orders} of orders", after["orders"]);
    assert!(!dir.path().join("orders-00000000.log").exists());
}

fn sizes(dir: &std::path::Path) -> std::collections::BTreeMap<String, u64> {
    let mut sizes = std::collections::BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if let Some((map, _)) = name.split_once('-') {
            *sizes.entry(map.to_owned()).or_default() += entry.metadata().unwrap().len();
        }
    }
    sizes
}

#[test]
fn a_folder_of_somebody_else_is_refused_and_says_what_to_do() {
    let dir = in_memory();
    Task::open(dir.path()).unwrap().run(100).unwrap();
    let refused = |identity: Identity| {
        let error = Store::open(dir.path(), identity, limits(), &mut Toy::default()).err().expect("refused");
        assert_eq!(error.verdict(), Verdict::Halt);
        error.to_string().replace(&dir.path().display().to_string(), "DIR")
    };
    expect_test::expect![[r#"the state in DIR belongs to topic 30313233343536373839616263646566, and partition 3 of this log to topic 00000000000000000000000000000000; point the worker at its own folder, or make it again: stop, remove the folder, start; the log is replayed"#]].assert_eq(&refused(Identity { topic: [0; 16], ..IDENTITY }));
    assert!(
        refused(Identity { partition: Partition(4), ..IDENTITY })
            .contains("belongs to partition 3, and partition 4 of this log to partition 4")
    );
    assert!(
        refused(Identity { generation: 2, ..IDENTITY })
            .contains("belongs to generation 1, and partition 3 of this log to generation 2")
    );
    expect_test::expect![[r#"the frame at byte 0 of DIR/journal-000000000001.log is of another fold; restore a snapshot, or rebuild: stop, remove the partition's folder, start; the log is replayed"#]].assert_eq(&refused(Identity { fingerprint: 1, ..IDENTITY }));
}

#[test]
fn a_folder_has_one_owner_at_a_time() {
    let dir = in_memory();
    let first = Task::open(dir.path()).unwrap();
    assert!(matches!(Task::open(dir.path()).err(), Some(Error::InUse { .. })));
    drop(first);
    Task::open(dir.path()).unwrap();
}

#[test]
fn intake_stops_at_a_limit_and_never_drops_state() {
    let dir = in_memory();
    let mut toy = Toy::default();
    let own = Limits { entities_of: vec![("members", 10)], ahead_bytes: 5_000, ..limits() };
    let (mut store, _) = Store::open(dir.path(), IDENTITY, own, &mut toy).unwrap();
    for at in 0..10 {
        toy.fold(at);
    }
    store.tick(&mut toy).unwrap();
    assert_eq!(store.intake(), Intake::Open);
    store.commit(&mut toy, Next(10)).unwrap();
    for at in 10..40 {
        toy.fold(at);
    }
    store.commit(&mut toy, Next(40)).unwrap();
    assert!(matches!(store.intake(), Intake::Full { map: "members", limit: 10, .. }));
    toy.members = Default::default();
    store.tick(&mut toy).unwrap();
    assert!(matches!(store.intake(), Intake::Paused { ahead_bytes } if ahead_bytes > 5_000));
    store.release(Next(40));
    assert_eq!(store.intake(), Intake::Open);
}

#[test]
fn an_id_depends_on_key_kind_owner_and_text() {
    let (one, two) = (HashKey::new([1; 16]), HashKey::new([2; 16]));
    let long = "x".repeat(200);
    let texts = ["", "a", "ab", &long[..64], &long[..65], &long];
    let mut ids = std::collections::HashSet::new();
    for text in texts {
        for (kind, owner) in [(0, 0), (0, 1), (1, 0)] {
            assert!(ids.insert(one.id(kind, owner, text.as_bytes())));
            assert!(ids.insert(two.id(kind, owner, text.as_bytes())));
            assert_eq!(one.id(kind, owner, text.as_bytes()), one.id(kind, owner, text.as_bytes()));
        }
    }
}

#[test]
fn a_sealed_file_is_verified_in_turn() {
    let dir = in_memory();
    let mut task = Task::open(dir.path()).unwrap();
    task.run(3_000).unwrap();
    let files = task.store.full_files();
    assert!(files > 10);
    let victim = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().path());
    let victim = victim.filter(|p| p.to_string_lossy().contains("orders-") && p.extension().unwrap() == "log").min();
    let victim = victim.unwrap();
    let mut bytes = fs::read(&victim).unwrap();
    bytes[1_000] ^= 1;
    fs::write(&victim, bytes).unwrap();
    let found = (0..files).find_map(|_| task.store.verify_next().and_then(|()| task.store.flush()).err());
    assert!(found.unwrap().to_string().contains(victim.to_str().unwrap()));
}
