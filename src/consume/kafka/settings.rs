//! How the brokers are reached, and by which names.

use std::path::PathBuf;
use std::time::Duration;

use rdkafka::ClientConfig;

use crate::consume::Stream;

/// Where the brokers are, who asks, and what its topics and groups are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `host:port`, commas between them.
    pub brokers: String,
    /// Before the name of every topic.
    pub topic_prefix: String,
    /// The consumer group of the first generation; another has its number behind it.
    pub group: String,
    /// A name that this process keeps over restarts: the group then waits for it instead of handing its partitions over.
    /// Empty: partitions are handed over when it ends.
    pub instance: String,
    /// What its transactions are called: one process at a time, the same after a restart.
    pub transactional: String,
    pub session_timeout: Duration,
    pub security: Security,
}

/// Encryption, and who we are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Security {
    pub protocol: Protocol,
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub mechanism: String,
    pub user: String,
    pub password: Password,
    /// Who signed the brokers' certificates; none: whoever the system trusts.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and its key, where the brokers ask for one.
    pub certificate_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
}

/// Not to be printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Password(pub String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    #[default]
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

impl Protocol {
    pub const ALL: [Self; 4] = [Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl];

    /// As Kafka calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::SaslPlaintext => "sasl_plaintext",
            Self::SaslSsl => "sasl_ssl",
        }
    }
}

impl Settings {
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            topic_prefix: String::new(),
            group: "tributary".to_owned(),
            instance: String::new(),
            transactional: "tributary".to_owned(),
            session_timeout: Duration::from_secs(10),
            security: Security::default(),
        }
    }

    /// The topic of a stream.
    pub fn topic(&self, stream: Stream) -> String {
        format!("{}{}", self.topic_prefix, stream.name())
    }

    /// The consumer group of those who fold a generation.
    pub fn group_of(&self, generation: u32) -> String {
        if generation == 1 { self.group.clone() } else { format!("{}-g{generation}", self.group) }
    }

    /// What every client needs.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "tributary")
            .set("allow.auto.create.topics", "false")
            .set("socket.keepalive.enable", "true")
            .set("reconnect.backoff.max.ms", "2000")
            .set("topic.metadata.refresh.interval.ms", "60000")
            .set("security.protocol", self.security.protocol.name());
        let Security { mechanism, user, password, ca_file, certificate_file, key_file, .. } = &self.security;
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        for (name, value) in [
            ("sasl.mechanism", mechanism.clone()),
            ("sasl.username", user.clone()),
            ("sasl.password", password.0.clone()),
            ("ssl.ca.location", path(ca_file)),
            ("ssl.certificate.location", path(certificate_file)),
            ("ssl.key.location", path(key_file)),
        ] {
            if !value.is_empty() {
                config.set(name, value);
            }
        }
        config
    }

    /// What every reader needs.
    pub(crate) fn reader(&self) -> ClientConfig {
        let mut config = self.client();
        config
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("isolation.level", "read_committed")
            .set("fetch.queue.backoff.ms", "10")
            .set("fetch.wait.max.ms", "100")
            .set("queued.max.messages.kbytes", "32768");
        config
    }
}
