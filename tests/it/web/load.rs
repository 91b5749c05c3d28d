//! Many who ask while events come in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::StatusCode;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::admin::pour;
use super::client::{empty, request};
use super::server::Server;

const CONNECTIONS: usize = 200;
/// Questions of each connection, one after the other.
const QUESTIONS: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_connections_ask_while_events_pour_in_and_each_gets_its_answer() {
    let server = Server::whole().await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut pouring = JoinSet::new();
    pouring.spawn(pour(server.addr, Arc::clone(&stop)));
    let members = loop {
        let found = members(&server).await;
        if found.len() > 20 {
            break found;
        }
        tokio::task::yield_now().await;
    };
    let members = Arc::new(members);
    let answered = Arc::new(AtomicU64::new(0));
    let before: u64 = server.engine.ends().iter().map(|(_, end)| end.0).sum();
    let mut asking = JoinSet::new();
    for number in 0..CONNECTIONS {
        asking.spawn(ask(server.addr, number, Arc::clone(&members), Arc::clone(&answered)));
    }
    while let Some(asked) = asking.join_next().await {
        asked.unwrap();
    }
    let after: u64 = server.engine.ends().iter().map(|(_, end)| end.0).sum();
    assert_eq!(answered.load(Ordering::Relaxed), (CONNECTIONS * QUESTIONS) as u64);
    assert!(after > before, "events came in meanwhile");
    stop.store(true, Ordering::Relaxed);
    pouring.join_next().await.unwrap().unwrap();
    server.engine.caught_up().await.unwrap();
    server.stop().await;
}

/// All questions of one connection, which is kept open.
async fn ask(addr: std::net::SocketAddr, number: usize, members: Arc<Vec<(String, String)>>, answered: Arc<AtomicU64>) {
    let stream = TcpStream::connect(addr).await.unwrap();
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    let questions = async {
        for turn in 0..QUESTIONS {
            let (creator, member) = &members[(number * 7 + turn) % members.len()];
            let of = format!("/v1/creators/{creator}");
            let path = match (number + turn) % 5 {
                0 => format!("{of}/members/{member}/stats"),
                1 => format!("{of}/members?limit=50"),
                2 => format!("{of}/leaderboard"),
                3 => format!("{of}/analytics"),
                _ => format!("{of}/timeseries"),
            };
            fetch(&mut sender, &path).await;
            answered.fetch_add(1, Ordering::Relaxed);
        }
    };
    tokio::select! {
        () = questions => {}
        // The questions panic when the connection breaks off.
        broken = connection => panic!("connection {number} ended: {broken:?}"),
    }
}

async fn fetch(sender: &mut SendRequest<Full<Bytes>>, path: &str) {
    let asked = request("GET", path).header("host", "localhost").body(empty()).unwrap();
    sender.ready().await.unwrap();
    let answer = sender.send_request(asked).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(status, StatusCode::OK, "{path}: {body:?}");
}

/// Every creator and its members, as far as they are known.
async fn members(server: &Server) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for creator in ids(server, "/v1/creators", "creator_id").await {
        for member in ids(server, &format!("/v1/creators/{creator}/members"), "member_id").await {
            found.push((creator.clone(), member));
        }
    }
    found
}

async fn ids(server: &Server, path: &str, id: &str) -> Vec<String> {
    let answer = server.get(path).await.ok();
    answer["data"].as_array().unwrap().iter().map(|each| each[id].as_str().unwrap().to_owned()).collect()
}
