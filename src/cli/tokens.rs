//! `tributary tokens`.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::{Context, exit};
use crate::run::secret;
use crate::tokens::{Keys, Made, RawField, Secret, Secrets, hex, vectors};

/// Without a command: test vectors, made with a published secret that is for nothing else, or with that of `--secret`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    /// The file with the secret that the vectors are made with.
    #[arg(long, value_name = "FILE")]
    secret: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// The tokens of values, as events have them: of what was given, or of each line of standard input.
    Of(Of),
    /// Which epochs there are, and eight digits that tell two secrets apart and neither of them.
    Show,
    /// Put a new secret into force, from the next start of each process on. Tokens before and after never match.
    Rotate,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Of {
    /// ip, device, email, payment_method or payout_method.
    #[arg(value_parser = field)]
    field: RawField,
    /// What is typed here stays in the shell's history; lines of standard input do not.
    values: Vec<String>,
    /// With the secret of this epoch [default: the one in force].
    #[arg(long)]
    epoch: Option<u32>,
}

/// Bytes of standard input at most.
const INPUT_BYTES_MAX: u64 = 1 << 20;

fn field(name: &str) -> Result<RawField, String> {
    RawField::parse(name).ok_or_else(|| format!("it must be {}", RawField::ALL.map(RawField::name).join(", ")))
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<u8> {
    match &args.command {
        None => print_vectors(args, context),
        Some(Command::Of(asked)) => of(asked, context),
        Some(Command::Show) => show(context),
        Some(Command::Rotate) => rotate(context),
    }
}

fn print_vectors(args: &Args, context: &Context) -> anyhow::Result<u8> {
    let secrets = args.secret.as_deref().map(secret::read).transpose()?;
    let published = Secret::published();
    let (text, told) = match &secrets {
        Some(_) => (String::new(), Value::Null),
        None => {
            let text = published.text().reveal();
            (format!("PUBLISHED TEST SECRET, for nothing but these vectors: {text}\n"), json!(text))
        }
    };
    let keys = Keys::new(secrets.as_ref().map_or(&published, Secrets::current));
    let mut text = format!("{text}epoch {}, check {}\n\n", keys.epoch(), keys.check());
    let mut all = Vec::new();
    for vector in vectors(&keys) {
        let (name, value) = (vector.field.name(), format!("{:?}", vector.value));
        writeln!(text, "{name:<14} {value:<43} {}", line(vector.made))?;
        let mut tokens = document(vector.field, vector.made);
        tokens.extend([("field".to_owned(), json!(name)), ("value".to_owned(), json!(vector.value))]);
        all.push(tokens);
    }
    let json = json!({ "published_secret": told, "epoch": keys.epoch(), "check": keys.check(), "vectors": all });
    context.out.answer(&text, &json);
    Ok(exit::OK)
}

fn of(asked: &Of, context: &Context) -> anyhow::Result<u8> {
    let secrets = secrets(context)?;
    let secret = match asked.epoch {
        None => secrets.current(),
        Some(epoch) => secrets.of(epoch).with_context(|| format!("the secret of epoch {epoch} is not kept"))?,
    };
    let keys = Keys::new(secret);
    let mut input = String::new();
    if asked.values.is_empty() {
        std::io::stdin().take(INPUT_BYTES_MAX + 1).read_to_string(&mut input).context("cannot read standard input")?;
        anyhow::ensure!(input.len() <= 1 << 20, "standard input is longer than 1 MiB; give it in parts");
    }
    let values = asked.values.iter().map(String::as_str).chain(input.lines());
    let (mut text, mut all) = (String::new(), Vec::new());
    for (number, value) in (1..).zip(values) {
        let max = asked.field.bytes_max();
        anyhow::ensure!(value.len() <= max, "value {number} is larger than {max} bytes");
        let made = keys.make(asked.field, value).with_context(|| format!("value {number} has no token"))?;
        writeln!(text, "{}", line(made))?;
        all.push(document(asked.field, made));
    }
    context.out.answer(&text, &json!({ "epoch": keys.epoch(), "check": keys.check(), "tokens": all }));
    Ok(exit::OK)
}

fn line(made: Made) -> String {
    let token = made.token.map_or_else(|| "-".to_owned(), |token| hex(&token.0));
    made.wide.map_or_else(|| token.clone(), |wide| format!("{token} {}", hex(&wide.0)))
}

/// By the names of the token fields; null: there is none.
fn document(field: RawField, made: Made) -> Map<String, Value> {
    let tokens = [made.token, made.wide].map(|token| token.map(|token| hex(&token.0)));
    field.tokens().iter().map(|name| (*name).to_owned()).zip(tokens.map(Value::from)).collect()
}

/// Where the secret is; with the log in Kafka a folder's would be another for each process.
fn source(context: &Context) -> anyhow::Result<secret::From> {
    let source = context.config.tokens.secret();
    let is_shared = !context.config.kafka.brokers.is_empty();
    anyhow::ensure!(!is_shared || source != secret::From::Folder, "no secret is set: set `tokens.secret_file`");
    Ok(source)
}

fn secrets(context: &Context) -> anyhow::Result<Secrets> {
    let found = secret::secrets(&source(context)?, &context.config.data_dir)?;
    let dir = context.config.data_dir.display();
    found.with_context(|| {
        format!("{dir} has no secret of tokens; set `tokens.secret_file`, or start `tributary run` once")
    })
}

fn show(context: &Context) -> anyhow::Result<u8> {
    let secrets = secrets(context)?;
    let epochs = std::iter::once(secrets.current()).chain(secrets.previous()).map(Keys::new);
    let (mut text, mut all) = (String::new(), Vec::new());
    for (keys, state) in epochs.zip(["in force", "before"]) {
        writeln!(text, "epoch {}  check {}  {state}", keys.epoch(), keys.check())?;
        all.push(json!({ "epoch": keys.epoch(), "check": keys.check(), "state": state }));
    }
    context.out.answer(&text, &json!({ "epochs": all }));
    Ok(exit::OK)
}

fn rotate(context: &Context) -> anyhow::Result<u8> {
    let (file, secrets) = secret::rotate(&source(context)?, &context.config.data_dir)?;
    let keys = Keys::new(secrets.current());
    let file = file.display().to_string();
    let text = format!(
        "epoch {} is in {file}, check {}. Give the file to every process and producer, and start them again together: \
         tokens of this epoch and of the one before never match.",
        keys.epoch(),
        keys.check()
    );
    context.out.answer(&text, &json!({ "epoch": keys.epoch(), "check": keys.check(), "file": file }));
    Ok(exit::OK)
}
