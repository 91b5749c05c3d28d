//! `tributary status`: from the files, or from the process that holds them.

use std::fmt::Write as _;

use anyhow::Context as _;

use super::{Context, exit};
use crate::run::{self, Program};

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
    let dir = &context.config.data_dir;
    anyhow::ensure!(dir.exists(), "there is no data folder {}: `--data-dir` names another", dir.display());
    let engine = Program::open(context.config.options()?, context.clock.clone()).await?;
    let mut text = String::from("not running\npartition  log end  emitted (E)  rows fast  rows slow\n");
    let mut partitions = Vec::new();
    for place in engine.places().await? {
        let (p, end, emitted) = (place.partition.0, place.end.0, place.emitted.0);
        writeln!(text, "{p:>9}  {end:>7}  {emitted:>11}  {:>9}  {:>9}", place.fast.0, place.slow.0)?;
        partitions.push(serde_json::json!({
            "partition": p, "end": end, "emitted": emitted, "fast": place.fast.0, "slow": place.slow.0,
        }));
    }
    context.out.answer(&text, &serde_json::json!({ "running": false, "partitions": partitions }));
    Ok(exit::OK)
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
