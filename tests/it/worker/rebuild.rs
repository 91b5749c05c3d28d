//! A generation made anew beside the live one: the same rows, no second outputs, and whatever happens meanwhile.

mod boards;
mod named;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::consume::{Batch, Limits, Stream};
use tributary::fold::FINGERPRINT;
use tributary::fold::state::State as FoldState;
use tributary::ids::{Next, Partition};
use tributary::keep::{self, Identity};
use tributary::project::tables;
use tributary::run::{Error, Options, Program};
use tributary::store::embedded::EmbeddedStore;
use tributary::store::{Doors, Row};
use tributary::web::{Ask, GenerationStatus, Refusal, Role, State, Status};
use tributary::worker::scan;

use super::programme::{START, records, spec};

fn options(dir: &Path) -> Options {
    let ms = Duration::from_millis;
    let mut options = Options::new(dir);
    (options.pace.fast, options.pace.slow, options.pace.catching_up) = (ms(3), ms(7), ms(11));
    (options.pace.emit, options.pace.emit_idle, options.pace.commit) = (ms(2), ms(5), ms(4));
    options.rebuild_events_per_s = 0;
    options
}

async fn open(dir: &Path) -> Program {
    open_with(options(dir)).await
}

async fn open_with(options: Options) -> Program {
    let mut engine = Program::open(options, Clock::system()).await.unwrap();
    engine.start().unwrap();
    engine
}

async fn ask(engine: &Program, ask: Ask) -> Status {
    engine.generations()(ask).await.unwrap()
}

async fn refused(engine: &Program, ask: Ask) -> String {
    match engine.generations()(ask).await {
        Err(Refusal::NotNow(why)) => why,
        other => panic!("{ask:?} was not refused: {other:?}"),
    }
}

fn one(status: &Status, role: Role) -> Option<&GenerationStatus> {
    status.generations.iter().find(|one| one.role == role)
}

/// Waits until the generation of `role` is in a state that will do.
async fn until(engine: &Program, role: Role, mut will_do: impl FnMut(&GenerationStatus) -> bool) -> GenerationStatus {
    let waiting = async {
        loop {
            let status = ask(engine, Ask::Status).await;
            if let Some(found) = one(&status, role).filter(|one| will_do(one)) {
                return found.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), waiting).await.expect("it comes to that")
}

async fn ready(engine: &Program) -> GenerationStatus {
    until(engine, Role::Building, |one| {
        assert!(one.why.is_none(), "{one:?}");
        one.state == State::Ready
    })
    .await
}

/// Every row of a generation but the positions, in order.
async fn rows(store: &impl tributary::store::Store, partitions: u32) -> Vec<Row> {
    let mut all = Vec::new();
    for p in (0..partitions).map(Partition) {
        let months = scan::months(store, p).await.unwrap();
        for table in tables::ALL.into_iter().filter(|table| table.id != tables::APPLIED.id) {
            all.extend(scan::table(store, table, p, months.clone()).await.unwrap());
        }
    }
    all
}

async fn differences_from_the_log(engine: &Program) -> u64 {
    engine.verify(|difference| panic!("{difference:?}"), |_, _| {}).await.unwrap().differences
}

/// Dead letters that left, with the place of what they are about.
fn letters(engine: &Program) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for p in (0..engine.log.topic().partitions).map(Partition) {
        let mut batch = Batch::default();
        engine.log.file().unwrap().read(Stream::DeadLetters, p, Next(0), &Limits::default(), &mut batch).unwrap();
        found.extend(batch.iter().map(|record| record.value.to_vec()));
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_under_live_input_gives_the_same_rows_and_they_stay_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let partitions = engine.log.topic().partitions;
    let all = records(&spec(5, 80, 24_000, 21), partitions);
    let (before, meanwhile) = all.split_at(12_000);
    engine.sink.append(before.to_vec()).await.unwrap();
    engine.caught_up().await.unwrap();
    let live = ask(&engine, Ask::Rebuild { rate: None }).await;
    assert_eq!((live.live, one(&live, Role::Building).unwrap().generation), (1, 2));
    let why = refused(&engine, Ask::Rebuild { rate: None }).await;
    assert!(why.contains("generation 2 is in the making already"), "{why}");

    // More comes as long as it is in the making.
    let mut chunks = meanwhile.chunks(100);
    let (mut appended, mut is_ready) = (0, false);
    for chunk in chunks.by_ref() {
        engine.sink.append(chunk.to_vec()).await.unwrap();
        appended += 1;
        let status = ask(&engine, Ask::Status).await;
        is_ready |= one(&status, Role::Building).is_some_and(|one| one.state == State::Ready);
        if is_ready && appended > 40 {
            break;
        }
    }
    let made = ready(&engine).await;
    assert_eq!(made.differences, Some(0), "{made:?}");
    assert!(made.compared.iter().map(|table| table.rows).sum::<u64>() > 500, "{made:?}");

    // Both follow the log, and hold the same.
    for chunk in chunks {
        engine.sink.append(chunk.to_vec()).await.unwrap();
    }
    engine.caught_up().await.unwrap();
    until(&engine, Role::Building, |one| one.position == one.log_end).await;
    let (old, new) = (rows(&engine.store, partitions).await, rows(&engine.store.of(2), partitions).await);
    assert!(old == new, "{} and {} rows", old.len(), new.len());
    assert_eq!(ask(&engine, Ask::Switch { force: false }).await.live, 2);
    assert_eq!(engine.live().now().number, 2);
    assert_eq!(differences_from_the_log(&engine).await, 0);
    engine.stop().await.unwrap();
}

/// No event at all: it becomes a dead letter.
fn garbage(n: u32, partitions: u32) -> Outgoing {
    let partition = Partition(n % partitions);
    let value = Bytes::from(format!("no event {n}"));
    Outgoing { stream: Stream::Events, partition, timestamp: START, key: Bytes::from_static(b"c"), value }
}

/// How many letters are about what [`garbage`] made; the programme makes some of its own.
fn of_garbage(letters: &[Vec<u8>]) -> u32 {
    let is_ours = |letter: &&Vec<u8>| letter.windows(9).any(|window| window == b"no event ");
    u32::try_from(letters.iter().filter(is_ours).count()).unwrap()
}

/// E is the end of the log everywhere.
async fn emitted(engine: &Program) {
    let waiting = async {
        let is_out = |(p, end): &(Partition, Next)| engine.log.committed(*p).unwrap().unwrap_or_default() >= *end;
        while !engine.ends().iter().all(is_out) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("outputs leave");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_output_leaves_once_whichever_generation_puts_it_out() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let partitions = engine.log.topic().partitions;
    let mut sent = 0;
    let mut send = async || {
        let some: Vec<_> = (sent..sent + 40).map(|n| garbage(n, partitions)).collect();
        sent += 40;
        engine.sink.append(some).await.unwrap();
        sent
    };
    engine.sink.append(records(&spec(3, 20, 3_000, 4), partitions)).await.unwrap();
    send().await;
    engine.caught_up().await.unwrap();
    emitted(&engine).await;
    ask(&engine, Ask::Rebuild { rate: None }).await;
    send().await;
    ready(&engine).await;
    send().await;
    ask(&engine, Ask::Switch { force: false }).await;
    send().await;
    // The former one, which still put them out, goes; the other goes on.
    ask(&engine, Ask::Drop).await;
    let sent = send().await;
    engine.caught_up().await.unwrap();
    emitted(&engine).await;
    let found = letters(&engine);
    let mut once = found.clone();
    once.dedup();
    assert_eq!((of_garbage(&found), once.len()), (sent, found.len()));
    engine.stop().await.unwrap();

    let engine = open(dir.path()).await;
    engine.caught_up().await.unwrap();
    emitted(&engine).await;
    assert_eq!(letters(&engine), found, "nor does a restart repeat any");
    engine.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_is_kept_until_it_has_caught_up() {
    const RATE: u32 = 2_000;
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let partitions = engine.log.topic().partitions;
    engine.sink.append(records(&spec(3, 20, 5_000, 4), partitions)).await.unwrap();
    engine.caught_up().await.unwrap();
    let clock = Clock::system();
    ask(&engine, Ask::Rebuild { rate: Some(RATE) }).await;
    let mut looks = 0;
    until(&engine, Role::Building, |one| {
        // Read after the position: it can only be too late.
        let most = clock.monotonic().as_millis() * u128::from(RATE) / 1_000 + u128::from(RATE / 10 + partitions);
        assert!(u128::from(one.position) <= most, "{} of {most}", one.position);
        looks += u32::from(one.state == State::CatchingUp && one.rate == RATE);
        one.state == State::Ready
    })
    .await;
    assert!(looks > 10, "{looks}");
    assert_eq!(one(&ask(&engine, Ask::Status).await, Role::Building).unwrap().rate, 0, "it follows the log now");
    engine.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_leaves_nothing_behind_and_dropping_the_former_one_neither() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let partitions = engine.log.topic().partitions;
    engine.sink.append(records(&spec(3, 20, 4_000, 4), partitions)).await.unwrap();
    engine.caught_up().await.unwrap();
    let why = refused(&engine, Ask::Cancel).await;
    assert!(why.contains("no generation is in the making"), "{why}");
    ask(&engine, Ask::Rebuild { rate: Some(1_000) }).await;
    until(&engine, Role::Building, |one| one.position > 200).await;
    let why = refused(&engine, Ask::Switch { force: false }).await;
    assert!(why.contains("has not caught up"), "{why}");
    let state = |generation: u32| dir.path().join("state").join(format!("g{generation}"));
    assert!(state(2).join("p0").exists());
    let status = ask(&engine, Ask::Cancel).await;
    assert_eq!(status.generations.len(), 1);
    assert!(!state(2).exists());
    assert_eq!(engine.store.generations().await.unwrap(), [1]);
    assert_eq!(differences_from_the_log(&engine).await, 0);

    // Numbers are never given twice.
    ask(&engine, Ask::Rebuild { rate: None }).await;
    assert_eq!(ready(&engine).await.generation, 3);
    ask(&engine, Ask::Switch { force: false }).await;
    let status = ask(&engine, Ask::Drop).await;
    assert_eq!((status.live, status.generations.len()), (3, 1));
    assert!(!dir.path().join("state").join("p0").exists() && state(3).join("p0").exists());
    assert!(rows(&engine.store.of(1), partitions).await.is_empty());
    let why = refused(&engine, Ask::Rollback { force: true }).await;
    assert!(why.contains("no former generation"), "{why}");
    engine.stop().await.unwrap();

    // What a process that was killed while it dropped one leaves is cleared away by the next.
    let left = EmbeddedStore::open(&dir.path().join("projections.redb"), Default::default()).unwrap().of(9);
    tributary::store::Store::setup(&left, &[]).await.unwrap();
    std::fs::create_dir_all(state(9).join("p0")).unwrap();
    drop(left);
    let engine = open(dir.path()).await;
    engine.caught_up().await.unwrap();
    let cleared = async {
        while engine.store.generations().await.unwrap().contains(&9) || state(9).exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), cleared).await.expect("it is cleared away");
    assert_eq!(engine.live().now().number, 3);
    assert_eq!(differences_from_the_log(&engine).await, 0);
    engine.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_differs_is_told_and_holds_the_switch_back_unless_it_is_forced() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let partitions = engine.log.topic().partitions;
    engine.sink.append(records(&spec(3, 20, 2_000, 5), partitions)).await.unwrap();
    engine.caught_up().await.unwrap();
    let right = rows(&engine.store, partitions).await.swap_remove(0);
    let mut value = right.value.clone().unwrap().to_vec();
    *value.last_mut().unwrap() = 0xff;
    let wrong = Row { value: Some(value.into()), ..right.clone() };
    tributary::store::Store::write(&engine.store, vec![wrong]).await.unwrap();

    ask(&engine, Ask::Rebuild { rate: None }).await;
    let made = ready(&engine).await;
    assert_eq!(made.differences, Some(1), "{made:?}");
    let differing: Vec<_> = made.compared.iter().filter(|table| table.differences > 0).collect();
    assert_eq!((differing.len(), differing[0].table.as_str()), (1, "creator"), "{differing:?}");
    let why = refused(&engine, Ask::Switch { force: false }).await;
    assert!(why.contains("differs from the live one in 1 rows") && why.contains("force"), "{why}");
    assert_eq!(ask(&engine, Ask::Switch { force: true }).await.live, 2);
    assert_eq!(differences_from_the_log(&engine).await, 0);
    engine.stop().await.unwrap();
}

/// As another version of the fold would have left its state.
pub(crate) fn of_another_fold(dir: &Path, topic: [u8; 16], ends: &[(Partition, Next)]) {
    for (partition, end) in ends {
        let dir = dir.join("state").join(format!("p{}", partition.0));
        std::fs::remove_dir_all(&dir).unwrap();
        let identity = Identity { topic, partition: *partition, generation: 1, fingerprint: FINGERPRINT + 1 };
        let mut state = FoldState::default();
        let (mut store, _) = keep::Store::open(&dir, identity, keep::Limits::default(), &mut state).unwrap();
        store.commit(&mut state, *end).unwrap();
        store.release(*end);
        store.flush().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_of_another_fold_is_served_as_it_is_until_a_rebuild_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let partitions = engine.log.topic().partitions;
    let all = records(&spec(3, 30, 4_000, 8), partitions);
    let (before, after) = all.split_at(3_000);
    engine.sink.append(before.to_vec()).await.unwrap();
    engine.caught_up().await.unwrap();
    let (topic, ends, stood) =
        (engine.log.file().unwrap().topic().id, engine.ends(), rows(&engine.store, partitions).await);
    engine.stop().await.unwrap();
    of_another_fold(dir.path(), topic, &ends);

    let engine = open(dir.path()).await;
    let live = until(&engine, Role::Live, |one| one.state == State::Frozen).await;
    let why = live.why.unwrap();
    assert!(why.contains("another version of the fold") && why.contains("`tributary projections rebuild`"), "{why}");
    let Err(Error::Halted(why)) = engine.caught_up().await else { panic!("nobody follows the log") };
    assert!(why.contains("`tributary projections rebuild`"), "{why}");
    engine.sink.append(after.to_vec()).await.unwrap();
    engine.sink.append(vec![garbage(1, partitions)]).await.unwrap();
    assert!(engine.live().now().is_frozen);
    assert!(rows(&engine.store, partitions).await == stood, "old rows stay readable, as they were");

    ask(&engine, Ask::Rebuild { rate: None }).await;
    let made = ready(&engine).await;
    assert!(made.compared.iter().map(|table| table.newer).sum::<u64>() > 0, "{made:?}");
    // Who follows the log puts outputs out, live or not.
    emitted(&engine).await;
    assert_eq!(of_garbage(&letters(&engine)), 1);
    let status = ask(&engine, Ask::Switch { force: false }).await;
    assert_eq!((status.live, one(&status, Role::Live).unwrap().state), (2, State::Followed));
    assert!(!engine.live().now().is_frozen);
    engine.caught_up().await.unwrap();
    assert_eq!(differences_from_the_log(&engine).await, 0);

    let why = refused(&engine, Ask::Rollback { force: false }).await;
    assert!(why.contains("follows the log no more"), "{why}");
    assert_eq!(ask(&engine, Ask::Rollback { force: true }).await.live, 1);
    assert!(engine.live().now().is_frozen);
    assert_eq!(ask(&engine, Ask::Rollback { force: false }).await.live, 2);
    engine.stop().await.unwrap();

    let engine = open(dir.path()).await;
    engine.caught_up().await.unwrap();
    assert_eq!(differences_from_the_log(&engine).await, 0);
    engine.stop().await.unwrap();
}

const FOLDER: &str = "TRIBUTARY_TEST_REBUILD_FOLDER";
const RATE: &str = "TRIBUTARY_TEST_REBUILD_RATE";

/// Not a test: what the killed process does. It begins a generation, or goes on with it, and says how far it is.
#[test]
#[ignore = "run by another test"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let rate = std::env::var_os(RATE).unwrap().into_string().unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let engine = open(&folder).await;
        if one(&ask(&engine, Ask::Status).await, Role::Building).is_none() {
            ask(&engine, Ask::Rebuild { rate: Some(rate) }).await;
        }
        let mut at = 0;
        loop {
            let position = until(&engine, Role::Building, |one| one.position > at || one.state == State::Ready).await;
            at = at.max(position.position);
            writeln!(std::io::stdout(), "at {at}").unwrap();
            if position.state == State::Ready {
                // Nobody killed it in time.
                return;
            }
        }
    });
}

/// Kills the child as soon as it has come so far; how far it said that it was.
fn kill_at(folder: &Path, rate: u32, at: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker::rebuild::child", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(RATE, rate.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut numbers = lines.filter_map(|line| line.strip_prefix("at ")?.parse::<u64>().ok());
    let reached = numbers.find(|number| *number >= at);
    child.kill().unwrap();
    child.wait().unwrap();
    reached.expect("it came so far")
}

/// What is on the disk of the state of the generation in the making: the sum of the positions.
fn state_of_g2(dir: &Path, topic: [u8; 16], partitions: u32) -> u64 {
    let position = |partition: Partition| {
        let dir = dir.join("state").join("g2").join(format!("p{}", partition.0));
        let identity = Identity { topic, partition, generation: 2, fingerprint: FINGERPRINT };
        let mut state = FoldState::default();
        let (_, position) = keep::Store::open(&dir, identity, keep::Limits::default(), &mut state).unwrap();
        position.unwrap_or_default().0
    };
    (0..partitions).map(Partition).map(position).sum()
}

fn killed_again_and_again(events: u64, rate: u32, kills: u64) {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let all = records(&spec(4, 40, events, 13), 4);
    let (before, after) = all.split_at(all.len() / 10 * 9);
    let topic = runtime.block_on(async {
        let engine = open(dir.path()).await;
        for chunk in before.chunks(10_000) {
            engine.sink.append(chunk.to_vec()).await.unwrap();
        }
        engine.caught_up().await.unwrap();
        let topic = engine.log.file().unwrap().topic().id;
        engine.stop().await.unwrap();
        topic
    });
    let mut last = 0;
    for kill in 1..=kills {
        let reached = kill_at(dir.path(), rate, u64::try_from(before.len()).unwrap() * kill / (kills + 2));
        let kept = state_of_g2(dir.path(), topic, 4);
        assert!(kept >= last && kept > 0 && kept <= reached + u64::from(rate), "{last}, {kept}, {reached}");
        last = kept;
    }
    runtime.block_on(async {
        let engine = open(dir.path()).await;
        for chunk in after.chunks(10_000) {
            engine.sink.append(chunk.to_vec()).await.unwrap();
        }
        let made = ready(&engine).await;
        assert_eq!((made.generation, made.differences), (2, Some(0)), "{made:?}");
        ask(&engine, Ask::Switch { force: false }).await;
        engine.caught_up().await.unwrap();
        assert_eq!(differences_from_the_log(&engine).await, 0);
        engine.stop().await.unwrap();
    });
}

#[test]
fn killed_in_the_middle_it_goes_on_where_it_was() {
    killed_again_and_again(9_000, 3_000, 3);
}

#[test]
#[ignore = "minutes: a million events, twenty kills"]
fn a_million_events_are_made_again_through_twenty_kills() {
    killed_again_and_again(1_000_000, 40_000, 20);
}

#[test]
#[ignore = "minutes: a million events beside a live generation that gets more"]
fn a_million_events_are_made_again_beside_live_input() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let engine = open(dir.path()).await;
        let all = records(&spec(20, 4_000, 1_000_000, 3), engine.log.topic().partitions);
        let (before, meanwhile) = all.split_at(700_000);
        for chunk in before.chunks(10_000) {
            engine.sink.append(chunk.to_vec()).await.unwrap();
        }
        engine.caught_up().await.unwrap();
        ask(&engine, Ask::Rebuild { rate: Some(50_000) }).await;
        for chunk in meanwhile.chunks(200) {
            engine.sink.append(chunk.to_vec()).await.unwrap();
        }
        let made = ready(&engine).await;
        assert_eq!(made.differences, Some(0), "{made:?}");
        assert_eq!(ask(&engine, Ask::Switch { force: false }).await.live, 2);
        for live in [1, 2] {
            assert_eq!(ask(&engine, Ask::Rollback { force: false }).await.live, live);
        }
        engine.caught_up().await.unwrap();
        assert_eq!(differences_from_the_log(&engine).await, 0);
        engine.stop().await.unwrap();
    });
}
