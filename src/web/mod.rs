//! HTTP: questions to the projections, the way in for events, and the creator's page.
//!
//! Promise: every answer says how far it reaches (`meta`); every error is an RFC 9457 document of a stable `type`;
//! nothing is unbounded: sockets, heads, bodies, waits, listeners ([`Limits`]). What is answered is read from rows; only who
//! asks what would be decided ([`Checks`]) is answered by those who have the fold's state. Nobody is answered without a key ([`keys`]), except in [`Access::InsecureDev`], on this machine alone.

mod admin;
pub mod calendar;
mod check;
pub mod client;
mod events;
mod forward;
mod generations;
mod health;
pub mod keys;
mod limits;
mod live;
mod openapi;
mod page;
mod position;
mod problem;
mod query;
mod read;
mod reply;
mod reviews;
mod route;
mod server;
mod socket;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::TcpListener;

pub use admin::{Counted, GenerationSize, Line, Look, Looks, Trial};
pub use check::{Answering, Checks, Fallback, Here, NotHere, Owner, OwnerOf, Policy};
pub use generations::{
    Ask, Asked, GenerationStatus, Generations, PartitionPosition, Refusal, Role, State, Status, TableCompared,
};
pub use keys::{Access, Keys};
pub use limits::Limits;
pub use openapi::OPENAPI;
pub use position::LogEnds;
pub(crate) use read::minor_digits;
pub use route::{ROUTES, Route};
pub use server::serve;

use crate::append::intake::Intake;
use crate::clock::Clock;
use crate::store::live::Live;
use crate::telemetry::Progress;

/// The metrics as Prometheus reads them.
pub type Metrics = Arc<dyn Fn() -> Rendered + Send + Sync>;
pub type Rendered = Pin<Box<dyn Future<Output = String> + Send>>;

/// How far the workers of the live generation are.
pub type Workers = Arc<dyn Fn() -> Progress + Send + Sync>;

/// What the server stands on. `S` is a [`Store`](crate::store::Store), `K` a [`Sink`](crate::append::Sink).
#[derive(Clone)]
pub struct App<S, K> {
    /// A door for what belongs to no generation; figures are read from `live`.
    pub store: S,
    pub live: Live<S>,
    /// In which rows they stand; often another store.
    pub keys: Keys<S>,
    pub access: Access,
    pub intake: Intake<K>,
    /// Partitions of the log.
    pub partitions: u32,
    pub clock: Clock,
    pub metrics: Metrics,
    pub log_ends: LogEnds,
    pub looks: Looks,
    pub generations: Generations,
    /// Who has the state that is asked what would be decided.
    pub checks: Checks,
    /// The workers of this process, if it has any: one that halted makes it unhealthy.
    pub workers: Option<Workers>,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "refusing to listen on {addr} without API keys: whoever reaches it could read and write everything; listen on \
         127.0.0.1 or [::1], or leave --insecure-dev out"
    )]
    NotLoopback { addr: SocketAddr },
    #[error("cannot listen on {addr}; is another server running there?")]
    Bind { addr: SocketAddr, source: std::io::Error },
    #[error("cannot ask the listening socket for its address")]
    Address(#[source] std::io::Error),
    #[error("cannot read the API keys")]
    Keys(#[from] keys::Error),
}

/// Listens on `addr`; without keys it must be this machine's own.
pub async fn bind(addr: SocketAddr, access: Access) -> Result<TcpListener, Error> {
    refuse_others(addr, access)?;
    TcpListener::bind(addr).await.map_err(|source| Error::Bind { addr, source })
}

const fn refuse_others(addr: SocketAddr, access: Access) -> Result<(), Error> {
    match access {
        Access::InsecureDev if !addr.ip().is_loopback() => Err(Error::NotLoopback { addr }),
        Access::InsecureDev | Access::Keys => Ok(()),
    }
}
