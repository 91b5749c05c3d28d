//! `tributary schemas`.

use super::{Context, exit};
use crate::schema;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Prove that current and released schemas read each other, and that no released one was changed.
    Check,
}

pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<u8> {
    let Command::Check = command;
    let checked = schema::check()?;
    let lines: Vec<String> = checked.iter().map(ToString::to_string).collect();
    let text = format!("{}\n{} released schemas: all unchanged and fully compatible", lines.join("\n"), lines.len());
    let json: Vec<_> = checked
        .iter()
        .map(|one| {
            let fingerprint = format!("{:016x}", one.fingerprint);
            serde_json::json!({ "name": one.name, "version": one.version, "fingerprint": fingerprint })
        })
        .collect();
    context.out.answer(&text, &serde_json::json!({ "checked": json }));
    Ok(exit::OK)
}
