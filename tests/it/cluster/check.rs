//! Any process answers a fraud check: one that folds nothing passes it on to the one that does.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};
use tributary::clock::Clock;
use tributary::run::{self, Engines, Http, Options, Role, Serving};
use tributary::web::keys::{Limits, Secret};
use tributary::web::{Access, Fallback, Policy};

use super::place::{PATIENCE, Place};
use crate::web::client::{Answer, request, send};
use crate::web::decisions::suspicious;

/// Nothing timed decides.
const PATIENT: Policy = Policy { deadline: PATIENCE, fallback: Fallback::Review };

/// A process that serves.
struct Process {
    addr: SocketAddr,
    local: Secret,
    stop: tokio::sync::oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<Result<(), run::Error>>,
    _dir: tempfile::TempDir,
}

impl Process {
    async fn start(place: &Place, role: Role) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let serving = Serving {
            options: Options::new(dir.path()),
            engines: Engines::Cluster(Box::new((place.kafka.clone(), place.cql.clone()))),
            role,
            http: Http {
                listen: "127.0.0.1:0".parse().unwrap(),
                advertise: None,
                access: Access::Keys,
                limits: Limits::default(),
                checks: PATIENT,
            },
            feed: None,
        };
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let told = move |it: run::Ready| drop(ready.send((it.addr, it.local.unwrap())));
        #[expect(clippy::disallowed_methods, reason = "awaited in `stop`")]
        let serving = tokio::spawn(run::serve(serving, Clock::system(), told, async {
            let _ = stopped.await;
        }));
        let (addr, local) = is_ready.await.unwrap();
        Self { addr, local, stop, serving, _dir: dir }
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        let head = request("POST", path).header("content-type", "application/json");
        let head = head.header("authorization", format!("Bearer {key}"));
        send(self.addr, head.body(Full::new(Bytes::from(body.to_string()))).unwrap()).await
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_folds_nothing_passes_the_question_on_with_the_callers_key() {
    let Some(place) = Place::new().await else { return };
    let worker = Process::start(&place, Role::Worker).await;
    let web = Process::start(&place, Role::Web).await;
    let wish = json!({"name": "shop", "scopes": ["read", "write"], "creators": ["acme"]});
    let key = web.post("/v1/admin/keys", web.local.reveal(), &wish).await.ok()["key"].as_str().unwrap().to_owned();
    assert_eq!(web.post("/v1/events", &key, &suspicious()).await.ok()["rejected"], 0);
    let asked = json!({"creator_id": "acme", "referral_code": "acme-ann", "customer_id": "customer-p4", "amount": 1_000,
        "device_token": "000000000000000000000000000000d1", "occurred_at": "2026-01-05T05:00:00Z"});
    let clock = Clock::system();
    // The worker has to be given the partition, to say so, to fold what came, and to learn of the key.
    let checked = loop {
        let answer = web.post("/v1/fraud/check", &key, &asked).await;
        let data = if answer.status == 200 { answer.json()["data"].take() } else { Value::Null };
        if data["score"] == 50 {
            break data;
        }
        assert!(clock.monotonic() < PATIENCE, "{:?}", answer.bytes);
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(
        (&checked["verdict"], &checked["decided_by"], &checked["reason"]),
        (&json!("review"), &json!("score"), &Value::Null)
    );
    let mut own = worker.post("/v1/fraud/check", &key, &asked).await.ok()["data"].take();
    // Ticks may have come between the two.
    own["as_of"] = checked["as_of"].clone();
    assert_eq!(checked, own, "the owner says the same");

    worker.stop().await;
    let alone = web.post("/v1/fraud/check", &key, &asked).await.ok()["data"].take();
    assert_eq!((&alone["verdict"], &alone["decided_by"]), (&json!("review"), &json!("fallback")));
    assert_eq!((&alone["reason"], &alone["score"]), (&json!("unreachable"), &Value::Null));
    web.stop().await;
}
