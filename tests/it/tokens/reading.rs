//! Raw fields in JSON and CSV: which record takes which, and what is said of those that cannot be.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tributary::append::intake::{Intake, Limits, Outcome};
use tributary::append::relay::{letter, place};
use tributary::append::tokenize::tokenize;
use tributary::clock::Clock;
use tributary::consume::Record;
use tributary::decode::csv::Header;
use tributary::decode::{Decoder, Place, Scratch, from_json, json as reading};
use tributary::event::Kind;
use tributary::ids::{Millis, Offset, Partition};
use tributary::run::{Options, Program};
use tributary::schema;
use tributary::tokens::{Keys, RawField, Secret};

fn keys() -> Keys {
    Keys::new(&Secret::published())
}

/// An event with its tokens, or why there is none.
fn read(event: &Value, keys: Option<&Keys>) -> Result<Value, String> {
    let (text, mut scratch) = (event.to_string(), Scratch::default());
    let (mut event, raw) = reading::read(text.as_bytes(), &mut scratch).map_err(|error| error.to_string())?;
    tokenize(&mut event, raw, keys).map_err(|error| error.to_string())?;
    let mut json = Vec::new();
    schema::to_json(&event, &mut json);
    Ok(serde_json::from_slice(&json).unwrap())
}

fn click(fields: &Value) -> Value {
    let mut event = json!({"type": "Click", "event_id": "e", "creator_id": "acme", "occurred_at": 5,
                           "click_id": "c", "member_id": "ann"});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event
}

#[test]
fn a_record_takes_the_raw_fields_whose_tokens_it_has() {
    let mut taken = String::new();
    for kind in Kind::ALL {
        for field in RawField::ALL {
            // Refused where it stands, or later, for what is missing.
            let error = read(&json!({"type": kind.name(), field.name(): "81.2.69.142"}), Some(&keys())).unwrap_err();
            if !error.contains("is no field") {
                taken.push_str(&format!("{} {}\n", kind.name(), field.name()));
            }
        }
    }
    expect![[r#"
        Sighting ip
        Sighting device
        Sighting email
        Sighting payout_method
        Click ip
        Click device
        Conversion ip
        Conversion device
        Conversion email
        Conversion payment_method
    "#]]
    .assert_eq(&taken);
}

#[test]
fn each_raw_field_becomes_its_tokens_and_is_gone() {
    let click = read(&click(&json!({"ip": "2a02:cf40:1234:5678::9", "device": "fp-7c1b9e"})), Some(&keys())).unwrap();
    assert_eq!(click["ip_token"], "7667aceb1f70437f9e14025d1538997e");
    assert_eq!(click["ip56_token"], "e38c13b09a7de07ee10afd5441ad2906");
    assert_eq!(click["device_token"], "56063fb43a0a8ee8e66a70e3cda1a3ba");
    let conversion = json!({"type": "Conversion", "event_id": "e", "creator_id": "acme", "occurred_at": 5,
        "conversion_id": "o", "kind": "signup", "ip": "81.2.69.142", "device": "fp-7c1b9e",
        "email": "Ann.Lee+shop@Example.com", "payment_method": "DE89370400440532013000"});
    let conversion = read(&conversion, Some(&keys())).unwrap();
    expect![[r#"{"conversion_id":"o","creator_id":"acme","device_token":"56063fb43a0a8ee8e66a70e3cda1a3ba","email_token":"d7a4b284718d03eec8cd2b10cca67f30","event_id":"e","ip_token":"9f2b248b101db77de23d0a5e73e6def1","kind":"signup","occurred_at":5,"payment_token":"141aab67dc362ce4949d41cc3649754f","type":"Conversion"}"#]]
    .assert_eq(&sorted(&conversion));
    let sighting = json!({"type": "Sighting", "event_id": "e", "creator_id": "acme", "occurred_at": 5, "member_id": "ann",
        "ip": "81.2.69.142", "device": "fp-7c1b9e", "email": "ann.lee+shop@example.com",
        "payout_method": "DE89370400440532013000"});
    let sighting = read(&sighting, Some(&keys())).unwrap();
    expect![[r#"{"creator_id":"acme","device_token":"56063fb43a0a8ee8e66a70e3cda1a3ba","email_token":"d7a4b284718d03eec8cd2b10cca67f30","event_id":"e","ip_token":"9f2b248b101db77de23d0a5e73e6def1","member_id":"ann","occurred_at":5,"payout_token":"141aab67dc362ce4949d41cc3649754f","type":"Sighting"}"#]]
    .assert_eq(&sorted(&sighting));
}

/// With its fields in the order of their names.
fn sorted(event: &Value) -> String {
    let fields: std::collections::BTreeMap<&String, &Value> = event.as_object().unwrap().iter().collect();
    serde_json::to_string(&fields).unwrap()
}

#[test]
fn an_address_of_nobody_an_empty_text_and_null_leave_the_field_out() {
    for fields in [json!({"ip": "192.168.1.7"}), json!({"ip": "", "device": "  "}), json!({"ip": null, "device": null})]
    {
        let event = read(&click(&fields), Some(&keys())).unwrap();
        assert!(!event.as_object().unwrap().keys().any(|name| name.ends_with("token")), "{event}");
    }
    let token = "00112233445566778899aabbccddeeff";
    let event =
        read(&click(&json!({"ip": null, "ip_token": token, "device": "d", "device_token": null})), Some(&keys()));
    assert_eq!(event.unwrap()["ip_token"], token);
}

#[track_caller]
fn check(fields: &Value, keys: Option<&Keys>, expected: Expect) {
    let event = click(fields);
    let error = read(&event, keys).unwrap_err();
    expected.assert_eq(&error);
    for value in fields.as_object().unwrap().values().filter_map(Value::as_str).filter(|value| value.len() > 4) {
        assert!(!error.contains(value), "{error} tells {value}");
    }
}

#[test]
fn what_is_wrong_is_said_without_the_value() {
    let keys = Some(keys());
    let keys = keys.as_ref();
    let token = "00112233445566778899aabbccddeeff";
    check(
        &json!({"ip": "81.2.69.142:443"}),
        keys,
        expect!["`ip` of the Click must be an IP address alone, without a port"],
    );
    check(&json!({"ip": 1_359_103_374}), keys, expect!["`ip` of the Click must be a text"]);
    check(
        &json!({"ip": "81.2.69.142", "ip_token": token}),
        keys,
        expect!["`ip` of the Click stands beside `ip_token`: send one of them"],
    );
    check(
        &json!({"ip": "81.2.69.142", "ip56_token": token}),
        keys,
        expect!["`ip` of the Click stands beside `ip56_token`: send one of them"],
    );
    check(
        &json!({"device_token": token, "device": "fp-7c1b9e"}),
        keys,
        expect!["`device` of the Click stands beside `device_token`: send one of them"],
    );
    check(
        &json!({"device": "x".repeat(4_097)}),
        keys,
        expect!["the Click is not well formed: `device` is larger than 4096 bytes"],
    );
    check(&json!({"email": "ann@example.com"}), keys, expect!["`email` is no field of a Click"]);
    check(&json!({"devise": "fp-7c1b9e"}), keys, expect!["`devise` is no field of a Click; did you mean `device`?"]);
    let twice = click(&json!({})).to_string().replace('}', ",\"ip\":\"81.2.69.142\",\"ip\":\"81.2.69.143\"}");
    let error = reading::read(twice.as_bytes(), &mut Scratch::default()).unwrap_err();
    expect!["`ip` of the Click is there twice"].assert_eq(&error.to_string());
}

#[test]
fn without_a_secret_raw_fields_are_refused_with_the_setting_and_tokens_pass() {
    check(
        &json!({"ip": "81.2.69.142"}),
        None,
        expect![
            "`ip` of the Click cannot be made a token, as there is no secret here: set `tokens.secret_file`, or send `ip_token` instead"
        ],
    );
    let token = "00112233445566778899aabbccddeeff";
    assert_eq!(read(&click(&json!({"ip_token": token})), None).unwrap()["ip_token"], token);
    let raw = click(&json!({"device": "fp-7c1b9e"})).to_string();
    let error = from_json(raw.as_bytes(), &mut Scratch::default()).unwrap_err();
    assert!(error.to_string().contains("`tokens.secret_file`"), "{error}");
}

#[test]
fn tables_have_raw_columns_too() {
    let table = "type,event_id,creator_id,occurred_at,click_id,member_id,ip,device,email\n\
                 Click,e1,acme,5,c1,ann,81.2.69.142,fp-7c1b9e,\n\
                 Sighting,e2,acme,5,,ann,,,Ann.Lee+shop@Example.com\n\
                 Click,e3,acme,5,c3,ann,81.2.69.1420,,\n\
                 Click,e4,acme,5,c4,ann,,,ann@example.com\n";
    let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(table.as_bytes()).into_records();
    let header = Header::parse(&rows.next().unwrap().unwrap(), None).unwrap();
    let mut told = String::new();
    for row in rows {
        let row = row.unwrap();
        match header.event(&row) {
            Ok((mut event, raw)) => {
                tokenize(&mut event, raw, Some(&keys())).unwrap();
                let mut json = Vec::new();
                schema::to_json(&event, &mut json);
                told.push_str(&format!("{}\n", String::from_utf8(json).unwrap()));
            }
            Err(error) => told.push_str(&format!("{error}\n")),
        }
    }
    expect![[r#"
        {"type":"Click","event_id":"e1","creator_id":"acme","occurred_at":5,"click_id":"c1","member_id":"ann","ip_token":"9f2b248b101db77de23d0a5e73e6def1","device_token":"56063fb43a0a8ee8e66a70e3cda1a3ba"}
        {"type":"Sighting","event_id":"e2","creator_id":"acme","occurred_at":5,"member_id":"ann","email_token":"d7a4b284718d03eec8cd2b10cca67f30"}
        `ip` of the Click must be an IP address alone, without a port
        `email` is no field of a Click
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_table_without_a_header_is_refused_and_its_first_row_not_told() {
    for line in ["Click,e1,acme,5,c1,ann,81.2.69.142", r#"{"type":"Click","event_id":"e","ip":"81.2.69.142"}"#] {
        let names: csv::StringRecord = line.split(',').collect();
        let error = Header::parse(&names, None).unwrap_err();
        assert_eq!(error.to_string(), "the first line must name the columns, `event_id` among them");
    }
}

#[test]
fn raw_fields_are_not_shown_and_go_on_to_a_server_as_they_are() {
    let text = click(&json!({"ip": "81.2.69.142", "device": "a \"b\" c"})).to_string();
    let mut scratch = Scratch::default();
    let (event, raw) = reading::read(text.as_bytes(), &mut scratch).unwrap();
    assert_eq!(format!("{raw:?}"), "Raw");
    let mut json = Vec::new();
    schema::to_json(&event, &mut json);
    raw.add_to_json(&mut json);
    let again: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((&again["ip"], &again["device"]), (&json!("81.2.69.142"), &json!("a \"b\" c")));
    assert_eq!(read(&again, Some(&keys())), read(&serde_json::from_str(&text).unwrap(), Some(&keys())));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intake_without_keys_refuses_raw_fields_and_one_with_them_takes_them() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Program::open(Options::new(dir.path()), Clock::system()).await.unwrap();
    let intake = Intake::new(engine.sink.clone(), 4, engine.clock.clone(), Limits::default());
    let items = [click(&json!({"ip": "81.2.69.142"})).to_string()];
    let reason = |outcomes: Vec<Outcome>| match outcomes.into_iter().next() {
        Some(Outcome::Rejected { event_id: Some(_), reason }) => reason,
        outcome => panic!("{outcome:?}"),
    };
    let refused = reason(intake.submit(&items, |_| true).await.unwrap());
    assert!(refused.contains("`tokens.secret_file`") && refused.contains("`ip_token`"), "{refused}");
    let intake = intake.with_tokens(engine.tokens().unwrap());
    let refused = reason(intake.submit(&items, |_| false).await.unwrap());
    assert!(refused.contains("may not write"), "who may not write is told that: {refused}");
    let taken = intake.submit(&items, |_| true).await.unwrap();
    assert!(matches!(taken.as_slice(), [Outcome::Accepted { .. }]), "{taken:?}");
    let again = intake.submit(&items, |_| true).await.unwrap();
    assert!(matches!(again.as_slice(), [Outcome::Duplicate { .. }]), "the same value is the same token: {again:?}");
    engine.stop().await.unwrap();
}

#[test]
fn a_relay_makes_tokens_and_keeps_no_bytes_of_what_it_must_refuse() {
    let decoder = Decoder::new();
    let at = Place { topic: "theirs", partition: Partition(0), offset: Offset(3) };
    let record = |value: &'static str| Record {
        partition: at.partition,
        offset: at.offset,
        timestamp: Millis(5),
        key: b"k",
        value: value.as_bytes(),
    };
    let good = r#"{"type":"Click","event_id":"e","creator_id":"acme","occurred_at":5,"click_id":"c","member_id":"ann","device":"fp-7c1b9e"}"#;
    let placed = place(&decoder, &record(good), "theirs", 4, Some(&keys())).unwrap();
    let mut json = Vec::new();
    schema::to_json(&decoder.decode(&placed.value, &placed.key, at).unwrap(), &mut json);
    assert!(String::from_utf8(json).unwrap().contains("56063fb43a0a8ee8e66a70e3cda1a3ba"));
    // Without a secret, mistyped, cut off in the middle: whatever it is, it names a raw field.
    for (value, keys) in [
        (good, None),
        (r#"{"type":"Click","ip":"81.2.69.14x"}"#, Some(keys())),
        (r#"{"ip":"81.2.69.142","#, None),
        (r#"[{"email":"ann@example.com"}]"#, None),
    ] {
        let refusal = place(&decoder, &record(value), "theirs", 4, keys.as_ref()).unwrap_err();
        let letter = letter(&record(value), "theirs", &refusal, 4);
        let letter = decoder.dead_letter(&letter.value, at).unwrap();
        assert_eq!((letter.class, letter.value.len(), letter.offset), ("withheld", 0, Offset(3)));
        assert!(!letter.message.contains("81.2.69") && !letter.message.contains("fp-7c1b9e"), "{}", letter.message);
    }
    let other = r#"{"type":"Click","event_id":"e"}"#;
    let refusal = place(&decoder, &record(other), "theirs", 4, None).unwrap_err();
    let letter = letter(&record(other), "theirs", &refusal, 4);
    assert_eq!(decoder.dead_letter(&letter.value, at).unwrap().value, other.as_bytes(), "others keep theirs");
}
