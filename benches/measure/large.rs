//! One question after the other: a member's own rank among a million, and all that a creator's page asks for.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tributary::append::Sink;
use tributary::clock::Clock;
use tributary::run::{Options, Program};

use super::programme::{START, of_event, spec};
use super::queries::{Server, connect, fetch, json};
use super::report::figure;
use super::watch::percentiles;

/// Of the largest programme of all.
const MEMBERS: u32 = 1_000_000;
/// Events beside those by which members come.
const EVENTS: u64 = 1_000_000;
/// Questions for ranks, and for the whole of a page.
const RANKS: usize = 2_000;
const PAGES: usize = 200;

pub fn run(events: u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // One creator has them all; then the page of one with about ten thousand.
    runtime.block_on(serve(1, MEMBERS, u64::from(MEMBERS) + events, ranks));
    runtime.block_on(serve(1, 10_000, events, page));
}

pub const fn events() -> u64 {
    EVENTS
}

async fn serve<F: Future<Output = ()>>(
    creators: u32,
    members: u32,
    events: u64,
    ask: impl FnOnce(SocketAddr, String) -> F,
) {
    let dir = tempfile::tempdir_in(".").unwrap();
    let mut engine = Program::open(Options::new(dir.path()), Clock::system()).await.unwrap();
    engine.start().unwrap();
    let spec = spec(creators, members, events);
    let mut records = tributary::simulate::Simulation::new(&spec);
    loop {
        let some = records.by_ref().take(4_096).map(|record| {
            let event = record.event();
            of_event(&event, record.arrival, 4)
        });
        let some: Vec<_> = some.collect();
        if some.is_empty() {
            break;
        }
        engine.sink.append(some).await.unwrap();
    }
    engine.caught_up().await.unwrap();
    let server = Server::start(&engine).await;
    let addr = server.addr;
    let creator = json(addr, "/v1/creators?limit=1").await["data"][0]["creator_id"].as_str().unwrap().to_owned();
    ask(addr, creator).await;
    server.stop().await;
    engine.stop().await.unwrap();
}

async fn ranks(addr: SocketAddr, creator: String) {
    let mut sender = connect(addr).await;
    let mut members: Vec<String> = Vec::new();
    for (order, sort) in [("desc", "created_at"), ("asc", "created_at"), ("desc", "clicks")] {
        let path = format!("/v1/creators/{creator}/members?limit=1000&order={order}&sort={sort}");
        let answer = json(addr, &path).await;
        members
            .extend(answer["data"].as_array().unwrap().iter().map(|one| one["member_id"].as_str().unwrap().to_owned()));
    }
    let of = json(addr, &format!("/v1/creators/{creator}")).await["data"]["members"].clone();
    let mut waits = Vec::new();
    for place in 0..RANKS {
        let member = &members[place * 7_919 % members.len()];
        let metric = ["clicks", "shares", "earnings", "revenue"][place % 4];
        let window = ["all", "month", "week"][place % 3];
        let path = format!("/v1/creators/{creator}/members/{member}/rank?metric={metric}&window={window}");
        let asked = Instant::now();
        fetch(&mut sender, &path).await.expect("a 200");
        waits.push(asked.elapsed());
    }
    figure(&format!("own rank among {of} members, p50 and p99"), percentiles(waits), "p99 < 5 ms");
    let member = members.last().unwrap();
    let path = format!("/v1/creators/{creator}/members/{member}/rank?metric=clicks&neighbours=always");
    let asked = Instant::now();
    fetch(&mut sender, &path).await.expect("a 200");
    figure("… with neighbours wherever it stands", format!("{} ms", asked.elapsed().as_millis()), "");
}

async fn page(addr: SocketAddr, creator: String) {
    let of = format!("/v1/creators/{creator}");
    let (from, to) = (START.0, START.0 + 30 * 86_400_000);
    let span = format!("from={from}&to={to}");
    let paths = [
        of.clone(),
        format!("{of}/analytics?{span}&compare=previous"),
        format!("{of}/timeseries?{span}&interval=day"),
        format!("{of}/leaderboard?limit=10"),
        format!("{of}/leaderboard?metric=clicks&window=month&limit=10"),
        format!("{of}/members?limit=50&order=desc"),
        format!("{of}/breakdown?{span}&by=platform"),
        format!("{of}/conversions?limit=20"),
        format!("{of}/commissions?limit=20"),
    ];
    let mut sender = connect(addr).await;
    let members = json(addr, &of).await["data"]["members"].clone();
    let mut waits: Vec<Duration> = Vec::new();
    for _ in 0..PAGES {
        let asked = Instant::now();
        for path in &paths {
            fetch(&mut sender, path).await.unwrap_or_else(|| panic!("a 200 of {path}"));
        }
        waits.push(asked.elapsed());
    }
    let what = format!("all {} questions of the page of a creator with {members} members, p50 and p99", paths.len());
    figure(&what, percentiles(waits), "< 200 ms");
}
