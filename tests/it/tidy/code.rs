//! How code is written.

use super::source::Source;
use super::tree::{self, TextFile};
use super::{Finding, expect_none};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 60;
const TRAIT_METHODS_MAX: usize = 6;
/// Traits that are no seam: both sides are in the same room.
const INNER_TRAITS: [(&str, &str); 1] = [("src/keep/map.rs", "how the store of keep drives its own two kinds of map")];

pub(super) fn long_files(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            let what = format!("{lines} lines, at most {FILE_LINES_MAX}; split it where a stranger would look");
            findings.push(source.finding(lines, what));
        }
    }
    findings
}

pub(super) fn long_functions(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        for (line, name, lines) in &source.functions {
            if *lines > FUNCTION_LINES_MAX {
                let what = format!("{name} has {lines} lines, at most {FUNCTION_LINES_MAX}; give its steps names");
                findings.push(source.finding(*line, what));
            }
        }
    }
    findings
}

pub(super) fn wide_traits(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_inner = |source: &&Source| INNER_TRAITS.iter().any(|(path, _)| *path == source.path);
    for source in sources.iter().filter(|source| !is_inner(source)) {
        for (line, name, methods) in &source.traits {
            if *methods > TRAIT_METHODS_MAX {
                let what =
                    format!("{name} has {methods} methods, at most {TRAIT_METHODS_MAX}; each engine has to keep them");
                findings.push(source.finding(*line, what));
            }
        }
    }
    findings
}

/// Words that stand in no program here, and what to do instead.
const BANNED: [(&str, &str); 2] = [
    ("unsafe", "nothing here needs it; take a crate that has proved its own"),
    ("macro_rules", "write the function, the loop or the table out"),
];
/// Where one does, and why.
const EXCUSED: [(&str, &str, &str); 2] = [
    (
        "src/consume/kafka/describe.rs",
        "unsafe",
        "a topic's id is asked for by a call that the client's crate does not wrap",
    ),
    ("src/memory.rs", "unsafe", "the allocator's options are set by a call that its crate does not wrap"),
];
/// Only the command line talks to a terminal.
const PRINTING: [&str; 5] = ["println", "print", "eprintln", "eprint", "dbg"];

pub(super) fn banned_words(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        for (line, word) in &source.words {
            let is_excused = EXCUSED.iter().any(|(path, excused, _)| source.path == *path && word == excused);
            if let Some((_, advice)) = BANNED.iter().find(|(banned, _)| word == banned && !is_excused) {
                findings.push(source.finding(*line, format!("no {word}: {advice}")));
            }
        }
        let is_shell = matches!(source.room(), "cli" | "main");
        for (line, name, _) in source.macros.iter().filter(|_| !is_shell) {
            if PRINTING.contains(&name.as_str()) {
                findings.push(source.finding(*line, "only the command line prints; log it, or return it"));
            }
        }
        // The allocator has to be one, and only the program has one.
        for (line, name) in source.statics.iter().filter(|_| source.path != "src/main.rs") {
            findings
                .push(source.finding(*line, format!("static {name}: pass it in, so that two can run side by side")));
        }
    }
    findings
}

/// A note for later says when it was made: `TODO(2026-01-31)`.
pub(super) fn undated(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        let Some(comment) = comment_of(&file.path, line) else { continue };
        for mark in ["TODO", "FIXME", "XXX"] {
            if let Some((_, after)) = comment.split_once(mark)
                && !is_dated(after)
            {
                let what = format!("undated {mark}; do it, or write {mark}(year-month-day) and what is missing");
                findings.push(Finding { file: file.path.clone(), line: number, what });
            }
        }
    }
    findings
}

fn is_dated(after: &str) -> bool {
    let shape: String = after.chars().take(12).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "(0000-00-00)"
}

fn comment_of<'a>(path: &str, line: &'a str) -> Option<&'a str> {
    let mark = match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("rs") => "//",
        Some("md") => "",
        _ => "#",
    };
    line.find(mark).and_then(|at| line.get(at..))
}

#[test]
fn no_file_is_longer_than_600_lines() {
    expect_none("files are short", long_files(&Source::of_all()));
}

#[test]
fn no_function_is_longer_than_60_lines() {
    let sources: Vec<Source> =
        Source::of_all().into_iter().filter(|source| !source.path.starts_with("tests/")).collect();
    expect_none("functions are short", long_functions(&sources));
}

#[test]
fn no_trait_has_more_than_six_methods() {
    expect_none("seams are narrow", wide_traits(&Source::of_program()));
}

#[test]
fn no_unsafe_no_macros_no_statics_no_printing() {
    expect_none("boring Rust", banned_words(&Source::of_program()));
}

#[test]
fn notes_for_later_are_dated() {
    let files = tree::files(".").into_iter().filter(|file| !file.path.starts_with("tests/it/tidy/"));
    expect_none("nothing is put off without a date", files.flat_map(|file| undated(&file)).collect());
}

#[test]
fn every_module_of_the_specification_is_compiled() {
    let main = tree::read("tests/it/main.rs");
    let mut findings = Vec::new();
    for file in tree::files_like("tests/it", ".rs") {
        let below = file.path.trim_start_matches("tests/it/");
        let name = below.split('/').next().unwrap_or(below).trim_end_matches(".rs");
        if name != "main" && !main.text.lines().any(|line| line == format!("mod {name};")) {
            let what = format!("nobody runs it: add `mod {name};` to tests/it/main.rs");
            findings.push(Finding { file: file.path.clone(), line: 1, what });
        }
    }
    expect_none("tests/it/main.rs lists all modules", findings);
}

/// Told, not judged: docs and comments are to be 15 to 30 % of the lines.
#[test]
fn the_share_of_docs_is_reported() {
    let mut rooms = std::collections::BTreeMap::<String, (usize, usize)>::new();
    for source in Source::of_program() {
        let sums = rooms.entry(source.room().to_owned()).or_default();
        for line in source.text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            sums.0 += usize::from(line.starts_with("//"));
            sums.1 += 1;
        }
    }
    for (room, (docs, lines)) in rooms {
        println!("{room:<10} {:>3} % of {lines} lines are docs or comments", docs * 100 / lines.max(1));
    }
}
