//! Nothing waits for ever and nothing grows without end.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tributary::web::Limits;

use super::client::{empty, open, request, send};
use super::server::{Server, limits};

fn short() -> Limits {
    Limits { header_wait_max: Duration::from_millis(100), body_wait_max: Duration::from_millis(100), ..limits() }
}

/// What the server says until it closes the socket, which it must.
async fn rest(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut said)).await.unwrap().unwrap_or_default();
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn a_socket_that_says_nothing_is_closed() {
    let server = Server::start(short()).await;
    let mut silent = TcpStream::connect(server.addr).await.unwrap();
    rest(&mut silent).await;
    server.stop().await;
}

#[tokio::test]
async fn a_head_that_trickles_in_is_cut() {
    let server = Server::start(short()).await;
    let mut slow = TcpStream::connect(server.addr).await.unwrap();
    slow.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nx: ").await.unwrap();
    let said = rest(&mut slow).await;
    assert!(!said.contains("200 OK"), "{said}");
    server.stop().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answer() {
    let server = Server::start(short()).await;
    let mut idle = TcpStream::connect(server.addr).await.unwrap();
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let said = rest(&mut idle).await;
    assert!(said.starts_with("HTTP/1.1 200 OK"), "{said}");
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_408() {
    let server = Server::start(short()).await;
    let mut slow = TcpStream::connect(server.addr).await.unwrap();
    let head =
        "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n[";
    slow.write_all(head.as_bytes()).await.unwrap();
    let said = rest(&mut slow).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(said.contains("urn:tributary:problem:body-timeout"));
    server.stop().await;
}

#[tokio::test]
async fn a_body_too_large_is_a_413_for_one_event_and_for_a_batch() {
    let limits = Limits { body_bytes_max: 1_000, batch_bytes_max: 2_000, ..limits() };
    let server = Server::start(limits).await;
    let one = format!("{{\"x\": \"{}\"}}", "x".repeat(1_000));
    assert_eq!(server.post("/v1/events", one.clone()).await.problem(), "body-too-large");
    assert_eq!(server.post("/v1/events", format!("[{one}]")).await.problem(), "all-rejected");
    let answer = server.post("/v1/events", format!("[{one},{one}]")).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"));
    server.stop().await;
}

#[tokio::test]
async fn a_head_too_large_is_refused() {
    let server = Server::start(Limits { head_bytes_max: 8_192, ..limits() }).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let head = format!("GET /livez HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(20_000));
    // The server may hang up before all of it is written.
    let _ = stream.write_all(head.as_bytes()).await;
    let said = rest(&mut stream).await;
    assert!(!said.contains("200 OK"), "{said}");
    assert_eq!(server.get("/livez").await.status, StatusCode::OK);
    server.stop().await;
}

#[tokio::test]
async fn requests_beyond_the_limit_are_a_503_that_says_when_to_come_back() {
    let server = Server::start(Limits { requests_max: 0, ..limits() }).await;
    let answer = server.get("/livez").await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "overloaded"));
    assert_eq!(answer.header("retry-after"), "1");
    server.stop().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_one_ends() {
    let server = Server::start(Limits { connections_max: 1, ..limits() }).await;
    let mut first = TcpStream::connect(server.addr).await.unwrap();
    first.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut said = [0; 15];
    first.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 200 OK");
    let mut second = TcpStream::connect(server.addr).await.unwrap();
    second.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut byte = [0; 1];
    let waited = tokio::time::timeout(Duration::from_millis(100), second.read_exact(&mut byte)).await;
    assert!(waited.is_err(), "the second was served beside the first");
    drop(first);
    assert!(rest(&mut second).await.contains("200 OK"));
    server.stop().await;
}

#[tokio::test]
async fn a_peer_that_never_reads_loses_its_connection() {
    let limits = Limits { connections_max: 1, write_stall_max: Duration::from_millis(100), ..limits() };
    let server = Server::start(limits).await;
    let mut deaf = TcpStream::connect(server.addr).await.unwrap();
    // More answers than the kernel's buffers hold.
    let asked = "GET /v1/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1_000);
    deaf.write_all(asked.as_bytes()).await.unwrap();
    // There is room for one connection only: this is answered once the other is cut.
    let next = tokio::time::timeout(Duration::from_secs(20), server.get("/livez")).await;
    assert_eq!(next.expect("the deaf peer was not cut").status, StatusCode::OK);
    drop(deaf);
    server.stop().await;
}

#[tokio::test]
async fn a_position_that_is_not_reached_is_a_504_with_its_token() {
    let limits = Limits { position_wait_max: Duration::from_millis(50), ..limits() };
    let server = Server::start(limits).await;
    let answer = server.get_at("/v1/creators", "0.1000000~1.5").await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::GATEWAY_TIMEOUT, "position-timeout"));
    assert_eq!(answer.json()["token"], "0.1000000~1.5");
    server.stop().await;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_a_504() {
    let limits = Limits { request_wait_max: Duration::from_millis(50), ..limits() };
    let server = Server::start(limits).await;
    let answer = server.get_at("/v1/creators", "0.1000000").await;
    assert_eq!(answer.problem(), "deadline-exceeded");
    server.stop().await;
}

#[tokio::test]
async fn stopping_lets_an_open_request_end_and_cuts_listeners() {
    let server = Server::whole().await;
    server.fill(&serde_json::json!([super::reads::creator("acme", "EUR")])).await;
    let token = server.fill(&serde_json::json!([super::reads::member("acme", "ann")])).await;
    server.get_at("/v1/creators/acme", &token).await.ok();
    let listening = open(server.addr, request("GET", "/v1/creators/acme/live").body(empty()).unwrap()).await;
    assert_eq!(listening.status(), StatusCode::OK);
    server.stop().await;
    let body = http_body_util::BodyExt::collect(listening.into_body()).await;
    assert!(body.is_ok(), "the stream was ended, not broken off");
}

#[tokio::test]
async fn a_broken_client_does_not_hurt_the_next() {
    let server = Server::start(limits()).await;
    for garbage in [&b"\x16\x03\x01\x02\x00"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0\0\0\0"] {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        rest(&mut stream).await;
    }
    let body = Full::new(Bytes::from_static(b"[]"));
    let answer = send(server.addr, request("POST", "/v1/events").body(body).unwrap()).await;
    assert_eq!(answer.problem(), "media-type");
    server.stop().await;
}
