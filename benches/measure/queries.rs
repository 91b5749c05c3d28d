//! Two hundred connections ask the HTTP server one question after the other while events come in at a steady 10,000 a
//! second. Server, worker and clients share the machine.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};
use tributary::append::Sink;
use tributary::append::intake::{self, Intake};
use tributary::clock::Clock;
use tributary::consume::Stream;
use tributary::ids::{Next, Partition};
use tributary::run::{self, Options, Program};
use tributary::web::{self, Access, App, Keys, keys};

use super::machine;
use super::programme::{Encoded, START, outgoing, spec};
use super::report::figure;
use super::watch::{Appended, Watcher, percentiles};

const CONNECTIONS: u64 = 200;
const RATE: usize = 10_000;
/// Appends a second.
const TICKS: usize = 100;
/// What is there before the first question.
const BEFORE: usize = 300_000;
const CREATORS: u32 = 40;
const MEMBERS: u32 = 20_000;
/// Between an answer and the next question of a connection, at the paced rate.
const PAUSE: Duration = Duration::from_millis(200);

/// A kind of question, and how many of a hundred are of it.
const KINDS: [(&str, u64); 5] =
    [("member stats", 50), ("members list", 15), ("leaderboard", 15), ("analytics", 10), ("timeseries", 10)];

/// One answer: the kind of question, how long it took.
type Sample = (usize, Duration);

pub fn run(events: u64) {
    let records = Encoded::of(&spec(CREATORS, MEMBERS, BEFORE as u64 + events));
    let dir = tempfile::tempdir_in(".").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut chunks = records.chunks(RATE / TICKS);
        let engine = filled(dir.path(), chunks.by_ref().take(BEFORE * TICKS / RATE)).await;
        let server = Server::start(&engine).await;
        let addr = server.addr;
        let members = Arc::new(members(addr).await);
        let half = usize::try_from(events).unwrap() / RATE * TICKS / 2;
        for (how, pause) in [("each at once after the last", Duration::ZERO), ("200 ms after the last", PAUSE)] {
            let load = Load::start(addr, &members, pause);
            let feed = append(&engine, chunks.by_ref().take(half));
            let (start, cpu) = (Instant::now(), machine::cpu());
            let waits = feed.await;
            let (took, used) = (start.elapsed(), machine::cpu() - cpu);
            load.report(how, took, used, &waits).await;
        }
        server.stop().await;
        engine.stop().await.unwrap();
    });
}

/// A running program into which these have come.
pub async fn filled<'a>(
    dir: &Path,
    chunks: impl Iterator<Item = impl Iterator<Item = (tributary::ids::Millis, &'a [u8], &'a [u8])>>,
) -> Program {
    let mut engine = Program::open(Options::new(dir), Clock::system()).await.unwrap();
    engine.start().unwrap();
    for chunk in chunks {
        engine.sink.append(chunk.map(|record| outgoing(record, 4)).collect()).await.unwrap();
    }
    engine.caught_up().await.unwrap();
    engine
}

/// Appends at the rate; how long each event took to be queryable.
pub async fn append<'a>(
    engine: &Program,
    chunks: impl Iterator<Item = impl Iterator<Item = (tributary::ids::Millis, &'a [u8], &'a [u8])>>,
) -> Vec<Duration> {
    let watcher = Watcher::start(engine.store.clone(), Duration::from_millis(5));
    let mut appended: Appended = Vec::new();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(TICKS).unwrap());
    for chunk in chunks {
        tick.tick().await;
        let asked = Instant::now();
        let places = engine.sink.append(chunk.map(|record| outgoing(record, 4)).collect()).await.unwrap();
        appended.extend(places.into_iter().map(|place| (place.partition, place.offset.0, asked)));
    }
    engine.caught_up().await.unwrap();
    watcher.waits(&appended).await
}

/// The connections, asking until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    asking: JoinSet<(Vec<Sample>, u64)>,
}

impl Load {
    fn start(addr: SocketAddr, members: &Arc<Vec<(String, String)>>, pause: Duration) -> Self {
        let (stop, mut asking) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        for number in 1..=CONNECTIONS {
            asking.spawn(ask(addr, number, Arc::clone(members), pause, Arc::clone(&stop)));
        }
        Self { stop, asking }
    }

    async fn report(self, how: &str, took: Duration, used: Duration, waits: &[Duration]) {
        self.stop.store(true, Ordering::Relaxed);
        let (mut samples, mut errors) = (Vec::new(), 0);
        for (of_one, failed) in self.asking.join_all().await {
            samples.extend(of_one);
            errors += failed;
        }
        let rate = samples.len() as f64 / took.as_secs_f64();
        let what = format!("{CONNECTIONS} connections, {how}, {RATE} events/s meanwhile");
        figure(&format!("{what}: answers"), format!("{rate:.0} a second, {errors} errors"), "0 errors");
        let all = samples.iter().map(|(_, took)| *took).collect();
        figure("… p50, p99 of all", percentiles(all), "");
        for (kind, (name, _)) in KINDS.iter().enumerate() {
            let of_kind = samples.iter().filter(|(of, _)| *of == kind).map(|(_, took)| *took).collect();
            figure(&format!("… {name}"), percentiles(of_kind), "");
        }
        figure("… append → queryable meanwhile", percentiles(waits.to_vec()), "≤ 500 ms");
        let cores = used.as_secs_f64() / took.as_secs_f64();
        figure("… cores used by all of it", format!("{cores:.2}"), "");
    }
}

/// Questions over one connection; the samples and how many answers were not a 200.
async fn ask(
    addr: SocketAddr,
    number: u64,
    members: Arc<Vec<(String, String)>>,
    pause: Duration,
    stop: Arc<AtomicBool>,
) -> (Vec<Sample>, u64) {
    let (mut samples, mut errors, mut random) = (Vec::new(), 0, number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut sender = connect(addr).await;
    tokio::time::sleep(pause * u32::try_from(number).unwrap() / u32::try_from(CONNECTIONS).unwrap()).await;
    while !stop.load(Ordering::Relaxed) {
        let (kind, path) = question(&mut random, &members);
        let asked = Instant::now();
        if fetch(&mut sender, &path).await.is_some() {
            samples.push((kind, asked.elapsed()));
        } else {
            errors += 1;
            sender = connect(addr).await;
        }
        tokio::time::sleep(pause).await;
    }
    (samples, errors)
}

pub async fn connect(addr: SocketAddr) -> SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// The body of a 200.
pub async fn fetch(sender: &mut SendRequest<Empty<Bytes>>, path: &str) -> Option<Bytes> {
    let request = Request::get(path).header("host", "localhost").body(Empty::new()).unwrap();
    sender.ready().await.ok()?;
    let answer = sender.send_request(request).await.ok()?;
    let is_ok = answer.status() == hyper::StatusCode::OK;
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    is_ok.then_some(body)
}

/// Some creators and members are asked for much more often than others.
fn question(random: &mut u64, members: &[(String, String)]) -> (usize, String) {
    let mut draw = |below: usize| {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        (*random % below as u64) as usize
    };
    let (a, b) = (draw(members.len()), draw(members.len()));
    let (creator, member) = &members[a.min(b)];
    let (mut left, mut kind) = (draw(100) as u64, 0);
    while left >= KINDS[kind].1 {
        left -= KINDS[kind].1;
        kind += 1;
    }
    let of = format!("/v1/creators/{creator}");
    let (from, to) = (START.0, START.0 + 30 * 86_400_000);
    let path = match kind {
        0 => format!("{of}/members/{member}/stats"),
        1 => format!("{of}/members?limit=50&order=desc"),
        2 => format!("{of}/leaderboard?limit=10"),
        3 => format!("{of}/analytics?from={from}&to={to}"),
        _ => format!("{of}/timeseries?from={from}&to={to}&interval=day"),
    };
    (kind, path)
}

/// Every creator and some of its members.
pub async fn members(addr: SocketAddr) -> Vec<(String, String)> {
    let mut sender = connect(addr).await;
    let mut found = Vec::new();
    for creator in ids(&mut sender, "/v1/creators?limit=1000", "creator_id").await {
        let path = format!("/v1/creators/{creator}/members?limit=200");
        let of_it = ids(&mut sender, &path, "member_id").await;
        found.extend(of_it.into_iter().map(|member| (creator.clone(), member)));
    }
    assert!(found.len() > 1_000, "{} members", found.len());
    found
}

/// An answer, which must be a 200.
pub async fn json(addr: SocketAddr, path: &str) -> Value {
    let mut sender = connect(addr).await;
    serde_json::from_slice(&fetch(&mut sender, path).await.unwrap_or_else(|| panic!("a 200 of {path}"))).unwrap()
}

async fn ids(sender: &mut SendRequest<Empty<Bytes>>, path: &str, id: &str) -> Vec<String> {
    let answer: Value = serde_json::from_slice(&fetch(sender, path).await.expect("a 200")).unwrap();
    answer["data"].as_array().unwrap().iter().map(|each| each[id].as_str().unwrap().to_owned()).collect()
}

/// The HTTP server of an engine, in this process.
pub struct Server {
    pub addr: SocketAddr,
    stop: tokio::sync::oneshot::Sender<()>,
    serving: JoinHandle<Result<(), web::Error>>,
}

impl Server {
    pub async fn start(engine: &Program) -> Self {
        let listener = web::bind("127.0.0.1:0".parse().unwrap(), Access::InsecureDev).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(web::serve(listener, app(engine), web::Limits::default(), async {
            drop(stopped.await);
        }));
        Self { addr, stop, serving }
    }

    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
    }
}

fn app(engine: &Program) -> App<tributary::run::Rows, tributary::run::Sink> {
    let partitions = engine.log.topic().partitions;
    let log = engine.log.file().expect("it is a file").clone();
    let end = move |p| log.bounds(Stream::Events, Partition(p)).map_or(Next(0), |bounds| bounds.end);
    App {
        store: engine.store.clone(),
        live: engine.live(),
        keys: Keys::new(engine.store.clone(), engine.clock.clone(), run::random(), keys::Limits::default()),
        access: Access::InsecureDev,
        intake: Intake::new(engine.sink.clone(), partitions, engine.clock.clone(), intake::Limits::default()),
        partitions,
        clock: engine.clock.clone(),
        metrics: Arc::new(|| Box::pin(std::future::ready(String::new()))),
        log_ends: Arc::new(move || Ok((0..partitions).map(&end).collect())),
        looks: engine.looks(),
        generations: engine.generations(),
        checks: engine.checks(web::Policy::default()),
        workers: Some(engine.workers()),
    }
}
