//! `tributary accept-gap`.

use serde_json::json;

use super::{Context, exit};
use crate::ids::{Next, Partition};
use crate::run::{self, Engines};
use crate::store::origin::accept;

/// Figures of what is lost stay lost, and outputs below may have gone out twice: only you can know that this is right.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The partition that halted.
    #[arg(long)]
    partition: u32,
    /// The position that its message names.
    #[arg(long, value_name = "OFFSET")]
    to: u64,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<u8> {
    let (partition, to) = (Partition(args.partition), Next(args.to));
    match context.config.engines()? {
        Engines::Embedded => anyhow::bail!("the embedded log has no gaps; this is for a log in Kafka"),
        Engines::Kafka(_) => accept(&run::rows(&context.config.data_dir)?, partition, to).await?,
        Engines::Cluster(both) => {
            accept(&crate::store::scylla::ScyllaStore::connect(both.1).await?, partition, to).await?;
        }
    }
    let text = format!("partition {} is accepted up to {}; start the worker again", args.partition, args.to);
    context.out.answer(&text, &json!({ "partition": args.partition, "to": args.to }));
    Ok(exit::OK)
}
