//! `tributary dlq`: records that could not be applied, listed, shown and appended again.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{Context, exit};
use crate::ids::{Millis, Next, Offset, Partition};
use crate::run::letters::{Chosen, Letter, Letters, Redriven, SourcePlace, Summary, Wanted};
use crate::run::{Engines, Log};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// What could not be applied, newest first. On one machine the server must be ended before.
    List(List),
    /// One dead letter: where its record stood, why it was refused, its bytes, and the event where it can be read.
    Show {
        /// As `dlq list` has them.
        partition: u32,
        offset: u64,
    },
    /// Append records of dead letters to the events again, as they were; what `relay` refused, as a relay would.
    ///
    /// What was wrong must be mended first: a schema registered, a newer program started, the member sent that a click
    /// waited for. Nothing counts twice: an event that was applied meanwhile is known by its event id, and what still
    /// cannot be applied becomes a new dead letter. The old letter stays.
    Redrive(Redrive),
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Of this partition alone.
    #[arg(long)]
    partition: Option<u32>,
    /// From this offset on, oldest first.
    #[arg(long, value_name = "OFFSET", requires = "partition")]
    from: Option<u64>,
    /// For this reason alone, as the list has it: undecodable, invalid_field, conflict, unresolved, too_late, over_refund, …
    #[arg(long)]
    reason: Option<String>,
    /// So many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["partition", "reason", "all"]))]
#[command(group = clap::ArgGroup::new("how").required(true).args(["dry_run", "yes"]))]
pub(crate) struct Redrive {
    /// Of the letters to append, as `dlq list` has it.
    #[arg(requires = "offsets")]
    partition: Option<u32>,
    /// Their offsets.
    offsets: Vec<u64>,
    /// All that were refused for this reason.
    #[arg(long)]
    reason: Option<String>,
    /// All.
    #[arg(long)]
    all: bool,
    /// Only say what would be appended.
    #[arg(long)]
    dry_run: bool,
    /// Yes, append.
    #[arg(long)]
    yes: bool,
}

/// Records told one by one; all are counted.
const TOLD_MAX: usize = 100;
/// Bytes of a key or a value that are shown.
const SHOWN_MAX: usize = 4_096;
/// Letters of a message in the table.
const MESSAGE_MAX: usize = 120;

pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<u8> {
    let (engines, options) = (context.config.engines()?, context.config.options()?);
    if matches!(engines, Engines::Embedded) {
        let dir = &options.data_dir;
        anyhow::ensure!(dir.exists(), "there is no data folder {}: `--data-dir` names another", dir.display());
    }
    let log = Log::of(engines, &options).await.context("dead letters are read from the log itself")?;
    let letters = Letters::open(log.clone(), options.registry, context.clock.clone())?;
    match command {
        Command::List(wanted) => list(letters, wanted, context),
        Command::Show { partition, offset } => show(letters, (Partition(partition), Offset(offset)), context).await,
        Command::Redrive(args) => redrive(letters, &log, args, context).await,
    }
}

fn list(mut letters: Letters, asked: List, context: &Context) -> anyhow::Result<u8> {
    let wanted = Wanted {
        partition: asked.partition.map(Partition),
        from: asked.from.map(Next),
        class: asked.reason,
        limit: usize::try_from(asked.limit)?,
    };
    let found = tokio::task::block_in_place(|| letters.list(&wanted))?;
    let mut text = String::from(
        "partition  offset  time                      reason             creator           source                    message\n",
    );
    for one in &found {
        let (p, offset, at) = (one.partition.0, one.offset.0, time(one.at));
        let (creator, source) = (printable(one.creator.as_deref().unwrap_or("?")), place(&one.source));
        let message: String = printable(&one.message).chars().take(MESSAGE_MAX).collect();
        writeln!(text, "{p:>9}  {offset:>6}  {at:<24}  {:<17}  {creator:<16}  {source:<24}  {message}", one.class)?;
    }
    context.out.answer(&text, &json!({ "dead_letters": found.iter().map(of_summary).collect::<Vec<_>>() }));
    Ok(exit::OK)
}

async fn show(mut letters: Letters, at: (Partition, Offset), context: &Context) -> anyhow::Result<u8> {
    let found = letters.show(at.0, at.1).await?;
    let Letter { summary, key, value, event } = found
        .with_context(|| format!("partition {} has no dead letter {}; see `tributary dlq list`", at.0.0, at.1.0))?;
    let mut json = of_summary(&summary);
    let (shown_key, shown_value) = (shown(&key), shown(&value));
    if let Value::Object(fields) = &mut json {
        fields.insert("key".to_owned(), of_bytes(&key, &shown_key));
        fields.insert("value".to_owned(), of_bytes(&value, &shown_value));
        let read = event.as_ref().ok().and_then(|event| serde_json::from_str::<Value>(event).ok());
        fields.insert("event".to_owned(), json!(read));
        fields.insert("unreadable".to_owned(), json!(event.as_ref().err()));
    }
    let mut text = format!("dead letter  partition {} offset {}\n", at.0.0, at.1.0);
    writeln!(text, "since        {}", time(summary.at))?;
    writeln!(text, "reason       {}", summary.class)?;
    writeln!(text, "message      {}", printable(&summary.message))?;
    writeln!(text, "creator      {}", printable(summary.creator.as_deref().unwrap_or("?")))?;
    writeln!(text, "source       {}, taken in {}", place(&summary.source), time(summary.source.at))?;
    writeln!(text, "key          {}", in_words(&key, &shown_key))?;
    writeln!(text, "value        {}", in_words(&value, &shown_value))?;
    match &event {
        Ok(event) => writeln!(text, "event        {event}")?,
        Err(why) => writeln!(text, "event        cannot be read: {}", printable(why))?,
    }
    context.out.answer(&text, &json);
    Ok(exit::OK)
}

async fn redrive(mut letters: Letters, log: &Log, args: Redrive, context: &Context) -> anyhow::Result<u8> {
    let chosen = match (args.partition, args.reason) {
        (Some(partition), _) => Chosen::These(Partition(partition), args.offsets.into_iter().map(Offset).collect()),
        (None, Some(reason)) => Chosen::Class(reason),
        (None, None) => Chosen::All,
    };
    let sink = if args.dry_run { None } else { Some(log.sink()?) };
    let mut sum = Sum::default();
    let outcome = letters.redrive(&chosen, sink.as_ref(), |letter, became| sum.take(letter, became)).await;
    // What was appended before is told all the same.
    let word = if args.dry_run { "would be appended" } else { "appended" };
    let mut text = sum.lines.join("\n");
    if sum.told() > sum.lines.len() {
        write!(text, "\n… and {} more", sum.told() - sum.lines.len())?;
    }
    write!(text, "\n{} {word}, {} the same as another, {} left", sum.appended, sum.same, sum.left)?;
    let json = json!({
        "dry_run": args.dry_run, "appended": sum.appended, "same": sum.same, "left": sum.left, "records": sum.records,
    });
    context.out.answer(text.trim_start(), &json);
    outcome?;
    if let Chosen::These(partition, offsets) = &chosen
        && sum.told() < offsets.len()
    {
        anyhow::bail!("partition {} has not all of these dead letters; see `tributary dlq list`", partition.0);
    }
    Ok(if sum.left == 0 { exit::OK } else { exit::REJECTED })
}

/// What came of it.
#[derive(Default)]
struct Sum {
    appended: usize,
    same: usize,
    left: usize,
    lines: Vec<String>,
    records: Vec<Value>,
}

impl Sum {
    const fn told(&self) -> usize {
        self.appended + self.same + self.left
    }

    fn take(&mut self, letter: &Summary, became: &Redriven) {
        let (p, offset) = (letter.partition.0, letter.offset.0);
        let (count, words, json) = match became {
            Redriven::Appended(None) => (&mut self.appended, "would be appended".to_owned(), json!({})),
            Redriven::Appended(Some((to, at))) => {
                let json = json!({ "to": { "partition": to.0, "offset": at.0 } });
                (&mut self.appended, format!("appended as {}:{}", to.0, at.0), json)
            }
            Redriven::Same => (&mut self.same, "the same record as another".to_owned(), json!({ "same": true })),
            Redriven::Left(why) => (&mut self.left, format!("left: {}", printable(why)), json!({ "left": why })),
        };
        *count += 1;
        if self.lines.len() < TOLD_MAX {
            let from = place(&letter.source);
            self.lines.push(format!("{p}:{offset} ({}, {from}): {words}", letter.class));
            let mut json = json;
            if let Value::Object(fields) = &mut json {
                fields.insert("letter".to_owned(), json!({ "partition": p, "offset": offset }));
                fields.insert("reason".to_owned(), json!(letter.class));
            }
            self.records.push(json);
        }
    }
}

fn of_summary(one: &Summary) -> Value {
    let SourcePlace { topic, partition, offset, at } = &one.source;
    json!({
        "partition": one.partition.0, "offset": one.offset.0, "time": time(one.at), "reason": one.class,
        "creator": one.creator, "message": one.message,
        "source": { "topic": topic, "partition": partition.0, "offset": offset.0, "time": time(*at) },
    })
}

fn place(source: &SourcePlace) -> String {
    format!("{}[{}]@{}", printable(&source.topic), source.partition.0, source.offset.0)
}

fn time(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| format!("{at:.3}"))
}

/// Bytes as somebody may look at them: text where they are one, else hexadecimal digits; not more than a screen of them.
struct Shown {
    encoding: &'static str,
    text: String,
    bytes: usize,
}

fn shown(bytes: &[u8]) -> Shown {
    let part = bytes.get(..SHOWN_MAX).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(|c| c.is_control() && !c.is_whitespace()) => {
            let text = text.get(..text.floor_char_boundary(SHOWN_MAX)).unwrap_or(text);
            Shown { encoding: "text", text: text.to_owned(), bytes: text.len() }
        }
        Ok(_) | Err(_) => {
            let hex = part.iter().map(|byte| format!("{byte:02x}")).collect();
            Shown { encoding: "hex", text: hex, bytes: part.len() }
        }
    }
}

fn of_bytes(bytes: &[u8], shown: &Shown) -> Value {
    json!({ "encoding": shown.encoding, "data": shown.text, "bytes": bytes.len(), "cut": shown.bytes < bytes.len() })
}

fn in_words(bytes: &[u8], shown: &Shown) -> String {
    let more = bytes.len() - shown.bytes;
    let more = if more > 0 { format!(" … and {more} bytes more") } else { String::new() };
    format!("{} bytes, {}: {}{more}", bytes.len(), shown.encoding, printable(&shown.text))
}

/// Nobody's record writes to our terminal in another way than a letter does.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
