//! API keys: who is let in, to what, how often, and until when.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::StatusCode;
use serde_json::{Value, json};
use tributary::clock::Clock;
use tributary::ids::Millis;
use tributary::run;
use tributary::run::Rows;
use tributary::web::keys::{Error, Limits, Rate, Scope, Secret, Wish};
use tributary::web::{Access, Keys, OPENAPI};

use super::client::{Answer, empty, open, request, send};
use super::reads::{creator, member};
use super::server::{Server, limits};

/// 2026-01-05T00:00Z.
const NOW: Millis = Millis(1_767_571_200_000);

/// A server that asks for keys, whose time stands still unless it is moved.
pub struct Locked {
    pub server: Server,
    pub keys: Keys<Rows>,
    elapsed: Arc<AtomicU32>,
    limits: Limits,
}

impl Locked {
    pub async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub async fn with(key_limits: Limits) -> Self {
        let elapsed = Arc::new(AtomicU32::new(0));
        let mut keys = None;
        let server = Server::start_with(limits(), |app| {
            let clock = Clock::moved_by(NOW, Arc::clone(&elapsed));
            app.access = Access::Keys;
            app.keys = Keys::new(app.store.clone(), clock, run::random(), key_limits);
            keys = Some(app.keys.clone());
        });
        let server = server.await;
        // It answers once it has read the keys: no reading of its start is under way when time moves.
        server.get("/livez").await;
        Self { server, keys: keys.unwrap(), elapsed, limits: key_limits }
    }

    /// The same, with a worker that folds what is sent in.
    pub async fn whole() -> Self {
        let mut locked = Self::start().await;
        locked.server.engine.start().unwrap();
        locked
    }

    /// A key with these scopes, for `creators` or for all.
    pub async fn key(&self, scopes: &[Scope], creators: Option<&[&str]>) -> Secret {
        let creators = creators.map(|list| list.iter().map(|id| (*id).to_owned()).collect());
        let wish = Wish { scopes: scopes.to_vec(), creators, ..Wish::everything("test") };
        self.keys.create(&wish).await.unwrap().1
    }

    pub async fn get(&self, path: &str, key: &Secret) -> Answer {
        self.ask("GET", path, key.reveal(), "").await
    }

    /// With a body where there is one.
    pub async fn ask(&self, method: &str, path: &str, key: &str, body: &str) -> Answer {
        let mut asked = request(method, path).header("authorization", format!("Bearer {key}"));
        if !body.is_empty() {
            asked = asked.header("content-type", "application/json");
        }
        send(self.server.addr, asked.body(Full::new(Bytes::from(body.to_owned()))).unwrap()).await
    }

    /// Sends events that must all be accepted; the token that covers them.
    pub async fn fill(&self, events: &Value, key: &Secret) -> String {
        let answer = self.ask("POST", "/v1/events", key.reveal(), &events.to_string()).await.ok();
        assert_eq!(answer["rejected"], 0, "{answer}");
        answer["token"].as_str().unwrap().to_owned()
    }

    fn pass(&self, ms: u32) {
        self.elapsed.fetch_add(ms, Ordering::Relaxed);
    }

    /// What another process on the same store has.
    async fn elsewhere(&self) -> Keys<Rows> {
        let clock = Clock::moved_by(NOW, Arc::clone(&self.elapsed));
        let keys = Keys::new(self.server.engine.store.clone(), clock, run::random(), self.limits);
        keys.refresh().await.unwrap();
        keys
    }
}

/// Method, path with its parameters filled in, scope (`None`: open).
fn operations() -> Vec<(String, String, Option<Scope>)> {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let scope = operation["security"][0]["key"][0].as_str().map(|name| Scope::parse(name).unwrap());
            let path = path.replace(['{', '}'], "");
            all.push((method.to_uppercase(), path, scope));
        }
    }
    assert!(all.len() > 15, "{all:?}");
    all
}

#[tokio::test]
async fn without_a_key_only_the_open_paths_answer() {
    let locked = Locked::start().await;
    for (method, path, scope) in operations() {
        let answer = send(locked.server.addr, request(&method, &path).body(empty()).unwrap()).await;
        if scope.is_none() {
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            continue;
        }
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::UNAUTHORIZED, "unauthenticated"),
            "{method} {path}"
        );
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"tributary\"");
    }
    for path in ["/", "/assets/app.js", "/livez", "/v1/openapi.json"] {
        assert_eq!(locked.server.get(path).await.status, StatusCode::OK, "{path}");
    }
    locked.server.stop().await;
}

#[tokio::test]
async fn a_key_opens_what_its_scope_says_and_nothing_else() {
    let locked = Locked::start().await;
    for (method, path, scope) in operations() {
        let Some(scope) = scope else { continue };
        let others: Vec<Scope> = Scope::ALL.into_iter().filter(|other| *other != scope).collect();
        let refused = locked.ask(&method, &path, locked.key(&others, None).await.reveal(), "").await;
        assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::FORBIDDEN, "forbidden"), "{path}");
        let challenge = format!("error=\"insufficient_scope\", scope=\"{}\"", scope.name());
        assert!(refused.header("www-authenticate").contains(&challenge), "{path}");
        let answered = locked.ask(&method, &path, locked.key(&[scope], None).await.reveal(), "").await;
        let is_in = !matches!(answered.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        assert!(is_in, "{method} {path} is {}", answered.status);
    }
    locked.server.stop().await;
}

#[tokio::test]
async fn what_is_about_all_creators_is_closed_to_a_key_of_some() {
    let locked = Locked::start().await;
    let key = locked.key(&[Scope::Read, Scope::Write, Scope::Review], Some(&["acme"])).await;
    for path in ["/health", "/metrics"] {
        let answer = locked.get(path, &key).await;
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::FORBIDDEN, "forbidden"), "{path}");
    }
    locked.server.stop().await;
}

/// A key with the id of `key` and another secret, right in shape and checksum.
fn forged(key: &Secret) -> String {
    let signed = format!("trb_{}_{}", key.id(), "a".repeat(43));
    let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let (mut rest, mut check) = (crc32fast::hash(signed.as_bytes()), String::new());
    for _ in 0..6 {
        check.insert(0, char::from(letters[rest as usize % 62]));
        rest /= 62;
    }
    signed + &check
}

#[tokio::test]
async fn whoever_has_a_bad_key_is_told_so_and_no_more() {
    let locked = Locked::start().await;
    let good = locked.key(&Scope::ALL, None).await;
    let header = |value: String| request("GET", "/v1/creators").header("authorization", value);
    let (id, text) = (good.id(), good.reveal());
    let forged = forged(&good);
    assert!(Secret::parse(&forged).is_some(), "the forged key is well made");
    let bad = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        text.to_owned(),
        format!("Basic {text}"),
        format!("Bearer {}", &text[..text.len() - 1]),
        format!("Bearer {text}x"),
        format!("Bearer trb_{id}"),
        format!("Bearer {forged}"),
        format!("Bearer {}", forged.replace(id, "0123456789")),
    ];
    for value in bad {
        let answer = send(locked.server.addr, header(value.clone()).body(empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{value}");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"tributary\", error=\"invalid_token\"");
        assert!(!answer.bytes.windows(id.len()).any(|part| part == id.as_bytes()), "nothing of the key is repeated");
    }
    let twice = header(format!("Bearer {text}")).header("authorization", format!("Bearer {text}"));
    assert_eq!(send(locked.server.addr, twice.body(empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
    for value in [format!("Bearer {text}"), format!("bearer  {text} ")] {
        let answer = send(locked.server.addr, header(value).body(empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    locked.server.stop().await;
}

#[tokio::test]
async fn an_expired_key_opens_nothing_and_says_so_to_its_owner_alone() {
    let locked = Locked::start().await;
    let wish = Wish { expires_at: Some(Millis(NOW.0 + 5_000)), ..Wish::everything("short") };
    let (_, key) = locked.keys.create(&wish).await.unwrap();
    assert_eq!(locked.get("/v1/creators", &key).await.status, StatusCode::OK);
    locked.pass(5_000);
    let answer = locked.get("/v1/creators", &key).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.json()["detail"].as_str().unwrap().contains("has expired"));
    let stranger = locked.ask("GET", "/v1/creators", &forged(&key), "").await;
    assert!(stranger.json()["detail"].as_str().unwrap().contains("is not known"), "{:?}", stranger.bytes);
    locked.server.stop().await;
}

#[tokio::test]
async fn keys_are_made_listed_and_revoked_over_http() {
    let locked = Locked::start().await;
    let admin = locked.key(&[Scope::Admin], None).await;
    let wish = json!({"name": "shop", "scopes": ["write", "read", "read"], "creators": ["acme"],
                      "expires_at": "2027-01-01T00:00:00Z", "rate_per_s": 5});
    let made = locked.ask("POST", "/v1/admin/keys", admin.reveal(), &wish.to_string()).await.ok();
    let key = Secret::parse(made["key"].as_str().unwrap()).expect("it is a key");
    let about = &made["data"];
    assert_eq!(about["key_id"], key.id());
    assert_eq!((&about["scopes"], &about["creators"]), (&json!(["read", "write"]), &json!(["acme"])));
    assert_eq!((&about["created_at"], &about["expires_at"]), (&json!("2026-01-05T00:00:00Z"), &wish["expires_at"]));
    assert_eq!(locked.get("/v1/creators", &key).await.status, StatusCode::OK, "it is good at once");

    let listed = locked.get("/v1/admin/keys", &admin).await;
    for (name, text) in [("the key", key.reveal()), ("its secret", &key.reveal()[15..]), ("a hash", "hash")] {
        assert!(!String::from_utf8_lossy(&listed.bytes).contains(text), "{name} is told");
    }
    let listed = listed.ok();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    assert!(listed["data"].as_array().unwrap().contains(about));
    let page = locked.get("/v1/admin/keys?limit=1", &admin).await.ok();
    let path = format!("/v1/admin/keys?limit=1&cursor={}", page["next"].as_str().unwrap());
    let second = locked.get(&path, &admin).await.ok();
    assert_eq!((second["data"].as_array().unwrap().len(), &second["next"]), (1, &Value::Null));

    let path = format!("/v1/admin/keys/{}", key.id());
    let revoked = locked.ask("DELETE", &path, admin.reveal(), "").await.ok();
    assert_eq!(revoked["data"]["revoked_at"], "2026-01-05T00:00:00Z");
    assert_eq!(locked.get("/v1/creators", &key).await.status, StatusCode::UNAUTHORIZED, "at once");
    locked.pass(1_000);
    assert_eq!(locked.ask("DELETE", &path, admin.reveal(), "").await.ok(), revoked, "once more changes nothing");
    for id in ["0123456789", "nobody", "%2e%2e"] {
        let answer = locked.ask("DELETE", &format!("/v1/admin/keys/{id}"), admin.reveal(), "").await;
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::NOT_FOUND, "unknown-key"), "{id}");
    }
    locked.server.stop().await;
}

#[tokio::test]
async fn a_wish_that_makes_no_sense_is_refused_by_name() {
    let locked = Locked::start().await;
    let admin = locked.key(&[Scope::Admin], None).await;
    let bad = |field: &str, value: Value| {
        let mut wish = json!({"name": "n", "scopes": ["read"]});
        wish[field] = value;
        wish
    };
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(101))),
        ("name", json!("two\nlines")),
        ("scopes", json!([])),
        ("scopes", json!(["everything"])),
        ("creators", json!([])),
        ("creators", json!([""])),
        ("creators", json!(["x".repeat(65)])),
        ("creators", json!(vec!["x"; 1_001])),
        ("expires_at", json!("soon")),
        ("expires_at", json!(NOW.0)),
        ("rate_per_s", json!(0)),
        ("burst", json!(1_000_001)),
        ("scope", json!(["read"])),
    ] {
        let answer = locked.ask("POST", "/v1/admin/keys", admin.reveal(), &bad(field, value.clone()).to_string()).await;
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::BAD_REQUEST, "invalid-body"), "{value}");
        let told = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(told.contains(field) || told.contains("everything"), "{field}: {told}");
    }
    let whole = json!({"name": "n", "scopes": ["admin"], "creators": ["acme"]}).to_string();
    assert_eq!(locked.ask("POST", "/v1/admin/keys", admin.reveal(), &whole).await.problem(), "invalid-body");
    locked.server.stop().await;
}

#[tokio::test]
async fn what_another_process_changes_counts_here_after_the_next_look() {
    let locked = Locked::start().await;
    let key = locked.key(&[Scope::Read], None).await;
    let elsewhere = locked.elsewhere().await;
    let (_, new) = elsewhere.create(&Wish::everything("new")).await.unwrap();
    elsewhere.revoke(key.id()).await.unwrap();
    assert_eq!(locked.get("/v1/creators", &key).await.status, StatusCode::OK, "not seen yet");
    assert_eq!(locked.get("/v1/creators", &new).await.status, StatusCode::UNAUTHORIZED, "nor this");
    locked.keys.refresh().await.unwrap();
    assert_eq!(locked.get("/v1/creators", &key).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(locked.get("/v1/creators", &new).await.status, StatusCode::OK);
    locked.server.stop().await;
}

#[tokio::test]
async fn keys_that_were_not_read_for_30_seconds_open_nothing_but_to_the_local_operator() {
    let locked = Locked::start().await;
    let key = locked.key(&[Scope::Read], None).await;
    let local = locked.keys.local().unwrap();
    locked.pass(30_000);
    assert_eq!(locked.get("/v1/creators", &key).await.status, StatusCode::OK);
    locked.pass(1);
    let answer = locked.get("/v1/creators", &key).await;
    assert_eq!((answer.problem().as_str(), answer.header("retry-after")), ("store-unavailable", "1"));
    assert_eq!(locked.get("/v1/creators", &local).await.status, StatusCode::OK);
    locked.keys.refresh().await.unwrap();
    assert_eq!(locked.get("/v1/creators", &key).await.status, StatusCode::OK);
    locked.server.stop().await;
}

#[tokio::test]
async fn a_key_may_ask_so_often_and_is_told_how_often() {
    let each = Rate { per_s: 2, burst: 3 };
    let locked = Locked::with(Limits { each, ..Limits::default() }).await;
    let key = locked.key(&[Scope::Read], None).await;
    let mut left = Vec::new();
    for _ in 0..3 {
        let answer = locked.get("/v1/creators", &key).await;
        assert_eq!((answer.status, answer.header("ratelimit-policy")), (StatusCode::OK, "\"key\";q=3;w=2"));
        left.push(answer.header("ratelimit").to_owned());
    }
    assert_eq!(left, ["\"key\";r=2;t=1", "\"key\";r=1;t=1", "\"key\";r=0;t=2"]);
    let refused = locked.get("/v1/creators", &key).await;
    assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::TOO_MANY_REQUESTS, "rate-limited"));
    assert_eq!((refused.header("retry-after"), refused.header("ratelimit")), ("1", "\"key\";r=0;t=2"));

    let other = locked.key(&[Scope::Read], None).await;
    assert_eq!(locked.get("/v1/creators", &other).await.status, StatusCode::OK, "each key has its own");
    let wish = Wish { rate_per_s: Some(7), ..Wish::everything("more") };
    let more = locked.keys.create(&wish).await.unwrap().1;
    assert_eq!(locked.get("/v1/creators", &more).await.header("ratelimit-policy"), "\"key\";q=7;w=1");
    let local = locked.keys.local().unwrap();
    for _ in 0..20 {
        assert_eq!(locked.get("/v1/creators", &local).await.status, StatusCode::OK, "the operator's has none");
    }
    locked.keys.refresh().await.unwrap();
    assert_eq!(
        locked.get("/v1/creators", &key).await.status,
        StatusCode::TOO_MANY_REQUESTS,
        "a look gives nothing back"
    );
    locked.pass(500);
    assert_eq!(locked.get("/v1/creators", &key).await.status, StatusCode::OK);
    assert_eq!(locked.get("/v1/creators", &key).await.status, StatusCode::TOO_MANY_REQUESTS);
    locked.server.stop().await;
}

#[tokio::test]
async fn those_without_a_good_key_share_one_limit_and_lock_nobody_out() {
    let refused = Rate { per_s: 1, burst: 4 };
    let locked = Locked::with(Limits { refused, ..Limits::default() }).await;
    let key = locked.key(&[Scope::Read], None).await;
    let forged = forged(&key);
    for bad in ["nonsense", &forged, "nonsense", &forged] {
        assert_eq!(locked.ask("GET", "/v1/creators", bad, "").await.status, StatusCode::UNAUTHORIZED);
    }
    for bad in ["nonsense", &forged] {
        let answer = locked.ask("GET", "/v1/creators", bad, "").await;
        assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"));
    }
    assert_eq!(locked.server.get("/v1/creators").await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(locked.get("/v1/creators", &key).await.status, StatusCode::OK, "a good key is let in all the same");
    assert_eq!(locked.server.get("/livez").await.status, StatusCode::OK, "what is open stays open");
    locked.pass(1_000);
    assert_eq!(locked.server.get("/v1/creators").await.status, StatusCode::UNAUTHORIZED);
    locked.server.stop().await;
}

#[tokio::test]
async fn events_of_a_foreign_creator_are_rejected_alone() {
    let locked = Locked::start().await;
    let key = locked.key(&[Scope::Write], Some(&["acme", "other"])).await;
    let batch = json!([creator("acme", "EUR"), creator("rival", "EUR"), {"type": "Nonsense"}, member("acme", "ann")]);
    let answer = locked.ask("POST", "/v1/events", key.reveal(), &batch.to_string()).await.ok();
    let status: Vec<_> = answer["results"].as_array().unwrap().iter().map(|item| item["status"].clone()).collect();
    assert_eq!(status, ["accepted", "rejected", "rejected", "accepted"]);
    assert_eq!(answer["results"][1]["reason"], "this key may not write for the creator `rival`");
    assert_eq!(answer["results"][1]["event_id"], "c-rival");
    let alone = locked.ask("POST", "/v1/events", key.reveal(), &creator("rival", "EUR").to_string()).await;
    assert_eq!((alone.status, alone.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "all-rejected"));
    let ends: u64 = locked.server.engine.ends().iter().map(|(_, end)| end.0).sum();
    assert_eq!(ends, 2, "nothing of the rival is in the log");
    locked.server.stop().await;
}

#[tokio::test]
async fn a_listener_hears_nothing_more_once_its_key_is_revoked() {
    let locked = Locked::whole().await;
    let operator = locked.keys.local().unwrap();
    let key = locked.key(&[Scope::Read], Some(&["acme"])).await;
    let token = locked.fill(&json!([creator("acme", "EUR"), member("acme", "ann")]), &operator).await;
    let live = request("GET", "/v1/creators/acme/live")
        .header("x-min-position", token)
        .header("authorization", format!("Bearer {}", key.reveal()));
    let answer = open(locked.server.addr, live.body(empty()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let mut body = answer.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.starts_with(b"retry: 2000\nevent: creator\n"), "{first:?}");
    locked.keys.revoke(key.id()).await.unwrap();
    locked.fill(&json!([member("acme", "bob")]), &operator).await;
    let rest = body.collect().await.expect("it was ended, not broken off").to_bytes();
    let told = String::from_utf8_lossy(&rest).into_owned();
    assert!(!told.contains("\"members\":2"), "{told}");
    locked.server.stop().await;
}

#[tokio::test]
async fn the_list_of_creators_has_the_key_s_own_page_by_page() {
    let locked = Locked::whole().await;
    let operator = locked.keys.local().unwrap();
    let ids: Vec<String> = (0..20).map(|n| format!("creator-{n}")).collect();
    let events: Vec<Value> = ids.iter().map(|id| creator(id, "EUR")).collect();
    let token = locked.fill(&json!(events), &operator).await;
    let own = ["creator-3", "creator-5", "creator-7", "creator-11", "creator-13", "nobody"];
    let key = locked.key(&[Scope::Read], Some(&own)).await;
    let first = request("GET", "/v1/creators").header("x-min-position", token);
    let first = first.header("authorization", format!("Bearer {}", key.reveal()));
    send(locked.server.addr, first.body(empty()).unwrap()).await.ok();
    let (mut seen, mut path) = (Vec::new(), "/v1/creators?limit=2".to_owned());
    loop {
        let page = locked.get(&path, &key).await.ok();
        let data = page["data"].as_array().unwrap().clone();
        seen.extend(data.iter().map(|each| each["creator_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        assert_eq!(data.len(), 2);
        path = format!("/v1/creators?limit=2&cursor={next}");
    }
    seen.sort();
    let mut expected = own[..5].to_vec();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    locked.server.stop().await;
}

#[tokio::test]
async fn the_first_key_is_made_once_and_no_text_of_a_key_is_kept() {
    let locked = Locked::start().await;
    let first = locked.keys.bootstrap().await.unwrap().expect("there was none");
    assert_eq!(locked.get("/health", &first).await.status, StatusCode::OK);
    assert!(locked.keys.bootstrap().await.unwrap().is_none());
    locked.keys.revoke(first.id()).await.unwrap();
    assert!(locked.keys.bootstrap().await.unwrap().is_none(), "a revoked one was one too");
    let told = locked.ask("POST", "/admin/projections/verify", locked.keys.local().unwrap().reveal(), "{}").await;
    let text = String::from_utf8_lossy(&told.bytes).into_owned();
    assert!(text.contains("\"differences\":0"), "keys are no projection: {text}");
    let rows = locked.server.engine.store.clone();
    let key = tributary::project::tables::key(first.id());
    let stored = tributary::store::Store::get(&rows, &[key]).await.unwrap().remove(0).unwrap().value.unwrap();
    let secret = &first.reveal().as_bytes()[15..];
    assert!(!stored.windows(secret.len()).any(|part| part == secret));
    locked.server.stop().await;
}

#[tokio::test]
async fn a_key_is_revoked_once_by_whoever_comes_first() {
    let locked = Locked::start().await;
    let key = locked.key(&[Scope::Read], None).await;
    let elsewhere = locked.elsewhere().await;
    let (here, there) = tokio::join!(locked.keys.revoke(key.id()), elsewhere.revoke(key.id()));
    assert_eq!(here.unwrap(), there.unwrap());
    let unknown = locked.keys.revoke("0123456789").await;
    assert!(matches!(unknown, Err(Error::Unknown { .. })));
    locked.server.stop().await;
}

#[tokio::test]
async fn health_says_whether_keys_are_asked_for() {
    let locked = Locked::start().await;
    let operator = locked.keys.local().unwrap();
    let health = locked.get("/health", &operator).await.json();
    assert_eq!((&health["access"], &health["warnings"]), (&json!("keys"), &json!([])));
    locked.server.stop().await;
    let open = Server::start(limits()).await;
    let health = open.get("/health").await.json();
    assert_eq!(health["access"], "insecure-dev");
    assert!(health["warnings"][0].as_str().unwrap().contains("whoever reaches this server"), "{health}");
    open.stop().await;
}

#[tokio::test]
async fn with_keys_any_host_is_served() {
    let locked = Locked::start().await;
    let asked = request("GET", "/livez").header("host", "stats.example.com");
    assert_eq!(send(locked.server.addr, asked.body(empty()).unwrap()).await.status, StatusCode::OK);
    locked.server.stop().await;
}
