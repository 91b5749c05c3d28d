//! Sockets, time-outs, and the end of it all.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::keys::{Pass, View};
use super::position::{Seen, follow};
use super::problem::{Kind, Problem};
use super::reply::{self, Reply};
use super::route::{self, Routes};
use super::socket::Socket;
use super::{Access, App, Error, Limits, refuse_others};
use crate::append::Sink;
use crate::store::Store;
use crate::telemetry::with_causes;

/// What all requests share.
pub(super) struct Shared<S, K> {
    pub(super) app: App<S, K>,
    pub(super) limits: Limits,
    pub(super) routes: Arc<Routes>,
    pub(super) seen: watch::Receiver<Arc<Seen>>,
    pub(super) stopping: watch::Receiver<bool>,
    pub(super) listeners: Arc<Semaphore>,
    requests: Arc<Semaphore>,
}

impl<S: Store, K: Sink> Shared<View<S>, K> {
    /// The same, as far as `pass` sees it.
    pub(super) fn seen_by(self: &Arc<Self>, pass: &Pass) -> Arc<Self> {
        let Some(creators) = pass.creators() else { return Arc::clone(self) };
        let mut app = self.app.clone();
        app.store = self.app.store.of(Arc::clone(&creators));
        app.live = app.live.seen(move |rows| rows.of(Arc::clone(&creators)));
        Arc::new(Self {
            app,
            limits: self.limits.clone(),
            routes: Arc::clone(&self.routes),
            seen: self.seen.clone(),
            stopping: self.stopping.clone(),
            listeners: Arc::clone(&self.listeners),
            requests: Arc::clone(&self.requests),
        })
    }
}

/// Serves until `shutdown` is done, then lets open requests end, for `stop_wait_max` at most.
pub async fn serve<S: Store, K: Sink>(
    listener: TcpListener,
    app: App<S, K>,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    refuse_others(listener.local_addr().map_err(Error::Address)?, app.access)?;
    app.keys.refresh().await?;
    let app = viewed(app);
    let (stop, stopping) = watch::channel(false);
    let (look, seen) = watch::channel(Arc::new(Seen::default()));
    let mut background = JoinSet::new();
    let facts = (app.partitions, Arc::clone(&app.log_ends), app.clock.clone());
    background.spawn(app.keys.clone().follow());
    background.spawn(follow(app.live.clone(), facts, limits.applied_every, look));

    let permits = Arc::new(Semaphore::new(limits.connections_max));
    let stop_wait_max = limits.stop_wait_max;
    let shared = Arc::new(Shared {
        routes: Arc::new(Routes::new()),
        seen,
        stopping,
        listeners: Arc::new(Semaphore::new(limits.live_max)),
        requests: Arc::new(Semaphore::new(limits.requests_max)),
        app,
        limits,
    });
    let mut connections = JoinSet::new();
    accept_until(shutdown, &listener, &permits, &shared, &mut connections).await;
    drop(listener);
    // Nobody listens any more only when every connection has ended.
    let _ = stop.send(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(stop_wait_max, ended).await.is_err() {
        tracing::warn!(open = connections.len(), "connections cut at shutdown");
        connections.shutdown().await;
    }
    background.shutdown().await;
    Ok(())
}

fn viewed<S: Store, K: Sink>(app: App<S, K>) -> App<View<S>, K> {
    App {
        store: View::all(app.store),
        live: app.live.seen(View::all),
        keys: app.keys.within(View::all),
        access: app.access,
        intake: app.intake,
        partitions: app.partitions,
        clock: app.clock,
        metrics: app.metrics,
        log_ends: app.log_ends,
        looks: app.looks,
        generations: app.generations,
        checks: app.checks,
        workers: app.workers,
    }
}

async fn accept_until<S: Store, K: Sink>(
    shutdown: impl Future<Output = ()> + Send,
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
    shared: &Arc<Shared<View<S>, K>>,
    connections: &mut JoinSet<()>,
) {
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            // Dropping it gives the permit back; a connection not yet accepted stays in the kernel's queue.
            accepted = next_connection(listener, permits) => match accepted {
                Ok((stream, permit)) => {
                    connections.spawn(connection(stream, permit, Arc::clone(shared)));
                }
                Err(error) => {
                    tracing::warn!(error = %with_causes(&error), "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            // Only clears away what has ended.
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Out of file handles: some must be closed first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

async fn next_connection(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

async fn connection<S: Store, K: Sink>(
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
    shared: Arc<Shared<View<S>, K>>,
) {
    // Events and short answers must not wait for more to send.
    let _ = stream.set_nodelay(true);
    let mut stopping = shared.stopping.clone();
    let limits = &shared.limits;
    let socket = TokioIo::new(Socket::new(stream, limits.write_stall_max));
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(&shared, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_wait_max)
        .max_buf_size(limits.head_bytes_max)
        .serve_connection(socket, service);
    tokio::pin!(connection);
    let stopped = async {
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    tokio::select! {
        // Peers go away and time out all the time: nothing to say about it.
        _ = connection.as_mut() => return,
        () = stopped => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

async fn answer<S: Store, K: Sink>(shared: &Arc<Shared<View<S>, K>>, request: Request<Incoming>) -> Reply {
    let is_head = request.method() == Method::HEAD;
    let answered = tokio::time::timeout(shared.limits.request_wait_max, admit(shared, request));
    let mut reply = match answered.await {
        Ok(Ok(reply)) => reply,
        Ok(Err(problem)) => reply::problem(&problem),
        Err(_) => reply::problem(&Problem::retry(
            Kind::DeadlineExceeded,
            format!("no answer within {} ms", shared.limits.request_wait_max.as_millis()),
            1,
        )),
    };
    reply::harden(reply.headers_mut());
    if is_head { reply::without_body(reply) } else { reply }
}

async fn admit<S: Store, K: Sink>(
    shared: &Arc<Shared<View<S>, K>>,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    if shared.app.access == Access::InsecureDev {
        refuse_foreign_host(&request)?;
    }
    let Ok(_permit) = shared.requests.try_acquire() else {
        let detail = format!("{} requests are being answered already", shared.limits.requests_max);
        return Err(Problem::retry(Kind::Overloaded, detail, 1));
    };
    route::answer(shared, request).await
}

/// A page elsewhere may point a name of its own at this machine and then read as the same origin: without keys, which
/// it has not, only names that mean this machine are served.
fn refuse_foreign_host(request: &Request<Incoming>) -> Result<(), Problem> {
    let Some(host) = request.headers().get(header::HOST) else { return Ok(()) };
    let host = host.to_str().unwrap_or_default();
    if is_own(host) {
        return Ok(());
    }
    let detail = "without API keys this server answers to localhost, 127.0.0.1 and [::1] only";
    Err(Problem::new(Kind::Misdirected, detail))
}

fn is_own(host: &str) -> bool {
    let bare = match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => bare,
        Some(_) | None => host,
    };
    let address = bare.trim_start_matches('[').trim_end_matches(']');
    address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        || bare.eq_ignore_ascii_case("localhost")
        || bare.to_ascii_lowercase().ends_with(".localhost")
}
