//! `tributary completions`.

use clap::CommandFactory;

use super::{Cli, exit};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    clap_complete::generate(args.shell, &mut Cli::command(), "tributary", &mut std::io::stdout());
    Ok(exit::OK)
}
