//! `tributary topology`.

use super::{Context, exit};
use crate::topology::{Format, Topology};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// text, mermaid, dot or json.
    #[arg(long, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<u8> {
    let format = if context.out.json { Format::Json } else { args.format };
    context.out.raw(&Topology::load()?.render(format));
    Ok(exit::OK)
}
