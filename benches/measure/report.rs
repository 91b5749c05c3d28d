//! From what the measures print to a table.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

const MARK: &str = "RESULT\t";

/// A figure, with what is asked of it if anything is.
pub fn figure(what: &str, value: impl std::fmt::Display, target: &str) {
    println!("{MARK}{what}\t{value}\t{target}");
}

/// Runs every measure in a process of its own and writes the table into `file`.
pub fn all(command: &str, file: &str, measures: &[&str], events: Option<u64>) {
    let exe = std::env::current_exe().unwrap();
    let mut table = String::new();
    for name in measures {
        eprintln!("measuring {name} …");
        let mut command = Command::new(&exe);
        command.arg(name).args(events.map(|events| events.to_string())).stderr(Stdio::inherit());
        let out = command.output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success(), "{name} failed:\n{text}");
        for line in text.lines().filter_map(|line| line.strip_prefix(MARK)) {
            println!("{}", line.replace('\t', " | "));
            writeln!(table, "| {} |", line.replace('\t', " | ")).unwrap();
        }
    }
    let head = format!(
        "# Results\n\n`{command}` on {}; {}. One run: absolute figures vary by tens of percent from machine to machine and day to \
         day.\n\n| what | measured | asked |\n|---|---|---|\n",
        machine(),
        version()
    );
    std::fs::write(file, head + &table).unwrap();
    eprintln!("written to {file}");
}

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("an unknown processor");
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = memory.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!("{cores} cores of {}, {} GiB", model.trim_start_matches([' ', '\t', ':']), kib >> 20)
}

fn version() -> String {
    let out = Command::new("rustc").arg("--version").output();
    out.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_default()
}
