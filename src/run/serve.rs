//! Everything in one process: log, worker, projections and web, until told to stop.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusBuilder;

use super::engine::{Rows, Sink};
use super::keys::LocalFile;
use super::{Engines, Error, Feed, Options, Program};
use crate::append::intake::{self, Intake};
use crate::clock::Clock;
use crate::tokens;
use crate::web::keys::{Limits, Secret};
use crate::web::{self, Access, App, Keys};

/// How HTTP is served.
#[derive(Debug, Clone, Copy)]
pub struct Http {
    pub listen: SocketAddr,
    /// Where other processes reach it; none: where it listens, or, if that is everywhere, at the address by which it reaches
    /// the brokers.
    pub advertise: Option<SocketAddr>,
    pub access: Access,
    pub limits: Limits,
    /// Of questions about what has not come.
    pub checks: web::Policy,
}

/// What there is to tell once the server listens.
#[derive(Debug)]
pub struct Ready {
    pub addr: SocketAddr,
    /// The first key of the folder, which is told this once.
    pub first: Option<Secret>,
    /// The key of this run; none where no key is asked for.
    pub local: Option<Secret>,
}

/// The file in the data folder that names the address of the process that holds it.
const ADDRESS_FILE: &str = "tributary.addr";

/// The address of the process that holds the data folder, if one wrote it there. It may be gone since.
pub fn address_of(data_dir: &Path) -> Option<SocketAddr> {
    std::fs::read_to_string(data_dir.join(ADDRESS_FILE)).ok()?.trim().parse().ok()
}

/// How somebody on this machine reaches a server that listens on `addr`.
pub fn from_here(addr: SocketAddr) -> SocketAddr {
    match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, addr.port())),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::from((Ipv6Addr::LOCALHOST, addr.port())),
        IpAddr::V4(_) | IpAddr::V6(_) => addr,
    }
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Folds, and answers.
    #[default]
    All,
    /// Folds; how it is can be asked.
    Worker,
    /// Answers.
    Web,
}

impl Role {
    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "all" => Some(Self::All),
            "worker" => Some(Self::Worker),
            "web" => Some(Self::Web),
            _ => None,
        }
    }
}

/// What is served, where, and what for.
#[derive(Debug, Clone)]
pub struct Serving {
    pub options: Options,
    pub engines: Engines,
    pub role: Role,
    pub http: Http,
    pub feed: Option<Feed>,
}

/// Serves until `shutdown` is done; then everything folded is written, out and committed.
pub async fn serve(
    serving: Serving,
    clock: Clock,
    ready: impl FnOnce(Ready),
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let (options, dir) = (serving.options.clone(), serving.options.data_dir.clone());
    let engine = Program::open_on(serving.engines.clone(), options, clock.clone()).await?;
    // Where many processes share the keys, `setup` makes the first: else each would make one.
    let (keys, makes_first) = match &engine.store {
        Rows::File(_) => (super::keys(&dir, clock, serving.http.limits)?, true),
        Rows::Cql(_) => (Keys::new(engine.store.clone(), clock, super::random(), serving.http.limits), false),
    };
    serve_program(engine, (keys, makes_first), serving, ready, shutdown).await
}

/// `keys`: with whether a first one is to be made.
async fn serve_program(
    mut engine: Program,
    (keys, makes_first): (Keys<Rows>, bool),
    Serving { options, engines, role, http: serving, feed }: Serving,
    ready: impl FnOnce(Ready),
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let (data_dir, clock) = (options.data_dir, engine.clock.clone());
    let tokens = match role {
        // It folds, and need not know the secret.
        Role::Worker => None,
        Role::Web | Role::All => engine.tokens()?,
    };
    if let Some((epoch, check)) = tokens.as_ref().map(|keys| (keys.epoch(), keys.check())) {
        tracing::info!(epoch, check, "raw fields are made tokens of this epoch");
    }
    let listener = web::bind(serving.listen, serving.access).await?;
    let addr = listener.local_addr().map_err(web::Error::Address)?;
    let local = match serving.access {
        Access::Keys => Some(keys.local()?),
        Access::InsecureDev => None,
    };
    // Before the address: who finds one has the key that goes with it.
    let local_file = local.as_ref().map(|key| LocalFile::write(&data_dir, key)).transpose()?;
    let address = AddressFile::write(&data_dir, addr)?;
    match role {
        Role::Web => engine.watch(),
        Role::Worker | Role::All => {
            engine.check_snapshots().await?;
            advertise(&engine, (serving.advertise, addr), &engines).await;
            engine.start()?;
        }
    }
    let mut feeding = tokio::task::JoinSet::new();
    if let Some(feed) = feed {
        let partitions = engine.log.topic().partitions;
        feeding.spawn(super::feed::feed(feed, engine.sink.clone(), partitions, clock.clone()));
    }
    // Late: what fails before must not leave a key that nobody was told.
    let first = match serving.access {
        Access::Keys if makes_first => keys.bootstrap().await?,
        Access::Keys | Access::InsecureDev => None,
    };
    ready(Ready { addr, first, local });
    let app = app(&engine, (keys, serving), role, tokens);
    let outcome = web::serve(listener, app, web::Limits::default(), shutdown).await;
    feeding.shutdown().await;
    drop((address, local_file));
    engine.stop().await?;
    Ok(outcome?)
}

fn app(
    engine: &Program,
    (keys, serving): (Keys<Rows>, Http),
    role: Role,
    tokens: Option<Arc<tokens::Keys>>,
) -> App<Rows, Sink> {
    let clock = engine.clock.clone();
    let partitions = engine.log.topic().partitions;
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // A second server in one process (tests) keeps the recorder of the first.
    drop(metrics::set_global_recorder(recorder));
    let (workers, now) = (engine.workers(), clock.clone());
    let generations = engine.generations.clone();
    let render = move || -> web::Rendered {
        workers().publish(now.now());
        let (generations, handle) = (generations.clone(), handle.clone());
        Box::pin(async move {
            generations.publish().await;
            handle.run_upkeep();
            handle.render()
        })
    };
    let log = engine.log.clone();
    let log_ends = move || log.ends();
    App {
        store: engine.store.clone(),
        live: engine.live(),
        keys,
        access: serving.access,
        intake: Intake::new(engine.sink.clone(), partitions, clock.clone(), intake::Limits::default())
            .with_tokens(tokens),
        partitions,
        clock,
        metrics: Arc::new(render),
        log_ends: Arc::new(log_ends),
        looks: engine.looks(),
        generations: engine.generations(),
        checks: engine.checks(serving.checks),
        workers: (role != Role::Web).then(|| engine.workers()),
    }
}

/// Says where others ask for what is folded here: where they are told to, or where it listens; if that is everywhere, at
/// the address by which this machine reaches the brokers.
async fn advertise(engine: &Program, (told, listens): (Option<SocketAddr>, SocketAddr), engines: &Engines) {
    let brokers = match engines {
        Engines::Cluster(both) => both.0.brokers.clone(),
        // Nobody else has the rows.
        Engines::Embedded | Engines::Kafka(_) => return,
    };
    let found = match told.or_else(|| Some(listens).filter(|addr| !addr.ip().is_unspecified())) {
        Some(addr) => Some(addr),
        None => {
            let outward = tokio::task::spawn_blocking(move || outward(&brokers)).await.ok().flatten();
            outward.map(|ip| SocketAddr::new(ip, listens.port()))
        }
    };
    match found {
        Some(addr) => {
            tracing::info!(%addr, "other processes are told to ask here for what is folded here");
            engine.advertise(addr);
        }
        None => tracing::warn!(
            %listens,
            "other processes cannot ask here for fraud checks: there is no address to reach this one by; set `advertise`"
        ),
    }
}

/// The address that a packet to the first broker would leave from; none is sent.
fn outward(brokers: &str) -> Option<IpAddr> {
    let broker = brokers.split(',').next()?.trim();
    let sockets = [(Ipv4Addr::UNSPECIFIED, 0).into(), SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))];
    sockets.into_iter().find_map(|own| {
        let socket = UdpSocket::bind(own).ok()?;
        socket.connect(broker).ok()?;
        Some(socket.local_addr().ok()?.ip())
    })
}

/// Removed when the server ends in order.
struct AddressFile {
    path: PathBuf,
}

impl AddressFile {
    fn write(data_dir: &Path, addr: SocketAddr) -> Result<Self, Error> {
        let path = data_dir.join(ADDRESS_FILE);
        std::fs::write(&path, from_here(addr).to_string())
            .map_err(|source| Error::Folder { dir: data_dir.to_owned(), source })?;
        Ok(Self { path })
    }
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}
