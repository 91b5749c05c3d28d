//! What a range may be, and what is said of one that may not.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::server::Server;
use super::year::Year;

/// A server that knows one creator of New York, asked for series with a query string.
async fn asked(queries: &[String]) -> Vec<(StatusCode, Value)> {
    let server = Server::whole().await;
    let year = Year::of("acme", "America/New_York", 9);
    let head: Vec<&Value> = year.events.iter().take(4).map(|(_, event)| event).collect();
    let token = server.fill(&json!(head)).await;
    server.get_at("/v1/creators/acme/timeseries", &token).await.ok();
    let mut answers = Vec::new();
    for query in queries {
        let answer = server.get(&format!("/v1/creators/acme/timeseries?{query}")).await;
        answers.push((answer.status, answer.json()));
    }
    server.stop().await;
    answers
}

async fn ask(queries: &[&str]) -> Vec<(StatusCode, Value)> {
    asked(&queries.iter().map(|query| (*query).to_owned()).collect::<Vec<_>>()).await
}

#[tokio::test]
async fn a_bound_is_an_instant_or_a_date_of_the_zone() {
    let answers = ask(&[
        "from=2023-03-12&to=2023-03-13&interval=hour",
        "from=2023-03-12T00:00:00-05:00&to=1678680000000&interval=hour",
        "from=2023-03-12&to=2023-03-13&tz=asia/kathmandu",
        "from=2023-11-05&to=2023-11-06&interval=minute",
    ])
    .await;
    let bounds = |answer: &Value| (answer["data"]["from"].clone(), answer["data"]["to"].clone());
    let (_, local) = &answers[0];
    assert_eq!(bounds(local), (json!("2023-03-12T05:00:00Z"), json!("2023-03-13T04:00:00Z")));
    assert_eq!(local["data"]["starts"].as_array().unwrap().len(), 23);
    assert_eq!(local["data"]["buckets"][2]["label"], "2023-03-12T03:00-04:00");
    assert_eq!(answers[1].1["data"], local["data"]);
    let (_, kathmandu) = &answers[2];
    assert_eq!(bounds(kathmandu), (json!("2023-03-11T18:15:00Z"), json!("2023-03-12T18:15:00Z")));
    assert_eq!(kathmandu["data"]["tz"], "Asia/Kathmandu");
    assert_eq!(answers[3].1["data"]["starts"].as_array().unwrap().len(), 25 * 60, "a day of 25 hours is one day");
}

#[tokio::test]
async fn a_bucket_that_the_range_cuts_says_so() {
    let answers = ask(&["from=2023-03-12T07:15:00Z&to=2023-03-15T04:00:00Z"]).await;
    let expected = json!([
        {"from": "2023-03-12T07:15:00Z", "to": "2023-03-13T04:00:00Z", "label": "2023-03-12", "partial": true},
        {"from": "2023-03-13T04:00:00Z", "to": "2023-03-14T04:00:00Z", "label": "2023-03-13", "partial": false},
        {"from": "2023-03-14T04:00:00Z", "to": "2023-03-15T04:00:00Z", "label": "2023-03-14", "partial": false},
    ]);
    assert_eq!(answers[0].1["data"]["buckets"], expected);
}

#[tokio::test]
async fn a_bound_off_its_grid_is_a_400_that_names_the_nearest_on_both_sides() {
    for (status, answer) in
        ask(&["from=2023-03-12T07:15:00.001Z&to=2023-03-13", "from=2023-03-12T07:29:59.999Z&to=2023-03-13"]).await
    {
        assert_eq!((status, &answer["parameter"]), (StatusCode::BAD_REQUEST, &json!("from")), "{answer}");
        assert_eq!(answer["type"], "urn:tributary:problem:unaligned-bound");
        assert_eq!(answer["nearest"], json!(["2023-03-12T07:15:00Z", "2023-03-12T07:30:00Z"]));
        assert!(answer["detail"].as_str().unwrap().contains("2023-03-12T07:15:00Z or 2023-03-12T07:30:00Z"));
    }
    let minute = ask(&["from=2023-03-12&to=2023-03-12T07:15:30Z&interval=minute"]).await;
    assert_eq!(minute[0].1["nearest"], json!(["2023-03-12T07:15:00Z", "2023-03-12T07:16:00Z"]));
    assert_eq!(minute[0].1["parameter"], "to");
}

#[tokio::test]
async fn what_is_no_instant_no_zone_or_no_range_is_a_400_that_names_it() {
    let cases = [
        ("tz=Mars/Olympus", "tz", "`Mars/Olympus`"),
        ("tz=%2B02:00", "tz", "`+02:00`"),
        ("tz=..%2F..%2Fetc%2Fpasswd", "tz", "IANA"),
        ("from=2023-02-29", "from", "2026-03-01"),
        ("from=2023-03-01T10:00", "from", "RFC 3339"),
        ("from=2023-03-01T10:00:00.0000001Z", "from", "to the millisecond"),
        ("from=1969-12-31", "from", "1970"),
        ("from=2023-03-01T10:00:00Z&to=2200-01-02", "to", "2200"),
        ("from=9223372036854775807", "from", "2200"),
        ("from=99999999999999999999", "from", "2200"),
        ("from=-1", "from", "1970"),
        ("from=now", "from", "milliseconds"),
        ("from=2023-03-02&to=2023-03-02", "from", "before `to`"),
        ("from=2023-03-02&to=2023-03-01", "from", "before `to`"),
    ];
    let answers = ask(&cases.map(|(query, ..)| query)).await;
    for ((query, parameter, told), (status, answer)) in cases.into_iter().zip(answers) {
        assert_eq!((status, &answer["parameter"]), (StatusCode::BAD_REQUEST, &json!(parameter)), "{query}: {answer}");
        assert_eq!(answer["type"], "urn:tributary:problem:invalid-parameter", "{query}");
        assert!(answer["detail"].as_str().unwrap().contains(told), "{query}: {answer}");
    }
}

#[tokio::test]
async fn a_range_too_large_is_a_422_that_says_what_may_be() {
    let mut queries = Vec::new();
    for (interval, longest, too_long) in [
        ("minute", ("2023-11-05", "2023-11-06"), ("2023-11-05", "2023-11-07")),
        ("hour", ("2023-10-10", "2023-11-10"), ("2023-10-01", "2023-11-02")),
        ("day", ("2021-11-01", "2023-11-03"), ("2021-11-01", "2023-11-04")),
        ("week", ("2013-11-01", "2023-11-01"), ("2013-01-01", "2023-11-01")),
        ("month", ("2013-11-01", "2023-11-01"), ("2013-01-01", "2023-11-01")),
        ("quarter", ("2000-01-01", "2030-01-01"), ("2000-01-01", "2031-01-01")),
        ("year", ("2000-01-01", "2030-01-01"), ("2000-01-01", "2031-01-01")),
    ] {
        for (from, to) in [longest, too_long] {
            queries.push(format!("from={from}&to={to}&interval={interval}"));
        }
    }
    let answers = asked(&queries).await;
    for (place, (status, answer)) in answers.iter().enumerate() {
        let query = &queries[place];
        if place % 2 == 0 {
            assert_eq!(*status, StatusCode::OK, "{query}: {answer}");
        } else {
            assert_eq!(*status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
            assert_eq!(answer["type"], "urn:tributary:problem:range-too-large");
            assert!(answer["detail"].as_str().unwrap().contains(" days; ask for a shorter range"), "{answer}");
        }
    }
}

#[tokio::test]
async fn without_bounds_there_is_a_default_of_whole_buckets_to_the_next_hour() {
    let intervals = ["minute", "hour", "day", "week", "month", "quarter", "year"];
    let answers = asked(&intervals.map(|interval| format!("interval={interval}"))).await;
    for (interval, (status, answer)) in intervals.into_iter().zip(answers) {
        assert_eq!(status, StatusCode::OK, "{interval}: {answer}");
        let buckets = answer["data"]["buckets"].as_array().unwrap();
        assert!(buckets.len() > 4, "{interval}");
        assert_eq!(buckets[0]["partial"], false, "{interval}");
    }
}

#[tokio::test]
async fn every_metric_has_a_series_and_what_stands_has_none() {
    let answers =
        ask(&["metric=epc,clicks_human,conversion_rate", "metric=commission_held", "metric=epc,%20rpc"]).await;
    let lines = answers[0].1["data"]["series"].as_array().unwrap().clone();
    let named: Vec<(Value, Value)> =
        lines.iter().map(|line| (line["metric"].clone(), line["currency"].clone())).collect();
    let expected = [("clicks_human", Value::Null), ("conversion_rate", Value::Null), ("epc", json!("EUR"))]
        .map(|(a, b)| (json!(a), b));
    assert_eq!(named, expected);
    assert!(lines[1]["values"].as_array().unwrap().iter().all(Value::is_null), "nothing divided by nothing");
    assert!(lines[0]["values"].as_array().unwrap().iter().all(|value| *value == 0), "a measured zero");
    for (status, answer) in &answers[1..] {
        assert_eq!(*status, StatusCode::UNPROCESSABLE_ENTITY);
        let kept = answer["kept"].as_array().unwrap();
        assert!(kept.contains(&json!("commission_paid")) && !kept.contains(&json!("commission_held")), "{answer}");
    }
}
