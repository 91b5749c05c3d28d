//! Commands that open the data folder themselves.

use super::{Shell, read_json};

const PROGRAMME: [&str; 11] = [
    "simulate",
    "--creators",
    "3",
    "--members",
    "40",
    "--events",
    "2000",
    "--start",
    "2026-01-05T00:00:00Z",
    "--days",
    "30",
];

#[test]
fn the_same_seed_writes_the_same_bytes() {
    let shell = Shell::new();
    let run = |seed: &str| shell.run(&[&PROGRAMME[..], &["--seed", seed]].concat());
    let first = run("5");
    first.assert_code(0);
    assert_eq!(first.out.lines().count(), 2_000);
    assert_eq!(first.out, run("5").out);
    assert_ne!(first.out, run("6").out);
}

#[test]
fn a_simulated_file_is_imported_twice_and_counts_once() {
    let shell = Shell::new();
    shell.run(&[&PROGRAMME[..], &["--out", "p.ndjson", "--ledger", "books.json"]].concat()).assert_code(0);
    let books = read_json(&shell.path("books.json"));
    assert_eq!(books["tally"]["read"], 2_000);
    for _ in 0..2 {
        let answer = shell.json(0, &["import", "p.ndjson"]);
        assert_eq!((&answer["accepted"], &answer["rejected"]), (&2_000.into(), &0.into()));
    }
    let status = shell.json(0, &["status"]);
    assert_eq!(status["running"], false);
    let places = status["partitions"].as_array().unwrap();
    let sum = |field: &str| places.iter().map(|place| place[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("end"), sum("slow")), (4_000, 4_000), "the import waits for the projections: {status}");

    let verified = shell.json(0, &["projections", "verify"]);
    assert_eq!((&verified["differences"], &verified["events"]), (&0.into(), &4_000.into()));
    let stats = shell.json(0, &["projections", "stats"]);
    let members: u64 = books["creators"]
        .as_object()
        .unwrap()
        .values()
        .map(|one| one["members"].as_object().unwrap().len() as u64)
        .sum();
    assert_eq!(stats["tables"]["member"]["rows"], members, "each member once, as the books say");
}

#[test]
fn without_a_server_a_rebuild_is_done_in_this_process() {
    let shell = Shell::new();
    shell.run(&[&PROGRAMME[..], &["--out", "p.ndjson"]].concat()).assert_code(0);
    shell.json(0, &["import", "p.ndjson"]);
    let made = shell.json(0, &["projections", "rebuild", "--switch"]);
    assert_eq!((&made["generation"], &made["live"]), (&2.into(), &2.into()), "{made}");
    assert_eq!((&made["events"], &made["differences"]), (&2_000.into(), &0.into()), "{made}");
    assert_eq!(shell.json(0, &["projections", "rebuild"])["generation"], 3);
    assert_eq!(shell.json(0, &["projections", "switch"])["live"], 3);
    assert_eq!(shell.json(0, &["projections", "rollback"])["live"], 2);
    assert_eq!(shell.json(0, &["projections", "drop"])["live"], 2);
    assert_eq!(shell.json(0, &["projections", "verify"])["differences"], 0);
    assert_eq!(shell.json(0, &["projections", "rebuild", "--from-nothing"])["events"], 2_000);
    assert_eq!(shell.json(0, &["projections", "verify"])["differences"], 0);
}

#[test]
fn rejected_lines_are_numbered_and_the_rest_is_taken_in() {
    let shell = Shell::new();
    let good = |n: u32| {
        format!(
            r#"{{"type":"Creator","event_id":"e{n}","creator_id":"c","occurred_at":1767225600000,"name":"C","currency":"EUR","time_zone":"UTC"}}"#
        )
    };
    let bad = good(2).replace("currency", "curency");
    let tick = r#"{"type":"Tick","event_id":"t","creator_id":"c","occurred_at":1767225600000}"#;
    shell.write("mixed.ndjson", &[&good(1), "{not json", "", &bad, tick, &good(3)].map(str::to_owned).join("\n"));
    let ran = shell.run(&["import", "mixed.ndjson", "--rejects", "rejects.txt"]);
    ran.assert_code(3);
    assert!(ran.out.contains("2 accepted") && ran.out.contains("3 rejected"), "{}", ran.out);
    let rejects = std::fs::read_to_string(shell.path("rejects.txt")).unwrap();
    let starts: Vec<_> = rejects.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(starts, ["line 2", "line 4", "line 5"], "{rejects}");
    assert!(rejects.contains("did you mean `currency`?"), "{rejects}");
}

#[test]
fn a_table_is_imported_by_its_ending() {
    let shell = Shell::new();
    let rows = "event_id,creator_id,occurred_at,name,currency,time_zone\ne1,c,2026-01-01T00:00:00Z,C,EUR,UTC\ne2,c,soon,C,EUR,UTC\n";
    shell.write("creators.csv", rows);
    let answer = shell.json(3, &["import", "creators.csv", "--type", "Creator"]);
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&1.into(), &1.into()));
    assert!(answer["rejects"][0].as_str().unwrap().starts_with("line 3:"), "{answer}");
}

#[test]
fn what_cannot_be_done_is_said_in_words_and_in_json() {
    let shell = Shell::new();
    shell.run(&["import", "nowhere.ndjson"]).assert_code(1).assert_error(&["nowhere.ndjson"]);
    let ran = shell.run(&["import", "nowhere.ndjson", "--json"]);
    ran.assert_code(1);
    let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert!(error["error"][0].as_str().unwrap().contains("nowhere.ndjson"), "{error}");
}

#[test]
fn labelled_traffic_is_imported_whole_and_each_label_has_its_line() {
    let shell = Shell::new();
    let programme = ["simulate", "--fraud", "--agents", "100", "--creators", "2", "--days", "8", "--events", "3000"];
    let start = ["--start", "2026-01-05T00:00:00Z", "--out", "p.ndjson", "--labels", "labels.ndjson"];
    shell.run(&[&programme[..], &start].concat()).assert_code(0);
    let answer = shell.json(0, &["import", "p.ndjson"]);
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&3_000.into(), &0.into()));
    let labels = std::fs::read_to_string(shell.path("labels.ndjson")).unwrap();
    assert!(labels.lines().count() > 2_000 && labels.contains(r#""label":"fraud""#));
    shell.run(&["simulate", "--fraud", "--families", "bots"]).assert_code(2).assert_error(&["bot_poisson"]);
    shell.run(&["simulate", "--labels", "labels.ndjson"]).assert_code(2);
}

#[test]
fn a_wrong_command_line_ends_with_2_and_help_states_the_codes() {
    let shell = Shell::new();
    shell.run(&["imprt"]).assert_code(2);
    shell.run(&["simulate", "--rate", "5", "--days", "3"]).assert_code(2);
    let help = shell.run(&["--help"]);
    help.assert_code(0);
    let words = help.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["Exit codes", "0 done", "1 failed", "2 wrong", "3 some", "4 `projections verify`"] {
        assert!(words.contains(part), "{part} missing from {words}");
    }
}

#[test]
fn completions_topology_and_schemas_need_no_data() {
    let shell = Shell::new();
    for name in ["bash", "zsh", "fish"] {
        assert!(shell.run(&["completions", name]).assert_code(0).out.contains("tributary"));
    }
    shell.run(&["topology", "--format", "mermaid"]).assert_code(0);
    shell.run(&["schemas", "check"]).assert_code(0);
    assert!(!shell.path("data").exists(), "asking makes no folder");
}
