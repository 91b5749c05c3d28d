//! `tributary explain`: why a conversion is whose it is, what a commission is and why, and what was decided of either.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Context, exit, reviews};
use crate::web::client::encoded;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Whose it is, and what was decided of it.
    Conversion { creator: String, id: String },
    /// How it came to what it is, and what holds it.
    Commission { creator: String, id: String },
}

pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<u8> {
    let server = reviews::server(context).await?;
    let (list, creator, id) = match &command {
        Command::Conversion { creator, id } => ("conversions", creator, id),
        Command::Commission { creator, id } => ("commissions", creator, id),
    };
    let path = format!("/v1/creators/{}/{list}/{}/explain", encoded(creator), encoded(id));
    let answer = server.get(&path).await?.json(server.addr)?;
    let data = answer.get("data").cloned().unwrap_or_default();
    context.out.answer(&told(&data)?, &answer);
    Ok(exit::OK)
}

fn told(data: &Value) -> anyhow::Result<String> {
    let mut text = String::new();
    checks(data, &mut text)?;
    let Some(decision) = data.get("decision").filter(|decision| decision.is_object()) else {
        text.push_str("nothing was decided of it\n");
        return Ok(text);
    };
    writeln!(text, "\nverdict: {}", word(decision, "verdict"))?;
    checks(decision, &mut text)?;
    let revisions = decision.get("revisions").and_then(Value::as_array).into_iter().flatten();
    for one in revisions {
        let number = |name: &str| one.get(name).and_then(Value::as_i64).unwrap_or_default();
        let (id, verdict, by) = (word(one, "decision_id"), word(one, "verdict"), word(one, "decided_by"));
        let cause = one.get("cause").and_then(Value::as_str).unwrap_or("first");
        writeln!(
            text,
            "revision {}  {id}  {verdict} by {by}, score {} ({cause})",
            number("revision"),
            number("score")
        )?;
    }
    Ok(text)
}

fn checks(of: &Value, text: &mut String) -> anyhow::Result<()> {
    for check in of.get("checks").and_then(Value::as_array).into_iter().flatten() {
        writeln!(text, "{:<11}  {:<11}  {}", word(check, "check"), word(check, "outcome"), word(check, "text"))?;
    }
    Ok(())
}

fn word<'v>(of: &'v Value, name: &str) -> &'v str {
    of.get(name).and_then(Value::as_str).unwrap_or("-")
}
