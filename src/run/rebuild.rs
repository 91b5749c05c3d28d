//! A generation in the making, from its first event until it can be switched to: it catches up at its rate, then
//! follows the log, and is compared with the live one.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::generations::{Generations, Refused};
use super::meeting::Meeting;
use crate::ids::{Next, Partition};
use crate::store::Doors;
use crate::store::alias::Alias;
use crate::telemetry::with_causes;
use crate::worker;
use crate::worker::compare::{Compare, Compared};
use crate::worker::verify::Difference;

/// It has caught up when it has what was in the log so long ago.
const BEHIND_MAX: Duration = Duration::from_secs(3);
/// What could not be compared is tried again after this.
const COMPARE_AGAIN: Duration = Duration::from_secs(30);

/// What is known of the generation in the making.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// None when none is in the making; when somebody first asked how long it will take, and how far it was then.
    pub(super) number: Option<u32>,
    since: Duration,
    from: Option<u64>,
    pub(super) has_caught_up: bool,
    pub(super) is_comparing: bool,
    /// By table.
    pub(super) compared: Vec<(&'static str, Compared)>,
    /// Why it is not compared.
    pub(super) why: Option<String>,
}

impl Made {
    pub(super) fn begin(&mut self, number: u32) {
        *self = Self { number: Some(number), ..Self::default() };
    }

    /// How long it will take to `end`, going on as since the first time this was asked.
    pub(super) fn eta_ms(&mut self, now: Duration, position: u64, end: u64) -> Option<u64> {
        let Some(from) = self.from else {
            (self.since, self.from) = (now, Some(position));
            return None;
        };
        let done = u128::from(position.checked_sub(from)?);
        let left = u128::from(end.saturating_sub(position));
        let took = now.saturating_sub(self.since).as_millis();
        u64::try_from((left * took).checked_div(done)?).ok()
    }
}

/// Until it can be switched to. Every process sees when that is; the one that folds its first partition compares it.
pub(super) async fn follow(generations: Generations, number: u32) {
    if !catch_up(&generations, number).await {
        return;
    }
    generations.rate_of(number).lift();
    generations.know(number, |made| made.has_caught_up = true);
    tracing::info!(generation = number, "the generation in the making has caught up");
    while generations.made().number == Some(number) {
        let owner = generations.progress_of(number).filter(|one| one.halted().is_none());
        let is_ours = owner.is_some_and(|one| one.of(Partition(0)).is_some_and(|p| p.is_owned.load(Ordering::Acquire)));
        if is_ours {
            match Alias::read(&generations.0.parts.store).await {
                Ok((alias, _)) => match alias.building.filter(|building| building.number == number) {
                    Some(building) if building.differences.is_none() => {
                        if compare_beside(&generations, number).await {
                            return;
                        }
                        tokio::time::sleep(COMPARE_AGAIN).await;
                    }
                    Some(_) | None => return,
                },
                Err(error) => tracing::warn!(error = %with_causes(&error), "not compared yet, trying again"),
            }
        }
        tokio::time::sleep(generations.look_every()).await;
    }
}

/// `false`: it was dropped, or its workers stopped.
async fn catch_up(generations: &Generations, number: u32) -> bool {
    let (clock, every) = (&generations.0.parts.clock, generations.look_every());
    let (mut ends, mut since) = (Vec::new(), clock.monotonic());
    while generations.made().number == Some(number) {
        if ends.is_empty() {
            (ends, since) = (generations.0.parts.ends(), clock.monotonic());
        }
        let progress = generations.progress_of(number);
        if let Some(why) = progress.and_then(|progress| progress.halted()) {
            generations.know(number, |made| made.why = Some(why));
            return false;
        }
        let positions = generations.positions(number).await.unwrap_or_default();
        let has =
            |(p, end): &(Partition, Next)| positions.iter().any(|one| one.partition == p.0 && one.position >= end.0);
        if !ends.is_empty() && ends.iter().all(has) {
            if clock.monotonic().saturating_sub(since) < BEHIND_MAX {
                return true;
            }
            ends.clear();
            continue;
        }
        tokio::time::sleep(every).await;
    }
    false
}

/// `false`: it could not be done.
async fn compare_beside(generations: &Generations, number: u32) -> bool {
    generations.know(number, |made| made.is_comparing = true);
    let why = match compare(generations, number, |_| {}, |_| ControlFlow::Continue(())).await {
        Ok(sum) => {
            let Compared { rows, differences, .. } = sum;
            tracing::info!(generation = number, rows, differences, "compared with the live generation");
            None
        }
        Err(Refused::NotNow(why)) => Some(why),
        Err(Refused::Failed(error)) => Some(with_causes(&error)),
    };
    let is_done = why.is_none();
    generations.know(number, |made| {
        made.is_comparing = false;
        made.why = why;
    });
    is_done
}

/// Compares generation `number` with the live one; what was found is kept where that one is in the making.
pub(super) async fn compare(
    generations: &Generations,
    number: u32,
    mut report: impl FnMut(Difference) + Send,
    mut progress: impl FnMut(u64) -> ControlFlow<()> + Send,
) -> Result<Compared, Refused> {
    let parts = &generations.0.parts;
    let (alias, _) = Alias::read(&parts.store).await?;
    if number == alias.live || !alias.all().contains(&number) {
        let others: Vec<String> =
            alias.all().iter().filter(|one| **one != alias.live).map(ToString::to_string).collect();
        let others = match others.as_slice() {
            [] => "there is no other".to_owned(),
            others => format!("there is {}", others.join(", ")),
        };
        return Err(Refused::NotNow(format!(
            "generation {number} cannot be compared with the live one, which is {}: {others}",
            alias.live
        )));
    }
    let (live, other) = (parts.store.of(alias.live), parts.store.of(number));
    let is_live_frozen = !generations.is_followed(alias.live).await;
    let comparing = Compare { live: &live, other: &other, is_live_frozen };
    let both = [alias.live, number];
    let meet = || -> Pin<Box<dyn Future<Output = Result<Meeting<'_>, worker::Error>> + Send + '_>> {
        Box::pin(async {
            for one in both.into_iter().filter(|_| !is_live_frozen) {
                if !generations.is_followed(one).await {
                    return Err(worker::Error::NotMet { why: format!("the workers of generation {one} stopped") });
                }
            }
            generations.meet(both).await.map_err(not_met)
        })
    };
    let tables = comparing.run(parts.partitions(), &meet, &mut report, &mut progress).await?;
    let mut sum = Compared::default();
    tables.iter().for_each(|(_, one)| sum.add(*one));
    let is_made = |alias: &Alias| alias.building.is_some_and(|building| building.number == number);
    let keep = |alias: &mut Alias| {
        if let Some(building) = &mut alias.building {
            building.differences = Some(sum.differences);
        }
    };
    if is_made(&alias) {
        Alias::change(&parts.store, is_made, keep).await?;
        generations.know(number, |made| (made.compared, made.why) = (tables, None));
    }
    Ok(sum)
}

fn not_met(refused: Refused) -> worker::Error {
    let why = match refused {
        Refused::NotNow(why) => why,
        Refused::Failed(error) => with_causes(&error),
    };
    worker::Error::NotMet { why }
}
