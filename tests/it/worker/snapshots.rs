//! Copies of states in a snapshot store, and who begins from them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tempfile::TempDir;
use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::fold::FINGERPRINT;
use tributary::fold::state::State;
use tributary::ids::{Next, Partition};
use tributary::keep::archive::{Archive, Place};
use tributary::keep::export::Hashes;
use tributary::keep::{self, Identity};
use tributary::run::{Options, Program, Snapshots};

use super::dump::{assert_same, dump};
use super::programme::{records, spec};

const PATIENCE: Duration = Duration::from_secs(60);
const PARTITIONS: u32 = 4;

/// Copies as often as can be, into a folder.
pub(crate) fn into(folder: &Path) -> Option<Snapshots> {
    Some(Snapshots::new(Place::Folder(folder.to_owned()), Duration::from_millis(20)))
}

/// Positions of the snapshots of a partition, oldest first.
pub(crate) fn made(store: &Path, partition: Partition) -> Vec<Next> {
    let mut found: Vec<Next> = manifests(store, partition).into_iter().map(|(next, _)| next).collect();
    found.sort();
    found
}

fn manifests(store: &Path, partition: Partition) -> Vec<(Next, PathBuf)> {
    let Some(folder) = below(store, &format!("p{}", partition.0)) else { return Vec::new() };
    let entries = fs::read_dir(folder.join("manifests")).into_iter().flatten().flatten();
    let next = |path: &Path| path.file_name()?.to_str()?.parse().ok().map(Next);
    entries.filter_map(|entry| Some((next(&entry.path())?, entry.path()))).collect()
}

/// The folder of that name, however far below.
fn below(folder: &Path, name: &str) -> Option<PathBuf> {
    let folders = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    folders.into_iter().find_map(|path| if path.ends_with(name) { Some(path) } else { below(&path, name) })
}

/// Waits until there is a copy of each partition that holds all up to its end.
pub(crate) async fn copied(program: &Program, store: &Path, ends: &[(Partition, Next)]) {
    let clock = Clock::system();
    let newest = |partition| made(store, partition).last().copied().unwrap_or_default();
    while !ends.iter().all(|(partition, end)| newest(*partition) >= *end) {
        assert_eq!(program.progress.halted(), None);
        assert!(clock.monotonic() < PATIENCE, "{:?}", ends.iter().map(|(p, _)| made(store, *p)).collect::<Vec<_>>());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Where the tasks of this process began.
pub(crate) fn begun(program: &Program) -> Vec<Next> {
    program.progress.iter().map(|(_, progress)| Next(progress.started.load(Relaxed))).collect()
}

/// A data folder, and a snapshot store.
struct World {
    home: TempDir,
    all: Vec<Outgoing>,
}

impl World {
    fn new(seed: u64) -> Self {
        Self { home: tempfile::tempdir().unwrap(), all: records(&spec(24, 100, 3_000, seed), PARTITIONS) }
    }

    fn store(&self) -> PathBuf {
        self.home.path().join("store")
    }

    fn state(&self) -> PathBuf {
        self.home.path().join("data/state")
    }

    async fn open(&self, change: impl FnOnce(&mut Options)) -> Program {
        let mut options = Options::new(self.home.path().join("data"));
        options.snapshots = into(&self.store());
        change(&mut options);
        Program::open(options, Clock::system()).await.unwrap()
    }

    /// Folds the events given, and copies; where each partition ends.
    async fn fold(&self, events: &[Outgoing], change: impl FnOnce(&mut Options)) -> Vec<Next> {
        let mut program = self.open(change).await;
        program.start().unwrap();
        program.sink.append(events.to_vec()).await.unwrap();
        program.caught_up().await.unwrap();
        let ends = program.ends();
        if self.store().exists() {
            copied(&program, &self.store(), &ends).await;
        }
        program.stop().await.unwrap();
        ends.into_iter().map(|(_, end)| end).collect()
    }

    /// Goes on with the events given; where the tasks began. The rows are those of a plain run.
    async fn goes_on(&self, events: &[Outgoing], change: impl FnOnce(&mut Options)) -> Vec<Next> {
        let mut program = self.open(change).await;
        program.sink.append(events.to_vec()).await.unwrap();
        program.start().unwrap();
        program.caught_up().await.unwrap();
        let begun = begun(&program);
        let plain = tempfile::tempdir().unwrap();
        let mut alone = Program::open(Options::new(plain.path()), Clock::system()).await.unwrap();
        alone.start().unwrap();
        alone.sink.append(self.all.clone()).await.unwrap();
        alone.caught_up().await.unwrap();
        assert_same(&dump(&program).await, &dump(&alone).await, "with and without snapshots");
        let summary = program.verify(|difference| panic!("{difference:?}"), |_, _| {}).await.unwrap();
        assert_eq!(summary.differences, 0);
        program.stop().await.unwrap();
        alone.stop().await.unwrap();
        begun
    }
}

fn newest(world: &World) -> Vec<Next> {
    (0..PARTITIONS).map(|p| *made(&world.store(), Partition(p)).last().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_lost_its_disk_begins_from_the_newest_snapshot_and_folds_what_is_behind_it() {
    let world = World::new(31);
    let (before, after) = world.all.split_at(2_000);
    let ends = world.fold(before, |_| {}).await;
    assert!(ends.iter().all(|end| *end > Next(0)), "{ends:?}");
    for p in 0..PARTITIONS {
        assert!(!world.state().join(format!("p{p}/snapshot")).exists(), "hard links of a finished copy are removed");
    }
    fs::remove_dir_all(world.state()).unwrap();
    // What a process that was killed may leave.
    fs::create_dir_all(world.state().join("p1/restored.restoring/journal")).unwrap();
    assert_eq!(world.goes_on(after, |_| {}).await, ends);
    assert!(!world.state().join("p1/restored.restoring").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_snapshot_or_one_of_another_fold_is_passed_over_for_the_one_before() {
    let world = World::new(32);
    let (before, rest) = world.all.split_at(1_000);
    let (then, after) = rest.split_at(1_000);
    let first = world.fold(before, |_| {}).await;
    let second = world.fold(then, |_| {}).await;
    assert_eq!(newest(&world), second);
    let mut expected = first.clone();
    for (p, first) in (0..PARTITIONS).map(Partition).zip(&first) {
        for (_, path) in manifests(&world.store(), p).into_iter().filter(|(next, _)| next > first) {
            let mut bytes = fs::read(&path).unwrap();
            bytes[30] ^= 1;
            fs::write(path, bytes).unwrap();
        }
    }
    // Of p0 another fold's copies lie where this one's should: whole, and not to be opened.
    let between = Next(first[0].0 + 1);
    send_foreign(&world, between).await;
    assert!(between < second[0]);
    // Of p1 nothing is whole any more.
    let files = below(&world.store(), "p1").unwrap().join("files");
    for file in fs::read_dir(files).unwrap().flatten() {
        fs::write(file.path(), "nothing").unwrap();
    }
    expected[1] = Next(0);
    fs::remove_dir_all(world.state()).unwrap();
    assert_eq!(world.goes_on(after, |_| {}).await, expected);
}

async fn send_foreign(world: &World, at: Next) {
    let program = world.open(|_| {}).await;
    let topic = program.log.topic().id;
    let identity = Identity { topic, partition: Partition(0), generation: 1, fingerprint: FINGERPRINT + 1 };
    let (dir, mut state) = (world.home.path().join("foreign"), State::default());
    let (mut store, _) = keep::Store::open(&dir, identity, keep::Limits::default(), &mut state).unwrap();
    store.commit(&mut state, at).unwrap();
    store.release(at);
    store.snapshot(&dir.join("links")).unwrap();
    store.flush().unwrap();
    store.snapshot_result().unwrap().unwrap().unwrap();
    let archive = Archive::open(&Place::Folder(world.store())).unwrap();
    let ours = Identity { fingerprint: FINGERPRINT, ..identity };
    archive.send(&ours, &dir.join("links"), &mut Hashes::default()).await.unwrap();
    program.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_store_that_does_not_answer_costs_a_replay_and_nothing_else() {
    let world = World::new(33);
    let (before, after) = world.all.split_at(2_000);
    world.fold(before, |_| {}).await;
    fs::remove_dir_all(world.state()).unwrap();
    let topic = fs::read_dir(world.store()).unwrap().flatten().map(|entry| entry.path()).find(|path| path.is_dir());
    let topic = topic.unwrap();
    fs::remove_dir_all(&topic).unwrap();
    // Neither read nor written below it.
    fs::write(&topic, "no folder").unwrap();
    assert_eq!(world.goes_on(after, |_| {}).await, vec![Next(0); 4]);
    for p in 0..PARTITIONS {
        assert!(!world.state().join(format!("p{p}/snapshot")).exists(), "nor does a failed copy leave its links");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_that_is_further_on_or_nearly_as_far_is_kept_and_older_state_is_replaced() {
    let world = World::new(34);
    let (before, rest) = world.all.split_at(1_000);
    let (then, after) = rest.split_at(1_000);
    let kept = world.home.path().join("kept");
    let early = world.fold(before, |_| {}).await;
    copy(&world.state(), &kept);
    let late = world.fold(then, |_| {}).await;
    let restore_early = || {
        fs::remove_dir_all(world.state()).unwrap();
        copy(&kept, &world.state());
    };
    // Half of the events are in each of them: a snapshot that is no further on than this is no use.
    let least = early.iter().zip(&late).map(|(early, late)| late.0 - early.0).min().unwrap();
    let most = early.iter().zip(&late).map(|(early, late)| late.0 - early.0).max().unwrap();
    let worth = |worth| move |options: &mut Options| options.snapshots.as_mut().unwrap().worth_events = worth;
    let begun_with = async |worth: &dyn Fn(&mut Options)| {
        let mut program = world.open(|options| worth(options)).await;
        program.start().unwrap();
        program.caught_up().await.unwrap();
        let begun = begun(&program);
        program.stop().await.unwrap();
        begun
    };
    restore_early();
    assert_eq!(begun_with(&worth(most)).await, early, "replayed rather than fetched");
    restore_early();
    assert_eq!(begun_with(&worth(least - 1)).await, late, "fetched rather than replayed");
    // Nothing is copied while it goes further; nor does what a process that was killed has left stay for that.
    fs::create_dir_all(world.state().join("p0/snapshot")).unwrap();
    let last = world.goes_on(after, |options| options.snapshots = None).await;
    assert_eq!(last, late);
    assert!(!world.state().join("p0/snapshot").exists());
    assert_eq!(newest(&world), late);
    let ends = begun_with(&worth(0)).await;
    assert!(ends.iter().zip(&late).all(|(end, late)| end > late), "{ends:?}: its own state is further on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_is_not_taken_where_the_rows_that_go_with_it_were_lost() {
    let world = World::new(35);
    let (before, after) = world.all.split_at(2_000);
    world.fold(before, |_| {}).await;
    fs::remove_dir_all(world.state()).unwrap();
    fs::remove_file(world.home.path().join("data/projections.redb")).unwrap();
    assert_eq!(world.goes_on(after, |_| {}).await, vec![Next(0); 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_be_used_is_found_at_the_start() {
    let world = World::new(36);
    fs::write(world.store(), "no folder").unwrap();
    let mut program = world.open(|_| {}).await;
    let told = tributary::telemetry::with_causes(&program.check_snapshots().await.unwrap_err());
    assert!(told.contains("`snapshots.url`") && told.contains("/store"), "{told}");
    assert!(program.start().is_err());
    fs::remove_file(world.store()).unwrap();
    program.check_snapshots().await.unwrap();
    assert!(world.store().is_dir(), "a folder that does not exist is made");
    // Where it is tried whether it can be written, it cannot.
    fs::remove_file(world.store().join("tributary")).unwrap();
    fs::create_dir_all(world.store().join("tributary/in the way")).unwrap();
    let told = tributary::telemetry::with_causes(&program.check_snapshots().await.unwrap_err());
    assert!(told.contains("`snapshots.url`") && told.contains("cannot write"), "{told}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
