//! Snapshots while folding, sent, fetched and pruned.

use std::{fs, path::Path, sync::LazyLock};

use object_store::{ObjectStore, ObjectStoreExt, local::LocalFileSystem, memory::InMemory, path::Path as Object};
use tokio::runtime::{Builder, Runtime};
use tributary::{
    ids::{Millis, Next, Partition},
    keep::{
        Error, Identity,
        archive::{Archive, Place},
        export::{self, Hashes, Wanted},
    },
};

use super::toy::{IDENTITY, Replay, Task, in_memory};

/// Whichever is the newest.
pub(super) const NEWEST: Wanted = Wanted { identity: IDENTITY, above: Next(0), at_most: Next(u64::MAX) };

/// One for all: connections to a store live in it.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

/// Folds on while the writer links the files.
fn snapshot(task: &mut Task, dir: &Path) {
    task.store.snapshot(dir).unwrap();
    task.step(200, 50).unwrap();
    task.store.flush().unwrap();
    task.store.snapshot_result().unwrap().expect("done after a flush").unwrap();
}

async fn names(store: &dyn ObjectStore, folder: &str) -> Vec<String> {
    let listed = store.list_with_delimiter(Some(&Object::from(folder))).await;
    listed.map_or(Vec::new(), |l| l.objects.into_iter().map(|o| o.location.to_string()).collect())
}

fn now() -> Millis {
    // The objects of the test are written today, whatever day that is.
    let since = fs::metadata(std::env::current_exe().unwrap()).unwrap().accessed().unwrap();
    Millis(i64::try_from(since.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()).unwrap())
}

pub(super) fn sent_and_fetched(store: &dyn ObjectStore) {
    let (home, prefix) = (in_memory(), Object::from("state/3"));
    let mut task = Task::open(&home.path().join("state")).unwrap();
    task.run(4_000).unwrap();
    let mut known = Hashes::default();
    for round in 0..5 {
        let linked = home.path().join(format!("snapshot {round}"));
        snapshot(&mut task, &linked);
        let before = block_on(names(store, "state/3/files"));
        let sent = block_on(export::upload(store, &prefix, &linked, &mut known)).unwrap();
        let next = sent.next;
        let again = block_on(export::upload(store, &prefix, &linked, &mut known)).unwrap();
        assert_eq!((again.next, again.bytes), (next, 0));
        let after = block_on(names(store, "state/3/files"));
        let sent = after.iter().filter(|n| !before.contains(n)).count();
        assert!(round == 0 || sent < after.len() / 2, "{sent} of {} files sent again", after.len());
        // The original goes on, crashes, is cut: the snapshot stays what it is.
        let to = task.at + 700;
        while task.at < to {
            task.step(31, 90).unwrap();
        }
        drop(task);
        task = Task::open(&home.path().join("state")).unwrap();
        let fetched = home.path().join(format!("fetched {round}"));
        assert_eq!(block_on(export::restore(store, &prefix, &NEWEST, &fetched)).unwrap(), Some(next));
        let mut other = Task::open(&fetched).unwrap();
        assert_eq!((other.at, other.digest().unwrap()), (next.0, Replay::new().digest(next)));
        other.run(next.0 + 100).unwrap();
    }
    assert_eq!(block_on(export::prune(store, &prefix, now())).unwrap(), 0);
    let later = Millis(now().0 + 3 * Millis::DAY);
    assert!(block_on(export::prune(store, &prefix, later)).unwrap() > 2);
    assert_eq!(block_on(names(store, "state/3/manifests")).len(), 3);
    assert_eq!(block_on(export::prune(store, &prefix, later)).unwrap(), 0);
    damaged_is_passed_over(store, &prefix, home.path());
}

fn damaged_is_passed_over(store: &dyn ObjectStore, prefix: &Object, home: &Path) {
    let mut manifests = block_on(names(store, "state/3/manifests"));
    manifests.sort();
    let next = |name: &str| Next(name.rsplit('/').next().unwrap().parse().unwrap());
    let newest = Object::from(manifests.pop().unwrap());
    let bytes = block_on(async { store.get(&newest).await.unwrap().bytes().await.unwrap() });
    let mut flipped = bytes.to_vec();
    flipped[200] ^= 1;
    block_on(store.put(&newest, flipped.into())).unwrap();
    let fetched = home.join("passed over");
    let expected = next(manifests.last().unwrap());
    assert_eq!(block_on(export::restore(store, prefix, &NEWEST, &fetched)).unwrap(), Some(expected));
    let mut task = Task::open(&fetched).unwrap();
    assert_eq!((task.at, task.digest().unwrap()), (expected.0, Replay::new().digest(expected)));
    assert!(matches!(block_on(export::restore(store, prefix, &NEWEST, &fetched)), Err(Error::NotEmpty { .. })));
    // No file is left that a manifest names: begin at 0.
    for file in block_on(names(store, "state/3/files")) {
        block_on(store.delete(&Object::from(file))).unwrap();
    }
    assert_eq!(block_on(export::restore(store, prefix, &NEWEST, &home.join("nothing"))).unwrap(), None);
}

#[test]
fn a_snapshot_taken_while_folding_is_equal_wherever_it_is_restored() {
    let dir = in_memory();
    sent_and_fetched(&LocalFileSystem::new_with_prefix(dir.path()).unwrap());
    sent_and_fetched(&InMemory::new());
}

#[test]
fn a_snapshot_needs_something_released_and_an_empty_folder() {
    let home = in_memory();
    let mut task = Task::open(&home.path().join("state")).unwrap();
    let linked = home.path().join("linked");
    let result = |task: &mut Task| {
        task.store.snapshot(&linked).unwrap();
        task.store.flush().unwrap();
        task.store.snapshot_result().unwrap().unwrap()
    };
    assert!(matches!(result(&mut task), Err(Error::NothingReleased { .. })));
    task.run(100).unwrap();
    result(&mut task).unwrap();
    assert!(matches!(result(&mut task), Err(Error::NotEmpty { .. })));
    task.run(200).unwrap();
}

/// Snapshots of a state at some positions, in a folder.
fn archived(home: &Path, positions: &[u64]) -> (Archive, Vec<Next>) {
    let archive = Archive::open(&Place::Folder(home.join("archive/made"))).unwrap();
    let sent = send(&archive, home, positions);
    (archive, sent)
}

pub(super) fn send(archive: &Archive, home: &Path, positions: &[u64]) -> Vec<Next> {
    let mut task = Task::open(&home.join("state")).unwrap();
    let mut known = Hashes::default();
    let sent = positions.iter().map(|position| {
        task.run(*position).unwrap();
        let linked = home.join(format!("linked {position}"));
        snapshot(&mut task, &linked);
        block_on(archive.send(&IDENTITY, &linked, &mut known)).unwrap().next
    });
    sent.collect()
}

#[test]
fn only_a_snapshot_between_both_bounds_is_taken() {
    let home = in_memory();
    let (archive, sent) = archived(home.path(), &[1_000, 2_000, 3_000]);
    let newest = |above, at_most| block_on(archive.newest(&Wanted { above, at_most, ..NEWEST })).unwrap();
    assert_eq!(newest(Next(0), Next(u64::MAX)), Some(sent[2]));
    assert_eq!(newest(Next(0), sent[2]), Some(sent[2]));
    assert_eq!(newest(Next(0), Next(sent[2].0 - 1)), Some(sent[1]), "never beyond E");
    assert_eq!(newest(sent[1], Next(sent[2].0 - 1)), None, "what is there is as good");
    let state = home.path().join("other");
    let wanted = Wanted { at_most: Next(sent[1].0 - 1), ..NEWEST };
    assert_eq!(block_on(archive.fetch(&wanted, &state)).unwrap(), Some(sent[0]));
    assert_eq!(Task::open(&state).unwrap().at, sent[0].0);
}

#[test]
fn a_snapshot_takes_the_place_of_an_older_state_at_the_next_opening() {
    let home = in_memory();
    let (archive, sent) = archived(home.path(), &[1_000, 3_000]);
    let state = home.path().join("other");
    let mut task = Task::open(&state).unwrap();
    task.run(700).unwrap();
    // As the worker does it: the state stays open, and locked, until the snapshot is there.
    assert_eq!(block_on(archive.fetch(&NEWEST, &state)).unwrap(), Some(sent[1]));
    task.run(900).unwrap();
    drop(task);
    let mut task = Task::open(&state).unwrap();
    assert_eq!((task.at, task.digest().unwrap()), (sent[1].0, Replay::new().digest(sent[1])));
    assert!(!state.join("restored").exists() && !state.join("restored.restoring").exists());
    task.run(sent[1].0 + 500).unwrap();
    drop(task);
    assert!(Task::open(&state).unwrap().at > sent[1].0, "once");
}

#[test]
fn a_restored_snapshot_is_put_in_place_whole_wherever_that_was_broken_off() {
    let home = in_memory();
    let (archive, sent) = archived(home.path(), &[2_000]);
    let names = |dir: &Path| -> Vec<_> { fs::read_dir(dir).unwrap().map(|it| it.unwrap().file_name()).collect() };
    let fetched = home.path().join("fetched");
    block_on(archive.fetch(&NEWEST, &fetched)).unwrap();
    let files = names(&fetched.join("restored"));
    for done in 0..=files.len() {
        let state = home.path().join(format!("broken off {done}"));
        drop(Task::open(&state).unwrap());
        block_on(archive.fetch(&NEWEST, &state)).unwrap();
        // Some of the old files are gone, some of the new ones are there.
        fs::remove_file(state.join("KEY")).unwrap();
        for name in &files[..done] {
            let (from, to) = (state.join("restored").join(name), state.join(name));
            drop(fs::remove_file(&to));
            fs::hard_link(from, to).unwrap();
        }
        assert_eq!(Task::open(&state).unwrap().at, sent[0].0, "{done} files");
    }
    // Its last step was begun: what is left of it is no snapshot.
    let state = home.path().join("state");
    let at = Task::open(&state).unwrap().at;
    fs::create_dir(state.join("restored.restoring")).unwrap();
    fs::copy(fetched.join("restored/KEY"), state.join("restored.restoring/KEY")).unwrap();
    assert_eq!(Task::open(&state).unwrap().at, at);
    assert!(!state.join("restored.restoring").exists());
}

#[test]
fn snapshots_of_another_topic_generation_fold_or_partition_are_elsewhere_and_refused_where_they_were_copied_to() {
    let home = in_memory();
    let (archive, sent) = archived(home.path(), &[2_000]);
    let own = archive.of(&IDENTITY);
    assert_eq!(own.to_string(), "30313233343536373839616263646566/g1/f000000000000002a/p3");
    let others = [
        Identity { topic: [0; 16], ..IDENTITY },
        Identity { generation: 2, ..IDENTITY },
        Identity { partition: Partition(4), ..IDENTITY },
        Identity { fingerprint: 43, ..IDENTITY },
    ];
    let place = |of: &Object| home.path().join("archive/made").join(of.as_ref());
    for identity in others {
        let wanted = Wanted { identity, ..NEWEST };
        let state = home.path().join("other");
        assert_eq!(block_on(archive.fetch(&wanted, &state)).unwrap(), None, "{identity:?}");
        copy(&place(&own), &place(&archive.of(&identity)));
        let fetched = block_on(archive.fetch(&wanted, &state)).unwrap();
        if identity.fingerprint == IDENTITY.fingerprint {
            assert_eq!(fetched, None, "{identity:?}");
        } else {
            // The files do not tell the fold, but the frames do.
            assert_eq!(fetched, Some(sent[0]));
            let mut toy = super::toy::Toy::default();
            let opened = tributary::keep::Store::open(&state, identity, Default::default(), &mut toy);
            assert!(matches!(opened.map(drop), Err(Error::OtherFold { .. })));
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { fs::copy(entry.path(), to).map(drop).unwrap() }
    }
}

#[test]
fn snapshots_of_a_generation_go_with_it_and_no_others_do() {
    let home = in_memory();
    let (archive, sent) = archived(home.path(), &[1_000, 2_000]);
    let other = Identity { generation: 2, ..IDENTITY };
    let place = |of: &Object| home.path().join("archive/made").join(of.as_ref());
    copy(&place(&archive.of(&IDENTITY)), &place(&archive.of(&other)));
    assert!(block_on(archive.forget(other.topic, 2)).unwrap() > 4);
    assert_eq!(block_on(archive.newest(&Wanted { identity: other, ..NEWEST })).unwrap(), None);
    assert_eq!(block_on(archive.newest(&NEWEST)).unwrap(), Some(sent[1]));
    assert_eq!(block_on(archive.forget(other.topic, 2)).unwrap(), 0);
}

#[test]
fn an_address_that_cannot_be_is_refused_with_how_to_write_it() {
    let refused = |url: &str| Place::parse(url).unwrap_err().to_string();
    for (url, what) in [
        ("s3://", "names no bucket"),
        ("s3:///prefix", "names no bucket"),
        ("s3://Bucket_1", "a-z, 0-9, - and . alone"),
        ("s3://bucket/a//b", "has a prefix that cannot be"),
        ("file://relative/folder", "names no folder from / on"),
        ("file:///", "names no folder from / on"),
        ("/folder", "is neither file:// nor s3://"),
        ("gs://bucket", "is neither file:// nor s3://"),
    ] {
        let told = refused(url);
        assert!(told.contains(url) && told.contains(what) && told.contains("s3://bucket/prefix"), "{told}");
    }
    assert_eq!(Place::parse("file:///a/b").unwrap(), Place::Folder("/a/b".into()));
    let bucket = |name: &str, prefix: &str| Place::Bucket { name: name.to_owned(), prefix: Object::from(prefix) };
    assert_eq!(Place::parse("s3://a-bucket.x").unwrap(), bucket("a-bucket.x", ""));
    assert_eq!(Place::parse("s3://a-bucket/some/where/").unwrap(), bucket("a-bucket", "some/where"));
}
