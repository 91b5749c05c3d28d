//! A small client for the command line: one request to a server of this machine, its answer whole or line by line.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

use super::keys::Secret;

/// An answer takes at most this long, and is at most this large; of one line by line, each line.
const TIMEOUT: Duration = Duration::from_secs(60);
const BODY_BYTES_MAX: usize = 64 << 20;
const LINE_BYTES_MAX: usize = 1 << 20;
/// A server that is asked too often is waited for so many times, and so long at most each time.
const WAITS_MAX: u32 = 20;
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
    retry_after: Option<Duration>,
}

impl Answer {
    /// The answer as JSON, or why there is none.
    pub fn json(&self, addr: SocketAddr) -> Result<serde_json::Value, Error> {
        if self.status >= 400 {
            return Err(Error::Refused { addr, why: detail(&self.body) });
        }
        serde_json::from_slice(&self.body).map_err(|source| broken(addr, source))
    }
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
    #[error("{addr} refused: {why}")]
    Refused { addr: SocketAddr, why: String },
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A text as part of a path: what is not unreserved (RFC 3986, section 2.3) is percent-encoded.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A server, and the key that it is asked with.
#[derive(Debug, Clone)]
pub struct Peer {
    pub addr: SocketAddr,
    pub key: Option<Secret>,
}

impl Peer {
    pub async fn get(&self, path: &str) -> Result<Answer, Error> {
        exchange(self.addr, self.request(Method::GET, path, Bytes::new())?).await
    }

    /// Sends JSON. Waits where the server says that it is asked too often.
    pub async fn post(&self, path: &str, body: Bytes) -> Result<Answer, Error> {
        let mut waits = 0;
        loop {
            let answer = exchange(self.addr, self.request(Method::POST, path, body.clone())?).await?;
            let Some(pause) = answer.retry_after.filter(|_| answer.status == 429 && waits < WAITS_MAX) else {
                return Ok(answer);
            };
            waits += 1;
            tokio::time::sleep(pause.min(PAUSE_MAX)).await;
        }
    }

    pub async fn delete(&self, path: &str) -> Result<Answer, Error> {
        exchange(self.addr, self.request(Method::DELETE, path, Bytes::new())?).await
    }

    /// Asks, with JSON if there is a body, and hands on each line of JSON of the answer as it comes.
    pub async fn lines<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Option<Bytes>,
        mut each: impl FnMut(T),
    ) -> Result<(), Error> {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let request = self.request(method, path, body.unwrap_or_default())?;
        let stream = connect(self.addr).await?;
        talk(self.addr, stream, request, |answer| follow(self.addr, answer, &mut each)).await
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.addr.to_string())
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", key.reveal()));
        }
        request.body(Full::new(body)).map_err(|source| broken(self.addr, source))
    }
}

pub(super) async fn exchange(addr: SocketAddr, request: Request<Full<Bytes>>) -> Result<Answer, Error> {
    let stream = connect(addr).await?;
    within(addr, talk(addr, stream, request, |answer| whole(addr, answer))).await
}

async fn connect(addr: SocketAddr) -> Result<TcpStream, Error> {
    within(addr, async { TcpStream::connect(addr).await.map_err(|source| Error::Connect { addr, source }) }).await
}

async fn within<T>(addr: SocketAddr, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(TIMEOUT, work).await.map_err(|_| Error::Timeout { addr })?
}

fn broken(addr: SocketAddr, source: impl Into<Source>) -> Error {
    Error::Broken { addr, source: source.into() }
}

/// Sends `request` and lets `read` have the answer while the connection goes on.
async fn talk<T, R: Future<Output = Result<T, Error>>>(
    addr: SocketAddr,
    stream: TcpStream,
    request: Request<Full<Bytes>>,
    read: impl FnOnce(Response<Incoming>) -> R,
) -> Result<T, Error> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|source| broken(addr, source))?;
    let exchange = async {
        let answer = async { sender.send_request(request).await.map_err(|source| broken(addr, source)) };
        read(within(addr, answer).await?).await
    };
    tokio::pin!(connection, exchange);
    tokio::select! {
        // Dropping the connection is safe: its exchange is over.
        answer = &mut exchange => answer,
        // The connection may end while the last of the body is still to be read.
        _ = &mut connection => exchange.await,
    }
}

async fn whole(addr: SocketAddr, answer: Response<Incoming>) -> Result<Answer, Error> {
    let status = answer.status().as_u16();
    let told = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let retry_after = told.map(Duration::from_secs);
    let body = Limited::new(answer.into_body(), BODY_BYTES_MAX).collect().await;
    Ok(Answer { status, retry_after, body: body.map_err(|source| broken(addr, source))?.to_bytes() })
}

async fn follow<T: DeserializeOwned>(
    addr: SocketAddr,
    answer: Response<Incoming>,
    each: &mut impl FnMut(T),
) -> Result<(), Error> {
    if answer.status() != StatusCode::OK {
        let Answer { body, .. } = within(addr, whole(addr, answer)).await?;
        return Err(Error::Refused { addr, why: detail(&body) });
    }
    let (mut body, mut rest) = (answer.into_body(), Vec::new());
    while let Some(frame) = within(addr, async { Ok(body.frame().await) }).await? {
        let frame = frame.map_err(|source| broken(addr, source))?;
        rest.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            each(serde_json::from_slice(&line).map_err(|source| broken(addr, source))?);
        }
        if rest.len() > LINE_BYTES_MAX {
            return Err(broken(addr, format!("a line of more than {LINE_BYTES_MAX} bytes")));
        }
    }
    Ok(())
}

/// What a problem says, in words where it has some.
fn detail(body: &[u8]) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let detail = problem.as_ref().and_then(|problem| problem.get("detail")?.as_str());
    detail.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned)
}
