//! Who may import whom.

use super::source::Source;
use super::{Finding, expect_none};

/// The rooms of `src` and what each may name of the others. Everybody may name `ids`. A part of a room
/// (`project::totals`) may be named alone. What goes beyond the plain flow of data says why.
const ROOMS: &[(&str, &[&str], &str)] = &[
    // the stages, in the order of the flow
    ("append", &["decode", "event", "schema"], "what comes in is checked and encoded before it is in the log"),
    ("append", &["consume", "disk"], "the embedded log is one file that both ends share: ADR 0006"),
    ("append", &["tokens"], "raw fields become tokens before anything is encoded: ADR 0020"),
    ("append", &["clock"], "the intake stamps when it received an event: ADR 0006"),
    ("consume", &["disk"], "the embedded log is a redb file; disk opens and guards it: ADR 0003"),
    ("decode", &["event", "schema"], "bytes become events by way of a schema"),
    ("decode", &["tokens"], "names and limits of raw fields: ADR 0020"),
    ("event", &[], "an event knows nothing but itself"),
    ("fold", &["event", "keep"], "(State, Event) → (State, Effects), and no more"),
    ("keep", &["disk"], "maps and files; it knows no domain: of disk it takes the lock"),
    ("project", &["event", "fold"], "rows are made from state"),
    ("project", &["keep"], "the keys of the state's maps are keep's: ADR 0006"),
    ("consume", &["clock"], "a client of brokers counts how long it has waited"),
    ("publish", &["clock", "disk"], "the same; and its thread is joined as the threads of files are"),
    (
        "publish",
        &["append", "consume"],
        "what the fold decided goes out into the log, in the name of who read it there",
    ),
    ("store", &["fold", "project"], "rows, in whichever engine"),
    ("store", &["telemetry"], "the database's batches are counted where they are made"),
    ("store", &["disk"], "the embedded store is a redb file; disk opens and guards it: ADR 0003"),
    ("web", &["append", "store", "project", "fold"], "takes events in, answers from rows"),
    ("web", &["clock", "telemetry"], "the shell's time, and the figures it shows: ADR 0006"),
    // who holds the stages together
    (
        "worker",
        &["append", "consume", "decode", "event", "fold", "keep", "project", "publish", "schema", "store"],
        "moves events through all stages; it knows no web",
    ),
    ("worker", &["clock", "telemetry"], "the shell's time, and the figures it shares: ADR 0006"),
    ("run", &["*"], "puts everything together"),
    ("cli", &["*"], "may ask everything"),
    ("main", &["*"], "starts the program"),
    // beside the stages
    ("clock", &[], "the one place that reads the time: ADR 0006"),
    (
        "config",
        &["append", "consume", "disk", "keep", "run", "store", "tokens", "web", "worker"],
        "fills in the limits of each part",
    ),
    ("disk", &[], "one redb file, whatever is in it: ADR 0003"),
    ("ids", &[], "the words of everybody"),
    ("memory", &[], "what programs allocate with"),
    ("schema", &["event"], "the shapes of events"),
    (
        "simulate",
        &["event", "schema", "project::totals"],
        "keeps its own books with the same counters; never the fold: ADR 0008. Labelled traffic would be fitted to it",
    ),
    ("telemetry", &[], "names and figures"),
    ("tokens", &[], "a recipe that any language can follow"),
    ("topology", &[], "data; a test compares it with the code"),
];

pub(super) fn imports(sources: &[Source]) -> Vec<Finding> {
    sources.iter().flat_map(imports_of).collect()
}

fn imports_of(source: &Source) -> Vec<Finding> {
    let room = source.room();
    if room == "lib" {
        return Vec::new();
    }
    let lines: Vec<_> = ROOMS.iter().filter(|line| line.0 == room).collect();
    if lines.is_empty() {
        return vec![source.finding(1, format!("{room} is a new room: give it a line in tests/it/tidy/imports.rs"))];
    }
    let may: Vec<&str> = lines.iter().flat_map(|line| line.1).copied().collect();
    let inside = source.paths.iter().filter(|(_, path)| path.first().is_some_and(|first| is_ours(first, room)));
    let strange = inside.filter(|(_, path)| !is_allowed(room, &may, &path[1..]));
    let finding = |(line, path): &(usize, Vec<String>)| {
        let named = path[1..].iter().take(2).cloned().collect::<Vec<_>>().join("::");
        let what = format!(
            "{room} may not import {named}; it may: ids {}. Take the fact as a parameter, or give the import a line and \
             its reason in tests/it/tidy/imports.rs",
            may.join(" ")
        );
        source.finding(*line, what)
    };
    strange.map(finding).collect()
}

/// `main.rs` is a crate of its own and names the library.
fn is_ours(first: &str, room: &str) -> bool {
    first == "crate" || (room == "main" && first == "tributary")
}

fn is_allowed(room: &str, may: &[&str], path: &[String]) -> bool {
    let Some(first) = path.first() else { return true };
    let is_part =
        |allowed: &str| allowed.split("::").zip(path).filter(|(a, b)| a == b).count() == allowed.split("::").count();
    first == room || first == "ids" || may.iter().any(|allowed| *allowed == "*" || is_part(allowed))
}

#[test]
fn a_room_imports_only_what_its_line_says() {
    expect_none("imports go by the table in tests/it/tidy/imports.rs", imports(&Source::of_program()));
}

#[test]
fn lib_rs_lists_the_stages_in_flow_order_and_holds_no_code() {
    let stages =
        ["append", "consume", "decode", "event", "fold", "keep", "project", "publish", "store", "web", "worker"];
    let lib = super::tree::read("src/lib.rs");
    let listed: Vec<&str> =
        lib.text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(listed[..stages.len()], stages, "src/lib.rs lists the stages first, in the order of the flow");
    let source = Source::parse(lib);
    assert!(source.functions.is_empty(), "src/lib.rs holds no code; move it to the stage that it belongs to");
}
