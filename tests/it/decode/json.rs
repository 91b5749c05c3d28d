//! Events in JSON: strict, and helpful in refusing.

use expect_test::{Expect, expect};
use tributary::decode::{Scratch, from_json};
use tributary::event::Body;
use tributary::ids::Millis;

fn refused(json: &str, expected: Expect) {
    let mut scratch = Scratch::default();
    let error = from_json(json.as_bytes(), &mut scratch).expect_err("no event");
    expected.assert_eq(&format!("{}: {error}", error.class()));
}

/// A purchase with these fields beside the required ones.
fn purchase(fields: &str) -> String {
    let fields = if fields.is_empty() { String::new() } else { format!(",{fields}") };
    format!(
        r#"{{"type":"Conversion","event_id":"e","creator_id":"acme","occurred_at":5,"conversion_id":"o","kind":"purchase"{fields}}}"#
    )
}

/// A creator with these fields beside the required ones.
fn creator(fields: &str) -> String {
    format!(
        r#"{{"type":"Creator","event_id":"e","creator_id":"acme","occurred_at":5,"name":"Acme","currency":"EUR","time_zone":"UTC",{fields}}}"#
    )
}

#[test]
fn an_unknown_field_is_refused_with_the_nearest_name() {
    refused(
        &purchase(r#""ammount":1999"#),
        expect!["invalid_field: `ammount` is no field of a Conversion; did you mean `amount`?"],
    );
    refused(&purchase(r#""price":1999"#), expect!["invalid_field: `price` is no field of a Conversion"]);
    refused(
        &creator(r#""attribution":{"modle":"last"}"#),
        expect!["invalid_field: `attribution.modle` is no field of a Creator; did you mean `model`?"],
    );
    refused(
        &creator(r#""attribution.model":"last""#),
        expect!["invalid_field: `attribution.model` is no field of a Creator"],
    );
}

#[test]
fn a_field_named_twice_is_refused() {
    refused(&purchase(r#""amount":1,"amount":1"#), expect!["invalid_field: `amount` of the Conversion is there twice"]);
    refused(
        &purchase(r#""amount":1,"amount":null"#),
        expect!["invalid_field: `amount` of the Conversion is there twice"],
    );
    refused(&purchase(r#""amount":1,"type":"Tick""#), expect!["unknown_type: `type` is there twice"]);
    refused(
        &creator(r#""review":{"due_days":1,"due_days":2}"#),
        expect!["invalid_field: `review.due_days` of the Creator is there twice"],
    );
    refused(
        &purchase(r#""amount":1,"attributes":{"a":"1","a":"2"}"#),
        expect!["invalid_field: the Conversion is not well formed: `attributes` name a key twice"],
    );
}

#[test]
fn money_is_an_integer_of_minor_units() {
    for amount in ["19.99", "1999.0", "1e3", "9223372036854775808", "-1e400"] {
        let json = purchase(&format!(r#""amount":{amount}"#));
        let mut scratch = Scratch::default();
        assert!(from_json(json.as_bytes(), &mut scratch).is_err(), "{amount}");
    }
    refused(
        &purchase(r#""amount":19.99"#),
        expect![
            "invalid_field: `amount` of the Conversion must be an integer of 64 bits; money is in minor units (19.99 is 1999), never a fraction"
        ],
    );
    refused(&purchase(r#""amount":"1999""#), expect!["invalid_field: `amount` of the Conversion must be an integer"]);
    refused(
        &purchase(r#""amount":-9223372036854775808"#),
        expect!["invalid_field: the Conversion is not well formed: `amount` is out of range"],
    );
    refused(&purchase(""), expect!["invalid_field: the Conversion is not well formed: `amount` is missing"]);
    refused(
        &purchase(r#""amount":1,"currency":"eur""#),
        expect!["invalid_field: `currency` of the Conversion must be three capital letters, an ISO 4217 code"],
    );
}

#[test]
fn times_are_milliseconds_or_rfc_3339() {
    for (time, millis) in [
        ("1714564800000", 1_714_564_800_000),
        (r#""2024-05-01T12:00:00Z""#, 1_714_564_800_000),
        (r#""2024-05-01T14:00:00.25+02:00""#, 1_714_564_800_250),
    ] {
        let json = format!(r#"{{"type":"Tick","event_id":"e","creator_id":"acme","occurred_at":{time}}}"#);
        let mut scratch = Scratch::default();
        assert_eq!(from_json(json.as_bytes(), &mut scratch).unwrap().occurred_at, Millis(millis), "{time}");
    }
    for time in [r#""yesterday""#, r#""2024-05-01""#, r#""2024-05-01T12:00:00""#, "1.5", "true", "[]"] {
        let json = format!(r#"{{"type":"Tick","event_id":"e","creator_id":"acme","occurred_at":{time}}}"#);
        refused(
            &json,
            expect![
                "invalid_field: `occurred_at` of the Tick must be a time: integer milliseconds since 1970, or RFC 3339 such as 2024-05-01T12:00:00Z"
            ],
        );
    }
}

#[test]
fn every_type_is_checked() {
    let bad = |field: &str, expected: Expect| refused(&purchase(&format!(r#""amount":1,{field}"#)), expected);
    bad(r#""ip_token":"12""#, expect!["invalid_field: `ip_token` of the Conversion must be a token: 32 hex digits"]);
    bad(
        r#""ip_token":"00112233445566778899aabbccddeefg""#,
        expect!["invalid_field: `ip_token` of the Conversion must be a token: 32 hex digits"],
    );
    bad(r#""plan":7"#, expect!["invalid_field: `plan` of the Conversion must be a text"]);
    bad(
        r#""payment_type":"first""#,
        expect!["invalid_field: `payment_type` of the Conversion must be one of initial, recurring"],
    );
    bad(r#""attributes":{"n":1}"#, expect!["invalid_field: `attributes` of the Conversion must be an object of texts"]);
    bad(r#""attributes":[]"#, expect!["invalid_field: `attributes` of the Conversion must be an object of texts"]);
    refused(
        &creator(r#""click_cookie":"yes""#),
        expect!["invalid_field: `click_cookie` of the Creator must be true or false"],
    );
    refused(
        &creator(r#""breakdown_pairs":"a,b""#),
        expect!["invalid_field: `breakdown_pairs` of the Creator must be a list of texts"],
    );
    refused(&creator(r#""review":7"#), expect!["invalid_field: `review` of the Creator must be an object"]);
    refused(
        &creator(r#""commission":{"on":["purchase","tip"]}"#),
        expect![
            "invalid_field: `commission.on` of the Creator must be one of signup, purchase, renewal, refund, chargeback, chargeback_reversed"
        ],
    );
    let many = vec![r#""https://a.example""#; 65].join(",");
    refused(
        &creator(&format!(r#""embed_origins":[{many}]"#)),
        expect!["invalid_field: `embed_origins` of the Creator has more than 64 items"],
    );
}

#[test]
fn what_must_be_there_is_asked_for() {
    refused("{}", expect!["unknown_type: `type` is missing; it names the record, for example `Click`"]);
    refused(
        r#"{"type":"click"}"#,
        expect![
            "unknown_type: `type` is `click`, which is no record; known are Creator, Member, Sighting, Share, Click, Conversion, Commission, Review, RuleSet, ListEntry, Template, Erasure, Tick"
        ],
    );
    refused(
        r#"{"type":"Tick","creator_id":"c","occurred_at":5}"#,
        expect!["invalid_field: `event_id` of the Tick is missing"],
    );
    refused(
        r#"{"type":"Tick","event_id":null,"creator_id":"c","occurred_at":5}"#,
        expect!["invalid_field: `event_id` of the Tick is missing"],
    );
    refused(
        r#"{"type":"Tick","event_id":"","creator_id":"c","occurred_at":5}"#,
        expect!["invalid_field: the Tick is not well formed: `event_id` must be 1 to 64 bytes"],
    );
}

#[test]
fn what_is_not_one_json_object_is_refused() {
    refused("", expect!["undecodable: this is not JSON: EOF while parsing a value at line 1 column 0"]);
    refused("[]", expect!["undecodable: an event is a JSON object"]);
    refused("{} {}", expect!["undecodable: this is not JSON: trailing characters at line 1 column 4"]);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    refused(
        &deep,
        expect!["undecodable: this is not JSON: values are nested deeper than those of any event at line 1 column 4"],
    );
    let mut scratch = Scratch::default();
    assert!(from_json(b"{\"type\":\"\xFF\"}", &mut scratch).is_err());
}

#[test]
fn null_is_absent_and_escapes_are_texts() {
    let json = r#"{"type":"Share","event_id":"\u00e9\"\n","creator_id":"acme","occurred_at":5,"received_at":null,
        "share_id":"s\/1","member_id":"m","platform":"x","share_type":"qr","template_id":null,"locale":"de"}"#;
    let mut scratch = Scratch::default();
    let event = from_json(json.as_bytes(), &mut scratch).unwrap();
    assert_eq!((event.event_id.0, event.received_at), ("é\"\n", None));
    let Body::Share(share) = event.body else { panic!() };
    assert_eq!((share.share_id.0, share.template_id, share.locale), ("s/1", None, Some("de")));
}

#[test]
fn a_scratch_serves_one_event_after_another() {
    let mut scratch = Scratch::default();
    for id in ["\\u0061", "\\u0062b"] {
        let json = format!(r#"{{"type":"Tick","event_id":"{id}","creator_id":"\u0063","occurred_at":5}}"#);
        let event = from_json(json.as_bytes(), &mut scratch).unwrap();
        assert_eq!((event.event_id.0.len(), event.creator_id.0), (if id.len() == 6 { 1 } else { 2 }, "c"));
    }
}
