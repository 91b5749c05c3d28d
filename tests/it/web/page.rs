//! The page at `/` in a real browser: what it shows is what the API answers, and it moves by itself.

use serde_json::{Value, json};
use tokio::task::block_in_place;

use tributary::web::keys::Scope;

use super::browser::{Page, program};
use super::keys::Locked;
use super::server::Server;

const DAY: i64 = 86_400_000;

fn event(kind: &str, id: &str, at: i64, fields: Value) -> Value {
    let mut event = json!({"type": kind, "event_id": id, "creator_id": "acme", "occurred_at": at});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event
}

fn member(id: &str, name: &str, at: i64) -> Value {
    event("Member", &format!("m-{id}"), at, json!({"member_id": id, "username": name, "referral_code": id}))
}

fn click(id: &str, member: &str, at: i64) -> Value {
    let agent = "Mozilla/5.0 (X11; Linux) Firefox/130.0";
    event("Click", &format!("k-{id}"), at, json!({"click_id": id, "member_id": member, "user_agent": agent}))
}

fn purchase(id: &str, member: &str, at: i64, amount: i64) -> Value {
    let fields = json!({"conversion_id": id, "kind": "purchase", "referral_code": member,
                        "customer_id": format!("customer-{id}"), "amount": amount, "currency": "EUR"});
    event("Conversion", &format!("o-{id}"), at, fields)
}

/// Two members, a sale in the thirty days before the last thirty and two in the last.
fn programme(now: i64) -> Value {
    let commission = json!({"source": "derived", "rate_bp": 1_000});
    let head = json!({"name": "Acme", "currency": "EUR", "time_zone": "UTC", "commission": commission});
    json!([
        event("Creator", "c", now - 80 * DAY, head),
        member("ann", "Ann", now - 79 * DAY),
        member("bob", "Bob <b>", now - 78 * DAY),
        purchase("p0", "bob", now - 45 * DAY, 20_000),
        click("1", "ann", now - 3 * DAY),
        click("2", "ann", now - 2 * DAY),
        click("3", "bob", now - 2 * DAY),
        purchase("p1", "ann", now - 2 * DAY, 12_050),
        purchase("p2", "ann", now - DAY, 17_950),
    ])
}

/// Minor units of an amount below a thousand, as an English reader sees them.
fn euro(minor: &Value) -> Value {
    let minor = minor.as_i64().unwrap();
    json!(format!("€{}.{:02}", minor / 100, minor % 100))
}

/// Text of every node that a selector finds.
fn texts(selector: &str) -> String {
    format!("[...document.querySelectorAll({selector:?})].map((each) => each.textContent)")
}

/// What the page must show of what the API answers now.
async fn expected(server: &Server, token: &str, now: i64) -> [(String, Value); 5] {
    let today = now.div_euclid(DAY) * DAY;
    let to = (now.div_euclid(DAY / 24) + 1) * (DAY / 24);
    let path = format!("/v1/creators/acme/analytics?from={}&to={to}", today - 29 * DAY);
    let analytics = server.get_at(&path, token).await.ok()["data"].clone();
    let board = server.get_at("/v1/creators/acme/leaderboard", token).await.ok()["data"].clone();
    let (figures, growth) = (&analytics["figures"], &analytics["growth"]);
    let value = |of: &Value| json!(of.as_i64().unwrap().to_string());
    let counts = &figures["counts"];
    let shown = [
        euro(&figures["money"][0]["revenue_net"]),
        euro(&figures["money"][0]["commission_net"]),
        value(&counts["orders"]),
        value(&counts["customers"]),
        value(&counts["signups"]),
        value(&counts["clicks_human"]),
    ];
    let grown = growth["money"][0]["revenue_net"].as_f64().unwrap() - 1.0;
    let entries = board["entries"].as_array().unwrap();
    let members = entries.iter().map(|entry| entry["member"]["username"].clone()).collect();
    let earned = entries.iter().map(|entry| euro(&entry["value"])).collect();
    let stages = analytics["funnel"].as_array().unwrap().iter().map(|stage| value(&stage["count"])).collect();
    [
        (texts("#figures .value"), json!(shown)),
        (texts("#figures button:first-child .change b"), json!([format!("{:+}%", (grown * 1_000.0).round() / 10.0)])),
        (texts("#funnel .value"), Value::Array(stages)),
        (texts("#board .who b"), Value::Array(members)),
        (texts("#board .value"), Value::Array(earned)),
    ]
}

fn check(page: &mut Page, expected: &[(String, Value)]) {
    for (expression, value) in expected {
        page.wait_for(expression, value);
    }
}

async fn the_page_lives(scheme: &str, width: u32) {
    let Some(program) = program() else { return };
    let server = Server::whole().await;
    let now = server.engine.clock.now().0;
    let token = server.fill(&programme(now)).await;
    let first = expected(&server, &token, now).await;
    let url = format!("http://{}/?creator=acme&range=30d", server.addr);
    let mut page = block_in_place(|| {
        let mut page = Page::open(&program, width, 1_000);
        page.prefer(scheme);
        page.go(&url);
        check(&mut page, &first);
        page.wait_for("document.getElementById('line').dataset.line", &json!("live"));
        // A reload would lose it.
        page.eval("window.here = true");
        page
    });

    // The first change may be seen by what the page asks at its start; the next ones it must hear of.
    let mut shown = first;
    for round in 4..7 {
        let sale = purchase(&format!("p{round}"), "bob", now, 15_000);
        let click = click(&round.to_string(), "bob", now);
        let token = server.fill(&json!([click, sale])).await;
        let next = expected(&server, &token, now).await;
        assert_ne!(shown[0].1, next[0].1, "the figures have changed");
        assert_ne!(shown[4].1, next[4].1, "and the board");
        block_in_place(|| check(&mut page, &next));
        shown = next;
    }
    block_in_place(|| {
        assert_eq!(page.eval("window.here"), true, "the page was loaded once");
        let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        assert_eq!(page.eval(fits), true, "nothing is cut off at a width of {width}");
        let luminance = "getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3) \
                         .map(Number).reduce((a, b) => a + b)";
        let is_light = page.eval(luminance).as_f64().unwrap() > 382.0;
        assert_eq!(is_light, scheme == "light", "the background goes with the reader's wish");
        assert_eq!(page.complaints(), Vec::<String>::new());
        let own = format!("http://{}/", server.addr);
        let foreign: Vec<_> = page.requests().into_iter().filter(|url| !url.starts_with(&own)).collect();
        assert!(foreign.iter().all(|url| url.starts_with("data:") || url == "about:blank"), "{foreign:?}");
        assert!(page.requests().iter().any(|url| url.ends_with("/live")), "it listens");
    });
    drop(page);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wide_light_page_shows_the_answers_and_follows_them() {
    the_page_lives("light", 1_400).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_narrow_dark_page_shows_the_answers_and_follows_them() {
    the_page_lives("dark", 390).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_takes_its_key_from_the_address_and_asks_for_one_without() {
    let Some(program) = program() else { return };
    let locked = Locked::whole().await;
    let key = locked.key(&[Scope::Read], Some(&["acme"])).await;
    let now = locked.server.engine.clock.now().0;
    let operator = locked.keys.local().unwrap();
    locked.fill(&programme(now), &operator).await;
    let (root, names) = (format!("http://{}/", locked.server.addr), texts("#board .who b"));
    block_in_place(|| {
        let mut page = Page::open(&program, 1_000, 1_000);
        page.go(&format!("{root}?creator=acme#key={}", key.reveal()));
        page.wait_for(&names, &json!(["Ann", "Bob <b>"]));
        page.wait_for("document.getElementById('line').dataset.line", &json!("live"));
        assert_eq!(page.eval("location.hash"), "", "nobody reads it over a shoulder");
        page.eval("location.reload()");
        page.wait_for(&names, &json!(["Ann", "Bob <b>"]));
        assert!(page.requests().iter().all(|url| !url.contains("trb_")), "the key is in no address that is asked");
        assert_eq!(page.eval("document.cookie"), "");
        assert_eq!(page.complaints(), Vec::<String>::new());
        drop(page);

        // Another browser has no key yet, and then a good one.
        let mut page = Page::open(&program, 1_000, 1_000);
        page.go(&root);
        page.wait_for("document.getElementById('locked')?.hidden", &json!(false));
        page.wait_for("document.body.dataset.state", &json!("locked"));
        page.eval(&format!("document.getElementById('key').value = '{}'", key.reveal()));
        page.eval("document.querySelector('#unlock button').click()");
        page.wait_for(&names, &json!(["Ann", "Bob <b>"]));
        page.wait_for("document.getElementById('locked').hidden", &json!(true));
    });
    locked.server.stop().await;
}
