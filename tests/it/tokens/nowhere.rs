//! After a run with raw fields none of them stands anywhere: files, answers, logs; nor the secret but in its file.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tributary::tokens::{Keys, Made, RawField, hex};

use super::{Desk, Server, body, read_back};

const V4: &str = "81.2.69.142";
const V6: &str = "2a02:cf40:be5e:77d1:9c3a:55e0:7b1d:e4f2";
const DEVICE: &str = "Qz7-ultramarine-fingerprint-0xK9";
const EMAIL: &str = "Wilhelmina.Quux@Kaleidoskop.Nirgendwo";
const CARD: &str = "pm_1NvoYx9HbTzWq8";
const IBAN: &str = "GB33BUKB20201555555555";
/// Refused for what they are.
const NO_ADDRESS: &str = "81.2.69.142:60443";
const BESIDE: &str = "Vx3-carmine-beside-its-token";
/// What may be seen: it shows that the search finds what is there.
const CONTROL: &str = "Zanzibar-Jukebox-77";

/// What must not be found, in any case of letters.
fn raw() -> Vec<Vec<u8>> {
    let texts = [V4, V6, "2a02:cf40:be5e:77d1::9", DEVICE, EMAIL, CARD, IBAN, NO_ADDRESS, BESIDE];
    let mut needles: Vec<Vec<u8>> = texts.iter().map(|text| text.to_lowercase().into_bytes()).collect();
    // In pieces too, as compression may leave them, and an address as its bytes.
    let pieces =
        ["ultramarine", "carmine", "wilhelmina", "kaleidoskop", "novoyx9hbt", "bukb2020", ":be5e:77d1", "60443"];
    needles.extend(pieces.iter().map(|text| text.to_lowercase().into_bytes()));
    needles.push(V6.parse::<std::net::Ipv6Addr>().unwrap().octets()[..8].to_vec());
    needles
}

fn has(place: &[u8], needle: &[u8]) -> bool {
    let lower = place.to_ascii_lowercase();
    lower.windows(needle.len()).any(|window| window == needle.to_ascii_lowercase())
}

#[track_caller]
fn assert_clean(what: &str, place: &[u8], needles: &[Vec<u8>]) {
    for needle in needles {
        assert!(!has(place, needle), "{what} has {:?}", String::from_utf8_lossy(needle));
    }
}

fn event(kind: &str, id: &str, fields: &Value) -> Value {
    let mut event = json!({"type": kind, "event_id": id, "creator_id": "acme", "occurred_at": "2026-01-05T10:00:00Z"});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event
}

/// One of each record that takes raw fields, under ids that begin with `way`.
fn story(way: &str) -> Vec<Value> {
    let id = |name: &str| format!("{way}-{name}");
    vec![
        event(
            "Sighting",
            &id("s"),
            &json!({"member_id": "ann", "ip": V6, "device": DEVICE, "email": EMAIL, "payout_method": IBAN}),
        ),
        event(
            "Click",
            &id("c"),
            &json!({"click_id": id("c"), "member_id": "ann", "ip": V6, "device": DEVICE, "user_agent": CONTROL}),
        ),
        event("Click", &id("v4"), &json!({"click_id": id("v4"), "member_id": "ann", "ip": V4})),
        event(
            "Conversion",
            &id("o"),
            &json!({"conversion_id": id("o"), "kind": "purchase", "amount": 4900,
            "customer_id": id("cust"), "click_id": id("c"), "ip": V4, "device": DEVICE, "email": EMAIL, "payment_method": CARD}),
        ),
    ]
}

fn refused() -> Vec<Value> {
    let token = "00112233445566778899aabbccddeeff";
    vec![
        event("Click", "r1", &json!({"click_id": "r1", "member_id": "ann", "ip": NO_ADDRESS})),
        event("Click", "r2", &json!({"click_id": "r2", "member_id": "ann", "device": BESIDE, "device_token": token})),
        event("Click", "r3", &json!({"click_id": "r3", "member_id": "ann", "email": EMAIL})),
        event("Conversion", "r4", &json!({"conversion_id": "r4", "kind": "purchase", "email": EMAIL})),
    ]
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Sends all that there is to send, over every way; what was answered, and what was logged and printed.
fn play(desk: &Desk) -> Vec<(String, Vec<u8>)> {
    let mut heard = Vec::new();
    let server = Server::start(desk, "server.log");
    let first = [
        event("Creator", "e0", &json!({"name": "Acme", "currency": "EUR", "time_zone": "UTC"})),
        event("Member", "e1", &json!({"member_id": "ann", "username": CONTROL})),
    ];
    let batch = Value::from([&first[..], &story("http"), &refused()].concat());
    let answer = server.ask("POST", "/v1/events", "", &batch.to_string());
    assert_eq!((&body(&answer)["accepted"], &body(&answer)["rejected"]), (&json!(6), &json!(4)), "{answer}");
    let token = body(&answer)["token"].as_str().unwrap().to_owned();
    heard.push(("the intake's answer".to_owned(), answer.into_bytes()));
    let refused_alone = server.ask("POST", "/v1/events", "", &refused()[0].to_string());
    assert!(refused_alone.contains("`ip` of the Click must be an IP address"), "{refused_alone}");
    heard.push(("a refusal".to_owned(), refused_alone.into_bytes()));

    // A command beside the server sends through it.
    desk.write("beside.ndjson", &lines(&[story("beside"), refused()].concat()));
    let output = desk.run(&["import", "beside.ndjson", "--rejects", "data/rejects.txt", "--json"]);
    assert_eq!(super::json_of(3, &output)["accepted"], 4);
    heard.push(("an import beside the server".to_owned(), [output.stdout, output.stderr].concat()));

    let paths = [
        "/metrics",
        "/health",
        "/v1/creators/acme/members/ann/stats",
        "/v1/creators/acme/members/ann/clicks",
        "/v1/creators/acme/conversions/http-o/explain",
        "/v1/creators/acme/members",
        "/v1/creators/acme/analytics",
    ];
    for path in paths {
        let answer = server.ask("GET", path, if path.starts_with("/v1") { &token } else { "" }, "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        heard.push((path.to_owned(), answer.into_bytes()));
    }
    assert!(heard.iter().any(|(_, text)| has(text, CONTROL.as_bytes())), "answers show what they may");
    server.stop();
    heard.push(("the server's log".to_owned(), std::fs::read(desk.path("server.log")).unwrap()));

    // And into the folder itself, as lines and as a table.
    desk.write("alone.ndjson", &lines(&[story("alone"), refused()].concat()));
    let table = format!(
        "type,event_id,creator_id,occurred_at,click_id,member_id,ip,device,email,payout_method\n\
         Click,t1,acme,2026-01-05T10:00:00Z,t1,ann,{V6},{DEVICE},,\n\
         Sighting,t2,acme,2026-01-05T10:00:00Z,,ann,{V4},{DEVICE},{EMAIL},{IBAN}\n\
         Click,t3,acme,2026-01-05T10:00:00Z,t3,ann,{NO_ADDRESS},,,\n"
    );
    desk.write("alone.csv", &table);
    for (file, accepted) in [("alone.ndjson", 4), ("alone.csv", 2)] {
        let output = desk.run(&["import", file, "--json"]);
        assert_eq!(super::json_of(3, &output)["accepted"], accepted);
        heard.push((format!("the import of {file}"), [output.stdout, output.stderr].concat()));
    }
    let output = desk.run(&["projections", "verify", "--json"]);
    assert_eq!(super::json_of(0, &output)["differences"], 0);
    heard.push(("verify".to_owned(), [output.stdout, output.stderr].concat()));
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_run_no_raw_field_stands_anywhere_and_the_secret_only_in_its_file() {
    let desk = Desk::new();
    let heard = play(&desk);
    let data = desk.path("data");
    let secrets = tributary::run::secret::read(&data.join("tokens.secret")).unwrap();
    let secret = secrets.current().text().reveal().to_owned();
    let binary: Vec<u8> = (0..32).map(|n| u8::from_str_radix(&secret[2 * n..2 * n + 2], 16).unwrap()).collect();
    let mut needles = raw();
    needles.extend([secret.into_bytes(), binary]);

    for (what, text) in &heard {
        assert_clean(what, text, &needles);
    }
    let log = heard.iter().find(|(what, _)| what == "the server's log").unwrap();
    assert!(has(&log.1, b"raw fields are made tokens"), "it was logged");
    let (mut seen, mut looked_at) = (false, 0);
    for path in files(&data).iter().filter(|path| !path.ends_with("tokens.secret")) {
        let bytes = std::fs::read(path).unwrap();
        assert_clean(&path.display().to_string(), &bytes, &needles);
        seen |= has(&bytes, CONTROL.as_bytes());
        looked_at += 1;
    }
    assert!(seen && looked_at >= 5, "the search finds what is there, in {looked_at} files");

    // Blocks may be compressed: what the log says is read through the product too.
    let records = read_back(&data).await;
    let keys = Keys::new(secrets.current());
    for record in &records {
        assert_clean("a record", record.to_string().as_bytes(), &needles);
    }
    assert!(records.iter().any(|record| record["user_agent"] == CONTROL));
    check_tokens(&records, &keys);
}

/// Each event has the tokens that its values have, whichever way it came.
fn check_tokens(records: &[Value], keys: &Keys) {
    let made = |field, value: &str| keys.make(field, value).unwrap();
    let text = |Made { token, .. }: Made| Value::from(hex(&token.unwrap().0));
    let device = text(made(RawField::Device, DEVICE));
    let email = text(made(RawField::Email, EMAIL));
    let wide = Value::from(hex(&made(RawField::Ip, V6).wide.unwrap().0));
    let of = |id: &str| records.iter().find(|record| record["event_id"] == id).unwrap_or_else(|| panic!("no {id}"));
    for way in ["http", "beside", "alone"] {
        let sighting = of(&format!("{way}-s"));
        assert_eq!((&sighting["ip_token"], &sighting["ip56_token"]), (&text(made(RawField::Ip, V6)), &wide));
        assert_eq!((&sighting["device_token"], &sighting["email_token"]), (&device, &email), "{way}");
        assert_eq!(sighting["payout_token"], text(made(RawField::PayoutMethod, IBAN)));
        let click = of(&format!("{way}-c"));
        assert_eq!(
            (&click["ip_token"], &click["ip56_token"], &click["device_token"]),
            (&sighting["ip_token"], &wide, &device)
        );
        let four = of(&format!("{way}-v4"));
        assert_eq!((&four["ip_token"], &four["ip56_token"]), (&text(made(RawField::Ip, V4)), &Value::Null));
        let sale = of(&format!("{way}-o"));
        assert_eq!((&sale["ip_token"], &sale["email_token"]), (&four["ip_token"], &email), "{way}");
        assert_eq!(sale["payment_token"], text(made(RawField::PaymentMethod, CARD)));
    }
    assert_eq!(of("t1")["device_token"], device);
    assert_eq!(of("t2")["email_token"], email);
    for refused in ["r1", "r2", "r3", "r4", "t3"] {
        assert!(!records.iter().any(|record| record["event_id"] == refused), "{refused}");
    }
}
