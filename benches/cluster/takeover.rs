//! How long a partition stands still when its worker leaves, comes, or is killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tributary::ids::{CreatorId, Partition};
use tributary::keep::archive;
use tributary::run::{Program, Snapshots};
use tributary::simulate::Simulation;

use crate::place::{PARTITIONS, Place, Rows, append, unique};
use crate::programme::{Elsewhere, of_event, spec};
use crate::report::figure;
use crate::watch::{Appended, Watcher};

/// Events a second meanwhile, in so many appends.
const RATE: usize = 2_000;
const TICKS: usize = 50;
/// How long it is watched after something has happened.
const WATCHED: Duration = Duration::from_secs(45);
/// How often states are copied.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(20);
/// Without a word of its own a worker counts as gone after it.
const SESSION: Duration = Duration::from_secs(10);

pub async fn run(events: u64) {
    let name = unique("takeover");
    let place = Place::of(&name, &name);
    place.set_up(Rows::Cassandra).await;
    let dirs = [(); 4].map(|()| tempfile::tempdir_in(".").unwrap());
    let store = tempfile::tempdir_in(".").unwrap();
    let path = |n: usize| dirs[n].path();
    // It is only asked, and appends.
    let asked = Arc::new(place.open(Rows::Cassandra, path(3), |_| {}).await);
    let start = Instant::now();
    let mut one = Worker::start(&name, path(0), store.path());
    let mut some = Vec::new();
    for record in Elsewhere::large(events) {
        some.push(record);
        if some.len() == 4_096 {
            append(&asked, std::mem::take(&mut some)).await;
        }
    }
    append(&asked, some).await;
    until_written(&asked).await;
    let rate = events as f64 / start.elapsed().as_secs_f64();
    figure(
        &format!("{events} events to Cassandra from a worker that begins with them"),
        format!("{rate:.0} events/s"),
        "",
    );
    until_copied(store.path(), start.elapsed()).await;

    let appending = tokio::spawn(keep_appending(Arc::clone(&asked)));
    let watch = || Watcher::start(asked.store.clone(), Duration::from_millis(20));
    let pause = async |what: &str, wanted: &str, watcher: Watcher| {
        tokio::time::sleep(WATCHED).await;
        let pause = longest_pause(&watcher.stop().await);
        figure(&format!("{what}, {events} events behind"), format!("{:.1} s", pause.as_secs_f64()), wanted);
    };
    tokio::time::sleep(Duration::from_secs(5)).await;
    pause("longest time without new rows of a partition, nothing happens", "", watch()).await;
    let watcher = watch();
    let two = Worker::start(&name, path(1), store.path());
    pause("… a second worker with an empty folder comes", "≤ 2 s", watcher).await;
    let watcher = watch();
    two.stop();
    pause("… it goes again", "≤ 2 s", watcher).await;
    let watcher = watch();
    one.kill();
    one = Worker::start(&name, path(0), store.path());
    pause("… the only worker is killed with kill -9 and started again on its folder", &seconds(5), watcher).await;
    tokio::time::sleep(SNAPSHOT_EVERY).await;
    let watcher = watch();
    one.kill();
    let three = Worker::start(&name, path(2), store.path());
    pause("… it is killed with kill -9, and one with an empty folder takes over from snapshots", &seconds(20), watcher)
        .await;
    appending.abort();
    three.stop();
}

/// The longest time in which nothing more of a partition was applied, of any that were seen; the watch began when something
/// happened, and its first look sees all that was there before.
fn longest_pause(seen: &Appended) -> Duration {
    let now = Instant::now();
    let of = |p: u32| {
        let times = seen.iter().filter(|(of, _, _)| *of == Partition(p)).map(|(_, _, at)| *at);
        let times: Vec<_> = times.chain([now]).collect();
        times.windows(2).map(|pair| pair[1].saturating_duration_since(pair[0])).max().expect("rows from the start")
    };
    (0..PARTITIONS).map(of).max().unwrap_or_default()
}

fn seconds(more: u64) -> String {
    format!("≤ {} s", SESSION.as_secs() + more)
}

async fn until_written(asked: &Program) {
    loop {
        let places = asked.places().await;
        if places.is_ok_and(|places| places.iter().all(|place| place.fast.min(place.slow) >= place.end)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Until each partition has been copied once more, as far as that can be told from outside.
async fn until_copied(store: &Path, at_least: Duration) {
    let files = || walk(store).len();
    let mut before = 0;
    tokio::time::sleep(SNAPSHOT_EVERY.max(at_least / 20)).await;
    while files() == 0 || files() != before {
        before = files();
        tokio::time::sleep(SNAPSHOT_EVERY * 2).await;
    }
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// Under creators of its own: to others the events would be no news.
async fn keep_appending(asked: Arc<Program>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::try_from(TICKS).unwrap());
    let mut records = Simulation::new(&spec(20, 10_000, 10_000_000));
    loop {
        let some = records.by_ref().take(RATE / TICKS).map(|record| {
            let mut event = record.event();
            let creator = format!("{}-later", event.creator_id.0);
            event.creator_id = CreatorId(&creator);
            of_event(&event, record.arrival, PARTITIONS)
        });
        let some = some.collect();
        ticks.tick().await;
        append(&asked, some).await;
    }
}

/// A process that folds until its standard input ends.
struct Worker {
    process: Child,
    input: ChildStdin,
}

impl Worker {
    fn start(name: &str, dir: &Path, store: &Path) -> Self {
        let exe = std::env::current_exe().unwrap();
        let mut command = Command::new(exe);
        command.args(["worker", name]).args([dir, store]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut process = command.spawn().unwrap();
        let input = process.stdin.take().unwrap();
        Self { process, input }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn stop(mut self) {
        drop(self.input);
        assert!(self.process.wait().unwrap().success());
    }
}

/// The process of a [`Worker`]: a name, a data folder, a snapshot store.
pub async fn worker([name, dir, store]: &[String; 3]) {
    let place = Place::of(name, name);
    let mut program = place
        .open(Rows::Cassandra, Path::new(dir), |options| {
            let place = archive::Place::Folder(Path::new(store).to_owned());
            options.snapshots = Some(Snapshots::new(place, SNAPSHOT_EVERY));
        })
        .await;
    program.start().unwrap();
    let over = tokio::task::spawn_blocking(|| BufReader::new(std::io::stdin()).lines().count());
    over.await.unwrap();
    program.stop().await.unwrap();
}
