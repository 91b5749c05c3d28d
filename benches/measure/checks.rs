//! Connections ask for fraud checks, one after the other, while events come in at a steady 10,000 a second. Server, worker and
//! clients share the machine.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::programme::{Encoded, START, spec};
use super::queries::{Server, append, filled, members};
use super::report::figure;
use super::watch::percentiles;

const CONNECTIONS: u64 = 8;
const RATE: usize = 10_000;
/// Appends a second.
const TICKS: usize = 100;
/// What is there before the first question.
const BEFORE: usize = 300_000;
const CREATORS: u32 = 40;
const MEMBERS: u32 = 20_000;

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
        for (how, pause) in
            [("20 ms after the last", Duration::from_millis(20)), ("at once after the last", Duration::ZERO)]
        {
            let stop = Arc::new(AtomicBool::new(false));
            let mut asking = JoinSet::new();
            for number in 1..=CONNECTIONS {
                asking.spawn(ask(addr, number, Arc::clone(&members), pause, Arc::clone(&stop)));
            }
            let start = Instant::now();
            append(&engine, chunks.by_ref().take(half)).await;
            let took = start.elapsed();
            stop.store(true, Ordering::Relaxed);
            let (mut all, mut fallbacks) = (Vec::new(), BTreeMap::new());
            for (of_one, reasons) in asking.join_all().await {
                all.extend(of_one);
                reasons.into_iter().for_each(|reason| *fallbacks.entry(reason).or_insert(0) += 1);
            }
            let rate = all.len() as f64 / took.as_secs_f64();
            let what = format!("{CONNECTIONS} connections, {how}, {RATE} events/s meanwhile");
            figure(&format!("{what}: fraud checks"), format!("{rate:.0} a second, by fallback {fallbacks:?}"), "{}");
            let most = all.iter().max().copied().unwrap_or_default();
            figure("… p50, p99", percentiles(all), "p99 ≤ 10 ms");
            figure("… max", format!("{:.1} ms", most.as_secs_f64() * 1_000.0), "");
        }
        server.stop().await;
        engine.stop().await.unwrap();
    });
}

/// Questions over one connection; how long each took, and why some were not answered from state.
async fn ask(
    addr: SocketAddr,
    number: u64,
    members: Arc<Vec<(String, String)>>,
    pause: Duration,
    stop: Arc<AtomicBool>,
) -> (Vec<Duration>, Vec<String>) {
    let stream = TcpStream::connect(addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let (mut samples, mut fallbacks, mut n) = (Vec::new(), Vec::new(), number.wrapping_mul(7_919));
    while !stop.load(Ordering::Relaxed) {
        n = n.wrapping_add(104_729);
        let (creator, member) = &members[usize::try_from(n).unwrap() % members.len()];
        let body = question(n, creator, member);
        let asked = Instant::now();
        let answer = post(&mut sender, body).await;
        samples.push(asked.elapsed());
        fallbacks.extend(answer["data"]["reason"].as_str().map(str::to_owned));
        tokio::time::sleep(pause).await;
    }
    (samples, fallbacks)
}

/// Every other one is of a sale.
fn question(n: u64, creator: &str, member: &str) -> Value {
    let (ip, device) = (format!("{:032x}", n % 500 + 1), format!("{:032x}", n % 5_000 + 1));
    let click = json!({"user_agent": "Mozilla/5.0 (X11; Linux) Firefox/130.0", "ip_token": ip, "device_token": device});
    let mut body = json!({"creator_id": creator, "member_id": member, "click": click,
        "occurred_at": START.0 + 20 * 86_400_000});
    if n.is_multiple_of(2) {
        body["customer_id"] = json!(format!("customer-{}", n % 1_000));
        body["payment_token"] = json!(device);
        body["amount"] = json!(4_900);
    }
    body
}

async fn post(sender: &mut SendRequest<Full<Bytes>>, body: Value) -> Value {
    let request =
        Request::post("/v1/fraud/check").header("host", "localhost").header("content-type", "application/json");
    sender.ready().await.unwrap();
    let answer = sender.send_request(request.body(Full::new(body.to_string().into())).unwrap()).await.unwrap();
    assert_eq!(answer.status(), hyper::StatusCode::OK);
    serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
}
