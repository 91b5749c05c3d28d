//! `tributary run`.

use std::net::SocketAddr;

use tokio::signal::unix::{SignalKind, signal};

use super::{Context, exit};
use crate::run::{Feed, serve};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Serve HTTP here; an address of this machine alone [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS", env = "TRIBUTARY_LISTEN")]
    listen: Option<SocketAddr>,
    /// Feed a simulated programme of so many events a second, to look around.
    #[arg(long, value_name = "EVENTS_A_SECOND", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    simulate: Option<u32>,
}

pub(crate) async fn run(args: Args, context: Context) -> anyhow::Result<u8> {
    let mut config = context.config;
    config.listen = args.listen.unwrap_or(config.listen);
    config.check()?;
    let out = context.out;
    let data_dir = config.data_dir.display().to_string();
    let ready = move |addr: SocketAddr| {
        let text = format!("Tributary is running: http://{addr}/ (data in {data_dir}; Ctrl-C ends it)");
        out.answer(&text, &serde_json::json!({ "listening": addr.to_string(), "data_dir": data_dir }));
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let shutdown = async move {
        tokio::select! {
            // Both are only flags: a signal that loses the race is not needed any more.
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        out.note("ending: what was read is being written and committed");
    };
    let feed = args.simulate.map(|rate_per_s| Feed { rate_per_s });
    serve(config.embedded(), config.listen, context.clock, feed, ready, shutdown).await?;
    Ok(exit::OK)
}
