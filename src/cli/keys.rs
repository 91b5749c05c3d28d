//! `tributary keys`: through the server that holds the data folder, or where the keys are when none runs: in its file, or in the
//! database that many processes share.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{Context, exit};
use crate::ids::Millis;
use crate::run::{self, Engines};
use crate::store::scylla::ScyllaStore;
use crate::web::Keys;
use crate::web::client::Peer;
use crate::web::keys::{Scope, Secret, Wish};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a key and print it: this once, it is kept nowhere.
    Create(Create),
    /// All keys, revoked ones too, without their texts.
    List,
    /// Close a key for good. At once where it runs, within 30 seconds everywhere.
    Revoke {
        /// The letters between `trb_` and the next `_` of the key; `tributary keys list` shows them.
        key_id: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// What it is for, such as the name of the system that gets it.
    #[arg(long)]
    name: String,
    /// What it may do: read, write, review, admin; several with commas.
    #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',', value_parser = scope)]
    scopes: Vec<Scope>,
    /// For this creator alone; may be given more than once [default: all creators].
    #[arg(long = "creator", value_name = "ID")]
    creators: Vec<String>,
    /// It opens nothing from then on: RFC 3339, such as 2027-01-01T00:00:00Z [default: never].
    #[arg(long, value_name = "TIME")]
    expires: Option<jiff::Timestamp>,
    /// Requests a second [default: the setting keys.rate_per_s].
    #[arg(long, value_name = "REQUESTS")]
    rate: Option<u32>,
    /// Requests at once [default: the rate, or the setting keys.burst].
    #[arg(long, value_name = "REQUESTS")]
    burst: Option<u32>,
}

fn scope(name: &str) -> Result<Scope, String> {
    Scope::parse(name).ok_or_else(|| "it must be read, write, review or admin".to_owned())
}

/// Keys on a page of the server's list.
const PAGE: usize = 1_000;

/// Where the keys are.
enum Way {
    Rows(Keys<run::Rows>),
    Server(Peer),
}

pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<u8> {
    let way = match context.server().await {
        Some(server) => Way::Server(server),
        None => Way::Rows(keys(context).await?),
    };
    match command {
        Command::Create(wish) => create(&way, wish.into(), context).await,
        Command::List => list(&way, context).await,
        Command::Revoke { key_id } => revoke(&way, &key_id, context).await,
    }
}

async fn keys(context: &Context) -> anyhow::Result<Keys<run::Rows>> {
    let (clock, limits) = (context.clock.clone(), context.config.http().limits);
    let keys = match context.config.engines()? {
        Engines::Embedded | Engines::Kafka(_) => run::keys(&context.config.data_dir, clock, limits)?,
        Engines::Cluster(both) => {
            Keys::new(run::Rows::Cql(ScyllaStore::connect(both.1).await?), clock, run::random(), limits)
        }
    };
    keys.refresh().await?;
    Ok(keys)
}

impl From<Create> for Wish {
    fn from(asked: Create) -> Self {
        Self {
            name: asked.name,
            scopes: asked.scopes,
            creators: (!asked.creators.is_empty()).then_some(asked.creators),
            expires_at: asked.expires.map(|at| Millis(at.as_millisecond())),
            rate_per_s: asked.rate,
            burst: asked.burst,
        }
    }
}

async fn create(way: &Way, wish: Wish, context: &Context) -> anyhow::Result<u8> {
    let made = match way {
        Way::Rows(keys) => {
            let (record, secret) = keys.create(&wish).await?;
            json!({ "data": record, "key": secret.reveal() })
        }
        Way::Server(server) => {
            server.post("/v1/admin/keys", serde_json::to_vec(&wish)?.into()).await?.json(server.addr)?
        }
    };
    let key = made.get("key").and_then(Value::as_str).context("the server told no key")?;
    context.out.note("The key is told this once and kept nowhere. Send it as `Authorization: Bearer …`.");
    context.out.answer(key, &made);
    Ok(exit::OK)
}

async fn list(way: &Way, context: &Context) -> anyhow::Result<u8> {
    let mut all = Vec::new();
    match way {
        Way::Rows(keys) => {
            let mut after: Option<String> = None;
            loop {
                let page = keys.list(after.as_deref(), PAGE).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.key_id.clone());
                for record in page {
                    all.push(serde_json::to_value(record)?);
                }
            }
        }
        Way::Server(server) => {
            let mut path = format!("/v1/admin/keys?limit={PAGE}");
            loop {
                let page = server.get(&path).await?.json(server.addr)?;
                all.extend(page.get("data").and_then(Value::as_array).into_iter().flatten().cloned());
                let Some(cursor) = page.get("next").and_then(Value::as_str) else { break };
                path = format!("/v1/admin/keys?limit={PAGE}&cursor={cursor}");
            }
        }
    }
    let mut text = format!("{:<10}  {:<7}  {:<23}  {:<16}  name\n", "key id", "state", "scopes", "creators");
    for record in &all {
        writeln!(text, "{}", line(record, context.clock.now()))?;
    }
    context.out.answer(&text, &json!({ "keys": all }));
    Ok(exit::OK)
}

fn line(record: &Value, now: Millis) -> String {
    let word = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
    let words = |name: &str| {
        let list = record.get(name).and_then(Value::as_array);
        list.map(|list| list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
    };
    let is_over = |at: &str| at.parse::<jiff::Timestamp>().is_ok_and(|at| at.as_millisecond() <= now.0);
    let state = match (word("revoked_at"), word("expires_at")) {
        (revoked, _) if !revoked.is_empty() => "revoked",
        (_, expires) if is_over(expires) => "expired",
        _ => "good",
    };
    let (scopes, creators) = (words("scopes").unwrap_or_default(), words("creators"));
    let creators = creators.unwrap_or_else(|| "(all)".to_owned());
    format!("{:<10}  {state:<7}  {scopes:<23}  {creators:<16}  {}", word("key_id"), word("name"))
}

async fn revoke(way: &Way, key_id: &str, context: &Context) -> anyhow::Result<u8> {
    // The whole key does as well: who has it at hand need not cut it, and it must not travel in a path.
    let given = Secret::parse(key_id);
    let id = given.as_ref().map_or(key_id, Secret::id);
    anyhow::ensure!(id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id:?} is no key id; `tributary keys list`");
    let revoked = match way {
        Way::Rows(keys) => json!({ "data": keys.revoke(id).await? }),
        Way::Server(server) => server.delete(&format!("/v1/admin/keys/{id}")).await?.json(server.addr)?,
    };
    context.out.answer(&format!("{id} is revoked"), &revoked);
    Ok(exit::OK)
}
