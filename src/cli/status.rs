//! `tributary status`: from the files, or from the process that holds them; on many machines from log and database.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{Context, exit};
use crate::consume::kafka::Settings as Kafka;
use crate::ids::Millis;
use crate::run::{self, Engines, Log, Place, Program, Rows};
use crate::store::scylla::{Options as Cql, ScyllaStore};

pub(crate) async fn run(context: &Context) -> anyhow::Result<u8> {
    if let Some(addr) = run::address_of(&context.config.data_dir)
        && let Ok(answer) = context.peer(addr).get("/health").await
    {
        // Unhealthy is an answer too.
        let health: Value = match answer.status {
            200 | 503 => serde_json::from_slice(&answer.body).context("the health answer is no JSON")?,
            _ => answer.json(addr)?,
        };
        return of_running(&addr.to_string(), health, context).await;
    }
    let engines = match context.config.engines()? {
        Engines::Cluster(both) => return of_cluster(*both, context).await,
        engines @ (Engines::Embedded | Engines::Kafka(_)) => engines,
    };
    let dir = &context.config.data_dir;
    anyhow::ensure!(dir.exists(), "there is no data folder {}: `--data-dir` names another", dir.display());
    let engine = Program::open_on(engines, context.config.options()?, context.clock.clone()).await?;
    let places = engine.places().await?;
    let now = context.clock.now();
    let json = json!({ "running": false, "partitions": told(&places, now) });
    context.out.answer(&format!("not running\n{}", table(&places, now)), &json);
    Ok(exit::OK)
}

/// `tributary lag`: the same from log and projections alone, whoever runs.
pub(crate) async fn lag(context: &Context) -> anyhow::Result<u8> {
    match context.config.engines()? {
        Engines::Cluster(both) => of_cluster(*both, context).await,
        Engines::Embedded | Engines::Kafka(_) => run(context).await,
    }
}

async fn of_cluster(both: (Kafka, Cql), context: &Context) -> anyhow::Result<u8> {
    let (generation, places) = ask(both).await?;
    let now = context.clock.now();
    let json = json!({ "generation": generation, "partitions": told(&places, now) });
    context.out.answer(&format!("generation {generation}\n{}", table(&places, now)), &json);
    Ok(exit::OK)
}

/// The live generation, and how far it is, from log and database.
async fn ask((kafka, cql): (Kafka, Cql)) -> anyhow::Result<(u32, Vec<Place>)> {
    let log = tokio::task::spawn_blocking(move || Log::connect(kafka)).await??;
    let rows = Rows::Cql(ScyllaStore::connect(cql).await?);
    Ok(run::live_places(&log, &rows).await?)
}

/// A server knows E and the owner of what it folds itself; of partitions that others fold, log and database tell.
async fn of_running(addr: &str, mut health: Value, context: &Context) -> anyhow::Result<u8> {
    let asked = match context.config.engines() {
        Ok(Engines::Cluster(both)) => Some(ask(*both).await),
        Ok(Engines::Embedded | Engines::Kafka(_)) => None,
        Err(error) => Some(Err(error.into())),
    };
    let mut text = head(addr, &health)?;
    match asked {
        Some(Ok((_, places))) => {
            let now = context.clock.now();
            text.push_str(&table(&places, now));
            if let Some(answer) = health.as_object_mut() {
                answer.insert("partitions".to_owned(), told(&places, now).into());
            }
        }
        Some(Err(error)) => {
            context.out.note(&format!("log and database cannot be asked from here, only the server: {error:#}"));
            text.push_str(&table_of(&health));
        }
        None => text.push_str(&table_of(&health)),
    }
    context.out.answer(&text, &health);
    Ok(exit::OK)
}

/// How long the newest record that has rows has been in the log, where there are newer ones.
fn behind_ms(place: &Place, now: Millis) -> i64 {
    let is_behind = place.fast.min(place.slow) < place.end;
    if is_behind { (now.0 - place.record_time.0).max(0) } else { 0 }
}

fn behind(place: &Place) -> u64 {
    place.end.0.saturating_sub(place.fast.min(place.slow).0)
}

const HEAD: &str = "partition  log end  emitted (E)  rows fast  rows slow  state (P)  lag events  lag s  owner\n";

fn line([p, end, emitted, fast, slow, committed, events, seconds, owner]: [String; 9]) -> String {
    format!(
        "{p:>9}  {end:>7}  {emitted:>11}  {fast:>9}  {slow:>9}  {committed:>9}  {events:>10}  {seconds:>5}  {owner}\n"
    )
}

fn table(places: &[Place], now: Millis) -> String {
    let mut text = HEAD.to_owned();
    for place in places {
        let owner = place.owner.clone().unwrap_or_else(|| "nobody".to_owned());
        let positions = [place.end, place.emitted, place.fast, place.slow, place.committed];
        let [end, emitted, fast, slow, committed] = positions.map(|next| next.0.to_string());
        let (events, seconds) = (behind(place).to_string(), (behind_ms(place, now) / 1_000).to_string());
        text.push_str(&line([
            place.partition.0.to_string(),
            end,
            emitted,
            fast,
            slow,
            committed,
            events,
            seconds,
            owner,
        ]));
    }
    text
}

fn told(places: &[Place], now: Millis) -> Vec<Value> {
    let one = |place: &Place| {
        json!({
            "partition": place.partition.0, "end": place.end.0, "emitted": place.emitted.0,
            "fast": place.fast.0, "slow": place.slow.0, "committed": place.committed.0,
            "lag_records": behind(place), "lag_ms": behind_ms(place, now), "owner": place.owner,
        })
    };
    places.iter().map(one).collect()
}

/// What a person wants to see first of a server's health.
fn head(addr: &str, health: &Value) -> anyhow::Result<String> {
    let mut text = format!("{} at http://{addr}/\n", health.get("status").and_then(Value::as_str).unwrap_or("running"));
    let list = |path: &str| health.pointer(path).and_then(Value::as_array).into_iter().flatten();
    for warning in list("/warnings") {
        writeln!(text, "warning: {}", warning.as_str().unwrap_or_default())?;
    }
    for fault in list("/faults") {
        writeln!(text, "fault: {}", fault.as_str().map_or_else(|| fault.to_string(), str::to_owned))?;
    }
    Ok(text)
}

/// The table as a server's health has it; `?` where the server does not know.
fn table_of(health: &Value) -> String {
    let mut text = HEAD.to_owned();
    for place in health.pointer("/projections/partitions").and_then(Value::as_array).into_iter().flatten() {
        let number = |name: &str| place.get(name).and_then(Value::as_i64);
        let shown = |number: Option<i64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
        let owned = place.get("owned").and_then(Value::as_bool).unwrap_or_default();
        let owner = if owned { "this server" } else { "?" }.to_owned();
        text.push_str(&line([
            shown(number("partition")),
            shown(number("log_end")),
            shown(number("emitted")),
            shown(number("fast")),
            shown(number("slow")),
            shown(number("committed")),
            shown(number("lag_records")),
            shown(number("lag_ms").map(|ms| ms / 1_000)),
            owner,
        ]));
    }
    text
}
