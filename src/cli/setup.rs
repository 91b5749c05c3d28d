//! `tributary setup`.

use std::fmt::Write as _;

use serde_json::json;

use super::{Context, exit};
use crate::consume::kafka::setup::{Found, Wanted, partitions_there};
use crate::run::setup::{set_up, wanted};
use crate::run::{self, Engines, Rows};
use crate::store::scylla::ScyllaStore;
use crate::topology::Topology;
use crate::web::Keys;

/// Safe to repeat: what is there stays as it is. Partitions, copies and settings of topics, and the tables, are compared
/// with what they should be; exit code 4: they differ. Makes the first API key, and tells it once.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Partitions of topics, for ever [default: those that the topic of events has, else those of `tributary topology`].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    partitions: Option<u32>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<u8> {
    let (kafka, cql) = match context.config.engines()? {
        Engines::Embedded => {
            let text = "nothing to set up: log and projections are files in the data folder, made at the first start";
            context.out.answer(text, &json!({ "topics": [], "generations": [] }));
            return Ok(exit::OK);
        }
        Engines::Kafka(kafka) => (*kafka, None),
        Engines::Cluster(both) => (both.0, Some(both.1)),
    };
    context.warn_of_logins();
    let partitions = args.partitions.map_or_else(|| partitions_there(&kafka), |asked| Ok(Some(asked)))?;
    let topics = wanted(&kafka, context.config.kafka.replication, partitions, &Topology::load()?);
    let store = match cql {
        Some(cql) => Some(Rows::Cql(ScyllaStore::connect(cql).await?)),
        None => None,
    };
    let report = set_up(&kafka, &topics, store.as_ref()).await?;
    let (mut text, mut told) = (String::new(), Vec::new());
    for (topic, found) in &report.topics {
        tell(&mut text, topic, found, topics.iter().find(|wanted| wanted.name == *topic))?;
        told.push(match found {
            Found::Made => json!({ "topic": topic, "made": true, "differences": [] }),
            Found::There(differences) => json!({ "topic": topic, "made": false, "differences": differences }),
        });
    }
    for generation in &report.generations {
        writeln!(text, "tables of generation {generation}: there, and as they should be")?;
    }
    if !report.tables.is_empty() {
        writeln!(text, "tables: DIFFER")?;
        report.tables.iter().try_for_each(|sentence| writeln!(text, "    {sentence}"))?;
    }
    let mut first = None;
    // A key in tables that are not as they should be might be told and not kept.
    if let Some(store) = store.filter(|_| report.tables.is_empty()) {
        let keys = Keys::new(store, context.clock.clone(), run::random(), context.config.http().limits);
        first = keys.bootstrap().await?.map(|key| key.reveal().to_owned());
    }
    if let Some(key) = &first {
        write!(
            text,
            "\nThe first API key: every scope, every creator. It is told this once and kept nowhere: keep it.\n\n    {key}\n"
        )?;
    }
    let has_drift = report.has_drift();
    if has_drift {
        text.push_str(
            "\nNothing of what was there is changed: make it as it should be with the tools of the broker or the database.\n",
        );
    }
    let json = json!({
        "topics": told, "generations": report.generations, "tables": report.tables, "first_key": first,
        "drift": has_drift,
    });
    context.out.answer(text.trim_end(), &json);
    Ok(if has_drift { exit::DIFFERENCES } else { exit::OK })
}

fn tell(text: &mut String, topic: &str, found: &Found, wanted: Option<&Wanted>) -> std::fmt::Result {
    match found {
        Found::Made => {
            let (partitions, replication) = wanted.map_or((0, 0), |wanted| (wanted.partitions, wanted.replication));
            writeln!(text, "{topic}: made, {partitions} partitions, {replication} copies")
        }
        Found::There(differences) if differences.is_empty() => writeln!(text, "{topic}: there, and as it should be"),
        Found::There(differences) => {
            writeln!(text, "{topic}: DIFFERS")?;
            differences
                .iter()
                .try_for_each(|(name, is, should)| writeln!(text, "    {name} is {is:?}, should be {should:?}"))
        }
    }
}
