//! `tributary status`: from the files, or from the process that holds them.

use std::fmt::Write as _;

use anyhow::Context as _;

use super::{Context, exit};
use crate::consume::kafka::Settings as Kafka;
use crate::ids::Millis;
use crate::run::{self, Engines, Log, Place, Program, Rows};
use crate::store::Doors;
use crate::store::alias::Alias;
use crate::store::scylla::{Options as Cql, ScyllaStore};

pub(crate) async fn run(context: &Context) -> anyhow::Result<u8> {
    if let Some(addr) = run::address_of(&context.config.data_dir)
        && let Ok(answer) = context.peer(addr).get("/health").await
    {
        // Unhealthy is an answer too.
        let json: serde_json::Value = match answer.status {
            200 | 503 => serde_json::from_slice(&answer.body).context("the health answer is no JSON")?,
            _ => answer.json(addr)?,
        };
        context.out.answer(&of_running(&addr.to_string(), &json)?, &json);
        return Ok(exit::OK);
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
    let json = serde_json::json!({ "running": false, "partitions": json(&places, now) });
    context.out.answer(&format!("not running\n{}", table(&places, now)?), &json);
    Ok(exit::OK)
}

/// `tributary lag`: the same from log and projections alone, whoever runs.
pub(crate) async fn lag(context: &Context) -> anyhow::Result<u8> {
    match context.config.engines()? {
        Engines::Cluster(both) => of_cluster(*both, context).await,
        Engines::Embedded | Engines::Kafka(_) => run(context).await,
    }
}

async fn of_cluster((kafka, cql): (Kafka, Cql), context: &Context) -> anyhow::Result<u8> {
    let log = tokio::task::spawn_blocking(move || Log::connect(kafka)).await??;
    let first = Rows::Cql(ScyllaStore::connect(cql).await?);
    let (alias, _) = Alias::read(&first).await?;
    let places = run::places(&log, &first.of(alias.live)).await?;
    let now = context.clock.now();
    let json = serde_json::json!({ "generation": alias.live, "partitions": json(&places, now) });
    context.out.answer(&format!("generation {}\n{}", alias.live, table(&places, now)?), &json);
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

fn table(places: &[Place], now: Millis) -> anyhow::Result<String> {
    let mut text =
        String::from("partition  log end  emitted (E)  rows fast  rows slow  state (P)  lag events  lag s  owner\n");
    for place in places {
        let (p, end, emitted) = (place.partition.0, place.end.0, place.emitted.0);
        let (fast, slow, owner) = (place.fast.0, place.slow.0, place.owner.as_deref().unwrap_or("nobody"));
        let (events, seconds) = (behind(place), behind_ms(place, now) / 1_000);
        write!(text, "{p:>9}  {end:>7}  {emitted:>11}  {fast:>9}  {slow:>9}  {:>9}  ", place.committed.0)?;
        writeln!(text, "{events:>10}  {seconds:>5}  {owner}")?;
    }
    Ok(text.trim_end().to_owned())
}

fn json(places: &[Place], now: Millis) -> Vec<serde_json::Value> {
    let one = |place: &Place| {
        serde_json::json!({
            "partition": place.partition.0, "end": place.end.0, "emitted": place.emitted.0,
            "fast": place.fast.0, "slow": place.slow.0, "committed": place.committed.0,
            "lag_records": behind(place), "lag_ms": behind_ms(place, now), "owner": place.owner,
        })
    };
    places.iter().map(one).collect()
}

/// What a person wants to see of a server's health.
fn of_running(addr: &str, health: &serde_json::Value) -> anyhow::Result<String> {
    let mut text = format!(
        "{} at http://{addr}/\n",
        health.get("status").and_then(serde_json::Value::as_str).unwrap_or("running")
    );
    let list = |path: &str| health.pointer(path).and_then(serde_json::Value::as_array).into_iter().flatten();
    for warning in list("/warnings") {
        writeln!(text, "warning: {}", warning.as_str().unwrap_or_default())?;
    }
    for fault in list("/faults") {
        writeln!(text, "fault: {}", fault.as_str().map_or_else(|| fault.to_string(), str::to_owned))?;
    }
    writeln!(text, "partition  log end  rows fast  rows slow  lag events  lag ms")?;
    for place in list("/projections/partitions") {
        let number = |name: &str| place.get(name).and_then(serde_json::Value::as_i64);
        let of = |name: &str| number(name).map_or_else(|| "?".to_owned(), |number| number.to_string());
        let (p, end, fast, slow) = (of("partition"), of("log_end"), of("fast"), of("slow"));
        writeln!(text, "{p:>9}  {end:>7}  {fast:>9}  {slow:>9}  {:>10}  {:>6}", of("lag_records"), of("lag_ms"))?;
    }
    Ok(text.trim_end().to_owned())
}
