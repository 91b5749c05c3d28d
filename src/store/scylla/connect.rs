//! A session with the servers: who we are, whom we trust, how long we wait.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use openssl::ssl::{SslContext, SslContextBuilder, SslFiletype, SslMethod, SslVerifyMode};
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::frame::types::{Consistency, SerialConsistency};
use scylla::policies::load_balancing::DefaultPolicy;

use super::failure;
use crate::store::Error;

/// Where the projections are kept, and how they are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Some of the nodes, `host:port`; they name the others.
    pub nodes: Vec<String>,
    /// Lower-case letters, digits and underscores.
    pub keyspace: String,
    /// Copies by data centre, of a keyspace to be made. Empty: `copies` in the local one.
    pub replication: BTreeMap<String, u32>,
    /// Copies in the local data centre, where `replication` names none.
    pub copies: u32,
    /// Only its nodes are asked. `None`: that of the node that answers first.
    pub local_dc: Option<String>,
    pub login: Option<Login>,
    pub tls: Option<Tls>,
    /// Batches on their way at once, of all who write.
    pub batches_in_flight_max: usize,
    /// Questions on their way at once, of all who read.
    pub reads_in_flight_max: usize,
    pub connect_timeout: Duration,
    /// For one try of one request.
    pub request_timeout: Duration,
    /// No try begins later than this after the first: an answer is due then, be it an error.
    pub give_up_after: Duration,
}

/// A user of the servers.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: String,
}

/// Encryption, with files in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Who has signed the certificates of the nodes.
    pub ca_file: PathBuf,
    /// Our certificate (with its chain) and key, where the nodes ask for one.
    pub client: Option<(PathBuf, PathBuf)>,
    /// A name, or an address, that the certificates of all nodes bear. `None`: whatever the authority has signed is a
    /// node.
    pub server_name: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: vec!["127.0.0.1:9042".to_owned()],
            keyspace: "tributary".to_owned(),
            replication: BTreeMap::new(),
            copies: 3,
            local_dc: None,
            login: None,
            tls: None,
            batches_in_flight_max: 32,
            reads_in_flight_max: 64,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(6),
            give_up_after: Duration::from_secs(8),
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Options {
    /// As errors name it.
    pub(super) fn place(&self) -> String {
        format!("in the keyspace {} of {}", self.keyspace, self.nodes.join(", "))
    }

    fn check(&self) -> Result<(), Error> {
        let wrong = |what: String| Err(Error::Invalid { place: self.place(), what });
        if self.nodes.is_empty() {
            return wrong("no node is named; name at least one, as host:port".to_owned());
        }
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let is_name = self.keyspace.starts_with(|c: char| c.is_ascii_lowercase());
        if !is_name || self.keyspace.len() > 48 || !self.keyspace.chars().all(is_plain) {
            return wrong("its name must be 1 to 48 lower-case letters, digits and underscores".to_owned());
        }
        if self.batches_in_flight_max == 0 || self.reads_in_flight_max == 0 {
            return wrong("at least one batch and one question must be let through".to_owned());
        }
        Ok(())
    }
}

/// Opens a session. The driver connects again by itself from then on.
pub(super) async fn connect(options: &Options) -> Result<Session, Error> {
    options.check()?;
    let mut builder = SessionBuilder::new()
        .known_nodes(&options.nodes)
        .default_execution_profile_handle(profile(options).into_handle())
        .connection_timeout(options.connect_timeout)
        .tcp_nodelay(true)
        // Of all schemas only ours, and of that only what tells where rows are.
        .keyspaces_to_fetch([options.keyspace.clone()])
        .fetch_full_schema_metadata(false);
    if let Some(Login { user, password }) = &options.login {
        builder = builder.user(user, password);
    }
    if let Some(tls) = &options.tls {
        builder = builder.tls_context(Some(context(options, tls)?));
    }
    builder.build().await.map_err(|error| failure::explain(&options.place(), failure::of_session(&error), error))
}

fn profile(options: &Options) -> ExecutionProfile {
    let mut policy = DefaultPolicy::builder().token_aware(true).permit_dc_failover(false);
    if let Some(dc) = &options.local_dc {
        policy = policy.prefer_datacenter(dc.clone());
    }
    ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        .serial_consistency(Some(SerialConsistency::LocalSerial))
        .request_timeout(Some(options.request_timeout))
        .load_balancing_policy(policy.build())
        .build()
}

fn context(options: &Options, tls: &Tls) -> Result<SslContext, Error> {
    let failed = |file: &Path, source: openssl::error::ErrorStack| Error::Invalid {
        place: options.place(),
        what: format!("cannot take {} for TLS: {source}", file.display()),
    };
    let mut builder = SslContextBuilder::new(SslMethod::tls_client()).map_err(|e| failed(&tls.ca_file, e))?;
    builder.set_ca_file(&tls.ca_file).map_err(|e| failed(&tls.ca_file, e))?;
    if let Some((certificate, key)) = &tls.client {
        builder.set_certificate_chain_file(certificate).map_err(|e| failed(certificate, e))?;
        builder.set_private_key_file(key, SslFiletype::PEM).map_err(|e| failed(key, e))?;
        builder.check_private_key().map_err(|e| failed(key, e))?;
    }
    if let Some(name) = &tls.server_name {
        let wanted = builder.verify_param_mut();
        let set = match name.parse() {
            Ok(address) => wanted.set_ip(address),
            Err(_) => wanted.set_host(name),
        };
        set.map_err(|e| failed(&tls.ca_file, e))?;
    }
    builder.set_verify(SslVerifyMode::PEER);
    Ok(builder.build())
}
