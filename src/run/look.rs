//! Long looks at the projections, one at a time, each on a thread of its own beside the workers.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};

use crate::consume::registry::Registry;
use crate::fold::fraud::{Malformed, RuleSet};
use crate::ids::{Next, Partition};
use crate::keep;
use crate::project::tables;
use crate::store::Doors;
use crate::telemetry::with_causes;
use crate::web::{Counted, GenerationSize, Line, Look, Looks, Role, Trial};
use crate::worker::backtest::{Asked, Backtest, Found, Report};
use crate::worker::verify::{Difference, Summary, Verify};
use crate::worker::{Schemas, scan};

use super::engine::{Log, Rows};
use super::generations::{Generations, Refused};
use super::{Error, LOOK_EVERY, rebuild};

/// Lines that may wait for their reader. Progress beyond it is left out.
const LINES_MAX: usize = 16;
/// How long the workers may take to write the rows of what is in the log when a comparison begins.
const CATCH_UP_MAX: Duration = Duration::from_secs(10);
/// Differences told; all are counted.
const TOLD_MAX: usize = 100;

/// What is looked at. Clones look at the same.
#[derive(Clone)]
pub(super) struct Sight {
    pub(super) log: Log,
    pub(super) generations: Generations,
    pub(super) registry: Option<Registry>,
    /// Scratch state is kept below it.
    pub(super) data_dir: PathBuf,
    pub(super) keep: keep::Limits,
    /// Whether there are workers.
    pub(super) working: Arc<AtomicBool>,
}

/// Whether somebody looks, and whether anybody may.
#[derive(Clone)]
pub(super) struct Turns {
    one: Arc<Semaphore>,
    over: Arc<watch::Sender<bool>>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { one: Arc::new(Semaphore::new(1)), over: Arc::default() }
    }

    /// Breaks off who looks, waits until it has let go of log and store, and lets nobody look again.
    pub(super) async fn end(&self) {
        self.over.send_replace(true);
        if let Ok(last) = self.one.acquire().await {
            last.forget();
        }
    }
}

pub(super) fn looks(sight: Sight, turns: Turns, runtime: tokio::runtime::Handle) -> Looks {
    Arc::new(move |look| {
        let turn = Arc::clone(&turns.one).try_acquire_owned().ok()?;
        let (lines, receiver) = mpsc::channel(LINES_MAX);
        let telling = Telling { lines: lines.clone(), over: turns.over.subscribe() };
        let (sight, runtime) = (sight.clone(), runtime.clone());
        let run = move || {
            crate::disk::stand_back();
            runtime.block_on(telling.tell(look, &sight));
            // Files are free for the next owner before the turn is over.
            drop(sight);
            drop(turn);
        };
        if let Err(error) = std::thread::Builder::new().name("look".to_owned()).spawn(run) {
            // The channel is empty, so there is room.
            drop(lines.try_send(Line::Failed { why: with_causes(&Error::Thread(error)) }));
        }
        Some(receiver)
    })
}

/// One look's way to its reader.
struct Telling {
    lines: mpsc::Sender<Line>,
    over: watch::Receiver<bool>,
}

impl Telling {
    async fn tell(&self, look: Look, sight: &Sight) {
        let told = match look {
            Look::Stats => self.count(sight).await,
            Look::Verify => self.verify(sight).await,
            Look::Backtest(trial) => self.backtest(sight, &trial).await,
            Look::Compare { generation } => match self.compare(sight, generation).await {
                Err(Refused::NotNow(why)) => Ok(vec![Line::Failed { why }]),
                Err(Refused::Failed(error)) => Err(error),
                Ok(lines) => Ok(lines),
            },
        };
        let told = told.unwrap_or_else(|error| vec![Line::Failed { why: with_causes(&error) }]);
        let mut over = self.over.clone();
        for line in told {
            tokio::select! {
                // Nobody waits for what is dropped: it is over, or the reader has gone.
                sent = self.lines.send(line) => if sent.is_err() { return },
                _ = over.wait_for(|over| *over) => return,
            }
        }
    }

    async fn count(&self, sight: &Sight) -> Result<Vec<Line>, Error> {
        let mut done = 0;
        let tables = sight.count(|rows| {
            done += rows;
            self.progress(done, 0)
        });
        let tables = tables.await?;
        let mut generations = Vec::new();
        for status in sight.generations.status().await?.generations {
            let (rows, bytes) = if status.role == Role::Live {
                (tables.iter().map(|one| one.rows).sum(), tables.iter().map(|one| one.bytes).sum())
            } else {
                sight.size(status.generation, |_| self.progress(0, 0)).await?
            };
            generations.push(GenerationSize { status, rows, bytes });
        }
        Ok(vec![Line::Counted { tables, generations }])
    }

    async fn compare(&self, sight: &Sight, generation: u32) -> Result<Vec<Line>, Refused> {
        let mut told = Vec::new();
        let report = |difference| {
            if told.len() < TOLD_MAX {
                told.push(line(difference));
            }
        };
        let mut done = 0;
        let progress = |rows| {
            done += rows;
            self.progress(done, 0)
        };
        let sum = rebuild::compare(&sight.generations, generation, report, progress).await?;
        told.push(Line::Compared { differences: sum.differences, rows: sum.rows, newer: sum.newer });
        Ok(told)
    }

    async fn verify(&self, sight: &Sight) -> Result<Vec<Line>, Error> {
        let ends = sight.ends();
        self.await_rows(sight, &ends).await?;
        let of = ends.iter().map(|(_, end)| end.0).sum();
        let mut told = Vec::new();
        let report = |difference| {
            if told.len() < TOLD_MAX {
                told.push(line(difference));
            }
        };
        let progress = |p: Partition, next: Next| {
            let before: u64 = ends.iter().take_while(|(other, _)| *other < p).map(|(_, end)| end.0).sum();
            self.progress(before + next.0, of)
        };
        let Summary { events, rows, differences } = sight.verify(report, progress).await?;
        told.push(Line::Verified { differences, rows, events });
        Ok(told)
    }

    async fn backtest(&self, sight: &Sight, trial: &Trial) -> Result<Vec<Line>, Error> {
        let asked = match asked(trial) {
            Ok(asked) => asked,
            Err(error) => return Ok(vec![Line::Failed { why: error.to_string() }]),
        };
        let ends = sight.ends();
        let of = ends.iter().map(|(_, end)| end.0).sum();
        let progress = |p: Partition, next: Next| {
            let before: u64 = ends.iter().take_while(|(other, _)| *other < p).map(|(_, end)| end.0).sum();
            self.progress(before + next.0, of)
        };
        let report = sight.backtest(&asked, progress).await?;
        let report = serde_json::to_value(report).expect("texts and numbers are JSON");
        Ok(vec![Line::Backtested { report }])
    }

    /// What has just been sent in is compared too, unless the workers are far behind.
    async fn await_rows(&self, sight: &Sight, ends: &[(Partition, Next)]) -> Result<(), Error> {
        let mut looks = CATCH_UP_MAX.as_millis() / LOOK_EVERY.as_millis();
        let progress = sight.generations.progress();
        while looks > 0 && sight.working.load(Ordering::Relaxed) && !progress.reached(ends) {
            if self.progress(0, 0).is_break() {
                return Err(crate::worker::Error::Stopped.into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
            looks -= 1;
        }
        Ok(())
    }

    fn progress(&self, done: u64, of: u64) -> ControlFlow<()> {
        if *self.over.borrow() || self.lines.is_closed() {
            return ControlFlow::Break(());
        }
        // Another comes soon.
        drop(self.lines.try_send(Line::Progress { done, of }));
        ControlFlow::Continue(())
    }
}

pub(super) fn asked(trial: &Trial) -> Result<Asked, Malformed> {
    let Trial { rules, from, to, creator, members } = trial;
    let rules = RuleSet::parse_named(rules.clone())?;
    Ok(Asked { rules, from: *from, to: *to, creator: creator.clone(), top: usize::from(*members) })
}

fn line(difference: Difference) -> Line {
    let Difference { partition, table, key, what } = difference;
    Line::Difference { table: table.to_owned(), partition: partition.0, key, what }
}

impl Sight {
    /// The ends of the log, now; none where it does not answer.
    pub(super) fn ends(&self) -> Vec<(Partition, Next)> {
        self.log.known_ends()
    }

    /// Compares every stored row with the log, until `progress` breaks it off.
    pub(super) async fn verify(
        &self,
        mut report: impl FnMut(Difference),
        mut progress: impl FnMut(Partition, Next) -> ControlFlow<()>,
    ) -> Result<Summary, Error> {
        let mut sum = Summary::default();
        // Live when it begins; a switch meanwhile changes nothing of it.
        let live = self.generations.now().store.clone();
        let schemas = Schemas::new(self.registry.clone(), self.generations.0.parts.clock.clone());
        for p in (0..self.log.topic().partitions).map(Partition) {
            let verify = Verify {
                source: self.log.reader()?,
                store: &live,
                schemas: schemas.clone(),
                scratch: &self.data_dir,
                limits: self.keep.clone(),
            };
            let part = verify.run(p, &mut report, |next| progress(p, next)).await?;
            sum.events += part.events;
            sum.rows += part.rows;
            sum.differences += part.differences;
        }
        Ok(sum)
    }

    /// Folds the log twice, as it is and by other rules, until `progress` breaks it off.
    pub(super) async fn backtest(
        &self,
        asked: &Asked,
        mut progress: impl FnMut(Partition, Next) -> ControlFlow<()>,
    ) -> Result<Report, Error> {
        let mut found = Found::default();
        let parts = &self.generations.0.parts;
        let schemas = Schemas::new(self.registry.clone(), parts.clock.clone());
        for p in (0..self.log.topic().partitions).map(Partition) {
            let backtest = Backtest {
                source: self.log.reader()?,
                schemas: schemas.clone(),
                bots: parts.bots.clone(),
                asked,
                scratch: &self.data_dir,
                limits: self.keep.clone(),
            };
            backtest.run(p, &mut found, |next| progress(p, next)).await?;
        }
        Ok(found.report(asked))
    }

    /// Counts every row, until `progress`, which gets the rows of a page, breaks it off.
    async fn count(&self, progress: impl FnMut(u64) -> ControlFlow<()>) -> Result<Vec<Counted>, Error> {
        let live = self.generations.now().store.clone();
        self.count_of(&live, progress).await
    }

    /// Rows of a generation, and bytes of their values.
    async fn size(&self, generation: u32, progress: impl FnMut(u64) -> ControlFlow<()>) -> Result<(u64, u64), Error> {
        let counted = self.count_of(&self.generations.0.parts.store.of(generation), progress).await?;
        Ok((counted.iter().map(|one| one.rows).sum(), counted.iter().map(|one| one.bytes).sum()))
    }

    async fn count_of(
        &self,
        store: &Rows,
        mut progress: impl FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Vec<Counted>, Error> {
        let none = |table: &tables::Table| Counted { table: table.name.to_owned(), rows: 0, bytes: 0 };
        let mut counted: Vec<Counted> = tables::ALL.iter().map(none).collect();
        for p in (0..self.log.topic().partitions).map(Partition) {
            let months = scan::months(store, p).await?;
            for (table, sum) in tables::ALL.into_iter().zip(&mut counted) {
                let take = |page: Vec<crate::store::Row>| {
                    let rows = count_of(page.len());
                    sum.rows += rows;
                    sum.bytes += page.iter().flat_map(|row| &row.value).map(|value| count_of(value.len())).sum::<u64>();
                    progress(rows)
                };
                if scan::each(store, table, p, months.clone(), take).await?.is_break() {
                    return Err(crate::worker::Error::Stopped.into());
                }
            }
        }
        Ok(counted)
    }
}

fn count_of(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
