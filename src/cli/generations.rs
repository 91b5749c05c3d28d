//! `tributary projections rebuild|switch|rollback|drop`: through the server that holds the folder, or in this process.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;

use super::{Context, exit};
use crate::run::{Engines, Program};
use crate::web::client::Peer;
use crate::web::{Ask, GenerationStatus, Generations, Refusal, Role, State, Status};

/// How often a rebuild is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub(crate) struct Rebuild {
    /// At most so many events a second, until it has caught up; 0: as many as it can [default: `worker.rebuild_events_per_s`].
    #[arg(long, value_name = "EVENTS_A_SECOND")]
    rate: Option<u32>,
    /// Drop the generation in the making instead.
    #[arg(long, conflicts_with_all = ["rate", "switch", "force", "from_nothing"])]
    cancel: bool,
    /// Switch to it at once when it is the same, or when the live one follows the log no more.
    #[arg(long)]
    switch: bool,
    /// Switch to it even if it differs.
    #[arg(long, requires = "switch")]
    force: bool,
    /// Throw all rows and state away first: for damaged files. Nothing can be asked meanwhile, and no server may run.
    #[arg(long, conflicts_with_all = ["rate", "switch"])]
    from_nothing: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Turn {
    /// Even if it was not compared, differs, or follows the log no more.
    #[arg(long)]
    force: bool,
}

/// Where the generations are looked after.
enum Door {
    Server(Peer),
    Own { engine: Box<Program>, generations: Generations },
}

impl Door {
    async fn open(context: &Context) -> anyhow::Result<Self> {
        if let Some(server) = context.server().await {
            return Ok(Self::Server(server));
        }
        let mut engine = context.program().await?;
        engine.begin()?;
        Ok(Self::Own { generations: engine.generations(), engine: Box::new(engine) })
    }

    async fn ask(&self, ask: Ask) -> anyhow::Result<Status> {
        let server = match self {
            Self::Server(server) => server,
            Self::Own { generations, .. } => {
                return generations(ask).await.map_err(|refusal| match refusal {
                    Refusal::NotNow(why) | Refusal::Failed(why) => anyhow::anyhow!(why),
                });
            }
        };
        let answer = match ask.body() {
            None => server.get(ask.path()).await?,
            Some(body) => server.post(ask.path(), body.into()).await?,
        };
        if answer.status != 200 {
            let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let detail = problem.get("detail").and_then(serde_json::Value::as_str);
            anyhow::bail!(detail.unwrap_or("the server refused and did not say why").to_owned());
        }
        serde_json::from_slice(&answer.body).context("the server's answer is no JSON of this version")
    }

    /// Workers elsewhere may not have begun yet.
    fn is_of_many(&self) -> bool {
        match self {
            Self::Server(_) => false,
            Self::Own { engine, .. } => engine.is_shared(),
        }
    }

    async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Own { engine, generations } => {
                drop(generations);
                Ok(engine.stop().await?)
            }
        }
    }
}

pub(crate) async fn rebuild(args: Rebuild, context: &Context) -> anyhow::Result<u8> {
    if args.from_nothing {
        return from_nothing(context).await;
    }
    let door = Door::open(context).await?;
    let outcome =
        if args.cancel { change(&door, Ask::Cancel, context).await } else { make(&door, &args, context).await };
    let closed = door.close().await;
    let code = outcome?;
    closed?;
    Ok(code)
}

pub(crate) async fn switch(args: &Turn, context: &Context) -> anyhow::Result<u8> {
    let door = Door::open(context).await?;
    if matches!(door, Door::Own { .. }) && !args.force {
        // This process has only just begun with it: it was ready when the last one ended, and will soon be again.
        ready(&door, context).await?;
    }
    let outcome = change(&door, Ask::Switch { force: args.force }, context).await;
    door.close().await?;
    outcome
}

pub(crate) async fn rollback(args: &Turn, context: &Context) -> anyhow::Result<u8> {
    one(Ask::Rollback { force: args.force }, context).await
}

pub(crate) async fn drop_former(context: &Context) -> anyhow::Result<u8> {
    one(Ask::Drop, context).await
}

async fn one(ask: Ask, context: &Context) -> anyhow::Result<u8> {
    let door = Door::open(context).await?;
    if let Door::Own { engine, .. } = &door
        && !engine.is_shared()
    {
        // Its workers have only just begun. Where they cannot, the answer says so.
        drop(engine.caught_up().await);
    }
    let outcome = change(&door, ask, context).await;
    door.close().await?;
    outcome
}

async fn change(door: &Door, ask: Ask, context: &Context) -> anyhow::Result<u8> {
    let status = door.ask(ask).await?;
    context.out.answer(&text(&status), &serde_json::to_value(&status)?);
    Ok(exit::OK)
}

/// From the beginning, or on from where another process left it, until it can be switched to.
async fn make(door: &Door, args: &Rebuild, context: &Context) -> anyhow::Result<u8> {
    let status = door.ask(Ask::Status).await?;
    match building(&status) {
        Some(one) => context.out.note(&format!("going on with generation {}", one.generation)),
        None => drop(door.ask(Ask::Rebuild { rate: args.rate }).await?),
    }
    let made = ready(door, context).await?;
    let found = made.differences.unwrap_or_default();
    let status = door.ask(Ask::Status).await?;
    // Rows of another meaning of the events are expected to differ.
    let is_expected = status.generations.iter().any(|one| one.role == Role::Live && one.state == State::Frozen);
    let may_switch = found == 0 || is_expected || args.force;
    let mut said = format!("generation {} has caught up with {} events", made.generation, made.position);
    write!(said, "; {}", told_of(&made))?;
    let mut live = status.live;
    if args.switch && may_switch {
        live = door.ask(Ask::Switch { force: args.force }).await?.live;
        write!(said, "\ngeneration {live} is live; `tributary projections rollback` goes back")?;
    } else if may_switch {
        write!(said, "\n`tributary projections switch` makes it live")?;
    } else {
        write!(said, "\n`tributary projections verify --generation {}` tells them", made.generation)?;
    }
    let json = serde_json::json!({
        "generation": made.generation, "events": made.position, "differences": found, "live": live,
        "tables": made.compared, "rows_written": made.rows_written,
    });
    context.out.answer(&said, &json);
    Ok(if found == 0 || is_expected { exit::OK } else { exit::DIFFERENCES })
}

fn told_of(made: &GenerationStatus) -> String {
    let mut told = format!("{} differences from the live one", made.differences.unwrap_or_default());
    for one in made.compared.iter().filter(|one| one.differences > 0) {
        told.push_str(&format!("\n  {}: {} of {} rows differ", one.table, one.differences, one.rows));
    }
    let newer: u64 = made.compared.iter().map(|one| one.newer).sum();
    if newer > 0 {
        told.push_str(&format!("\n  {newer} rows changed after the live one stopped and were not compared"));
    }
    told
}

/// Waits, with a progress bar, until the one in the making has caught up and was compared.
async fn ready(door: &Door, context: &Context) -> anyhow::Result<GenerationStatus> {
    let bar = context.out.bar(Some(0), "{bar:40} {human_pos} of {human_len} events, {msg}, {eta} left");
    loop {
        let status = door.ask(Ask::Status).await?;
        let made =
            building(&status).context("no generation is in the making; `tributary projections rebuild` begins one")?;
        bar.set_length(made.log_end);
        bar.set_position(made.position);
        match made.state {
            State::Ready => {
                bar.finish_and_clear();
                return Ok(made.clone());
            }
            State::Idle if door.is_of_many() => bar.set_message("waiting for a worker"),
            State::Halted | State::Frozen | State::Idle => {
                anyhow::bail!(made.why.clone().unwrap_or_else(|| "its workers have stopped".to_owned()))
            }
            State::Followed if made.why.is_some() && !door.is_of_many() => {
                anyhow::bail!("it could not be compared: {}", made.why.clone().unwrap_or_default())
            }
            State::Comparing => bar.set_message("comparing"),
            State::Followed | State::CatchingUp => bar.set_message(format!("{} rows written", made.rows_written)),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn building(status: &Status) -> Option<&GenerationStatus> {
    status.generations.iter().find(|one| one.role == Role::Building)
}

/// Of all generations, for a person.
pub(crate) fn text(status: &Status) -> String {
    let mut text = String::from("generation  role      state        position    log end\n");
    for one in &status.generations {
        let (role, state) = (word(&one.role), word(&one.state));
        let line = format!("{:>10}  {role:<8}  {state:<11}  {:>8}  {:>9}\n", one.generation, one.position, one.log_end);
        text.push_str(&line);
        if let Some(why) = &one.why {
            text.push_str(&format!("            {why}\n"));
        }
    }
    text
}

/// As it is written in JSON.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().replace('_', " ")
}

async fn from_nothing(context: &Context) -> anyhow::Result<u8> {
    let engines = context.config.engines()?;
    anyhow::ensure!(
        matches!(engines, Engines::Embedded),
        "--from-nothing is for log and projections in one folder: without it a new generation is made beside the live one, whatever state that is in"
    );
    let options = context.config.options()?;
    Program::forget_projections(&options)?;
    let mut engine = Program::open(options, context.clock.clone()).await?;
    let events: u64 = engine.ends().iter().map(|(_, end)| end.0).sum();
    engine.start()?;
    engine.caught_up().await?;
    engine.stop().await?;
    let text = format!("made all rows again from {events} events");
    context.out.answer(&text, &serde_json::json!({ "events": events }));
    Ok(exit::OK)
}
