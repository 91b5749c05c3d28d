//! Retention: of those who joined in a month, how many were active how many months later.

use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::{Rate, rate};
use super::{At, One};
use crate::fold::activity::JOINED;
use crate::fold::calendar::month_of;
use crate::project::lists::CountRow;
use crate::project::tables;
use crate::store::{Bound, Col, Cols, Range, Store};
use crate::web::calendar::Zone;
use crate::web::problem::Problem;
use crate::web::query::Query;
use crate::web::reply::{self, Reply};

/// Rows of all cohorts: fifty years of months.
const ROWS_MAX: usize = 200_000;

#[derive(Serialize)]
struct Cohorts {
    time_zone: String,
    /// By month of joining, the oldest first.
    cohorts: Vec<Cohort>,
}

#[derive(Serialize)]
struct Cohort {
    /// On the creator's calendar: `2026-01`.
    joined_in: String,
    members: i64,
    /// From the month of joining itself, at age 0, to the current one.
    ages: Vec<Age>,
}

#[derive(Serialize)]
struct Age {
    age: i64,
    active: i64,
    /// Part of all who joined that month.
    retention: Option<Rate>,
}

pub(in crate::web) async fn cohorts<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    let months = query.limit(12, 120)?;
    let now = i64::from(month_of(Zone::of_creator(&at.row.time_zone).day(at.row.clock)));
    let from = now + 1 - i64::try_from(months).unwrap_or(i64::MAX);
    let mut joined: BTreeMap<i64, BTreeMap<i64, i64>> = BTreeMap::new();
    let col = |month: i64| Cols(vec![Col::Text(at.id.clone()), Col::Int(month)]);
    let range = Range {
        part: tables::cohort(at.p, &at.id, from, 0).part,
        from: Bound::Included(col(from)),
        to: Bound::Included(col(now)),
        reverse: false,
        limit: 0,
    };
    for row in at.scan(range, ROWS_MAX).await? {
        let (Some(bytes), [_, Col::Int(month), Col::Int(age)]) = (&row.value, row.key.cols.0.as_slice()) else {
            continue;
        };
        joined.entry(*month).or_default().insert(*age, CountRow::decode(bytes)?.members);
    }
    let cohorts = joined.into_iter().map(|(month, ages)| cohort(month, &ages, now)).filter(|cohort| cohort.members > 0);
    let data = Cohorts { time_zone: at.row.time_zone.clone(), cohorts: cohorts.collect() };
    Ok(reply::json(&One { data, meta: at.meta() }))
}

fn cohort(month: i64, ages: &BTreeMap<i64, i64>, now: i64) -> Cohort {
    let members = ages.get(&i64::from(JOINED)).copied().unwrap_or_default();
    let age = |age: i64| {
        let active = ages.get(&age).copied().unwrap_or_default();
        Age { age, active, retention: rate(active.into(), members.into()) }
    };
    let joined_in = format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1);
    Cohort { joined_in, members, ages: (0..=now - month).map(age).collect() }
}
