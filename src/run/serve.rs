//! Everything in one process: log, worker, projections and web, until told to stop.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusBuilder;

use super::keys::LocalFile;
use super::{Embedded, Error, Feed, Options};
use crate::append::embedded::EmbeddedSink;
use crate::append::intake::{self, Intake};
use crate::clock::Clock;
use crate::consume::Stream;
use crate::ids::Partition;
use crate::store::embedded::EmbeddedStore;
use crate::web::keys::{Limits, Secret};
use crate::web::{self, Access, App, Keys};

/// How HTTP is served.
#[derive(Debug, Clone, Copy)]
pub struct Http {
    pub listen: SocketAddr,
    pub access: Access,
    pub limits: Limits,
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

/// Serves until `shutdown` is done; then everything folded is written, out and committed.
pub async fn serve(
    options: Options,
    serving: Http,
    clock: Clock,
    feed: Option<Feed>,
    ready: impl FnOnce(Ready),
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let data_dir = options.data_dir.clone();
    let mut engine = Embedded::open(options, clock.clone()).await?;
    let keys = super::keys(&data_dir, clock.clone(), serving.limits)?;
    let listener = web::bind(serving.listen, serving.access).await?;
    let addr = listener.local_addr().map_err(web::Error::Address)?;
    let local = match serving.access {
        Access::Keys => Some(keys.local()?),
        Access::InsecureDev => None,
    };
    // Before the address: who finds one has the key that goes with it.
    let local_file = local.as_ref().map(|key| LocalFile::write(&data_dir, key)).transpose()?;
    let address = AddressFile::write(&data_dir, addr)?;
    engine.start()?;
    let mut feeding = tokio::task::JoinSet::new();
    if let Some(feed) = feed {
        let partitions = engine.log.topic().partitions;
        feeding.spawn(super::feed::feed(feed, engine.sink.clone(), partitions, clock.clone()));
    }
    // Late: what fails before must not leave a key that nobody was told.
    let first = match serving.access {
        Access::Keys => keys.bootstrap().await?,
        Access::InsecureDev => None,
    };
    ready(Ready { addr, first, local });
    let app = app(&engine, (keys, serving.access), clock);
    let outcome = web::serve(listener, app, web::Limits::default(), shutdown).await;
    feeding.shutdown().await;
    drop((address, local_file));
    engine.stop().await?;
    Ok(outcome?)
}

fn app(
    engine: &Embedded,
    (keys, access): (Keys<EmbeddedStore>, Access),
    clock: Clock,
) -> App<EmbeddedStore, EmbeddedSink> {
    let partitions = engine.log.topic().partitions;
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // A second server in one process (tests) keeps the recorder of the first.
    drop(metrics::set_global_recorder(recorder));
    let (workers, followed) = (engine.workers(), engine.log.clone());
    let publish_generations = engine.publish_generations();
    let render = move || {
        let progress = workers();
        progress.publish();
        publish_generations();
        progress.publish_lag(|p| followed.bounds(Stream::Events, p).map(|bounds| bounds.end));
        handle.run_upkeep();
        handle.render()
    };
    let log = engine.log.clone();
    let log_ends = move || {
        let end = |p| log.bounds(Stream::Events, Partition(p)).map(|bounds| bounds.end);
        (0..partitions).map(|p| end(p).ok_or_else(|| format!("the log has no partition {p}"))).collect()
    };
    App {
        store: engine.store.clone(),
        live: engine.live(),
        keys,
        access,
        intake: Intake::new(engine.sink.clone(), partitions, clock.clone(), intake::Limits::default()),
        partitions,
        clock,
        metrics: Arc::new(render),
        log_ends: Arc::new(log_ends),
        looks: engine.looks(),
        generations: engine.generations(),
        workers: Some(engine.workers()),
    }
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
