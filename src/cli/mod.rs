//! The command line. Long work shows a progress bar on a terminal; `--json` prints one JSON document for scripts.

mod accept_gap;
mod backtest;
mod backtest_told;
mod completions;
mod config;
mod dlq;
mod explain;
mod generations;
mod import;
mod keys;
mod labelled;
mod output;
mod projections;
mod relay;
mod reviews;
mod run;
mod schemas;
mod setup;
mod simulate;
mod status;
mod tokens;
mod topology;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::clock::Clock;
use crate::config::Config;
use crate::run::Program;
use crate::web::client::Peer;
use crate::web::keys::Secret;
pub use output::Output;

/// Exit codes, as `--help` states them.
pub mod exit {
    pub const OK: u8 = 0;
    /// Something failed; the message says what and what to do.
    pub const FAILED: u8 = 1;
    /// The command line or the settings are wrong.
    pub const USAGE: u8 = 2;
    /// Done, but some of the input was rejected.
    pub const REJECTED: u8 = 3;
    /// `projections verify`, `rebuild` or `setup` found differences.
    pub const DIFFERENCES: u8 = 4;
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed; 2 wrong command line or settings; 3 some input was rejected; \
                          4 `projections verify`, `rebuild` or `setup` found differences.";

/// Turns shares, clicks, conversions and commissions into figures that are right to the last event.
#[derive(Debug, Parser)]
#[command(name = "tributary", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Settings; see deploy/config.toml.
    #[arg(long, global = true, value_name = "FILE", env = "TRIBUTARY_CONFIG")]
    config: Option<PathBuf>,
    /// Folder of log, state and projections [default: ./data].
    #[arg(long, global = true, value_name = "DIR", env = "TRIBUTARY_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run: everything in one process, or one of many on Kafka and a CQL database (`--role`).
    Run(run::Args),
    /// Make a believable programme's events from a seed.
    Simulate(simulate::Args),
    /// Append events from a file or a pipe, as NDJSON or CSV.
    Import(import::Args),
    /// Bring events from another Kafka topic into the log, whatever their keys.
    Relay(relay::Args),
    /// Make topics and tables that are missing in Kafka and the CQL database, and tell what differs.
    Setup(setup::Args),
    /// How far each partition is: from the server in the data folder, else from log and projections.
    Status,
    /// How far each partition is behind, and who folds it, from log and database alone, whoever runs.
    ///
    /// E: outputs are out up to there; P: state is on a disk. Seconds are the age of the newest record that has rows.
    Lag,
    /// Draw topics, processors and tables.
    Topology(topology::Args),
    /// Check that released schemas are unchanged and still readable both ways.
    #[command(subcommand)]
    Schemas(schemas::Command),
    /// Check or show the settings in force.
    #[command(subcommand)]
    Config(config::Command),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// What raw fields become: test vectors, tokens of values, the secret's epochs.
    Tokens(tokens::Args),
    /// Look into the projection tables, and compare them with the log.
    #[command(subcommand)]
    Projections(projections::Command),
    /// Records that could not be applied: list them, show one, append them again.
    #[command(subcommand)]
    Dlq(dlq::Command),
    /// What waits for a reviewer: list it, approve or block it. A server must run.
    #[command(subcommand)]
    Reviews(reviews::Command),
    /// What another rule set would have decided: decisions changed, money moved, members affected.
    Backtest(backtest::Args),
    /// Why a conversion or commission is what it is, and what was decided of it. A server must run.
    #[command(subcommand)]
    Explain(explain::Command),
    /// Go on where the log has lost events, or the group its offsets.
    AcceptGap(accept_gap::Args),
    /// Print shell completions.
    Completions(completions::Args),
}

/// What every command gets.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) out: Output,
    /// Of the environment.
    pub(crate) key: Option<Secret>,
}

/// The variable with the key that a server is asked with.
const KEY: &str = "TRIBUTARY_KEY";

impl Context {
    /// The server that holds the data folder, if one runs.
    pub(crate) async fn server(&self) -> Option<Peer> {
        let peer = self.peer(crate::run::address_of(&self.config.data_dir)?);
        peer.get("/livez").await.ok().map(|_| peer)
    }

    /// Log and projections, wherever the settings say that they are.
    pub(crate) async fn program(&self) -> anyhow::Result<Program> {
        let (engines, options) = (self.config.engines()?, self.config.options()?);
        Ok(Program::open_on(engines, options, self.clock.clone()).await?)
    }

    /// A warning for each login that goes unencrypted as the settings are.
    pub(crate) fn warn_of_logins(&self) {
        for (setting, instead) in self.config.logins_in_clear() {
            tracing::warn!(setting, instead, "a login is not encrypted: who listens on the way may get the password");
        }
    }

    /// The server at `addr`, with the key of the environment; without one, the server that holds the data folder is
    /// asked with the key that it has put there, and no other ever gets that.
    pub(crate) fn peer(&self, addr: SocketAddr) -> Peer {
        let dir = &self.config.data_dir;
        let local = || crate::run::local_key_of(dir).filter(|_| crate::run::address_of(dir) == Some(addr));
        Peer { addr, key: self.key.clone().or_else(local) }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let out = Output { json: cli.json };
    let config = match settings(&cli) {
        Ok(config) => config,
        Err(error) => {
            out.error(&anyhow::Error::from(error));
            return ExitCode::from(exit::USAGE);
        }
    };
    out.start_logging();
    let key = match key() {
        Ok(key) => key,
        Err(error) => {
            out.error(&error);
            return ExitCode::from(exit::USAGE);
        }
    };
    let context = Context { config, clock: Clock::system(), out, key };
    match execute(cli.command, context) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            Output { json: cli.json }.error(&error);
            ExitCode::from(exit::FAILED)
        }
    }
}

fn key() -> anyhow::Result<Option<Secret>> {
    let Some((_, text)) = std::env::vars().find(|(name, _)| name == KEY) else { return Ok(None) };
    let key = Secret::parse(text.trim());
    anyhow::ensure!(key.is_some(), "{KEY} is no API key, or not all of it; a key is trb_ and 60 letters behind it");
    Ok(key)
}

fn settings(cli: &Cli) -> Result<Config, crate::config::Error> {
    let mut config = Config::load(cli.config.as_deref(), std::env::vars())?;
    if let Some(dir) = &cli.data_dir {
        config.data_dir.clone_from(dir);
    }
    config.check()?;
    Ok(config)
}

fn execute(command: Command, context: Context) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Run(args) => run::run(args, context).await,
            Command::Simulate(args) => simulate::run(args, &context).await,
            Command::Import(args) => import::run(args, &context).await,
            Command::Relay(args) => relay::run(args, &context).await,
            Command::Setup(args) => setup::run(args, &context).await,
            Command::Status => status::run(&context).await,
            Command::Lag => status::lag(&context).await,
            Command::Topology(args) => topology::run(&args, &context),
            Command::Schemas(command) => schemas::run(&command, &context),
            Command::Config(command) => config::run(&command, &context),
            Command::Keys(command) => keys::run(command, &context).await,
            Command::Tokens(args) => tokens::run(&args, &context),
            Command::Projections(command) => projections::run(command, &context).await,
            Command::Dlq(command) => dlq::run(command, &context).await,
            Command::Reviews(command) => reviews::run(command, &context).await,
            Command::Backtest(args) => backtest::run(args, &context).await,
            Command::Explain(command) => explain::run(command, &context).await,
            Command::AcceptGap(args) => accept_gap::run(args, &context).await,
            Command::Completions(args) => completions::run(&args),
        }
    })
}
