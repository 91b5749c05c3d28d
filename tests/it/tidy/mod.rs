//! The rules of the house that a machine can check. A failing rule names file and line and what to do.
//!
//! The tables to read (and to extend, each line with its reason) are `imports::ROOMS` and `crates::PLACES`.

mod code;
mod crates;
mod documents;
mod imports;
mod planted;
mod source;
mod tree;

use std::fmt;

/// Something to mend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Fails with all of them, one a line.
fn expect_none(rule: &str, mut findings: Vec<Finding>) {
    findings.sort();
    findings.dedup();
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(lines.is_empty(), "{rule}; {} to mend:\n{}", lines.len(), lines.join("\n"));
}
