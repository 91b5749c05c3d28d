//! `tributary simulate`: a programme's events from a seed, to a file, a pipe or the log.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;

use super::labelled::{Among, LabelledArgs, Records};
use super::{Context, exit};
use crate::append::{Outgoing, Sink};
use crate::ids::Millis;
use crate::run::{Engines, Log};
use crate::schema;
use crate::simulate::ledger::{self, Ledger};
use crate::simulate::{Pace, SIGNUPS_PERMILLE, Spec};
use crate::web::client::Peer;

/// The same seed gives the same bytes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long, default_value_t = 5)]
    creators: u32,
    /// Of all creators together.
    #[arg(long, default_value_t = 500)]
    members: u32,
    /// [default: 20000; with --fraud, all that happens in --days]
    #[arg(long)]
    events: Option<u64>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When the first event arrives: RFC 3339 [default: --days before now, at midnight UTC].
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// Spread the events over so many days.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    /// Write them as they happen, so many a second, with the times of now.
    #[arg(long, value_name = "EVENTS_A_SECOND", conflicts_with_all = ["start", "days"], value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: Option<u32>,
    /// Of a thousand clicks of people, so many are followed by a signup.
    #[arg(long, default_value_t = SIGNUPS_PERMILLE, value_parser = clap::value_parser!(u32).range(0..=800), value_name = "PERMILLE")]
    signups: u32,
    /// Write NDJSON here; - is standard output.
    #[arg(long, default_value = "-", value_name = "FILE")]
    out: String,
    /// Send them to a server instead, such as http://127.0.0.1:8080, which stamps its own time of receipt.
    #[arg(long, value_name = "URL", conflicts_with = "out")]
    to: Option<String>,
    /// Append them to the log of the settings, in Kafka.
    #[arg(long, conflicts_with_all = ["out", "to"])]
    to_log: bool,
    /// Write what every figure must be here, worked out apart from the fold.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    labelled: LabelledArgs,
}

/// What `--events` is where nobody says.
const EVENTS: u64 = 20_000;

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<u8> {
    let mut records = records(&args, context.clock.now())?;
    if let Some(url) = &args.to {
        return to_server(url, records, &args, context).await;
    }
    if args.to_log {
        return to_log(records, &args, context).await;
    }
    let mut out: Box<dyn Write + Send> = match args.out.as_str() {
        "-" => Box::new(std::io::stdout()),
        file => Box::new(std::fs::File::create(file).with_context(|| format!("cannot write {file}"))?),
    };
    let mut books = args.ledger.as_ref().map(|_| Ledger::default());
    let mut lines = BufWriter::with_capacity(1 << 20, &mut out);
    let mut json = Vec::new();
    while let Some(record) = records.pull()? {
        if args.rate.is_some() {
            wait_until(record.arrival, context, &mut lines).await?;
        }
        let event = record.event();
        json.clear();
        schema::to_json(&event, &mut json);
        json.push(b'\n');
        if let Err(error) = lines.write_all(&json) {
            // Whoever read us has seen enough.
            anyhow::ensure!(error.kind() == std::io::ErrorKind::BrokenPipe, "cannot write to {}: {error}", args.out);
            return Ok(exit::OK);
        }
        if let Some(books) = &mut books {
            books.record(record.arrival, &event);
        }
    }
    lines.flush().with_context(|| format!("cannot write to {}", args.out))?;
    drop(lines);
    write_books(&args, books.as_ref())?;
    Ok(exit::OK)
}

fn write_books(args: &Args, books: Option<&Ledger>) -> anyhow::Result<()> {
    let (Some(file), Some(books)) = (&args.ledger, books) else { return Ok(()) };
    let text = serde_json::to_vec(&ledger::to_json(books))?;
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Events in one request to a server.
const REQUEST_MAX: usize = 1_000;

async fn to_server(url: &str, mut records: Records, args: &Args, context: &Context) -> anyhow::Result<u8> {
    let host = url.strip_prefix("http://").with_context(|| format!("{url:?} must be http://HOST:PORT"))?;
    let found = tokio::net::lookup_host(host.trim_end_matches('/')).await;
    let addr = found.ok().and_then(|mut addrs| addrs.next()).with_context(|| format!("cannot find {url}"))?;
    let server = context.peer(addr);
    let mut books = args.ledger.as_ref().map(|_| Ledger::default());
    let (mut batch, mut made, mut rejected) = (Vec::new(), 0_u64, 0_usize);
    while let Some(record) = records.pull()? {
        let ahead = if args.rate.is_some() { record.arrival.0 - context.clock.now().0 } else { 0 };
        if batch.len() >= REQUEST_MAX || (ahead > 0 && !batch.is_empty()) {
            rejected += post(&server, &std::mem::take(&mut batch)).await?;
        }
        if ahead > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(ahead.unsigned_abs())).await;
        }
        let event = record.event();
        let mut json = Vec::with_capacity(256);
        schema::to_json(&event, &mut json);
        batch.push(json);
        made += 1;
        if let Some(books) = &mut books {
            books.record(record.arrival, &event);
        }
    }
    rejected += post(&server, &batch).await?;
    write_books(args, books.as_ref())?;
    let text = format!("{made} events sent to {addr}, {rejected} rejected");
    context.out.answer(&text, &serde_json::json!({ "sent": made, "rejected": rejected }));
    Ok(if rejected == 0 { exit::OK } else { exit::REJECTED })
}

/// Events that are on their way to the log at once.
const TOGETHER_MAX: usize = 4_096;

async fn to_log(mut records: Records, args: &Args, context: &Context) -> anyhow::Result<u8> {
    let kafka = match context.config.engines()? {
        Engines::Kafka(kafka) => *kafka,
        Engines::Cluster(both) => both.0,
        Engines::Embedded => anyhow::bail!("the settings name no `kafka.brokers`: send them to a server with --to"),
    };
    let log = tokio::task::spawn_blocking(move || Log::connect(kafka)).await??;
    let (sink, partitions) = (log.sink()?, log.topic().partitions);
    let mut books = args.ledger.as_ref().map(|_| Ledger::default());
    let (mut batch, mut made) = (Vec::new(), 0_u64);
    while let Some(record) = records.pull()? {
        let ahead = if args.rate.is_some() { record.arrival.0 - context.clock.now().0 } else { 0 };
        if batch.len() >= TOGETHER_MAX || (ahead > 0 && !batch.is_empty()) {
            sink.append(std::mem::take(&mut batch)).await?;
        }
        if ahead > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(ahead.unsigned_abs())).await;
        }
        let mut event = record.event();
        // The brokers stamp the time at which they take it in.
        event.received_at.get_or_insert(record.arrival);
        batch.push(Outgoing::of_event(&event, record.arrival, partitions));
        made += 1;
        if let Some(books) = &mut books {
            books.record(record.arrival, &event);
        }
    }
    sink.append(batch).await?;
    write_books(args, books.as_ref())?;
    context.out.answer(&format!("{made} events appended"), &serde_json::json!({ "appended": made }));
    Ok(exit::OK)
}

/// How many of the batch were rejected.
async fn post(server: &Peer, batch: &[Vec<u8>]) -> anyhow::Result<usize> {
    if batch.is_empty() {
        return Ok(0);
    }
    let body = [b"[".as_slice(), &batch.join(b",".as_slice()), b"]"].concat();
    let answer = server.post("/v1/events", body.into()).await?;
    let json: serde_json::Value = serde_json::from_slice(&answer.body).context("the server's answer is no JSON")?;
    let results = json.get("results").and_then(serde_json::Value::as_array);
    let results = results.with_context(|| format!("the server at {} refused the batch: {json}", server.addr))?;
    Ok(results.iter().filter(|result| result.get("reason").is_some()).count())
}

fn records(args: &Args, now: Millis) -> anyhow::Result<Records> {
    anyhow::ensure!(args.creators > 0 && args.members > 0, "a programme has at least one creator and one member");
    let days_ago = now.0 - i64::from(args.days) * Millis::DAY;
    let start = match (&args.start, args.rate) {
        (Some(text), _) => {
            let at: jiff::Timestamp = text.parse().with_context(|| format!("{text:?} is no RFC 3339 time"))?;
            Millis(at.as_millisecond())
        }
        (None, Some(_)) => now,
        (None, None) => Millis(days_ago - days_ago.rem_euclid(Millis::DAY)),
    };
    if args.labelled.fraud {
        let among = Among { seed: args.seed, start, days: args.days, creators: args.creators };
        return Records::labelled(&args.labelled, &among, args.events.unwrap_or(u64::MAX));
    }
    let pace = args.rate.map_or(Pace::History { days: args.days }, |rate_per_s| Pace::Live { rate_per_s });
    let Args { creators, members, seed, signups: signups_permille, .. } = *args;
    let events = args.events.unwrap_or(EVENTS);
    Ok(Records::plain(&Spec { creators, members, events, seed, start, pace, signups_permille }))
}

async fn wait_until(arrival: Millis, context: &Context, lines: &mut impl Write) -> anyhow::Result<()> {
    let ahead = arrival.0 - context.clock.now().0;
    if ahead > 0 {
        lines.flush()?;
        tokio::time::sleep(std::time::Duration::from_millis(ahead.unsigned_abs())).await;
    }
    Ok(())
}
