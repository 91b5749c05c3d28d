//! `tributary projections`.

use std::fmt::Write as _;

use anyhow::Context as _;
use indicatif::ProgressBar;
use serde_json::Value;

use super::{Context, exit, generations};
use crate::web::{Counted, GenerationSize, Line, Look};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Rows of each table, and how the generations are.
    Stats,
    /// Make every row again from the log, beside a running server too, and print each that differs.
    Verify {
        /// Compare this generation with the live one instead, row by row.
        #[arg(long, value_name = "NUMBER")]
        generation: Option<u32>,
    },
    /// Make all rows again from the log as a new generation, beside the live one, and compare the two.
    Rebuild(generations::Rebuild),
    /// Answer from the new generation; the former one is kept up to date.
    Switch(generations::Turn),
    /// Answer from the former generation again.
    Rollback(generations::Turn),
    /// Drop the former generation.
    Drop,
}

pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<u8> {
    match command {
        Command::Stats => stats(context).await,
        Command::Verify { generation: None } => verify(context).await,
        Command::Verify { generation: Some(generation) } => compare(generation, context).await,
        Command::Rebuild(args) => generations::rebuild(args, context).await,
        Command::Switch(args) => generations::switch(&args, context).await,
        Command::Rollback(args) => generations::rollback(&args, context).await,
        Command::Drop => generations::drop_former(context).await,
    }
}

/// Has the server that holds the folder look, or looks itself. The last line, which is not a failure.
pub(super) async fn look(context: &Context, look: Look, mut each: impl FnMut(&Line)) -> anyhow::Result<Line> {
    let mut last = None;
    let mut take = |line: Line| {
        each(&line);
        last = Some(line);
    };
    if let Some(server) = context.server().await {
        server.lines(look.path(), look.body(), take).await?;
    } else {
        let mut engine = context.program().await?;
        if matches!(look, Look::Compare { .. }) {
            // Both must be able to come to one place. A live one that cannot go on is compared as it stands.
            engine.begin()?;
            if !engine.is_shared() {
                drop(engine.caught_up().await);
            }
        }
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

pub(super) const BROKEN_OFF: &str = "it broke off before the end; if the server was not stopped, its log says why";

async fn stats(context: &Context) -> anyhow::Result<u8> {
    let bar = context.out.bar(None, "{spinner} {human_pos} rows");
    let last = look(context, Look::Stats, |line| show(&bar, line)).await?;
    bar.finish_and_clear();
    let Line::Counted { tables, generations } = last else { anyhow::bail!(BROKEN_OFF) };
    let mut text = String::from("table           rows       bytes\n");
    let mut json = serde_json::Map::new();
    for Counted { table, rows, bytes } in tables {
        writeln!(text, "{table:<12} {rows:>7} {bytes:>11}")?;
        json.insert(table, serde_json::json!({ "rows": rows, "bytes": bytes }));
    }
    text.push_str("\ngeneration  role      state         position    log end       rows       bytes\n");
    for GenerationSize { status, rows, bytes } in &generations {
        let (role, state) = (generations::word(&status.role), generations::word(&status.state));
        let (number, position, end) = (status.generation, status.position, status.log_end);
        writeln!(text, "{number:>10}  {role:<8}  {state:<11}  {position:>9}  {end:>9}  {rows:>9}  {bytes:>10}")?;
    }
    context.out.answer(&text, &serde_json::json!({ "tables": json, "generations": generations }));
    Ok(exit::OK)
}

/// The differences that a look tells, as text and as JSON, and its last line.
async fn told(context: &Context, asked: Look, bar: &ProgressBar) -> anyhow::Result<(String, Vec<Value>, Line)> {
    let (mut text, mut found) = (String::new(), Vec::new());
    let each = |line: &Line| {
        show(bar, line);
        if let Line::Difference { table, partition, key, what } = line {
            text.push_str(&format!("{table} p{partition} {key}: {what}\n"));
            found.push(serde_json::json!({ "table": table, "partition": partition, "key": key, "what": what }));
        }
    };
    let last = look(context, asked, each).await?;
    bar.finish_and_clear();
    Ok((text, found, last))
}

async fn compare(generation: u32, context: &Context) -> anyhow::Result<u8> {
    let bar = context.out.bar(None, "{spinner} {human_pos} rows");
    let (mut text, found, last) = told(context, Look::Compare { generation }, &bar).await?;
    let Line::Compared { differences, rows, newer } = last else { anyhow::bail!(BROKEN_OFF) };
    write!(text, "{differences} differences in {rows} rows between generation {generation} and the live one")?;
    if newer > 0 {
        write!(text, "; {newer} changed after the live one stopped and were not compared")?;
    }
    let json = serde_json::json!({ "differences": differences, "rows": rows, "newer": newer, "found": found });
    context.out.answer(&text, &json);
    Ok(if differences == 0 { exit::OK } else { exit::DIFFERENCES })
}

async fn verify(context: &Context) -> anyhow::Result<u8> {
    let bar = context.out.bar(Some(0), "{bar:40} {human_pos} of {human_len} events, {eta} left");
    let (mut text, found, last) = told(context, Look::Verify, &bar).await?;
    let Line::Verified { differences, rows, events } = last else { anyhow::bail!(BROKEN_OFF) };
    write!(text, "{differences} differences in {rows} rows, made again from {events} events")?;
    let json = serde_json::json!({ "differences": differences, "rows": rows, "events": events, "found": found });
    context.out.answer(&text, &json);
    Ok(if differences == 0 { exit::OK } else { exit::DIFFERENCES })
}

pub(super) fn show(bar: &ProgressBar, line: &Line) {
    if let Line::Progress { done, of } = line {
        // What comes meanwhile is folded too.
        bar.set_length(*done.max(of));
        bar.set_position(*done);
    }
}
