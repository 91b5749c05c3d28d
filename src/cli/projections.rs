//! `tributary projections`.

use std::fmt::Write as _;

use super::{Context, exit};
use crate::run::Embedded;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Rows of each table.
    Stats,
    /// Make every row again from the log, in memory, and print each that differs.
    Verify,
    /// Throw rows and state away, and make them again from the log.
    Rebuild,
}

/// Differences printed; all are counted.
const SHOWN_MAX: u64 = 100;

pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<u8> {
    match command {
        Command::Stats => stats(context).await,
        Command::Verify => verify(context).await,
        Command::Rebuild => rebuild(context).await,
    }
}

async fn stats(context: &Context) -> anyhow::Result<u8> {
    let engine = Embedded::open(context.config.embedded(), context.clock.clone()).await?;
    let mut text = String::from("table           rows       bytes\n");
    let mut tables = serde_json::Map::new();
    for table in engine.table_sizes().await? {
        writeln!(text, "{:<12} {:>7} {:>11}", table.name, table.rows, table.bytes)?;
        tables.insert(table.name.to_owned(), serde_json::json!({ "rows": table.rows, "bytes": table.bytes }));
    }
    context.out.answer(&text, &serde_json::json!({ "tables": tables }));
    Ok(exit::OK)
}

async fn verify(context: &Context) -> anyhow::Result<u8> {
    let engine = Embedded::open(context.config.embedded(), context.clock.clone()).await?;
    let ends = engine.ends();
    let events = ends.iter().map(|(_, end)| end.0).sum();
    let bar = context.out.bar(Some(events), "{bar:40} {human_pos} of {human_len} events, {eta} left");
    let mut differences = Vec::new();
    let mut shown = 0;
    let report = |difference: crate::worker::verify::Difference| {
        shown += 1;
        if shown <= SHOWN_MAX {
            differences.push(difference);
        }
    };
    let progress = |p: crate::ids::Partition, next: crate::ids::Next| {
        let before: u64 = ends.iter().take_while(|(other, _)| *other < p).map(|(_, end)| end.0).sum();
        bar.set_position(before + next.0);
    };
    let summary = engine.verify(report, progress).await?;
    bar.finish_and_clear();
    let mut text = String::new();
    for one in &differences {
        writeln!(text, "{} p{} {}: {}", one.table, one.partition.0, one.key, one.what)?;
    }
    let (events, rows) = (summary.events, summary.rows);
    write!(text, "{} differences in {rows} rows, made again from {events} events", summary.differences)?;
    let found: Vec<_> = differences
        .iter()
        .map(|one| serde_json::json!({ "table": one.table, "partition": one.partition.0, "key": one.key, "what": one.what }))
        .collect();
    let json = serde_json::json!({
        "differences": summary.differences, "rows": rows, "events": events, "found": found,
    });
    context.out.answer(&text, &json);
    Ok(if summary.differences == 0 { exit::OK } else { exit::DIFFERENCES })
}

async fn rebuild(context: &Context) -> anyhow::Result<u8> {
    let options = context.config.embedded();
    Embedded::forget_projections(&options)?;
    let mut engine = Embedded::open(options, context.clock.clone()).await?;
    let events: u64 = engine.ends().iter().map(|(_, end)| end.0).sum();
    engine.start()?;
    engine.caught_up().await?;
    engine.stop().await?;
    let text = format!("made all rows again from {events} events");
    context.out.answer(&text, &serde_json::json!({ "events": events }));
    Ok(exit::OK)
}
