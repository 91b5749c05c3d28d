//! Settings: a TOML file, the environment, flags; the later wins. The only place that reads them.

mod engines;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::tokens::Text;
use crate::{keep, run, web, worker};

pub use engines::{Cql, Kafka, Snapshots};

/// All settings, each with its default. `deploy/config.toml` describes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Log, state and projections live below it.
    pub data_dir: PathBuf,
    /// Where HTTP is served.
    pub listen: SocketAddr,
    /// Where other processes reach it; empty: at `listen`, or at the address by which it reaches the brokers.
    pub advertise: String,
    /// Without API keys, on this machine alone.
    pub insecure_dev: bool,
    /// What this process does: all, worker, web.
    pub role: String,
    pub keys: Keys,
    pub log: Log,
    pub worker: Worker,
    pub state: State,
    pub kafka: Kafka,
    pub cql: Cql,
    pub snapshots: Snapshots,
    pub tokens: Tokens,
    pub fraud: Fraud,
}

/// Questions about what has not come. See `web::Policy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fraud {
    pub check_deadline_ms: u64,
    /// approve_with_hold, approve, review, block.
    pub check_fallback: String,
}

/// What raw fields are made tokens with. See `run::secret`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    pub secret_file: PathBuf,
    /// Of the environment alone: it stands in no file of settings, and is never shown.
    #[serde(skip)]
    pub secret: Option<Text>,
}

/// How often may be asked. See `web::keys::Limits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    pub rate_per_s: u32,
    pub burst: u32,
    pub refused_per_s: u32,
    pub refused_burst: u32,
}

/// The embedded log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Of a new log; an existing one refuses another number.
    pub partitions: u32,
}

/// The worker's threads and rhythm. See `worker::Pace`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Worker {
    /// 0: one less than there are cores, at least two.
    pub threads: u32,
    pub poll_records_max: usize,
    pub poll_bytes_max: usize,
    pub poll_wait_ms_max: u64,
    pub fast_flush_ms: u64,
    pub slow_flush_ms: u64,
    pub catching_up_flush_ms: u64,
    pub emit_ms: u64,
    pub emit_idle_ms: u64,
    pub commit_ms: u64,
    pub rows_max: usize,
    /// 0: no limit.
    pub rebuild_events_per_s: u32,
    /// A creator for which something is due, a day's end for one, is moved on once nothing came for so long; 0: never.
    pub tick_after_ms: u64,
}

/// The state of a partition. See `keep::Limits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct State {
    pub commit_hot_bytes: usize,
    pub commit_cold_bytes: usize,
    pub ahead_bytes_max: u64,
    pub entities_max: usize,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read the settings in {}", file.display())]
    Read { file: PathBuf, source: std::io::Error },
    #[error("the settings in {} are not valid", file.display())]
    Parse { file: PathBuf, source: toml::de::Error },
    #[error("{place} names no setting: `{name}` is not known{}", did_you_mean(near))]
    Unknown { place: String, name: String, near: Option<String> },
    #[error("the variable {variable} cannot be used")]
    Variable { variable: String, source: toml::de::Error },
    #[error("`kafka.registry_url` cannot be used")]
    Registry(#[from] crate::consume::registry::Error),
    #[error("`snapshots.url` cannot be used")]
    Snapshots(#[source] keep::Error),
    #[error(transparent)]
    Secret(#[from] run::secret::Error),
    #[error("`{name}` must be {must}")]
    Range { name: &'static str, must: &'static str },
}

/// What a variable that is a setting begins with.
const PREFIX: &str = "TRIBUTARY_";
/// Variables that only the command line reads.
const FLAGS: [&str; 2] = ["TRIBUTARY_CONFIG", "TRIBUTARY_KEY"];
/// A secret is no setting: what is shown, and what is read, of settings goes without it.
const SECRET: &str = run::secret::VARIABLE;

fn did_you_mean(near: &Option<String>) -> String {
    near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

fn variable_of(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('.', "_").to_ascii_uppercase())
}

/// Names of all values, those of groups with the group's name before them.
fn dotted(table: &toml::Table) -> Vec<String> {
    let mut names = Vec::new();
    for (key, value) in table {
        match value.as_table() {
            Some(group) => names.extend(group.keys().map(|inner| format!("{key}.{inner}"))),
            None => names.push(key.clone()),
        }
    }
    names
}

/// The first name of a file that is no setting.
fn unknown_in(file: &Path, text: &str) -> Option<Error> {
    let known = Config::names();
    let table: toml::Table = text.parse().ok()?;
    let name = dotted(&table).into_iter().find(|name| !known.contains(name))?;
    let key = name.rsplit('.').next().unwrap_or(&name);
    let line = text.lines().position(|line| line.trim_start().starts_with(key)).map_or(1, |at| at + 1);
    let near = nearest(&name, &known);
    Some(Error::Unknown { place: format!("{}:{line}", file.display()), name, near })
}

/// The known name with the fewest letters to change, if it is near.
fn nearest(name: &str, known: &[String]) -> Option<String> {
    let near = known.iter().map(|known| (distance(name, known), known)).min();
    near.filter(|(distance, known)| *distance <= known.len() / 3).map(|(_, known)| known.clone())
}

/// Letters to insert, drop or change to make one of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let (mut corner, mut before) = (i, i + 1);
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (place, right) in row.iter_mut().skip(1).zip(b.bytes()) {
            before = (corner + usize::from(left != right)).min(*place + 1).min(before + 1);
            corner = std::mem::replace(place, before);
        }
    }
    row.last().copied().unwrap_or_default()
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("./data"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            advertise: String::new(),
            insecure_dev: false,
            role: "all".to_owned(),
            keys: Keys::default(),
            log: Log::default(),
            worker: Worker::default(),
            state: State::default(),
            kafka: Kafka::default(),
            cql: Cql::default(),
            snapshots: Snapshots::default(),
            tokens: Tokens::default(),
            fraud: Fraud::default(),
        }
    }
}

impl Default for Fraud {
    fn default() -> Self {
        let web::Policy { deadline, fallback } = web::Policy::default();
        let check_deadline_ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        Self { check_deadline_ms, check_fallback: fallback.name().to_owned() }
    }
}

impl Default for Keys {
    fn default() -> Self {
        let limits = web::keys::Limits::default();
        Self {
            rate_per_s: limits.each.per_s,
            burst: limits.each.burst,
            refused_per_s: limits.refused.per_s,
            refused_burst: limits.refused.burst,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { partitions: crate::consume::embedded::PARTITIONS }
    }
}

/// Live producers are seldom quiet for longer, and a day's end may wait so long.
const TICK_AFTER_MS: u64 = 60_000;

impl Default for Worker {
    fn default() -> Self {
        let pace = worker::Pace::default();
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self {
            threads: 0,
            poll_records_max: pace.poll.records_max,
            poll_bytes_max: pace.poll.bytes_max,
            poll_wait_ms_max: ms(pace.poll.wait_max),
            fast_flush_ms: ms(pace.fast),
            slow_flush_ms: ms(pace.slow),
            catching_up_flush_ms: ms(pace.catching_up),
            emit_ms: ms(pace.emit),
            emit_idle_ms: ms(pace.emit_idle),
            commit_ms: ms(pace.commit),
            rows_max: pace.rows_max,
            rebuild_events_per_s: run::REBUILD_EVENTS_PER_S,
            tick_after_ms: TICK_AFTER_MS,
        }
    }
}

impl Default for State {
    fn default() -> Self {
        let limits = keep::Limits::default();
        Self {
            commit_hot_bytes: limits.hot_bytes,
            commit_cold_bytes: limits.cold_bytes,
            ahead_bytes_max: limits.ahead_bytes,
            entities_max: limits.entities,
        }
    }
}

impl Tokens {
    /// The variable beats the file, as everywhere.
    pub fn secret(&self) -> run::secret::From {
        match &self.secret {
            Some(text) => run::secret::From::Variable(text.clone()),
            None if self.secret_file.as_os_str().is_empty() => run::secret::From::Folder,
            None => run::secret::From::File(self.secret_file.clone()),
        }
    }
}

impl Config {
    /// The settings of `file`, or the defaults, changed by the `TRIBUTARY_…` variables of the environment: the name in
    /// capitals, `_` for the dot.
    pub fn load(file: Option<&Path>, variables: impl Iterator<Item = (String, String)>) -> Result<Self, Error> {
        let mut config = file.map_or_else(|| Ok(Self::default()), Self::of_file)?;
        let mut variables: Vec<_> = variables.filter(|(name, _)| name.starts_with(PREFIX)).collect();
        variables.sort();
        let is_secret = |(name, _): &mut (String, String)| name == SECRET;
        let secret = variables.extract_if(.., is_secret).map(|(_, text)| Text::new(text)).next();
        for (variable, value) in variables.iter().filter(|(name, _)| !FLAGS.contains(&name.as_str())) {
            config = config.with_variable(variable, value)?;
        }
        config.tokens.secret = secret;
        Ok(config)
    }

    fn of_file(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file).map_err(|source| Error::Read { file: file.to_owned(), source })?;
        toml::from_str(&text)
            .map_err(|source| unknown_in(file, &text).unwrap_or(Error::Parse { file: file.to_owned(), source }))
    }

    fn with_variable(self, variable: &str, value: &str) -> Result<Self, Error> {
        let names = Self::names();
        let Some(name) = names.iter().find(|name| variable_of(name) == variable) else {
            let name = variable.trim_start_matches(PREFIX).to_ascii_lowercase();
            let near = nearest(&name, &names);
            return Err(Error::Unknown { place: format!("the variable {variable}"), name, near });
        };
        let wrong = |source| Error::Variable { variable: variable.to_owned(), source };
        let mut table = self.to_table();
        let (group, key) = name.split_once('.').unwrap_or(("", name));
        let room =
            if group.is_empty() { Some(&mut table) } else { table.get_mut(group).and_then(toml::Value::as_table_mut) };
        if let Some(place) = room.and_then(|room| room.get_mut(key)) {
            // A text stays one, even if it looks like a number.
            *place = match (&*place, value.parse(), value.parse()) {
                (toml::Value::Boolean(_), Ok(chosen), _) => toml::Value::Boolean(chosen),
                (toml::Value::Integer(_), _, Ok(number)) => toml::Value::Integer(number),
                _ => toml::Value::String(value.to_owned()),
            };
        }
        table.try_into().map_err(wrong)
    }

    fn to_table(&self) -> toml::Table {
        toml::Table::try_from(self).expect("settings are texts, numbers and switches")
    }

    /// Every setting, dotted.
    pub fn names() -> Vec<String> {
        dotted(&Self::default().to_table())
    }

    /// Whether the values make sense together.
    pub fn check(&self) -> Result<(), Error> {
        let range = |ok: bool, name, must| if ok { Ok(()) } else { Err(Error::Range { name, must }) };
        range((1..=1_024).contains(&self.log.partitions), "log.partitions", "between 1 and 1,024")?;
        let is_closed = !self.insecure_dev || self.listen.ip().is_loopback();
        range(is_closed, "listen", "an address of this machine alone, such as 127.0.0.1:8080, with --insecure-dev")?;
        let is_address = self.advertise.is_empty() || self.advertised().is_some();
        range(
            is_address,
            "advertise",
            "an address and a port, such as 10.0.0.7:8080, by which others reach it, or empty",
        )?;
        let is_deadline = (1..=10_000).contains(&self.fraud.check_deadline_ms);
        range(is_deadline, "fraud.check_deadline_ms", "between 1 and 10,000")?;
        let fallback = web::Fallback::parse(&self.fraud.check_fallback);
        range(fallback.is_some(), "fraud.check_fallback", "approve_with_hold, approve, review or block")?;
        range(self.keys.rate_per_s > 0, "keys.rate_per_s", "at least 1")?;
        range(self.keys.burst > 0, "keys.burst", "at least 1")?;
        range(self.keys.refused_per_s > 0, "keys.refused_per_s", "at least 1")?;
        range(self.keys.refused_burst > 0, "keys.refused_burst", "at least 1")?;
        range(self.worker.poll_records_max > 0, "worker.poll_records_max", "at least 1")?;
        range(self.worker.poll_bytes_max > 0, "worker.poll_bytes_max", "at least 1")?;
        range(self.worker.rows_max > 0, "worker.rows_max", "at least 1")?;
        range(self.state.commit_hot_bytes > 0, "state.commit_hot_bytes", "at least 1")?;
        range(self.state.commit_cold_bytes > 0, "state.commit_cold_bytes", "at least 1")?;
        if let Some(text) = &self.tokens.secret {
            run::secret::parse(text, &format!("the variable {SECRET}"))?;
        }
        engines::check(self)
    }

    /// How HTTP is served.
    pub fn http(&self) -> run::Http {
        let Keys { rate_per_s, burst, refused_per_s, refused_burst } = self.keys;
        let limits = web::keys::Limits {
            each: web::keys::Rate { per_s: rate_per_s, burst },
            refused: web::keys::Rate { per_s: refused_per_s, burst: refused_burst },
        };
        let access = if self.insecure_dev { web::Access::InsecureDev } else { web::Access::Keys };
        let checks = web::Policy {
            deadline: Duration::from_millis(self.fraud.check_deadline_ms),
            fallback: web::Fallback::parse(&self.fraud.check_fallback).unwrap_or(web::Policy::default().fallback),
        };
        run::Http { listen: self.listen, advertise: self.advertised(), access, limits, checks }
    }

    fn advertised(&self) -> Option<SocketAddr> {
        self.advertise.parse().ok().filter(|addr: &SocketAddr| !addr.ip().is_unspecified() && addr.port() > 0)
    }

    /// What the embedded mode takes of it.
    pub fn options(&self) -> Result<run::Options, Error> {
        let ms = Duration::from_millis;
        let mut options = run::Options::new(&self.data_dir);
        options.partitions = self.log.partitions;
        options.rebuild_events_per_s = self.worker.rebuild_events_per_s;
        options.workers = (self.worker.threads > 0).then_some(self.worker.threads);
        options.pace = worker::Pace {
            poll: crate::consume::Limits {
                records_max: self.worker.poll_records_max,
                bytes_max: self.worker.poll_bytes_max,
                wait_max: ms(self.worker.poll_wait_ms_max),
            },
            fast: ms(self.worker.fast_flush_ms),
            slow: ms(self.worker.slow_flush_ms),
            catching_up: ms(self.worker.catching_up_flush_ms),
            emit: ms(self.worker.emit_ms),
            emit_idle: ms(self.worker.emit_idle_ms),
            commit: ms(self.worker.commit_ms),
            rows_max: self.worker.rows_max,
            tick: (self.worker.tick_after_ms > 0).then(|| ms(self.worker.tick_after_ms)),
        };
        options.keep.hot_bytes = self.state.commit_hot_bytes;
        options.keep.cold_bytes = self.state.commit_cold_bytes;
        options.keep.ahead_bytes = self.state.ahead_bytes_max;
        options.keep.entities = self.state.entities_max;
        options.registry = self.kafka.registry()?;
        options.snapshots = self.snapshots.options()?;
        options.secret = self.tokens.secret();
        Ok(options)
    }
}
