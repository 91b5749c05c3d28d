//! `tributary projections`.

use std::fmt::Write as _;

use anyhow::Context as _;
use indicatif::ProgressBar;

use super::{Context, exit};
use crate::run::Embedded;
use crate::web::{Counted, Line, Look};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Rows of each table.
    Stats,
    /// Make every row again from the log, beside a running server too, and print each that differs.
    Verify,
    /// Throw rows and state away, and make them again from the log.
    Rebuild,
}

pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<u8> {
    match command {
        Command::Stats => stats(context).await,
        Command::Verify => verify(context).await,
        Command::Rebuild => rebuild(context).await,
    }
}

/// Has the server that holds the folder look, or looks itself. The last line, which is not a failure.
async fn look(context: &Context, look: Look, mut each: impl FnMut(&Line)) -> anyhow::Result<Line> {
    let mut last = None;
    let mut take = |line: Line| {
        each(&line);
        last = Some(line);
    };
    if let Some(server) = context.server().await {
        let body = (look == Look::Verify).then(|| bytes::Bytes::from_static(b"{}"));
        server.lines(look.path(), body, take).await?;
    } else {
        let engine = Embedded::open(context.config.embedded(), context.clock.clone()).await?;
        let mut lines = (engine.looks())(look).context("somebody looks already")?;
        while let Some(line) = lines.recv().await {
            take(line);
        }
        engine.stop().await?;
    }
    match last {
        Some(Line::Failed { why }) => anyhow::bail!(why),
        Some(line) => Ok(line),
        None => anyhow::bail!(BROKEN_OFF),
    }
}

const BROKEN_OFF: &str = "it broke off before the end; if the server was not stopped, its log says why";

async fn stats(context: &Context) -> anyhow::Result<u8> {
    let bar = context.out.bar(None, "{spinner} {human_pos} rows");
    let last = look(context, Look::Stats, |line| show(&bar, line)).await?;
    bar.finish_and_clear();
    let Line::Counted { tables } = last else { anyhow::bail!(BROKEN_OFF) };
    let mut text = String::from("table           rows       bytes\n");
    let mut json = serde_json::Map::new();
    for Counted { table, rows, bytes } in tables {
        writeln!(text, "{table:<12} {rows:>7} {bytes:>11}")?;
        json.insert(table, serde_json::json!({ "rows": rows, "bytes": bytes }));
    }
    context.out.answer(&text, &serde_json::json!({ "tables": json }));
    Ok(exit::OK)
}

async fn verify(context: &Context) -> anyhow::Result<u8> {
    let bar = context.out.bar(Some(0), "{bar:40} {human_pos} of {human_len} events, {eta} left");
    let (mut text, mut found) = (String::new(), Vec::new());
    let each = |line: &Line| {
        show(&bar, line);
        if let Line::Difference { table, partition, key, what } = line {
            text.push_str(&format!("{table} p{partition} {key}: {what}\n"));
            found.push(serde_json::json!({ "table": table, "partition": partition, "key": key, "what": what }));
        }
    };
    let last = look(context, Look::Verify, each).await?;
    bar.finish_and_clear();
    let Line::Verified { differences, rows, events } = last else { anyhow::bail!(BROKEN_OFF) };
    write!(text, "{differences} differences in {rows} rows, made again from {events} events")?;
    let json = serde_json::json!({ "differences": differences, "rows": rows, "events": events, "found": found });
    context.out.answer(&text, &json);
    Ok(if differences == 0 { exit::OK } else { exit::DIFFERENCES })
}

fn show(bar: &ProgressBar, line: &Line) {
    if let Line::Progress { done, of } = line {
        // What comes meanwhile is folded too.
        bar.set_length(*done.max(of));
        bar.set_position(*done);
    }
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
