//! The engines that the measures run on.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use crate::machine;
use crate::report::figure;

/// What a variable says that `scripts/services/services env` prints.
pub fn told(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        eprintln!("{variable} is not set: make bench-cluster starts the services and says where they are");
        std::process::exit(2);
    })
}

/// CPU time of brokers and of the database so far, by name.
pub struct Used(BTreeMap<String, Duration>);

impl Used {
    pub fn now() -> Self {
        let out = Command::new("scripts/services/services").arg("status").output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let used = |line: &str| {
            let mut words = line.split_whitespace();
            let name = words.next()?;
            let pid: u32 = words.nth(2)?.parse().ok()?;
            Some((name.to_owned(), machine::cpu_of(&format!("/proc/{pid}/stat"))))
        };
        Self(text.lines().filter_map(used).collect())
    }

    /// What they took since, of a million events each.
    pub fn tell_since(before: &Self, of: &str, events: u64) {
        for (name, now) in &Self::now().0 {
            let used = now.saturating_sub(before.0.get(name).copied().unwrap_or_default());
            let million = used.as_secs_f64() * 1e6 / events as f64;
            if !name.starts_with("registry") {
                figure(&format!("{of}: CPU-seconds per million of {name}"), format!("{million:.2}"), "");
            }
        }
    }
}
