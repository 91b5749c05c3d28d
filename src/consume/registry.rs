//! Schemas of producers, from any registry that speaks Confluent's protocol. Asked once for each id; ids never change
//! their meaning.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use openssl::ssl::{SslConnector, SslMethod};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::kafka::settings::Password;

/// One question, from the connection to the last byte of the answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A schema is at most so large.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A registry. Clones are the same.
#[derive(Debug, Clone)]
pub struct Registry {
    url: Arc<Uri>,
    /// Of who asks, as the header wants it.
    authorization: Option<Password>,
}

/// Why there is no schema.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the registry address {url:?} cannot be used: {what}; write http://host:port or https://host:port, with the path up to where /schemas follows"
    )]
    Address { url: String, what: String },
    /// It may answer again by itself.
    #[error("the schema registry {host} does not answer: {what}")]
    Unavailable { host: String, what: String },
    #[error("the schema registry {host} refused: {status}{}", to_check(*status))]
    Refused { host: String, status: StatusCode },
    #[error("the schema registry {host} answers what is no schema: {what}")]
    Malformed { host: String, what: String },
}

impl Error {
    /// Whether it says nothing of the schema that was asked for: asked again it may answer, if only once its settings or
    /// ours are mended.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Refused { status, .. } => is_of_who_asks(*status),
            Self::Address { .. } | Self::Malformed { .. } => false,
        }
    }
}

fn is_of_who_asks(status: StatusCode) -> bool {
    let is_login = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::PROXY_AUTHENTICATION_REQUIRED];
    let is_pace = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    status.is_redirection() || is_login.contains(&status) || is_pace.contains(&status)
}

fn to_check(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => {
            "; check `kafka.registry_user` and the password in `kafka.registry_password_file`, then restart"
        }
        StatusCode::FORBIDDEN => "; `kafka.registry_user` may not read schemas there: let it, or name another user",
        status if status.is_redirection() => "; `kafka.registry_url` must name where it answers itself",
        _ => "",
    }
}

#[derive(Deserialize)]
struct Answer {
    schema: String,
    #[serde(default, rename = "schemaType")]
    kind: Option<String>,
}

impl Registry {
    /// `url`: up to where `/schemas` follows. `login`: user and password, where the registry asks for them.
    pub fn new(url: &str, login: Option<(&str, &str)>) -> Result<Self, Error> {
        let wrong = |what: &str| Error::Address { url: url.to_owned(), what: what.to_owned() };
        let parsed: Uri = url.trim_end_matches('/').parse().map_err(|_| wrong("it is no URL"))?;
        if !matches!(parsed.scheme_str(), Some("http" | "https")) || parsed.host().is_none() {
            return Err(wrong("it begins neither with http:// nor with https://"));
        }
        let authorization = login.map(|(user, password)| {
            Password(format!("Basic {}", openssl::base64::encode_block(format!("{user}:{password}").as_bytes())))
        });
        Ok(Self { url: Arc::new(parsed), authorization })
    }

    /// The Avro schema of an id; `None`: the registry knows no such id.
    pub async fn schema(&self, id: u32) -> Result<Option<String>, Error> {
        let asked = tokio::time::timeout(TIMEOUT, self.ask(&format!("/schemas/ids/{id}"))).await;
        let Some(body) = asked.map_err(|_| self.unavailable("no answer in time"))?? else { return Ok(None) };
        let malformed = |what: String| Error::Malformed { host: self.host(), what };
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| malformed(error.to_string()))?;
        match answer.kind.as_deref() {
            None | Some("AVRO") => Ok(Some(answer.schema)),
            Some(other) => Err(malformed(format!("id {id} is {other}, not AVRO"))),
        }
    }

    /// The body of the answer; `None`: there is no such thing.
    async fn ask(&self, path: &str) -> Result<Option<Bytes>, Error> {
        let host = self.url.host().unwrap_or_default();
        let is_secure = self.url.scheme_str() == Some("https");
        let port = self.url.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await.map_err(|error| self.unavailable(&error.to_string()))?;
        if !is_secure {
            return self.exchange(stream, path).await;
        }
        let failed = |error: openssl::error::ErrorStack| self.unavailable(&error.to_string());
        let connector = SslConnector::builder(SslMethod::tls()).map_err(failed)?.build();
        let ssl = connector.configure().and_then(|configured| configured.into_ssl(host)).map_err(failed)?;
        let mut stream = tokio_openssl::SslStream::new(ssl, stream).map_err(failed)?;
        std::pin::Pin::new(&mut stream).connect().await.map_err(|error| self.unavailable(&error.to_string()))?;
        self.exchange(stream, path).await
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        path: &str,
    ) -> Result<Option<Bytes>, Error> {
        let failed = |error: hyper::Error| self.unavailable(&error.to_string());
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
        let mut request = Request::builder()
            .uri(format!("{}{path}", self.url.path().trim_end_matches('/')))
            .header(header::HOST, self.url.authority().map(ToString::to_string).unwrap_or_default())
            .header(header::ACCEPT, "application/vnd.schemaregistry.v1+json, application/json");
        if let Some(Password(authorization)) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(|error| self.unavailable(&error.to_string()))?;
        let talk = async {
            let answer = sender.send_request(request).await.map_err(failed)?;
            match answer.status() {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND => return Ok(None),
                status if status.is_server_error() => return Err(self.unavailable(status.as_str())),
                status => return Err(Error::Refused { host: self.host(), status }),
            }
            let body = Limited::new(answer.into_body(), BODY_BYTES_MAX).collect().await;
            body.map(|body| Some(body.to_bytes())).map_err(|error| self.unavailable(&error.to_string()))
        };
        tokio::pin!(talk);
        tokio::select! {
            answered = &mut talk => answered,
            // The connection may have ended behind the answer, which is there then.
            ended = connection => match ended {
                Ok(()) => talk.await,
                Err(error) => Err(failed(error)),
            },
        }
    }

    fn host(&self) -> String {
        self.url.authority().map(|authority| authority.host().to_owned()).unwrap_or_default()
    }

    fn unavailable(&self, what: &str) -> Error {
        Error::Unavailable { host: self.host(), what: what.to_owned() }
    }
}
