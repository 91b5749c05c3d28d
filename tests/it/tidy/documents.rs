//! What the documents say is so, and says nothing of how or where it was made.

use super::source::Source;
use super::tree::{self, TextFile};
use super::{Finding, expect_none};

/// `name = …` lines of Cargo.toml's dependency sections.
fn dependencies(manifest: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_inside = false;
    for (number, line) in (1..).zip(manifest.lines()) {
        if let Some(section) = line.strip_prefix('[') {
            is_inside = section.trim_end_matches(']').ends_with("dependencies");
        } else if let (true, Some((name, _))) = (is_inside, line.split_once('=')) {
            found.push((number, name.trim().to_owned()));
        }
    }
    found
}

pub(super) fn unexplained(manifest: &TextFile, records: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, name) in dependencies(&manifest.text) {
        if !records.iter().any(|record| record.text.contains(&format!("| `{name}` |"))) {
            let what =
                format!("{name} has no line in docs/adr/: say what it saves and what it drags in, or do without");
            findings.push(Finding { file: manifest.path.clone(), line, what });
        }
    }
    findings
}

#[test]
fn every_dependency_has_a_line_in_the_decision_records() {
    let records = tree::files_like("docs/adr", ".md");
    expect_none("a dependency is a decision", unexplained(&tree::read("Cargo.toml"), &records));
}

#[test]
fn the_crates_of_the_dependency_table_are_dependencies() {
    let names: Vec<String> = dependencies(&tree::read("Cargo.toml").text).into_iter().map(|(_, name)| name).collect();
    let record = tree::read("docs/adr/0005-dependencies.md");
    let mut findings = Vec::new();
    for (line, text) in record.lines() {
        let Some((name, _)) = text.strip_prefix("| `").and_then(|rest| rest.split_once('`')) else { continue };
        if !names.iter().any(|known| known == name) {
            findings.push(Finding {
                file: record.path.clone(),
                line,
                what: format!("{name} is used no more; drop its line"),
            });
        }
    }
    expect_none("the table of dependencies is true", findings);
}

#[test]
fn every_decision_record_is_listed_and_has_its_three_parts() {
    let index = tree::read("docs/adr/README.md");
    let mut findings = Vec::new();
    for (number, file) in (1..).zip(tree::files_like("docs/adr", ".md").iter().filter(|file| file.path != index.path)) {
        let name = file.path.trim_start_matches("docs/adr/");
        let mut mend = |what: String| findings.push(Finding { file: file.path.clone(), line: 1, what });
        if !name.starts_with(&format!("{number:04}-")) {
            mend(format!("the number is not the next one, {number:04}"));
        }
        if !index.text.contains(&format!("]({name})")) {
            mend("not linked from docs/adr/README.md; add its line".to_owned());
        }
        for part in ["## Context", "## Decision", "## Consequences"] {
            if !file.text.contains(part) {
                mend(format!("has no part {part:?}"));
            }
        }
    }
    expect_none("decision records are found and complete", findings);
}

/// Lines of ARCHITECTURE.md name tests as `part::file::test`.
pub(super) fn missing_tests(document: &TextFile, tests: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, text) in document.lines() {
        for name in text.split('`').skip(1).step_by(2).filter(|name| is_test_name(name, tests)) {
            let (modules, test) = name.rsplit_once("::").expect("a path has two colons");
            let path = format!("tests/it/{}", modules.replace("::", "/"));
            let files = [format!("{path}.rs"), format!("{path}/mod.rs")];
            let mut homes = tests.iter().filter(|file| files.contains(&file.path));
            if !homes.any(|file| file.text.contains(&format!("fn {test}("))) {
                let what = format!("names the test {name}, which is not there; name the one that holds it");
                findings.push(Finding { file: document.path.clone(), line, what });
            }
        }
    }
    findings
}

fn is_test_name(name: &str, tests: &[TextFile]) -> bool {
    let is_path =
        name.contains("::") && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:".contains(c));
    let part = name.split("::").next().unwrap_or(name);
    is_path && tests.iter().any(|file| file.path.starts_with(&format!("tests/it/{part}")))
}

#[test]
fn the_tests_that_architecture_names_are_there() {
    let document = tree::read("ARCHITECTURE.md");
    let tests = tree::files_like("tests/it", ".rs");
    let named = document.text.split('`').skip(1).step_by(2).filter(|name| is_test_name(name, &tests)).count();
    assert!(named >= 10, "ARCHITECTURE.md names the test of each of its ten invariants as `part::file::test`");
    expect_none("each invariant has its test", missing_tests(&document, &tests));
}

/// Paths into this repository, as documents write them.
pub(super) fn missing_paths(document: &TextFile) -> Vec<Finding> {
    let folders = ["src/", "tests/", "schemas/", "topology/", "deploy/", "docs/", "benches/", "scripts/"];
    let mut findings = Vec::new();
    for (line, text) in document.lines() {
        let quoted = text.split('`').skip(1).step_by(2);
        let linked = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for path in quoted.chain(linked).filter(|path| folders.iter().any(|folder| path.starts_with(folder))) {
            let is_pattern = path.contains(['*', '<', '{', ' ', '…', 'N']);
            let bare = path.split('#').next().unwrap_or(path);
            if !is_pattern && !tree::root().join(bare).exists() {
                let what = format!("names {path}, which is not there; name the place where it stands now");
                findings.push(Finding { file: document.path.clone(), line, what });
            }
        }
    }
    findings
}

#[test]
fn the_paths_that_documents_name_are_there() {
    let documents = ["ARCHITECTURE.md", "README.md", "deploy/README.md"].map(tree::read);
    expect_none("documents follow the code", documents.iter().flat_map(missing_paths).collect());
}

/// The names that `telemetry.rs` declares, those left out that nothing sets.
fn metrics_set(telemetry: &Source, sources: &[Source]) -> Vec<(usize, String)> {
    let declared = telemetry.texts.iter().filter(|(_, text)| text.starts_with("tributary_"));
    let is_set = |line: &usize| {
        let constant =
            telemetry.text.lines().nth(line - 1).and_then(|line| line.strip_prefix("pub const ")?.split(':').next());
        let uses = |source: &Source| source.words.iter().filter(|(_, word)| Some(word.as_str()) == constant).count();
        sources.iter().map(uses).sum::<usize>() > 1
    };
    declared.filter(|(line, _)| is_set(line)).cloned().collect()
}

pub(super) fn unshown_metrics(telemetry: &Source, sources: &[Source], shown: &str) -> Vec<Finding> {
    let set = metrics_set(telemetry, sources);
    let missing = set.iter().filter(|(_, name)| !shown.contains(name.as_str()));
    let what = |name: &str| format!("{name} is shown nowhere; give it a line in README.md or a panel in deploy/");
    missing.map(|(line, name)| telemetry.finding(*line, what(name))).collect()
}

/// Documents, dashboards and alerts name only what is there to be seen.
pub(super) fn imaginary_metrics(telemetry: &Source, sources: &[Source], documents: &[TextFile]) -> Vec<Finding> {
    let set = metrics_set(telemetry, sources);
    let mut findings = Vec::new();
    for file in documents {
        for (line, text) in file.lines() {
            let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
            for word in words.filter(|word| word.starts_with("tributary_")) {
                if !set.iter().any(|(_, name)| name == word) {
                    let what = format!("nothing sets {word}; set it, or leave it out here");
                    findings.push(Finding { file: file.path.clone(), line, what });
                }
            }
        }
    }
    findings
}

pub(super) fn undeclared_metrics(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.room() != "telemetry") {
        for (line, text) in &source.texts {
            let is_name = text
                .strip_prefix("tributary_")
                .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            if is_name {
                findings.push(source.finding(*line, format!("{text}: metric names are declared in src/telemetry.rs")));
            }
        }
    }
    findings
}

#[test]
fn every_metric_is_declared_once_and_shown_somewhere() {
    let sources = Source::of_program();
    let documents: Vec<TextFile> = tree::files("deploy").into_iter().chain([tree::read("README.md")]).collect();
    let shown: String = documents.iter().map(|file| file.text.as_str()).collect();
    let mut findings = undeclared_metrics(&sources);
    let telemetry = sources.iter().find(|source| source.path == "src/telemetry.rs").expect("names of metrics");
    findings.extend(unshown_metrics(telemetry, &sources, &shown));
    findings.extend(imaginary_metrics(telemetry, &sources, &documents));
    expect_none("metrics have one name, somebody who sets them and somebody who looks at them", findings);
}

/// Of the place and the way a text was made; a reader has no use for it.
const NOT_OF_THE_PRODUCT: [(&str, &str); 12] = [
    ("/root", "a path of one machine"),
    ("/work", "a path of one machine"),
    ("/home", "a path of one machine"),
    ("/tmp", "a path of one machine"),
    ("issue #", "a number nobody can look up"),
    ("as an ai", "how it was made"),
    ("co-authored-by", "how it was made"),
    ("index.crates.io", "the host of a registry"),
    ("static.crates.io", "the host of a registry"),
    ("proxy.golang.org", "the host of a registry"),
    ("pypi.org", "the host of a registry"),
    ("registry.npmjs.org", "the host of a registry"),
];

pub(super) fn strange_words(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        let lower = line.to_lowercase();
        for (word, why) in NOT_OF_THE_PRODUCT {
            let hit = lower.match_indices(word).any(|(at, _)| stands_alone(&lower, at, word));
            if hit {
                let what = format!("{word:?} is {why}; say what the reader needs instead");
                findings.push(Finding { file: file.path.clone(), line: number, what });
            }
        }
    }
    findings
}

/// A path is one only from its start: not `https://host/work`, not `src/worker`.
fn stands_alone(line: &str, at: usize, word: &str) -> bool {
    if !word.starts_with('/') {
        return true;
    }
    let before = line[..at].chars().next_back();
    let after = line[at + word.len()..].chars().next();
    let goes_on = |c: char| c.is_alphanumeric() || "_-.}".contains(c);
    !before.is_some_and(|c| goes_on(c) || c == '/') && !after.is_some_and(goes_on)
}

#[test]
fn texts_speak_of_the_product_alone() {
    let is_checked = |file: &TextFile| !file.path.starts_with("tests/") && file.path != "Cargo.lock";
    let files = tree::files(".").into_iter().filter(is_checked);
    expect_none("no machine, no registry, no history of making", files.flat_map(|file| strange_words(&file)).collect());
}

#[test]
fn the_lock_file_takes_crates_from_the_public_index_alone() {
    let lock = tree::read("Cargo.lock");
    let mut findings = Vec::new();
    for (line, text) in lock.lines().filter(|(_, text)| text.starts_with("source = ")) {
        if text != "source = \"registry+https://github.com/rust-lang/crates.io-index\"" {
            let what = "from somewhere else; take the released crate".to_owned();
            findings.push(Finding { file: lock.path.clone(), line, what });
        }
    }
    expect_none("anybody can fetch what this is built from", findings);
}

/// A case as the name of its test: letters and digits, one underscore for all else.
fn slug(case: &str) -> String {
    let mut slug = String::new();
    for letter in case.to_lowercase().chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.ends_with('_') && !slug.is_empty() {
            slug.push('_');
        }
    }
    let slug = slug.trim_end_matches('_');
    if slug.starts_with(|first: char| first.is_ascii_digit()) { format!("case_{slug}") } else { slug.to_owned() }
}

/// Lines of the README's table of cases without a test in `tests`.
pub(super) fn untold_cases(readme: &TextFile, tests: &[TextFile]) -> Vec<Finding> {
    let lines = readme.lines().skip_while(|(_, line)| !line.starts_with("| case |")).skip(2);
    let cases = lines.take_while(|(_, line)| line.starts_with('|'));
    let mut findings = Vec::new();
    for (line, text) in cases {
        let test = format!("fn {}", slug(text.split('|').nth(1).unwrap_or_default().trim()));
        if !tests.iter().any(|file| file.text.contains(&test)) {
            findings.push(Finding {
                file: readme.path.clone(),
                line,
                what: format!("no test in tests/it/cases: {test}"),
            });
        }
    }
    findings
}

#[test]
fn every_case_of_the_readme_is_a_test() {
    let (readme, tests) = (tree::read("README.md"), tree::files_like("tests/it/cases", ".rs"));
    assert!(readme.text.contains("| case |"), "the table is there");
    expect_none("what the README promises of a case is tested", untold_cases(&readme, &tests));
}
