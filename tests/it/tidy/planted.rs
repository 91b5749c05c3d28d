//! Every rule sees what it is there for: a fault is planted, and the rule must name its line.

use super::source::Source;
use super::tree::TextFile;
use super::{Finding, code, crates, documents, imports};

fn file(path: &str, text: &str) -> TextFile {
    TextFile { path: path.to_owned(), text: text.to_owned() }
}

fn sources(path: &str, text: &str) -> Vec<Source> {
    vec![Source::parse(file(path, text))]
}

/// The rule finds exactly one thing, there.
fn found(findings: &[Finding], line: usize, words: &str) {
    let [finding] = findings else { panic!("expected one finding, got {findings:?}") };
    assert_eq!(finding.line, line, "{finding}");
    assert!(finding.what.contains(words), "{finding} does not say {words:?}");
}

#[test]
fn an_import_against_the_flow_is_seen_however_it_is_written() {
    for text in [
        "\nuse crate::worker::Pace;",
        "\nuse crate::{ids::Next, worker::Pace};",
        "\nuse super::super::worker;",
        "\nfn f(x: crate::worker::Pace) {}",
        "\nfn f() { assert!(crate::worker::GENERATION == 1); }",
    ] {
        found(&imports::imports(&sources("src/fold/time.rs", text)), 2, "fold may not import worker");
    }
    let allowed = sources("src/fold/time.rs", "use crate::{keep::Hot, event, ids::Next};\nuse super::records;");
    assert_eq!(imports::imports(&allowed), []);
}

#[test]
fn a_part_of_a_room_may_be_allowed_alone() {
    assert_eq!(imports::imports(&sources("src/simulate/mod.rs", "use crate::project::totals::Totals;")), []);
    found(&imports::imports(&sources("src/simulate/mod.rs", "use crate::project::build;")), 1, "project::build");
}

#[test]
fn a_room_without_a_line_is_seen() {
    found(&imports::imports(&sources("src/misc.rs", "fn f() {}")), 1, "new room");
}

#[test]
fn a_crate_out_of_its_place_is_seen() {
    found(&crates::misplaced(&sources("src/fold/mod.rs", "\n\nuse redb::Database;")), 3, "redb belongs in");
    found(&crates::misplaced(&sources("src/store/mod.rs", "fn f(x: hyper::Error) {}")), 1, "hyper belongs in");
    assert_eq!(crates::misplaced(&sources("src/store/embedded/reader.rs", "use redb::Database;")), []);
}

#[test]
fn a_clock_a_file_a_task_and_a_wait_are_seen_in_a_pure_stage() {
    for (text, words) in [
        ("use std::time::Instant;", "std::time::Instant"),
        ("use std::fs;", "std::fs"),
        ("fn f() { tracing::info!(\"x\"); }", "tracing"),
        ("fn f() { let _ = format!(\"{:?}\", std::env::args()); }", "std::env"),
        ("async fn f() {}", "waits for nothing"),
    ] {
        found(&crates::impure(&sources("src/decode/mod.rs", text)), 1, words);
        assert_eq!(crates::impure(&sources("src/worker/mod.rs", text)), []);
    }
    assert_eq!(crates::impure(&sources("src/fold/mod.rs", "use std::time::Duration;")), []);
}

#[test]
fn a_float_in_the_fold_is_seen() {
    found(&crates::floats(&sources("src/fold/mod.rs", "\nfn f(x: f64) {}")), 2, "f64");
    assert_eq!(crates::floats(&sources("src/fold/mod.rs", "// f64 would not do\nfn f() {}")), []);
}

#[test]
fn a_token_in_a_log_line_is_seen() {
    let text = "fn f() {\n    tracing::info!(who = ?click.ip_token, \"clicked\");\n}";
    found(&crates::personal(&sources("src/worker/mod.rs", text)), 2, "tells ip_token");
    let fine = "fn f() { tracing::info!(partition = p.0, \"a token is no secret in a text\"); }";
    assert_eq!(crates::personal(&sources("src/worker/mod.rs", fine)), []);
}

#[test]
fn a_long_file_function_and_trait_are_seen() {
    let long = sources("src/web/mod.rs", &"fn f() {}\n".repeat(601));
    found(&code::long_files(&long), 601, "601 lines");
    let body = format!("\nfn f() {{\n{}}}\n", "    // why\n    g();\n\n".repeat(61));
    found(&code::long_functions(&sources("src/web/mod.rs", &body)), 2, "f has 61 lines");
    let body = format!("fn f() {{\n{}}}\n", "    g();\n".repeat(60));
    assert_eq!(code::long_functions(&sources("src/web/mod.rs", &body)), []);
    let wide = format!("trait Wide {{ {} }}", (0..7).map(|n| format!("fn f{n}();")).collect::<String>());
    found(&code::wide_traits(&sources("src/web/mod.rs", &wide)), 1, "Wide has 7 methods");
}

#[test]
fn unsafe_macros_statics_and_printing_are_seen() {
    for (text, words) in [
        ("fn f() { unsafe { g() } }", "no unsafe"),
        ("macro_rules! m { () => {} }", "no macro_rules"),
        ("static COUNT: u32 = 0;", "static COUNT"),
        ("fn f() { println!(\"x\"); }", "only the command line prints"),
    ] {
        found(&code::banned_words(&sources("src/web/mod.rs", text)), 1, words);
    }
    let fine = "/// unsafe macro_rules println!\nfn f() -> &'static str { \"unsafe\" }";
    assert_eq!(code::banned_words(&sources("src/web/mod.rs", fine)), []);
    assert_eq!(code::banned_words(&sources("src/cli/mod.rs", "fn f() { println!(\"x\"); }")), []);
}

#[test]
fn an_undated_note_is_seen() {
    found(&code::undated(&file("src/a.rs", "fn f() {}\n// TODO: later")), 2, "undated TODO");
    found(&code::undated(&file("Makefile", "all: # FIXME")), 1, "undated FIXME");
    assert_eq!(code::undated(&file("src/a.rs", "// TODO(2026-01-31): later\nlet x = \"XXX\";")), []);
}

#[test]
fn a_dependency_without_a_reason_is_seen() {
    let manifest =
        file("Cargo.toml", "[dependencies]\nserde = \"1\"\nleft-pad = { version = \"1\" }\n[profile.dev]\nx = 1");
    let records = [file("docs/adr/0005-dependencies.md", "| `serde` | reads | proc macros |")];
    found(&documents::unexplained(&manifest, &records), 3, "left-pad has no line");
}

#[test]
fn a_test_or_path_that_is_not_there_is_seen() {
    let tests = [file("tests/it/fold/time.rs", "#[test]\nfn time_goes_on() {}")];
    let document = file("ARCHITECTURE.md", "`fold::time::time_goes_on`\n`fold::time::time_stands`\n`std::fs`");
    found(&documents::missing_tests(&document, &tests), 2, "fold::time::time_stands");
    let document = file("README.md", "`src/lib.rs` and [it](src/nowhere.rs)");
    found(&documents::missing_paths(&document), 1, "src/nowhere.rs");
}

#[test]
fn a_metric_that_nobody_shows_or_declares_is_seen() {
    let text =
        "pub const A: &str = \"tributary_a_total\";\npub const B: &str = \"tributary_b\";\nfn f() { set(A); set(B) }";
    let all = sources("src/telemetry.rs", text);
    found(&documents::unshown_metrics(&all[0], &all, "| tributary_a_total | … |"), 2, "tributary_b");
    let text = "pub const A: &str = \"tributary_a_total\";";
    let unset = sources("src/telemetry.rs", text);
    let readme = [file("README.md", "\n`tributary_a_total`")];
    found(&documents::imaginary_metrics(&unset[0], &unset, &readme), 2, "nothing sets tributary_a_total");
    assert_eq!(documents::imaginary_metrics(&all[0], &all, &readme), []);
    let elsewhere = sources("src/worker/mod.rs", "fn f() { metrics::counter!(\"tributary_c_total\").increment(1); }");
    found(&documents::undeclared_metrics(&elsewhere), 1, "tributary_c_total");
}

#[test]
fn words_of_the_workshop_are_seen() {
    for text in ["see /work/notes", "cd /tmp/x", "`/root`", "closes Issue #3", "https://pypi.org/simple"] {
        assert_eq!(documents::strange_words(&file("README.md", text)).len(), 1, "{text}");
    }
    for text in ["src/worker/mod.rs", "tests/it/work", "https://example.com/work", "the issue is", "$(HOME)/tmp-x"] {
        assert_eq!(documents::strange_words(&file("README.md", text)), [], "{text}");
    }
}
