//! `tributary relay`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{Context, exit};
use crate::run::relay::{From, Progress, Relay};

/// At least once: a record may come twice, and counts once by its event id. What is no event goes to the dead letters
/// (`tributary dlq list`); exit code 3 then. The log must be in Kafka.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The topic to read: events in Avro or as JSON objects, with any key.
    #[arg(long, value_name = "TOPIC")]
    from: String,
    /// Its brokers, with the TLS and login of the log's [default: those of the log].
    #[arg(long, value_name = "HOST:PORT,…")]
    brokers: Option<String>,
    /// The consumer group; several relays of one group share the partitions [default: the log's group, -relay- and the topic].
    #[arg(long)]
    group: Option<String>,
    /// End when all that is there is relayed, instead of waiting for more.
    #[arg(long)]
    once: bool,
}

/// How often the line on the terminal changes.
const SHOW_EVERY: Duration = Duration::from_millis(200);

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<u8> {
    let group = args.group.unwrap_or_else(|| format!("{}-relay-{}", context.config.kafka.group, args.from));
    let from = From { topic: args.from, brokers: args.brokers, group, once: args.once };
    let (engines, options) = (context.config.engines()?, context.config.options()?);
    let relay = Relay::open(engines, &options, from, context.clock.clone()).await?;
    let progress = Progress::default();
    let mut running = Box::pin(relay.run(progress.clone()));
    let bar = context.out.bar(None, "{spinner} {msg}");
    let mut show = tokio::time::interval(SHOW_EVERY);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let counts = || (progress.relayed.load(Ordering::Relaxed), progress.dead.load(Ordering::Relaxed));
    let outcome = loop {
        tokio::select! {
            // It goes on where it was with the next turn.
            outcome = &mut running => break outcome,
            // Flags and a clock: what loses the race is seen with the next turn.
            _ = interrupt.recv() => progress.stop.store(true, Ordering::Release),
            _ = terminate.recv() => progress.stop.store(true, Ordering::Release),
            _ = show.tick() => {
                let (relayed, dead) = counts();
                bar.set_message(format!("{relayed} relayed, {dead} dead letters"));
            }
        }
    };
    bar.finish_and_clear();
    let (relayed, dead) = counts();
    let text = format!("{relayed} relayed, {dead} dead letters");
    context.out.answer(&text, &json!({ "relayed": relayed, "dead_letters": dead }));
    outcome?;
    Ok(if dead == 0 { exit::OK } else { exit::REJECTED })
}
