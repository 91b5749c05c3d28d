//! `tributary config`.

use super::{Context, exit};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Read the settings and say whether they can be used.
    Check,
    /// Print all settings in force, defaults included.
    Show,
}

pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<u8> {
    let json = serde_json::to_value(&context.config)?;
    match command {
        // They were read and checked before any command runs.
        Command::Check => {
            context.warn_of_logins();
            context.out.answer("the settings are valid", &serde_json::json!({ "valid": true }));
        }
        Command::Show => context.out.answer(&toml::to_string(&context.config)?, &json),
    }
    Ok(exit::OK)
}
