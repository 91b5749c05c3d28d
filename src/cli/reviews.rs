//! `tributary reviews`: what waits for a reviewer, and what is decided of it.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{Context, exit};
use crate::web::client::{Peer, encoded};

/// Reviews of a page.
const PAGE: usize = 1_000;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// What waits, the first that is due first.
    List {
        creator: String,
        /// Of this member alone.
        #[arg(long)]
        member: Option<String>,
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
    /// Release it: what it earns may be paid.
    Approve(Decide),
    /// Withhold it: it counts for nobody.
    Block(Decide),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Decide {
    creator: String,
    /// The id of the decision that `reviews list` shows, or a subject as `conversion:ID`, `commission:ID`, `click:ID`.
    subject: String,
    /// In your words; it stands in the log.
    #[arg(long)]
    reason: String,
    /// The truth as far as you can tell [default: what the verdict says].
    #[arg(long, value_parser = ["fraud", "not_fraud", "unsure"])]
    label: Option<String>,
    /// When the verdict lapses.
    #[arg(long, value_name = "TIME")]
    expires: Option<jiff::Timestamp>,
}

pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<u8> {
    let server = server(context).await?;
    match command {
        Command::List { creator, member, limit } => list(&server, (&creator, member.as_deref(), limit), context).await,
        Command::Approve(decide) => review(&server, decide, "approve", context).await,
        Command::Block(decide) => review(&server, decide, "block", context).await,
    }
}

/// The one that holds the data folder: reviews are read from its rows, and go in by its door.
pub(super) async fn server(context: &Context) -> anyhow::Result<Peer> {
    let dir = context.config.data_dir.display();
    let none = || format!("no server holds {dir}; start one with `tributary run`, or name its folder with --data-dir");
    context.server().await.with_context(none)
}

async fn list(
    server: &Peer,
    (creator, member, limit): (&str, Option<&str>, usize),
    context: &Context,
) -> anyhow::Result<u8> {
    let member = member.map(|member| format!("&member={}", encoded(member))).unwrap_or_default();
    let path = format!("/v1/creators/{}/reviews", encoded(creator));
    let (mut found, mut cursor) = (Vec::new(), String::new());
    while found.len() < limit {
        let page = (limit - found.len()).min(PAGE);
        let answer = server.get(&format!("{path}?limit={page}{member}{cursor}")).await?.json(server.addr)?;
        found.extend(answer.get("data").and_then(Value::as_array).into_iter().flatten().cloned());
        let Some(next) = answer.get("next").and_then(Value::as_str) else { break };
        cursor = format!("&cursor={next}");
    }
    let mut text = format!("{:<32}  {:<24}  {:<20}  score  subject, and why\n", "decision", "due", "member");
    for one in &found {
        let word = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or("-");
        let score = one.get("score").and_then(Value::as_i64).unwrap_or_default();
        let (id, due, member) = (word("decision_id"), word("due_at"), word("member_id"));
        let subject = format!("{}:{}", word("subject_type"), word("subject_id"));
        writeln!(text, "{id:<32}  {due:<24}  {member:<20}  {score:>5}  {subject}  {}", reasons(one))?;
    }
    context.out.answer(&text, &json!({ "reviews": found }));
    Ok(exit::OK)
}

/// The rules that fire, by their points.
fn reasons(decision: &Value) -> String {
    let all = decision.get("reasons").and_then(Value::as_array).into_iter().flatten();
    let applied = all.filter_map(|reason| {
        let points = reason.get("points_applied").and_then(Value::as_i64).filter(|points| *points > 0)?;
        Some(format!("{} {points}", reason.get("rule_id")?.as_str()?))
    });
    applied.collect::<Vec<_>>().join(", ")
}

async fn review(server: &Peer, said: Decide, verdict: &str, context: &Context) -> anyhow::Result<u8> {
    let path = format!("/v1/creators/{}/reviews/{}", encoded(&said.creator), encoded(&said.subject));
    let mut body = json!({ "verdict": verdict, "reason": said.reason });
    if let Value::Object(fields) = &mut body {
        fields.extend(said.label.map(|label| ("label".to_owned(), label.into())));
        fields.extend(said.expires.map(|at| ("expires_at".to_owned(), at.as_millisecond().into())));
    }
    let answer = server.post(&path, serde_json::to_vec(&body)?.into()).await?.json(server.addr)?;
    let said = format!("{verdict}: {} is in the log", said.subject);
    context.out.answer(&said, &answer);
    Ok(exit::OK)
}
