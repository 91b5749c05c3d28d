//! Snapshots while folding, sent, fetched and pruned.

use std::{fs, path::Path};

use object_store::{ObjectStore, ObjectStoreExt, local::LocalFileSystem, memory::InMemory, path::Path as Object};
use tributary::{
    ids::{Millis, Next},
    keep::{Error, export},
};

use super::toy::{Replay, Task, in_memory};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
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

fn sent_and_fetched(store: &dyn ObjectStore) {
    let (home, prefix) = (in_memory(), Object::from("state/3"));
    let mut task = Task::open(&home.path().join("state")).unwrap();
    task.run(4_000).unwrap();
    for round in 0..5 {
        let linked = home.path().join(format!("snapshot {round}"));
        snapshot(&mut task, &linked);
        let before = block_on(names(store, "state/3/files"));
        let next = block_on(export::upload(store, &prefix, &linked)).unwrap();
        assert_eq!(block_on(export::upload(store, &prefix, &linked)).unwrap(), next);
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
        assert_eq!(block_on(export::restore(store, &prefix, &fetched)).unwrap(), Some(next));
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
    assert_eq!(block_on(export::restore(store, prefix, &fetched)).unwrap(), Some(expected));
    let mut task = Task::open(&fetched).unwrap();
    assert_eq!((task.at, task.digest().unwrap()), (expected.0, Replay::new().digest(expected)));
    assert!(matches!(block_on(export::restore(store, prefix, &fetched)), Err(Error::NotEmpty { .. })));
    // No file is left that a manifest names: begin at 0.
    for file in block_on(names(store, "state/3/files")) {
        block_on(store.delete(&Object::from(file))).unwrap();
    }
    assert_eq!(block_on(export::restore(store, prefix, &home.join("nothing"))).unwrap(), None);
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
