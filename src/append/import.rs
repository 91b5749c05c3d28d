//! Events from a file or a pipe, as NDJSON or CSV: parsed side by side, appended in the order of the file.
//!
//! Importing the same file again is safe: the fold knows what it has seen.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use super::Outgoing;
use super::tokenize::tokenize;
use crate::decode::csv::Header;
use crate::decode::{Raw, json};
use crate::event::{self, Event, Kind};
use crate::ids::Millis;
use crate::schema;
use crate::tokens::Keys;

/// Bytes of lines, or rows, parsed in one go.
const CHUNK_BYTES: usize = 512 << 10;
const CHUNK_ROWS: usize = 4_096;
/// Longest line; a longer one is rejected.
const LINE_BYTES_MAX: u64 = 256 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Ndjson,
    Csv,
}

impl Format {
    /// By the file's ending.
    pub fn of(file: &str) -> Option<Self> {
        let (_, ending) = file.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" | "json" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// A line that is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// From 1.
    pub line: u64,
    pub reason: String,
}

/// Some of the input, not yet parsed.
#[derive(Debug)]
pub struct Chunk {
    first_line: u64,
    body: Body,
    /// Of the input, for progress.
    pub bytes: u64,
}

#[derive(Debug)]
enum Body {
    Lines(Vec<u8>),
    Rows { header: Arc<Header>, rows: Vec<(u64, Result<csv::StringRecord, String>)> },
}

/// What a chunk became.
#[derive(Debug, Default)]
pub struct Parsed {
    pub events: Vec<Made>,
    pub rejects: Vec<Reject>,
}

/// An event, ready for the log, or for a server in front of it.
#[derive(Debug)]
pub enum Made {
    Record(Outgoing),
    Json(Vec<u8>),
}

/// What events are made into.
#[derive(Debug, Clone)]
pub enum Target {
    /// `tokens`: what raw fields become tokens with; without, they are refused.
    Log { partitions: u32, tokens: Option<Arc<Keys>> },
    /// Raw fields go to it as they are: it has the secret of its folder.
    Server,
}

/// Why the input cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read the input behind line {line}")]
    Read { line: u64, source: io::Error },
    #[error("the header of the table cannot be used")]
    Header(#[from] crate::decode::csv::Error),
    #[error("the table's header cannot be read")]
    Table(#[source] csv::Error),
}

/// Cuts the input into chunks.
pub struct Chunks<R> {
    input: Input<R>,
    line: u64,
}

enum Input<R> {
    Lines(io::BufReader<R>),
    Rows { reader: csv::Reader<R>, header: Arc<Header>, position: u64 },
}

impl<R: Read> Chunks<R> {
    /// `kind` is the record of every row of a table without a column `type`.
    pub fn new(input: R, format: Format, kind: Option<Kind>) -> Result<Self, Error> {
        match format {
            Format::Ndjson => {
                Ok(Self { input: Input::Lines(io::BufReader::with_capacity(CHUNK_BYTES, input)), line: 0 })
            }
            Format::Csv => {
                let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(input);
                let header = Header::parse(reader.headers().map_err(Error::Table)?, kind)?;
                Ok(Self { input: Input::Rows { reader, header: Arc::new(header), position: 0 }, line: 1 })
            }
        }
    }

    /// The next chunk; `None` at the end.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, Error> {
        match &mut self.input {
            Input::Lines(reader) => next_lines(reader, &mut self.line),
            Input::Rows { reader, header, position } => Ok(next_rows(reader, header, position, &mut self.line)),
        }
    }
}

fn next_lines<R: Read>(reader: &mut io::BufReader<R>, line: &mut u64) -> Result<Option<Chunk>, Error> {
    let first_line = *line + 1;
    let mut lines = Vec::with_capacity(CHUNK_BYTES + 4_096);
    while lines.len() < CHUNK_BYTES {
        let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut lines);
        let failed = |source| Error::Read { line: *line, source };
        if read.map_err(failed)? == 0 {
            break;
        }
        if !lines.ends_with(b"\n") && !reader.fill_buf().map_err(failed)?.is_empty() {
            // The rest of a line that is too long; what is kept of it is no JSON and is rejected by its number.
            skip_line(reader).map_err(failed)?;
            lines.push(b'\n');
        }
        *line += 1;
    }
    let bytes = u64::try_from(lines.len()).unwrap_or_default();
    Ok((!lines.is_empty()).then_some(Chunk { first_line, body: Body::Lines(lines), bytes }))
}

fn skip_line<R: Read>(reader: &mut io::BufReader<R>) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

fn next_rows<R: Read>(
    reader: &mut csv::Reader<R>,
    header: &Arc<Header>,
    position: &mut u64,
    line: &mut u64,
) -> Option<Chunk> {
    let first_line = *line + 1;
    let mut rows = Vec::new();
    while rows.len() < CHUNK_ROWS {
        let mut row = csv::StringRecord::new();
        let outcome = match reader.read_record(&mut row) {
            Ok(true) => Ok(row),
            Ok(false) => break,
            Err(error) => Err(error.to_string()),
        };
        let at = outcome.as_ref().ok().and_then(|row| row.position().map(csv::Position::line));
        *line = at.unwrap_or(*line + 1);
        rows.push((*line, outcome));
    }
    let bytes = reader.position().byte() - *position;
    *position = reader.position().byte();
    let body = Body::Rows { header: Arc::clone(header), rows };
    let is_empty = matches!(&body, Body::Rows { rows, .. } if rows.is_empty());
    (!is_empty).then_some(Chunk { first_line, body, bytes })
}

impl Chunk {
    /// Parses every line. `now` stamps what does not say when it was received.
    pub fn parse(self, target: &Target, now: Millis) -> Parsed {
        let mut parsed = Parsed::default();
        match self.body {
            Body::Lines(lines) => {
                let mut scratch = json::Scratch::default();
                for (line, text) in (self.first_line..).zip(lines.split(|byte| *byte == b'\n')) {
                    let text = text.trim_ascii();
                    if !text.is_empty() {
                        let event = json::read(text, &mut scratch).map_err(|error| error.to_string());
                        parsed.take(line, event, target, now);
                    }
                }
            }
            Body::Rows { header, rows } => {
                for (line, row) in &rows {
                    let row = row.as_ref().map_err(Clone::clone);
                    let event = row.and_then(|row| header.event(row).map_err(|error| error.to_string()));
                    parsed.take(*line, event, target, now);
                }
            }
        }
        parsed
    }
}

impl Parsed {
    fn take(&mut self, line: u64, event: Result<(Event<'_>, Raw<'_>), String>, target: &Target, now: Millis) {
        match event {
            // As the intake has it: a tick of somebody else's would move a creator's clock.
            Ok((Event { body: event::Body::Tick, .. }, _)) => {
                self.rejects.push(Reject { line, reason: "`Tick` is made by the service itself".to_owned() });
            }
            Ok((mut event, raw)) => {
                event.received_at = event.received_at.or(Some(now));
                match make(event, raw, target, now) {
                    Ok(made) => self.events.push(made),
                    Err(error) => self.rejects.push(Reject { line, reason: error.to_string() }),
                }
            }
            Err(reason) => self.rejects.push(Reject { line, reason }),
        }
    }
}

fn make(mut event: Event<'_>, raw: Raw<'_>, target: &Target, now: Millis) -> Result<Made, json::Error> {
    match target {
        Target::Server => {
            let mut bytes = Vec::with_capacity(256);
            schema::to_json(&event, &mut bytes);
            raw.add_to_json(&mut bytes);
            Ok(Made::Json(bytes))
        }
        Target::Log { partitions, tokens } => {
            tokenize(&mut event, raw, tokens.as_deref())?;
            Ok(Made::Record(Outgoing::of_event(&event, now, *partitions)))
        }
    }
}
