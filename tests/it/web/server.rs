//! A server on an embedded log and store of its own, with or without a worker.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tributary::append::intake::{self, Intake};
use tributary::clock::Clock;
use tributary::consume::Stream;
use tributary::ids::{Next, Partition};
use tributary::run::Rows;
use tributary::run::{self, Options, Program};
use tributary::web::{self, Access, App, Keys, Limits, keys};

use super::client::{Answer, empty, request, send};

pub struct Server {
    pub addr: SocketAddr,
    pub engine: Program,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), web::Error>>,
    _dir: TempDir,
}

/// Quick enough for tests to wait for.
pub fn limits() -> Limits {
    Limits { applied_every: std::time::Duration::from_millis(5), ..Limits::default() }
}

impl Server {
    /// Everything: what is sent in is folded and can be asked for.
    pub async fn whole() -> Self {
        let mut server = Self::start(limits()).await;
        server.engine.start().unwrap();
        server
    }

    /// No worker: nothing is ever applied.
    pub async fn start(limits: Limits) -> Self {
        Self::start_with(limits, |_| {}).await
    }

    /// Without keys, on parts that `change` has put in place.
    pub async fn start_with(limits: Limits, change: impl FnOnce(&mut App<Rows, tributary::run::Sink>)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::new(dir.path());
        options.pace.fast = std::time::Duration::from_millis(5);
        options.pace.slow = std::time::Duration::from_millis(5);
        let engine = Program::open(options, Clock::system()).await.unwrap();
        let listener = web::bind("127.0.0.1:0".parse().unwrap(), Access::InsecureDev).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut app = app(&engine);
        change(&mut app);
        #[expect(clippy::disallowed_methods, reason = "awaited in `stop`")]
        let serving = tokio::spawn(web::serve(listener, app, limits, async {
            let _ = stopped.await;
        }));
        Self { addr, engine, stop, serving, _dir: dir }
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.addr, request("GET", path).body(empty()).unwrap()).await
    }

    /// As of a position.
    pub async fn get_at(&self, path: &str, token: &str) -> Answer {
        send(self.addr, request("GET", path).header("x-min-position", token).body(empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        let request = request("POST", path).header("content-type", "application/json");
        send(self.addr, request.body(Full::new(body.into())).unwrap()).await
    }

    /// Sends events that must all be accepted; the token that covers them.
    pub async fn fill(&self, events: &Value) -> String {
        let answer = self.post("/v1/events", events.to_string()).await.ok();
        assert_eq!(answer["rejected"], 0, "{answer}");
        answer["token"].as_str().unwrap().to_owned()
    }

    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
        self.engine.stop().await.unwrap();
    }
}

pub fn app(engine: &Program) -> App<Rows, tributary::run::Sink> {
    let partitions = engine.log.topic().partitions;
    let log = engine.log.file().unwrap().clone();
    let ends = move || {
        let end = |p| log.bounds(Stream::Events, Partition(p)).map_or(Next(0), |bounds| bounds.end);
        Ok((0..partitions).map(end).collect())
    };
    App {
        store: engine.store.clone(),
        live: engine.live(),
        keys: Keys::new(engine.store.clone(), engine.clock.clone(), run::random(), keys::Limits::default()),
        access: Access::InsecureDev,
        intake: Intake::new(engine.sink.clone(), partitions, engine.clock.clone(), intake::Limits::default()),
        partitions,
        clock: engine.clock.clone(),
        metrics: Arc::new(|| Box::pin(std::future::ready("tributary_records_read_total 0\n".to_owned()))),
        log_ends: Arc::new(ends),
        looks: engine.looks(),
        generations: engine.generations(),
        checks: engine.checks(web::Policy::default()),
        workers: Some(engine.workers()),
    }
}
