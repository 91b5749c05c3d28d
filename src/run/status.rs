//! How the generations are, and the door through which they are asked to change.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Error;
use super::generations::{Generations, Refused};
use crate::ids::{Next, Partition};
use crate::project::rows::AppliedRow;
use crate::project::tables;
use crate::store::alias::{Alias, Building};
use crate::store::{Doors, Store};
use crate::telemetry::{GENERATION_LIVE, LAG_RECORDS, REBUILD_LAG_RECORDS, REBUILD_POSITION, with_causes};
use crate::web::{self, Ask, GenerationStatus, PartitionPosition, Refusal, Role, State, Status, TableCompared};

/// Who reads the metrics does not wait longer for rows.
const PUBLISH_MAX: Duration = Duration::from_secs(1);

/// What is asked goes on even when nobody waits for it any more.
pub(super) fn door(generations: Generations) -> web::Generations {
    Arc::new(move |ask| {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let asked = generations.clone();
        generations.spawn(async move {
            // Nobody may be there to hear it.
            drop(reply.send(answer_to(&asked, ask).await));
        });
        Box::pin(async move {
            answer.await.unwrap_or_else(|_| Err(Refusal::NotNow("it is ending; ask again once it runs".to_owned())))
        })
    })
}

async fn answer_to(generations: &Generations, ask: Ask) -> Result<Status, Refusal> {
    let done = match ask {
        Ask::Status => Ok(()),
        Ask::Rebuild { rate } => {
            let usual = generations.0.parts.options.rebuild_events_per_s;
            generations.rebuild(rate.unwrap_or(usual)).await
        }
        Ask::Cancel => generations.cancel().await,
        Ask::Switch { force } => generations.switch(force).await,
        Ask::Rollback { force } => generations.rollback(force).await,
        Ask::Drop => generations.drop_former().await,
    };
    let refused = |refused| match refused {
        Refused::NotNow(why) => Refusal::NotNow(why),
        Refused::Failed(error) => Refusal::Failed(with_causes(&error)),
    };
    done.map_err(refused)?;
    generations.status().await.map_err(|error| Refusal::Failed(with_causes(&error)))
}

impl Generations {
    /// How all of them are.
    pub(super) async fn status(&self) -> Result<Status, Error> {
        let (alias, _) = Alias::read(&self.0.parts.store).await?;
        let mut generations = vec![self.status_of(alias.live, Role::Live, None).await?];
        if let Some(former) = alias.former {
            generations.push(self.status_of(former, Role::Former, None).await?);
        }
        if let Some(building) = alias.building {
            generations.push(self.status_of(building.number, Role::Building, Some(building)).await?);
        }
        Ok(Status { live: alias.live, generations })
    }

    async fn status_of(&self, number: u32, role: Role, building: Option<Building>) -> Result<GenerationStatus, Error> {
        let partitions = self.positions(number).await?;
        let sum = |of: fn(&PartitionPosition) -> u64| partitions.iter().map(of).sum::<u64>();
        let (position, log_end) = (sum(|p| p.position), sum(|p| p.log_end));
        let progress = self.progress_of(number);
        let written = progress.iter().flat_map(|progress| progress.iter().map(|(_, p)| &p.rows_written));
        let rows_written = written.map(|rows| rows.load(Ordering::Relaxed)).sum();
        let mut state = self.state_of(number, building);
        if state == State::Idle && !partitions.is_empty() && self.is_followed(number).await {
            state = self.elsewhere(building, position >= log_end);
        }
        // Nothing is to be done about a former one of another fold.
        let is_of_old = role == Role::Former && state == State::Frozen;
        let mut status = GenerationStatus {
            generation: number,
            role,
            state,
            why: progress.and_then(|progress| progress.halted()).filter(|_| !is_of_old),
            position,
            log_end,
            rows_written,
            rate: self.rate_of(number).events_per_s(),
            eta_ms: None,
            differences: building.and_then(|building| building.differences),
            compared: Vec::new(),
            partitions,
        };
        if building.is_some() {
            let now = self.0.parts.clock.monotonic();
            let mut made = self.made();
            if state == State::CatchingUp {
                status.eta_ms = made.eta_ms(now, position, log_end);
            }
            status.why = status.why.or_else(|| made.why.clone());
            status.compared = made.compared.iter().map(|(table, sum)| compared(table, sum)).collect();
        }
        Ok(status)
    }

    fn state_of(&self, number: u32, building: Option<Building>) -> State {
        if self.is_other_fold(number) {
            return State::Frozen;
        }
        let Some(progress) = self.progress_of(number) else { return State::Idle };
        if progress.halted().is_some() || !self.is_running(number) {
            return State::Halted;
        }
        let Some(building) = building else { return State::Followed };
        let made = self.made();
        match (made.has_caught_up, made.is_comparing) {
            (false, _) => State::CatchingUp,
            (true, true) => State::Comparing,
            (true, false) if building.differences.is_some() => State::Ready,
            (true, false) if made.why.is_some() => State::Followed,
            (true, false) => State::Comparing,
        }
    }

    /// Of one that other processes fold.
    fn elsewhere(&self, building: Option<Building>, has_all: bool) -> State {
        match building {
            None => State::Followed,
            Some(building) if building.differences.is_some() => State::Ready,
            Some(_) if has_all || self.made().has_caught_up => State::Comparing,
            Some(_) => State::CatchingUp,
        }
    }

    /// Sets the gauges of the live generation and of the one in the making, as their rows say how far they are: also where
    /// other processes fold them. Rows that cannot be asked now leave the gauges as they were.
    pub(super) async fn publish(&self) {
        metrics::gauge!(GENERATION_LIVE).set(f64::from(self.now().number));
        if let Ok(Err(error)) = tokio::time::timeout(PUBLISH_MAX, self.publish_positions()).await {
            tracing::debug!(error = %with_causes(&error), "how far generations are is not known now");
        }
    }

    async fn publish_positions(&self) -> Result<(), Error> {
        let gauge = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let behind = |place: &PartitionPosition| gauge(place.log_end.saturating_sub(place.position));
        let (alias, _) = Alias::read(&self.0.parts.store).await?;
        let live = self.positions(alias.live).await?;
        let building = match alias.building {
            Some(building) => self.positions(building.number).await?,
            // Nothing is behind.
            None => live.iter().map(|place| PartitionPosition { position: place.log_end, ..*place }).collect(),
        };
        for place in live {
            metrics::gauge!(LAG_RECORDS, "partition" => place.partition.to_string()).set(behind(&place));
        }
        for place in building {
            let partition = place.partition.to_string();
            metrics::gauge!(REBUILD_POSITION, "partition" => partition.clone()).set(gauge(place.position));
            metrics::gauge!(REBUILD_LAG_RECORDS, "partition" => partition).set(behind(&place));
        }
        Ok(())
    }

    pub(super) async fn positions(&self, generation: u32) -> Result<Vec<PartitionPosition>, Error> {
        let store = self.0.parts.store.of(generation);
        let ends = self.0.parts.ends();
        let keys: Vec<_> = ends.iter().map(|(p, _)| tables::applied(*p)).collect();
        let rows = store.get(&keys).await?;
        let position = |(p, end): (Partition, Next), row: Option<crate::store::Row>| {
            let applied = row.and_then(|row| AppliedRow::decode(row.value.as_deref()?).ok());
            let position = applied.map_or(0, |applied| applied.fast.min(applied.slow).0);
            PartitionPosition { partition: p.0, position, log_end: end.0 }
        };
        Ok(ends.into_iter().zip(rows).map(|(place, row)| position(place, row)).collect())
    }
}

fn compared(table: &str, sum: &crate::worker::compare::Compared) -> TableCompared {
    TableCompared { table: table.to_owned(), rows: sum.rows, differences: sum.differences, newer: sum.newer }
}
