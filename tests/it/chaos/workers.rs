//! Worker processes: the real program, each with a data folder of its own.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tributary::clock::Clock;
use tributary::consume::kafka::Settings;
use tributary::run::address_of;
use tributary::store::scylla;

use super::story::Story;
use super::world::SESSION;

/// A hand-over has half a minute; the rest is for slow cores.
const STOP_MAX: Duration = Duration::from_secs(60);
/// One that ended by itself is started again after so long: what it needs may be away.
const START_AGAIN: Duration = Duration::from_secs(2);
/// What a worker says when it needs an operator.
const HALTED: &str = "the worker stopped";

pub(super) struct Worker {
    pub(super) name: String,
    data_dir: PathBuf,
    log: PathBuf,
    variables: Vec<(&'static str, String)>,
    /// None: it is down, and should be.
    child: Option<Child>,
    /// Read already.
    log_bytes: usize,
    /// How often it ended by itself, and when it last did.
    pub(super) own_ends: u32,
    ended: Option<Duration>,
}

impl Worker {
    pub(super) fn new(dir: &Path, number: usize, (kafka, cql): (&Settings, &scylla::Options)) -> Self {
        let name = format!("worker-{number}");
        // The group waits for those who have a name; the partitions of the last one go to others at once.
        let instance = if number == 2 { String::new() } else { name.clone() };
        let variables = vec![
            ("TRIBUTARY_KAFKA_BROKERS", kafka.brokers.clone()),
            ("TRIBUTARY_KAFKA_INSTANCE", instance),
            ("TRIBUTARY_KAFKA_SESSION_TIMEOUT_MS", SESSION.as_millis().to_string()),
            ("TRIBUTARY_CQL_NODES", cql.nodes.join(",")),
            ("TRIBUTARY_CQL_KEYSPACE", cql.keyspace.clone()),
            ("RUST_LOG", "info".to_owned()),
        ];
        let (data_dir, log) = (dir.join(&name), dir.join(format!("{name}.log")));
        Self { name, data_dir, log, variables, child: None, log_bytes: 0, own_ends: 0, ended: None }
    }

    pub(super) fn start(&mut self) {
        assert!(self.child.is_none(), "{} runs", self.name);
        self.ended = None;
        std::fs::create_dir_all(&self.data_dir).unwrap();
        // What a killed one left there.
        drop(std::fs::remove_file(self.data_dir.join("tributary.addr")));
        let log = || Stdio::from(OpenOptions::new().create(true).append(true).open(&self.log).unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        for name in std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("TRIBUTARY_")) {
            command.env_remove(name);
        }
        command
            .args(["run", "--json", "--insecure-dev", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&self.data_dir)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        self.child = Some(command.stdin(Stdio::null()).stdout(log()).stderr(log()).spawn().unwrap());
    }

    /// With SIGKILL, whatever state it is in.
    pub(super) fn kill(&mut self) {
        self.ended = None;
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// In order, as an operator would. `false`: it took too long, and was killed.
    pub(super) fn stop(&mut self) -> bool {
        self.ended = None;
        self.signal("TERM");
        let Some(mut child) = self.child.take() else { return true };
        let clock = Clock::system();
        while clock.monotonic() < STOP_MAX {
            if child.try_wait().unwrap().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(child.kill());
        drop(child.wait());
        false
    }

    pub(super) fn pause(&self) {
        self.signal("STOP");
    }

    pub(super) fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        if let Some(child) = &self.child {
            // It may have ended by itself a moment ago.
            drop(Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status());
        }
    }

    /// All that it had on its disk is gone. It must be down.
    pub(super) fn lose_disk(&self) {
        assert!(self.child.is_none(), "{} runs", self.name);
        std::fs::remove_dir_all(&self.data_dir).unwrap();
    }

    /// Where it answers, once it does.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        address_of(&self.data_dir)
    }

    pub(super) fn look_after(&mut self, story: &Story) {
        self.check_log();
        if let Some(child) = &mut self.child
            && let Some(status) = child.try_wait().unwrap()
        {
            story.tell(format!("{} ended by itself: {status}", self.name));
            self.own_ends += 1;
            (self.child, self.ended) = (None, Some(story.now()));
        }
        if self.ended.is_some_and(|ended| story.now() > ended + START_AGAIN) {
            self.start();
        }
    }

    /// That it does not say that it has stopped.
    fn check_log(&mut self) {
        use std::io::{Read, Seek, SeekFrom};
        let Ok(mut log) = File::open(&self.log) else { return };
        let mut text = Vec::new();
        log.seek(SeekFrom::Start(u64::try_from(self.log_bytes).unwrap())).unwrap();
        log.read_to_end(&mut text).unwrap();
        // The last line may not be whole yet.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        self.log_bytes += whole;
        let text = String::from_utf8_lossy(&text[..whole]);
        let halted = text.lines().find(|line| line.contains(HALTED));
        assert!(halted.is_none(), "{} stopped folding: {}", self.name, halted.unwrap_or_default());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}
