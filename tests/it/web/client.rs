//! A small HTTP client.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A whole answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {:?}", self.bytes))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The last part of a problem's type, after checking that it is one.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{:?}", self.bytes);
        let document = self.json();
        assert_eq!(document["status"], self.status.as_u16());
        assert!(!document["title"].as_str().unwrap().is_empty());
        let kind = document["type"].as_str().unwrap();
        kind.strip_prefix("urn:tributary:problem:").unwrap().to_owned()
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{:?}", self.bytes);
        self.json()
    }
}

pub async fn send(addr: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let response = open(addr, request).await;
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer { status: head.status, headers: head.headers, bytes }
}

/// The head of an answer, and its body as it comes. The connection lives until the body is dropped.
pub async fn open(addr: SocketAddr, mut request: Request<Full<Bytes>>) -> hyper::Response<hyper::body::Incoming> {
    let stream = TcpStream::connect(addr).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "ends with the connection")]
    tokio::spawn(connection);
    if !request.headers().contains_key("host") {
        request.headers_mut().insert("host", "localhost".parse().unwrap());
    }
    sender.send_request(request).await.unwrap()
}

pub fn request(method: &str, path: &str) -> hyper::http::request::Builder {
    Request::builder().method(method).uri(path)
}

pub fn empty() -> Full<Bytes> {
    Full::default()
}
