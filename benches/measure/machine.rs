//! What the operating system says of this process.

use std::time::Duration;

/// CPU time of the process so far, user and system.
pub fn cpu() -> Duration {
    cpu_of("/proc/self/stat")
}

/// CPU time of the calling thread so far.
pub fn cpu_of_thread() -> Duration {
    cpu_of("/proc/thread-self/stat")
}

/// Of the process or thread whose `stat` it is.
pub fn cpu_of(path: &str) -> Duration {
    let stat = std::fs::read_to_string(path).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// CPU time by thread name so far.
pub fn cpu_by_thread() -> Vec<(String, Duration)> {
    let mut threads: Vec<(String, Duration)> = Vec::new();
    for entry in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let dir = entry.path();
        let name = std::fs::read_to_string(dir.join("comm")).unwrap_or_default().trim().to_owned();
        let used = cpu_of(dir.join("stat").to_str().unwrap());
        match threads.iter_mut().find(|thread| thread.0 == name) {
            Some(thread) => thread.1 += used,
            None => threads.push((name, used)),
        }
    }
    threads.sort();
    threads
}

/// Resident memory in MiB: now, and the peak.
pub fn rss_mib() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
    };
    (field("VmRSS"), field("VmHWM"))
}
