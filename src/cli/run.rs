//! `tributary run`.

use std::io::IsTerminal;
use std::net::SocketAddr;

use tokio::signal::unix::{SignalKind, signal};

use super::{Context, Output, exit};
use crate::run::{Feed, Ready, Serving, from_here, serve};
use crate::web::Access;
use crate::web::keys::Secret;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Serve HTTP here [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS", env = "TRIBUTARY_LISTEN")]
    listen: Option<SocketAddr>,
    /// What this process does: all, worker (folds), web (answers). More than one process needs Kafka and a CQL database.
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Ask for no API keys: whoever reaches the server may read and write everything. On this machine alone.
    #[arg(long)]
    insecure_dev: bool,
    /// Print the page's address with a key of this run in it, also where nobody sits at a terminal.
    #[arg(long)]
    show_key: bool,
    /// Feed a simulated programme of so many events a second, to look around.
    #[arg(long, value_name = "EVENTS_A_SECOND", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    simulate: Option<u32>,
}

pub(crate) async fn run(args: Args, context: Context) -> anyhow::Result<u8> {
    context.warn_of_logins();
    let mut config = context.config;
    config.listen = args.listen.unwrap_or(config.listen);
    config.insecure_dev |= args.insecure_dev;
    config.role = args.role.unwrap_or(config.role);
    config.check()?;
    let out = context.out;
    let (serving, data_dir) = (config.http(), config.data_dir.display().to_string());
    let ready = move |ready: Ready| tell(out, &ready, (serving.access, &data_dir), args.show_key);
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
    let (options, engines, role) = (config.options()?, config.engines()?, config.role());
    let serving = Serving { options, engines, role, http: serving, feed };
    serve(serving, context.clock, ready, shutdown).await?;
    Ok(exit::OK)
}

fn tell(out: Output, ready: &Ready, (access, data_dir): (Access, &str), show_key: bool) {
    let addr = ready.addr;
    if access == Access::InsecureDev {
        out.note(
            "WARNING: started with --insecure-dev, no API keys are asked for: whoever reaches this server may read and \
             write everything.",
        );
    } else if !addr.ip().is_loopback() {
        out.note(
            "Others may reach this server, and it speaks plain HTTP: put a proxy with TLS before it, or keys travel in \
             the open.",
        );
    }
    // What goes to a log is read by many; what goes to a terminal, by who started this.
    let shown = ready.local.as_ref().filter(|_| show_key || std::io::stdout().is_terminal());
    let key = ready.first.as_ref().or(shown);
    let fragment = key.map(|key| format!("#key={}", key.reveal())).unwrap_or_default();
    let here = from_here(addr);
    let page = format!("http://{here}/{fragment}");
    let mut text = format!("Tributary is running: {page} (data in {data_dir}; Ctrl-C ends it)");
    if let Some(first) = &ready.first {
        text.push_str(&about_first(first, here));
    }
    let json = serde_json::json!({
        "listening": addr.to_string(),
        "data_dir": data_dir,
        "page": page,
        "first_key": ready.first.as_ref().map(Secret::reveal),
    });
    out.answer(&text, &json);
}

fn about_first(key: &Secret, addr: SocketAddr) -> String {
    let key = key.reveal();
    format!(
        "\n\nThe first API key: every scope, every creator. It is told this once and kept nowhere: keep it.\n\n    {key}\n\n\
         Use it: curl -H 'Authorization: Bearer {key}' http://{addr}/v1/creators\n\
         Make keys that may do less: tributary keys create --name shop --scope write --creator acme\n\
         If it is lost: tributary keys create, on this machine, makes another."
    )
}
