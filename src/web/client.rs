//! A small client for the command line: one request to a server of this machine.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An answer takes at most this long, and is at most this large.
const TIMEOUT: Duration = Duration::from_secs(60);
const BODY_BYTES_MAX: usize = 64 << 20;

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("nothing listens on {addr}")]
    Connect { addr: SocketAddr, source: std::io::Error },
    #[error("{addr} did not answer within {} s", TIMEOUT.as_secs())]
    Timeout { addr: SocketAddr },
    #[error("the exchange with {addr} broke off")]
    Broken { addr: SocketAddr, source: Box<dyn std::error::Error + Send + Sync> },
}

pub async fn get(addr: SocketAddr, path: &str) -> Result<Answer, Error> {
    exchange(addr, Method::GET, path, Bytes::new()).await
}

/// Sends JSON.
pub async fn post(addr: SocketAddr, path: &str, body: Bytes) -> Result<Answer, Error> {
    exchange(addr, Method::POST, path, body).await
}

async fn exchange(addr: SocketAddr, method: Method, path: &str, body: Bytes) -> Result<Answer, Error> {
    let stream = TcpStream::connect(addr).await.map_err(|source| Error::Connect { addr, source })?;
    tokio::time::timeout(TIMEOUT, send(stream, addr, method, path, body)).await.map_err(|_| Error::Timeout { addr })?
}

async fn send(stream: TcpStream, addr: SocketAddr, method: Method, path: &str, body: Bytes) -> Result<Answer, Error> {
    let broken = |source: Box<dyn std::error::Error + Send + Sync>| Error::Broken { addr, source };
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|source| broken(source.into()))?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, addr.to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(body))
        .map_err(|source| broken(source.into()))?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(|source| broken(source.into()))?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), BODY_BYTES_MAX).collect().await.map_err(broken)?.to_bytes();
        Ok(Answer { status, body })
    };
    tokio::pin!(connection, exchange);
    tokio::select! {
        // Dropping the connection is safe: its exchange is over.
        answer = &mut exchange => answer,
        // The connection may end while the last of the body is still to be read.
        _ = &mut connection => exchange.await,
    }
}
