//! Events as rows of a table.

use csv::{ReaderBuilder, StringRecord};
use expect_test::{Expect, expect};
use tributary::decode::csv::{Error, Header};
use tributary::event::Kind;
use tributary::schema;

/// The rows of a table as JSON lines, or why not.
fn read(table: &str, kind: Option<Kind>) -> Result<String, Error> {
    let mut rows = ReaderBuilder::new().has_headers(false).from_reader(table.as_bytes()).into_records();
    let header = Header::parse(&rows.next().unwrap().unwrap(), kind)?;
    let mut lines = Vec::new();
    for row in rows {
        let row: StringRecord = row.unwrap();
        schema::to_json(&header.event(&row)?.0, &mut lines);
        lines.push(b'\n');
    }
    Ok(String::from_utf8(lines).unwrap())
}

fn check(table: &str, expected: Expect) {
    expected.assert_eq(&read(table, None).unwrap_or_else(|error| format!("{}: {error}", error.class())));
}

#[test]
fn one_table_may_hold_several_records() {
    check(
        "type,event_id,creator_id,occurred_at,member_id,coupons,conversion_id,kind,amount,attributes.shop\n\
         Member,e1,acme,2024-05-01T12:00:00Z,m1,SPRING; ANA ,,,,\n\
         Conversion,e2,acme,1714564800000,,,o1,purchase,-1999,north\n",
        expect![[r#"
            {"type":"Member","event_id":"e1","creator_id":"acme","occurred_at":1714564800000,"member_id":"m1","coupons":["SPRING","ANA"]}
            {"type":"Conversion","event_id":"e2","creator_id":"acme","occurred_at":1714564800000,"attributes":{"shop":"north"},"conversion_id":"o1","kind":"purchase","amount":-1999}
        "#]],
    );
}

#[test]
fn policies_are_dotted_columns() {
    check(
        "type,event_id,creator_id,occurred_at,name,currency,time_zone,attribution.model,commission.rate_bp,commission.on,click_cookie\n\
         Creator,e1,acme,5,Acme,EUR,UTC,linear,1000,signup;purchase,true\n",
        expect![[r#"
            {"type":"Creator","event_id":"e1","creator_id":"acme","occurred_at":5,"name":"Acme","currency":"EUR","time_zone":"UTC","attribution":{"model":"linear"},"commission":{"rate_bp":1000,"on":["signup","purchase"]},"click_cookie":true}
        "#]],
    );
}

#[test]
fn a_table_of_one_record_needs_no_type() {
    let table = "event_id,creator_id,occurred_at\ne,acme,5\n";
    assert!(read(table, Some(Kind::Tick)).unwrap().starts_with(r#"{"type":"Tick""#));
    check(table, expect!["unknown_type: `type` is missing; it names the record, for example `Click`"]);
}

#[test]
fn headers_are_strict() {
    check("type,event_id,ammount\n", expect!["invalid_field: column `ammount` is no field of any record"]);
    check("type,event_id,event_id\n", expect!["invalid_field: column `event_id` is there twice"]);
    check("type,event_id,attribution\n", expect!["invalid_field: column `attribution` is no field of any record"]);
}

#[test]
fn cells_are_strict() {
    let row = |columns: &str, cells: &str, expected: Expect| {
        check(&format!("type,event_id,creator_id,occurred_at,{columns}\nConversion,e,acme,5,{cells}\n"), expected);
    };
    row(
        "conversion_id,kind,amount",
        "o,purchase,19.99",
        expect![
            "invalid_field: `amount` of the Conversion must be an integer of 64 bits; money is in minor units (19.99 is 1999), never a fraction"
        ],
    );
    row(
        "conversion_id,kind,amount",
        "o,purchase,EUR 5",
        expect!["invalid_field: `amount` of the Conversion must be an integer"],
    );
    row(
        "conversion_id,kind,amount",
        "o,sale,5",
        expect![
            "invalid_field: `kind` of the Conversion must be one of signup, purchase, renewal, refund, chargeback, chargeback_reversed"
        ],
    );
    row("conversion_id,kind,share_id", "o,signup,s", expect!["invalid_field: `share_id` is no field of a Conversion"]);
    row("kind", "signup", expect!["invalid_field: `conversion_id` of the Conversion is missing"]);
}
