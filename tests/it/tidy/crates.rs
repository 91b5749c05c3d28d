//! Which crate may appear where, and what the pure stages may not name.

use super::source::Source;
use super::{Finding, expect_none};

/// A crate is named only in files that begin so. What is not listed may be named anywhere.
const PLACES: &[(&[&str], &[&str], &str)] = &[
    (
        &["redb"],
        &["src/disk/", "src/append/embedded", "src/consume/embedded", "src/store/embedded"],
        "another engine must be able to take its place",
    ),
    (&["matchit", "maud"], &["src/web/"], "routes and pages are the web's"),
    (
        &["hyper", "hyper_util", "http", "http_body_util"],
        &["src/web/", "src/consume/registry.rs"],
        "HTTP is the web's; a schema registry is asked over it",
    ),
    (
        &["openssl", "tokio_openssl"],
        &["src/consume/registry.rs", "src/store/scylla/"],
        "TLS where we connect ourselves",
    ),
    (
        &["rdkafka"],
        &["src/append/kafka", "src/consume/kafka", "src/publish/kafka"],
        "the log is a Source and a Sink to all others",
    ),
    (&["scylla"], &["src/store/scylla/"], "the projections are a Store to all others"),
    (&["anyhow"], &["src/main.rs", "src/cli/"], "a library's errors have types"),
    (&["clap", "clap_complete", "indicatif"], &["src/main.rs", "src/cli/"], "the terminal is the command line's"),
    (&["mimalloc", "libmimalloc_sys"], &["src/memory.rs"], "how memory is kept is said in one place"),
    (&["rustix"], &["src/disk/"], "what only one system can is asked for in one place"),
    (&["rand", "rand_chacha"], &["src/simulate/"], "a random number cannot be replayed"),
    (&["tracing_subscriber"], &["src/main.rs", "src/cli/", "src/run"], "where logs go is settled once"),
    (&["apache_avro"], &["src/schema/", "src/decode/"], "Avro is the log's language, not the fold's"),
    (&["lz4_flex", "siphasher", "object_store"], &["src/keep/"], "how state lies on the disk is keep's"),
    (&["crc32fast"], &["src/keep/", "src/web/keys/"], "sums records of keep, and the text of an API key"),
    (&["subtle"], &["src/web/keys/"], "secrets are checked in one place: ADR 0010"),
    (
        &["sha2"],
        &["src/web/keys/", "src/tokens/", "src/fold/fraud/decision.rs"],
        "the hash of an API key, ADR 0010; tokens, ADR 0020; the ids of decisions, which others can compute",
    ),
    (&["csv"], &["src/append/import.rs", "src/decode/"], "tables are cut into rows on the way in, and read there"),
    (&["aho_corasick", "regex"], &["src/event/bots/"], "texts are searched in one place, in linear time: ADR 0021"),
    (
        &["toml"],
        &["src/config", "src/cli/config.rs", "src/cli/backtest.rs", "src/topology"],
        "settings, and rule sets in files, are read in one place",
    ),
];

/// Facts in, decision out.
const PURE: [&str; 4] = ["decode", "event", "fold", "project"];

const NOT_PURE: &[&str] = &[
    "tokio",
    "tracing",
    "metrics",
    "redb",
    "rand",
    "rand_chacha",
    "std::fs",
    "std::io::stdin",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::time::SystemTime",
    "std::time::Instant",
];

/// Same bits on every machine, in any order of adding.
const NO_FLOATS: [&str; 4] = ["event", "fold", "keep", "project"];

pub(super) fn misplaced(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        for (line, path) in &source.paths {
            let Some(name) = path.first() else { continue };
            for (crates, places, why) in PLACES {
                if crates.contains(&name.as_str()) && !places.iter().any(|place| source.path.starts_with(place)) {
                    let what = format!("{name} belongs in {} ({why}); ask for what it does there", places.join(" "));
                    findings.push(source.finding(*line, what));
                }
            }
        }
    }
    findings
}

pub(super) fn impure(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| PURE.contains(&source.room())) {
        let advice = "what a rule needs is a parameter, what it wants done is its return value";
        for (line, path) in &source.paths {
            let named = path.join("::");
            let is_strange = |banned: &&&str| named == **banned || named.starts_with(&format!("{banned}::"));
            if let Some(banned) = NOT_PURE.iter().find(is_strange) {
                findings.push(
                    source.finding(*line, format!("{} is pure and may not name {banned}; {advice}", source.room())),
                );
            }
        }
        for line in &source.asyncs {
            findings.push(source.finding(*line, format!("{} is pure and waits for nothing; {advice}", source.room())));
        }
    }
    findings
}

pub(super) fn floats(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| NO_FLOATS.contains(&source.room())) {
        for (line, word) in &source.words {
            if matches!(word.as_str(), "f32" | "f64") {
                findings.push(source.finding(*line, format!("no {word} in what is replayed; count in integers")));
            }
        }
    }
    findings
}

/// Parts of names of what stands for a person, or opens a door.
const PERSONAL: [&str; 9] =
    ["token", "email", "address", "secret", "password", "payload", "device", "user_agent", "authorization"];

pub(super) fn personal(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let told =
            source.macros.iter().filter(|(_, path, _)| path.starts_with("tracing::") || path.starts_with("metrics::"));
        for (line, path, names) in told {
            if let Some(name) = names.iter().find(|name| PERSONAL.iter().any(|part| name.contains(part))) {
                let what = format!("{path}! tells {name}; log the position of the record, or a count");
                findings.push(source.finding(*line, what));
            }
        }
    }
    findings
}

#[test]
fn nothing_personal_is_logged_or_measured() {
    expect_none("logs and metrics name no person and no secret", personal(&Source::of_program()));
}

#[test]
fn a_crate_appears_only_where_it_belongs() {
    expect_none("crates stay in their place (tests/it/tidy/crates.rs)", misplaced(&Source::of_program()));
}

#[test]
fn the_pure_stages_name_no_clock_file_task_or_chance() {
    expect_none("decode, event, fold and project are pure", impure(&Source::of_program()));
}

#[test]
fn no_float_is_replayed() {
    expect_none("event, fold, keep and project hold no float", floats(&Source::of_program()));
}
