//! Settings of the engines on many machines: Kafka, the CQL database, and where copies of state go.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Config, Error};
use crate::consume::kafka::settings::{Password, Protocol, Security};
use crate::consume::kafka::{self as kafka_log};
use crate::consume::registry::Registry;
use crate::keep::archive::Place;
use crate::run::{self, Engines, Role};
use crate::store::scylla::{Login, Options as CqlOptions, Tls};

/// Kafka. Empty brokers: the log is a file in the data folder. See `consume::kafka::Settings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    pub brokers: String,
    pub group: String,
    pub instance: String,
    pub topic_prefix: String,
    pub replication: u16,
    pub security: String,
    pub sasl_mechanism: String,
    pub user: String,
    pub password_file: PathBuf,
    pub ca_file: PathBuf,
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
    pub session_timeout_ms: u64,
    pub registry_url: String,
    pub registry_user: String,
    pub registry_password_file: PathBuf,
}

/// ScyllaDB or Cassandra. No nodes: the projections are a file in the data folder. See `store::CqlOptions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cql {
    pub nodes: String,
    pub keyspace: String,
    pub replication: u32,
    pub local_dc: String,
    pub user: String,
    pub password_file: PathBuf,
    pub ca_file: PathBuf,
    pub server_name: String,
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
}

/// Copies of state, for whoever takes a partition over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Snapshots {
    pub url: String,
    pub every_s: u64,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            brokers: String::new(),
            group: "tributary".to_owned(),
            instance: String::new(),
            topic_prefix: String::new(),
            replication: 3,
            security: Protocol::Plaintext.name().to_owned(),
            sasl_mechanism: "SCRAM-SHA-512".to_owned(),
            user: String::new(),
            password_file: PathBuf::new(),
            ca_file: PathBuf::new(),
            cert_file: PathBuf::new(),
            key_file: PathBuf::new(),
            session_timeout_ms: 10_000,
            registry_url: String::new(),
            registry_user: String::new(),
            registry_password_file: PathBuf::new(),
        }
    }
}

impl Default for Cql {
    fn default() -> Self {
        Self {
            nodes: String::new(),
            keyspace: "tributary".to_owned(),
            replication: 3,
            local_dc: String::new(),
            user: String::new(),
            password_file: PathBuf::new(),
            ca_file: PathBuf::new(),
            server_name: String::new(),
            cert_file: PathBuf::new(),
            key_file: PathBuf::new(),
        }
    }
}

impl Default for Snapshots {
    fn default() -> Self {
        Self { url: String::new(), every_s: 300 }
    }
}

/// What `check` asks of them.
pub(super) fn check(config: &Config) -> Result<(), Error> {
    let range = |ok: bool, name, must| if ok { Ok(()) } else { Err(Error::Range { name, must }) };
    let kafka = &config.kafka;
    range(Role::parse(&config.role).is_some(), "role", "all, worker or web")?;
    range(protocol(&kafka.security).is_some(), "kafka.security", "plaintext, ssl, sasl_plaintext or sasl_ssl")?;
    range((1_000..=300_000).contains(&kafka.session_timeout_ms), "kafka.session_timeout_ms", "1,000 to 300,000")?;
    range(!kafka.group.is_empty(), "kafka.group", "a name")?;
    range(kafka.replication > 0, "kafka.replication", "at least 1")?;
    range(config.cql.replication > 0, "cql.replication", "at least 1")?;
    check_certificates(config)?;
    range(config.snapshots.every_s > 0, "snapshots.every_s", "at least 1")?;
    config.snapshots.options()?;
    let has_kafka = !kafka.brokers.is_empty();
    range(has_kafka || config.cql.nodes.is_empty(), "cql.nodes", "empty as long as `kafka.brokers` is")?;
    let is_shared = has_kafka && !config.cql.nodes.is_empty();
    range(is_shared || config.role == "all", "role", "all, unless there are `kafka.brokers` and `cql.nodes`")
}

/// A certificate is of no use without its key, nor where nothing is encrypted.
fn check_certificates(config: &Config) -> Result<(), Error> {
    let range = |ok: bool, name, must| if ok { Ok(()) } else { Err(Error::Range { name, must }) };
    let (kafka, cql) = (&config.kafka, &config.cql);
    let is_pair = |cert: &Path, key: &Path| given(cert).is_some() == given(key).is_some();
    range(
        is_pair(&kafka.cert_file, &kafka.key_file),
        "kafka.key_file",
        "there if `kafka.cert_file` is, and only then",
    )?;
    range(is_pair(&cql.cert_file, &cql.key_file), "cql.key_file", "there if `cql.cert_file` is, and only then")?;
    let is_encrypted = matches!(protocol(&kafka.security), Some(Protocol::Ssl | Protocol::SaslSsl));
    range(
        is_encrypted || given(&kafka.cert_file).is_none(),
        "kafka.security",
        "ssl or sasl_ssl with a `kafka.cert_file`",
    )?;
    let has_ca = given(&cql.ca_file).is_some();
    range(has_ca || given(&cql.cert_file).is_none(), "cql.ca_file", "there with a `cql.cert_file`")?;
    range(has_ca || cql.server_name.is_empty(), "cql.ca_file", "there with a `cql.server_name`")?;
    let has_registry = !kafka.registry_url.is_empty();
    range(has_registry || kafka.registry_user.is_empty(), "kafka.registry_url", "there with a `kafka.registry_user`")
}

fn protocol(name: &str) -> Option<Protocol> {
    Protocol::ALL.into_iter().find(|protocol| protocol.name() == name)
}

impl Config {
    /// Settings that have a login go unencrypted, each with what to set instead.
    pub fn logins_in_clear(&self) -> Vec<(&'static str, &'static str)> {
        let (kafka, cql) = (&self.kafka, &self.cql);
        let is_log = !kafka.brokers.is_empty() && protocol(&kafka.security) == Some(Protocol::SaslPlaintext);
        let is_database = !cql.nodes.is_empty() && !cql.user.is_empty() && given(&cql.ca_file).is_none();
        let is_registry = !kafka.registry_user.is_empty() && kafka.registry_url.starts_with("http://");
        let all = [
            (is_log, "kafka.security", "sasl_ssl"),
            (is_database, "cql.ca_file", "the certificates to trust, which encrypts the connection"),
            (is_registry, "kafka.registry_url", "an address with https"),
        ];
        all.into_iter().filter(|(is_clear, ..)| *is_clear).map(|(_, name, instead)| (name, instead)).collect()
    }

    /// What this process does.
    pub fn role(&self) -> Role {
        Role::parse(&self.role).unwrap_or_default()
    }

    /// Where log and projections are. Reads the files with passwords.
    pub fn engines(&self) -> Result<Engines, Error> {
        if self.kafka.brokers.is_empty() {
            return Ok(Engines::Embedded);
        }
        let kafka = self.kafka.settings()?;
        if self.cql.nodes.is_empty() {
            return Ok(Engines::Kafka(Box::new(kafka)));
        }
        Ok(Engines::Cluster(Box::new((kafka, self.cql.options()?))))
    }
}

impl Snapshots {
    pub(super) fn options(&self) -> Result<Option<run::Snapshots>, Error> {
        if self.url.is_empty() {
            return Ok(None);
        }
        let place = Place::parse(&self.url).map_err(Error::Snapshots)?;
        Ok(Some(run::Snapshots::new(place, Duration::from_secs(self.every_s))))
    }
}

impl Kafka {
    /// The registry, if one is named.
    pub(super) fn registry(&self) -> Result<Option<Registry>, Error> {
        if self.registry_url.is_empty() {
            return Ok(None);
        }
        if self.registry_user.is_empty() {
            return Ok(Some(Registry::new(&self.registry_url, None)?));
        }
        let password = secret(&self.registry_password_file)?;
        Ok(Some(Registry::new(&self.registry_url, Some((&self.registry_user, &password)))?))
    }

    fn settings(&self) -> Result<kafka_log::Settings, Error> {
        let mut settings = kafka_log::Settings::new(&self.brokers);
        settings.topic_prefix.clone_from(&self.topic_prefix);
        settings.group.clone_from(&self.group);
        settings.instance.clone_from(&self.instance);
        settings.session_timeout = Duration::from_millis(self.session_timeout_ms);
        let protocol = protocol(&self.security).unwrap_or_default();
        let is_login = matches!(protocol, Protocol::SaslPlaintext | Protocol::SaslSsl);
        settings.security = Security {
            protocol,
            mechanism: if is_login { self.sasl_mechanism.clone() } else { String::new() },
            user: if is_login { self.user.clone() } else { String::new() },
            password: Password(if is_login { secret(&self.password_file)? } else { String::new() }),
            ca_file: given(&self.ca_file),
            certificate_file: given(&self.cert_file),
            key_file: given(&self.key_file),
        };
        Ok(settings)
    }
}

impl Cql {
    fn options(&self) -> Result<CqlOptions, Error> {
        let login = match self.user.as_str() {
            "" => None,
            user => Some(Login { user: user.to_owned(), password: secret(&self.password_file)? }),
        };
        let local_dc = Some(self.local_dc.clone()).filter(|name| !name.is_empty());
        let replication = local_dc.iter().map(|name| (name.clone(), self.replication)).collect::<BTreeMap<_, _>>();
        let client = given(&self.cert_file).zip(given(&self.key_file));
        let server_name = Some(self.server_name.clone()).filter(|name| !name.is_empty());
        let tls = given(&self.ca_file).map(|ca_file| Tls { ca_file, client, server_name });
        Ok(CqlOptions {
            nodes: self.nodes.split(',').map(|node| node.trim().to_owned()).filter(|node| !node.is_empty()).collect(),
            keyspace: self.keyspace.clone(),
            replication,
            copies: self.replication,
            local_dc,
            login,
            tls,
            ..CqlOptions::default()
        })
    }
}

fn given(path: &Path) -> Option<PathBuf> {
    (!path.as_os_str().is_empty()).then(|| path.to_owned())
}

/// What stands in a file, without the line's end.
fn secret(file: &Path) -> Result<String, Error> {
    let Some(file) = given(file) else { return Ok(String::new()) };
    let text = std::fs::read_to_string(&file).map_err(|source| Error::Read { file, source })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
