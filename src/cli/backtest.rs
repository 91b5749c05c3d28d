//! `tributary backtest`: through the server that holds the folder, or in this process.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::backtest_told::{page, text};
use super::{Context, exit, projections};
use crate::fold::fraud::RuleSet;
use crate::ids::Millis;
use crate::web::{Line, Look, Trial};
use crate::worker::backtest::Report;

/// Folds the log twice side by side, as it is and with another rule set in the place of every one that it chooses.
/// Changes nothing; a running server goes on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A rule set as TOML or JSON (`id`, `version`, `base`, `points`, `thresholds`, `guards`), or the name of a shipped
    /// one: guarded-v1, seed-v1.
    #[arg(long, value_name = "FILE")]
    rules: String,
    /// Compare clicks, conversions and commissions from then on, by their own time: RFC 3339. What came before is folded too.
    #[arg(long, value_name = "TIME")]
    from: Option<jiff::Timestamp>,
    /// ... and before then.
    #[arg(long, value_name = "TIME")]
    to: Option<jiff::Timestamp>,
    /// Fold this creator's events alone.
    #[arg(long, value_name = "ID")]
    creator: Option<String>,
    /// Tell so many of the members affected one by one.
    #[arg(long, default_value_t = Trial::members(), value_parser = clap::value_parser!(u16).range(0..=1_000), value_name = "COUNT")]
    members: u16,
    /// As text for people, as one JSON document, or as a table for a page (an HTML fragment).
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Table,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<u8> {
    let trial = match trial(&args) {
        Ok(trial) => trial,
        Err(error) => {
            context.out.error(&error);
            return Ok(exit::USAGE);
        }
    };
    let bar = context.out.bar(Some(0), "{bar:40} {human_pos} of {human_len} events, {eta} left");
    let asked = Look::Backtest(Arc::new(trial));
    let last = projections::look(context, asked, |line| projections::show(&bar, line)).await?;
    bar.finish_and_clear();
    let Line::Backtested { report } = last else { anyhow::bail!(projections::BROKEN_OFF) };
    let told: Report = serde_json::from_value(report.clone()).context("the server is of another version")?;
    match args.format {
        Format::Text => context.out.answer(&text(&told), &report),
        Format::Json => context.out.raw(&format!("{report}\n")),
        Format::Table if context.out.json => context.out.raw(&format!("{report}\n")),
        Format::Table => context.out.raw(&page(&told)),
    }
    Ok(exit::OK)
}

fn trial(args: &Args) -> anyhow::Result<Trial> {
    let rules = read(&args.rules)?;
    RuleSet::parse_named(rules.clone()).with_context(|| format!("{} is no rule set", args.rules))?;
    let millis = |at: Option<jiff::Timestamp>| at.map(|at| Millis(at.as_millisecond()));
    let (from, to) = (millis(args.from), millis(args.to));
    if let (Some(from), Some(to)) = (from, to) {
        anyhow::ensure!(from < to, "--from must be before --to");
    }
    Ok(Trial { rules, from, to, creator: args.creator.clone(), members: args.members })
}

/// JSON if it looks so, else TOML; the name of a shipped set needs no file.
fn read(rules: &str) -> anyhow::Result<Value> {
    if RuleSet::shipped(rules).is_some() && !Path::new(rules).exists() {
        return Ok(json!({ "id": rules }));
    }
    let text = std::fs::read_to_string(rules)
        .with_context(|| format!("cannot read {rules:?}, which is no shipped rule set either (guarded-v1, seed-v1)"))?;
    if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).with_context(|| format!("{rules} is no JSON"))
    } else {
        toml::from_str(&text).with_context(|| format!("{rules} is no TOML"))
    }
}
