//! `tributary import`: into the folder itself, or through the server that holds it.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Read;
use std::path::PathBuf;

use anyhow::Context as _;
use indicatif::ProgressBar;
use tokio::task::JoinHandle;

use super::{Context, exit};
use crate::append::Sink;
use crate::append::import::{Chunks, Format, Made, Parsed, Reject, Target};
use crate::event::Kind;
use crate::run::{self, Program};
use crate::web::client::Peer;

/// The same file may be imported again: what was seen counts once.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file; - is standard input.
    file: String,
    /// ndjson or csv [default: by the file's ending].
    #[arg(long, value_parser = ["ndjson", "csv"])]
    format: Option<String>,
    /// The record of every row of a table without a column `type`: Click, Conversion, …
    #[arg(long = "type", value_name = "RECORD")]
    kind: Option<String>,
    /// Write every rejected line's number and reason here.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

/// Rejects printed; `--rejects` keeps all.
const SHOWN_MAX: usize = 20;
/// Chunks parsed side by side, ahead of the one that is appended.
const AHEAD: usize = 4;
/// Events in one request to a server.
const REQUEST_MAX: usize = 1_000;

/// Where events go.
enum Way {
    Folder(Box<Program>),
    Server(Peer),
}

/// What came of it.
#[derive(Default)]
struct Summary {
    accepted: u64,
    duplicate: u64,
    rejects: Vec<Reject>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<u8> {
    let format = match args.format.as_deref() {
        Some("csv") => Format::Csv,
        Some(_) => Format::Ndjson,
        None => Format::of(&args.file).unwrap_or(Format::Ndjson),
    };
    let kind =
        args.kind.as_deref().map(|name| Kind::parse(name).with_context(|| format!("no record is called {name:?}")));
    let (input, len) = open(&args.file)?;
    let mut chunks = Chunks::new(input, format, kind.transpose()?)?;
    let way = way(context).await?;
    let template = if len.is_some() { "{bar:40} {bytes} of {total_bytes}, {eta} left" } else { "{spinner} {bytes}" };
    let bar = context.out.bar(len, template);
    let mut summary = Summary::default();
    let outcome = carry(&mut chunks, &way, context, &bar, &mut summary).await;
    bar.finish_and_clear();
    // What was appended is applied even if a later part of the file could not be read.
    if let Way::Folder(engine) = way {
        if !engine.is_shared() {
            engine.caught_up().await?;
        }
        engine.stop().await?;
    }
    outcome.with_context(|| format!("{} events were accepted before", summary.accepted))?;
    summary.report(&args, context)
}

fn open(file: &str) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if file == "-" {
        return Ok((Box::new(std::io::stdin()), None));
    }
    let opened = std::fs::File::open(file).with_context(|| format!("cannot open {file}"))?;
    let meta = opened.metadata().with_context(|| format!("cannot look at {file}"))?;
    anyhow::ensure!(!meta.is_dir(), "{file} is a folder; name a file, or - for standard input");
    Ok((Box::new(opened), meta.is_file().then_some(meta.len())))
}

async fn way(context: &Context) -> anyhow::Result<Way> {
    if let Some(server) = context.server().await {
        return Ok(Way::Server(server));
    }
    let mut engine = context.program().await?;
    engine.begin()?;
    Ok(Way::Folder(Box::new(engine)))
}

async fn carry(
    chunks: &mut Chunks<Box<dyn Read + Send>>,
    way: &Way,
    context: &Context,
    bar: &ProgressBar,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let target = match way {
        Way::Folder(engine) => Target::Log { partitions: engine.log.topic().partitions, tokens: engine.tokens()? },
        Way::Server(_) => Target::Server,
    };
    let mut parsing: VecDeque<(u64, JoinHandle<Parsed>)> = VecDeque::new();
    loop {
        let next = if parsing.len() < AHEAD { tokio::task::block_in_place(|| chunks.next_chunk())? } else { None };
        let is_end = next.is_none() && parsing.len() < AHEAD;
        if let Some(chunk) = next {
            let (bytes, now, target) = (chunk.bytes, context.clock.now(), target.clone());
            parsing.push_back((bytes, tokio::task::spawn_blocking(move || chunk.parse(&target, now))));
        }
        if is_end || parsing.len() >= AHEAD {
            let Some((bytes, parsed)) = parsing.pop_front() else { return Ok(()) };
            send(parsed.await?, way, summary).await?;
            bar.inc(bytes);
        }
    }
}

async fn send(parsed: Parsed, way: &Way, summary: &mut Summary) -> anyhow::Result<()> {
    summary.rejects.extend(parsed.rejects);
    let (mut records, mut lines) = (Vec::new(), Vec::new());
    for made in parsed.events {
        match made {
            Made::Record(record) => records.push(record),
            Made::Json(line) => lines.push(line),
        }
    }
    match way {
        Way::Folder(engine) => {
            if let Some(why) = engine.progress.halted() {
                return Err(run::Error::Halted(why).into());
            }
            summary.accepted += u64::try_from(engine.sink.append(records).await?.len())?;
        }
        Way::Server(server) => {
            for batch in lines.chunks(REQUEST_MAX) {
                post(server, batch, summary).await?;
            }
        }
    }
    Ok(())
}

async fn post(server: &Peer, batch: &[Vec<u8>], summary: &mut Summary) -> anyhow::Result<()> {
    let body = [b"[".as_slice(), &batch.join(b",".as_slice()), b"]"].concat();
    let answer = server.post("/v1/events", body.into()).await?;
    let json: serde_json::Value = serde_json::from_slice(&answer.body).context("the server's answer is no JSON")?;
    let results = json.get("results").and_then(serde_json::Value::as_array);
    let results = results.with_context(|| format!("the server at {} refused the batch: {json}", server.addr))?;
    for result in results {
        match result.get("status").and_then(serde_json::Value::as_str) {
            Some("accepted") => summary.accepted += 1,
            Some("duplicate") => summary.duplicate += 1,
            _ => summary.rejects.push(Reject { line: 0, reason: result.to_string() }),
        }
    }
    Ok(())
}

impl Summary {
    fn report(&self, args: &Args, context: &Context) -> anyhow::Result<u8> {
        let line = |reject: &Reject| format!("line {}: {}", reject.line, reject.reason);
        if let Some(file) = &args.rejects {
            let lines: String = self.rejects.iter().map(|reject| line(reject) + "\n").collect();
            std::fs::write(file, lines).with_context(|| format!("cannot write {}", file.display()))?;
        }
        let mut text = String::new();
        for reject in self.rejects.iter().take(SHOWN_MAX) {
            writeln!(text, "{}", line(reject))?;
        }
        if self.rejects.len() > SHOWN_MAX {
            writeln!(text, "… and {} more; --rejects FILE keeps all", self.rejects.len() - SHOWN_MAX)?;
        }
        write!(text, "{} accepted, {} duplicate, {} rejected", self.accepted, self.duplicate, self.rejects.len())?;
        let rejects: Vec<_> = self.rejects.iter().take(SHOWN_MAX).map(line).collect();
        let json = serde_json::json!({
            "accepted": self.accepted, "duplicate": self.duplicate, "rejected": self.rejects.len(), "rejects": rejects,
        });
        context.out.answer(&text, &json);
        Ok(if self.rejects.is_empty() { exit::OK } else { exit::REJECTED })
    }
}
