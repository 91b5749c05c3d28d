//! Two keys of two creators: no answer to the one holds a byte of the other's, whatever is asked.
//!
//! What is asked is read from the OpenAPI document, so that a route made later is walked too. What must not be seen is
//! what the owner's own key sees of it: marked texts, and large figures.

use std::collections::BTreeSet;

use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::header::DATE;
use serde_json::{Value, json};
use tributary::append::partition::partition_of;
use tributary::ids::Partition;
use tributary::web::OPENAPI;
use tributary::web::keys::{Scope, Secret};

use super::client::{open, request};
use super::keys::Locked;

/// In every text of the victim's.
const MARK: &str = "zq";
const VICTIM: &str = "zq-victim";
/// Figures from here on are the victim's alone.
const LARGE: f64 = 100_000.0;
/// Of the victim's amounts.
const UNIT: i64 = 1_234_577;
/// 2026-01-05T00:00Z, a Monday.
const START: i64 = 1_767_571_200_000;
const DAY: i64 = 86_400_000;

/// Everything that an answer says.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Said {
    fn text(&self) -> String {
        format!("{:?}\n{}", self.headers, self.body)
    }

    /// As it would be if the caller had asked for `other` instead of `asked`. How much is left of the key's requests
    /// moves with each, and so does the length of what is repeated.
    fn for_another(mut self, asked: &str, other: &str) -> Self {
        self.body = self.body.replace(asked, other);
        self.headers.retain(|(name, _)| name != "ratelimit");
        self
    }
}

/// A request of the walk.
#[derive(Debug, Clone)]
struct Asked {
    method: String,
    path: String,
    body: Option<Value>,
    token: Option<String>,
}

impl Asked {
    /// The same of another creator.
    fn with(&self, creator: &str, other: &str) -> Self {
        let body = self.body.as_ref().map(|body| body.to_string().replace(creator, other).parse().unwrap());
        Self { path: self.path.replace(creator, other), body, ..self.clone() }
    }
}

async fn ask(locked: &Locked, key: &Secret, asked: &Asked) -> Said {
    let mut head = request(&asked.method, &asked.path).header("authorization", format!("Bearer {}", key.reveal()));
    if let Some(token) = &asked.token {
        head = head.header("x-min-position", token);
    }
    let body = asked.body.as_ref().map(Value::to_string).unwrap_or_default();
    if !body.is_empty() {
        head = head.header("content-type", "application/json");
    }
    let answer = open(locked.server.addr, head.body(bytes::Bytes::from(body).into()).unwrap()).await;
    let (head, mut body) = answer.into_parts();
    let is_endless = head.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
    let bytes = if is_endless && asked.method != "HEAD" {
        body.frame().await.expect("the first event").unwrap().into_data().unwrap()
    } else {
        body.collect().await.unwrap().to_bytes()
    };
    let body = String::from_utf8_lossy(&bytes).into_owned();
    Said { status: head.status.as_u16(), headers: headers(&head.headers), body }
}

fn headers(all: &HeaderMap) -> Vec<(String, String)> {
    let others = all.iter().filter(|(name, _)| **name != DATE);
    others.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

fn event(creator: &str, kind: &str, id: &str, at: i64, fields: Value) -> Value {
    let mut event =
        json!({"type": kind, "event_id": format!("{creator}-{id}"), "creator_id": creator, "occurred_at": at});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event
}

/// A programme whose texts begin with `mark`, and whose amounts are multiples of `unit`.
fn programme(creator: &str, mark: &str, unit: i64) -> Value {
    let name = |what: &str| format!("{mark}-{what}");
    let event =
        |kind: &str, id: &str, hours: i64, fields: Value| event(creator, kind, id, START + hours * DAY / 24, fields);
    let member = |who: &str, at: i64| {
        let fields = json!({"member_id": name(who), "user_id": name(&format!("user-{who}")),
                            "username": name(&format!("name-{who}")), "referral_code": name(&format!("code-{who}"))});
        event("Member", &format!("m-{who}"), at, fields)
    };
    let sale = |id: &str, who: &str, at: i64, times: i64| {
        let fields = json!({"conversion_id": name(&format!("sale-{id}")), "kind": "purchase",
                            "referral_code": name(&format!("code-{who}")), "plan": name("plan"),
                            "customer_id": name(&format!("customer-{id}")), "amount": times * unit, "currency": "EUR"});
        event("Conversion", &format!("o-{id}"), at, fields)
    };
    let agent = "Mozilla/5.0 (X11; Linux) Firefox/130.0";
    let commission = json!({"source": "derived", "rate_bp": 1_000});
    json!([
        event(
            "Creator",
            "c",
            0,
            json!({"name": name("programme"), "currency": "EUR", "time_zone": "UTC",
                                        "commission": commission})
        ),
        member("ann", 1),
        member("bob", 2),
        event(
            "Share",
            "s",
            3,
            json!({"share_id": name("share"), "member_id": name("ann"), "platform": name("platform"),
                                      "share_type": "link", "template_id": name("template")})
        ),
        event(
            "Click",
            "k",
            4,
            json!({"click_id": name("click"), "member_id": name("ann"), "user_agent": agent,
                                      "platform": name("platform"), "utm_source": name("source"),
                                      "utm_campaign": name("campaign"), "referrer": "https://zq.example/page"})
        ),
        sale("1", "ann", 5, 3),
        sale("2", "bob", 30, 5),
        event(
            "Conversion",
            "o-3",
            31,
            json!({"conversion_id": name("refund"), "kind": "refund",
            "original_id": name("sale-2"), "customer_id": name("customer-2"), "amount": unit, "currency": "EUR"})
        ),
    ])
}

/// Names of `like`'s partition: what shares a log is the hardest to keep apart.
fn neighbours(like: &str, partitions: u32) -> impl Iterator<Item = String> {
    let of = move |id: &str| -> Partition { partition_of(id.as_bytes(), partitions) };
    let wanted = of(like);
    // As long as `like`, so that answers can be compared byte for byte.
    (100..999).map(|n| format!("plain-{n}")).filter(move |id| of(id) == wanted)
}

/// Every request that the document knows for `creator` and its `member`.
fn walk(creator: &str, member: &str) -> Vec<Asked> {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if operation["security"] == json!([]) {
                continue;
            }
            let named = named(&document, operation, &path.replace("{creator}", creator).replace("{member}", member));
            let body = (method == "post").then(|| body_of(path, creator, member));
            let asked = Asked { method: method.to_uppercase(), path: named, body, token: None };
            for query in queries(&document, operation) {
                all.push(Asked { path: format!("{}{query}", asked.path), ..asked.clone() });
            }
            if method == "get" {
                all.push(Asked { method: "HEAD".to_owned(), ..asked });
            }
        }
    }
    assert!(all.len() > 40, "{}", all.len());
    all
}

/// The path with something in place of every parameter that this test does not know: one of the values that the document
/// names, or the id of a sale, which conversions, commissions and reviews may be found by.
fn named(document: &Value, operation: &Value, path: &str) -> String {
    let mut named = path.to_owned();
    while let Some((before, rest)) = named.split_once('{') {
        let (name, after) = rest.split_once('}').unwrap();
        let parameters = parameters(document, operation);
        let schema = parameters.iter().find(|found| found["name"] == name).map(|found| &found["schema"]["enum"][0]);
        let value = schema.and_then(Value::as_str).unwrap_or("zq-sale-1");
        named = format!("{before}{value}{after}");
    }
    named
}

fn parameters<'a>(document: &'a Value, operation: &'a Value) -> Vec<&'a Value> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.map(|parameter| match parameter["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => parameter,
    })
    .collect()
}

fn body_of(path: &str, creator: &str, member: &str) -> Value {
    match path {
        "/v1/events" if creator == VICTIM => programme(creator, MARK, UNIT),
        "/v1/events" => programme(creator, "own", 7),
        "/v1/fraud/check" => json!({"creator_id": creator, "member_id": member}),
        "/admin/projections/verify" => json!({}),
        "/v1/admin/fraud/backtest" => json!({"rules": {"id": "seed-v1"}, "creator": creator}),
        "/v1/admin/keys" => json!({"name": "mine", "scopes": ["read"], "creators": [creator]}),
        // A route of later takes what it takes of this, or says what is wrong: both must keep the secret.
        _ => json!({"member_ids": [member]}),
    }
}

/// No query, then each value of each parameter that has a few, then cursors.
fn queries(document: &Value, operation: &Value) -> Vec<String> {
    let mut all = vec![String::new()];
    for parameter in parameters(document, operation) {
        if parameter["in"] != "query" {
            continue;
        }
        let name = parameter["name"].as_str().unwrap();
        let values = parameter["schema"]["enum"].as_array().cloned().unwrap_or_default();
        all.extend(values.iter().filter_map(Value::as_str).map(|value| format!("?{name}={value}")));
        match name {
            "limit" => all.push("?limit=1".to_owned()),
            "from" => all.push(format!("?from={START}")),
            "to" => all.push(format!("?from={}&to={}", START, START + 10 * DAY)),
            _ => {}
        }
    }
    all
}

/// What of an answer is the victim's: marked texts, and figures that are large.
fn harvest(body: &str, secrets: &mut BTreeSet<String>) {
    let json = body.lines().map(|line| line.strip_prefix("data: ").unwrap_or(line));
    let mut stack: Vec<Value> = json.filter_map(|line| serde_json::from_str(line).ok()).collect();
    while let Some(value) = stack.pop() {
        match value {
            Value::Object(map) => {
                // The age of what is shown is nobody's figure.
                stack.extend(map.into_iter().filter(|(name, _)| name != "lag_ms").map(|(_, value)| value));
            }
            Value::Array(list) => stack.extend(list),
            Value::String(text) if text.contains(MARK) => drop(secrets.insert(text)),
            Value::Number(number) if number.as_f64().is_some_and(|value| value.abs() >= LARGE) => {
                secrets.insert(number.to_string());
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }
}

/// Cursors of the victim's lists.
fn cursors(said: &Said) -> Option<String> {
    let json: Value = serde_json::from_str(&said.body).ok()?;
    json["next"].as_str().map(str::to_owned)
}

struct Stage {
    locked: Locked,
    rival: String,
    nobody: String,
    victims_key: Secret,
    rivals_key: Secret,
    token: String,
    secrets: BTreeSet<String>,
    cursors: BTreeSet<String>,
}

async fn stage() -> Stage {
    let locked = Locked::whole().await;
    let partitions = locked.server.engine.log.topic().partitions;
    let mut neighbours = neighbours(VICTIM, partitions);
    let (rival, nobody) = (neighbours.next().unwrap(), neighbours.next().unwrap());
    let all = [Scope::Read, Scope::Write, Scope::Review];
    let victims_key = locked.key(&all, Some(&[VICTIM])).await;
    let rivals_key = locked.key(&all, Some(&[&rival])).await;
    locked.fill(&programme(&rival, "own", 7), &rivals_key).await;
    let token = locked.fill(&programme(VICTIM, MARK, UNIT), &victims_key).await;
    let mut stage = Stage {
        locked,
        rival,
        nobody,
        victims_key,
        rivals_key,
        token,
        secrets: BTreeSet::new(),
        cursors: BTreeSet::new(),
    };
    stage.look().await;
    stage
}

/// All that the rival is told where there is no victim: none of it can be the victim's.
async fn without_the_victim(rival: &str) -> String {
    let locked = Locked::whole().await;
    let key = locked.key(&[Scope::Read], Some(&[rival])).await;
    let token = locked.fill(&programme(rival, "own", 7), &locked.keys.local().unwrap()).await;
    let mut told = String::new();
    for mut asked in walk(rival, "own-ann") {
        asked.token = Some(token.clone());
        told.push_str(&ask(&locked, &key, &asked).await.text());
    }
    locked.server.stop().await;
    told
}

impl Stage {
    /// Sees all that the victim's key sees.
    async fn look(&mut self) {
        for mut asked in walk(VICTIM, "zq-ann") {
            asked.token = Some(self.token.clone());
            let said = ask(&self.locked, &self.victims_key, &asked).await;
            harvest(&said.body, &mut self.secrets);
            self.cursors.extend(cursors(&said));
        }
        let plain = without_the_victim(&self.rival).await;
        self.secrets.retain(|secret| !plain.contains(secret));
        for seen in ["programme", "ann", "user-ann", "name-ann", "code-ann", "sale-2", "customer-1", "plan", "refund"] {
            let text = format!("{MARK}-{seen}");
            assert!(
                self.secrets.contains(&text),
                "{text} is seen by its owner, so the test can see it: {:?}",
                self.secrets
            );
        }
        for figure in [8 * UNIT, 3 * UNIT, 5 * UNIT, 7 * UNIT] {
            assert!(self.secrets.contains(&figure.to_string()), "{figure} is seen by its owner: {:?}", self.secrets);
        }
        assert!(!self.cursors.is_empty());
    }

    /// What is told of the victim to the rival, apart from what the rival said.
    fn leaks(&self, asked: &Asked, said: &Said) -> Vec<&String> {
        let sent = format!("{}{}", asked.path, asked.body.as_ref().map(Value::to_string).unwrap_or_default());
        let text = said.text();
        self.secrets.iter().filter(|secret| !sent.contains(*secret) && text.contains(*secret)).collect()
    }

    /// What the rival can ask: of the victim, of its own programme for the victim's members, with the victim's cursors.
    fn attacks(&self) -> Vec<Asked> {
        let mut all = walk(VICTIM, "zq-ann");
        all.extend(walk(&self.rival, "zq-ann"));
        all.extend(walk(&self.rival, "own-ann"));
        let lists: Vec<Asked> =
            all.iter().filter(|asked| asked.method == "GET" && !asked.path.contains('?')).cloned().collect();
        for asked in lists {
            let with = |cursor: &String| Asked { path: format!("{}?cursor={cursor}", asked.path), ..asked.clone() };
            all.extend(self.cursors.iter().map(with));
        }
        let waiting = |asked: &Asked| Asked { token: Some(self.token.clone()), ..asked.clone() };
        all.iter().map(waiting).chain(all.iter().cloned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_one_creator_never_sees_a_byte_of_another_s() {
    let stage = stage().await;
    let operator = stage.locked.keys.local().unwrap();
    let mut answered = 0;
    for asked in stage.attacks() {
        let said = ask(&stage.locked, &stage.rivals_key, &asked).await;
        let leaks = stage.leaks(&asked, &said);
        assert!(leaks.is_empty(), "{asked:?} tells {leaks:?}: {said:?}");
        answered += usize::from(said.status == 200);
    }
    assert!(answered > 20, "{answered} answers are the rival's own");
    let creators = Asked { method: "GET".to_owned(), path: "/v1/creators".to_owned(), body: None, token: None };
    let seen: Value = serde_json::from_str(&ask(&stage.locked, &stage.rivals_key, &creators).await.body).unwrap();
    let ids: Vec<_> = seen["data"].as_array().unwrap().iter().map(|each| each["creator_id"].clone()).collect();
    assert_eq!(ids, [json!(stage.rival)]);
    // Nothing that the rival sent for the victim got in: its figures are what they were.
    let head = Asked { path: format!("/v1/creators/{VICTIM}"), ..creators };
    let before = ask(&stage.locked, &operator, &head).await;
    assert!(before.body.contains(&(8 * UNIT).to_string()), "{before:?}");
    stage.locked.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_creator_is_like_one_that_does_not_exist_byte_for_byte() {
    let stage = stage().await;
    let mut compared = 0;
    for asked in walk(VICTIM, "zq-ann") {
        let is_about = |text: &str| text.contains(VICTIM);
        if !is_about(&asked.path) && !asked.body.as_ref().is_some_and(|body| is_about(&body.to_string())) {
            continue;
        }
        for (token, path) in [
            (None, asked.path.clone()),
            (Some(stage.token.clone()), asked.path.clone()),
            (Some("no token".to_owned()), asked.path.clone()),
            (None, format!("{}?nonsense=1", asked.path.split('?').next().unwrap())),
        ] {
            let foreign = Asked { token, path, ..asked.clone() };
            let absent = foreign.with(VICTIM, &stage.nobody);
            let said = ask(&stage.locked, &stage.rivals_key, &foreign).await.for_another(VICTIM, &stage.nobody);
            let expected = ask(&stage.locked, &stage.rivals_key, &absent).await.for_another(VICTIM, &stage.nobody);
            assert_eq!(said, expected, "{foreign:?}");
            assert!((400..500).contains(&said.status), "{said:?}");
            compared += 1;
        }
    }
    assert!(compared > 40, "{compared}");
    stage.locked.server.stop().await;
}
