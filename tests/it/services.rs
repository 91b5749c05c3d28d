//! Where the real engines are that tests run against.

use std::sync::atomic::{AtomicU32, Ordering};

/// The brokers, `host:port` with commas between; none where there is no Kafka.
pub fn kafka() -> Option<String> {
    found("KAFKA_BROKERS", "Kafka")
}

fn found(variable: &str, what: &str) -> Option<String> {
    let found = std::env::var(variable).ok().filter(|value| !value.is_empty());
    if found.is_none() {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let advice = "`make services-up`, then `eval \"$(scripts/services/services env)\"`";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{test} needs {what} ({variable}): {advice}");
        eprintln!("NOT RUN: {test} needs {what} ({variable}): {advice}");
    }
    found
}

/// A name that nothing else has: of topics, groups, keyspaces.
pub fn unique(what: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    format!("{what}_{now}_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}
