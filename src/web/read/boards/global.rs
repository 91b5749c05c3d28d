//! One board across all creators: members of every programme in one currency.
//!
//! No member can hold more than its whole creator, so creators are looked at from the greatest down, until none of the
//! rest could change the answer.

use std::cmp::Reverse;
use std::marker::PhantomData;
use std::sync::Arc;

use hyper::HeaderMap;
use serde::Serialize;

use super::{About, Asked, Board, Ranked};
use crate::append::Sink;
use crate::fold::boards::Metric;
use crate::ids::{Currency, Millis, Partition};
use crate::project::rows::CreatorRow;
use crate::project::tables::{self, Class};
use crate::store::{Bound, Col, Range, Store};
use crate::web::problem::Problem;
use crate::web::query::Query;
use crate::web::read::members::MemberHead;
use crate::web::read::{At, One, Rows, Stamp, as_of, meta, scan, seen};
use crate::web::reply::{self, Reply};
use crate::web::server::Shared;

/// What all creators can be compared by.
const METRICS: [&str; 4] = ["earnings", "revenue", "referrals", "customers"];
/// Members that are read for one answer; of a large programme, those of its top.
const READ_MAX: i64 = 65_536;
/// The most that the board of one creator costs of it.
const BOARD_MAX: i64 = 1_024;

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    about: About,
    /// False where creators were left out that might have changed it.
    exact: bool,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    /// 1 + members strictly ahead; equals share it.
    rank: usize,
    value: i64,
    reached_at: Stamp,
    creator_id: String,
    member: MemberHead,
}

/// A creator, and the most that one of its members can hold.
struct Candidate {
    p: Partition,
    id: String,
    row: CreatorRow,
    most: i128,
}

/// By whom, and the place.
type Found = (String, Ranked);

pub(in crate::web) async fn global_leaderboard<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    headers: &HeaderMap,
    query: &Query,
) -> Result<Reply, Problem> {
    let limit = query.limit(10, 100)?;
    let (metric, currency) = wanted(query)?;
    let partitions: Vec<Partition> = (0..shared.app.partitions).map(Partition).collect();
    let (seen, now) = (seen(shared, headers, &partitions, Class::Slow).await?, shared.app.clock.now());
    let wait_max = shared.limits.position_wait_max;
    let store = Rows::now(shared);
    let candidates = candidates(&*store, &partitions, (metric, currency)).await?;
    let (mut found, mut about, mut exact, mut left) = (Vec::<Found>::new(), None, true, READ_MAX);
    for one in candidates {
        // The least of those found stands at the end.
        let least = found.get(limit - 1).map(|(_, least)| i128::from(least.held.value));
        if least.is_some_and(|least| least > one.most) {
            break;
        }
        if left < 0 {
            exact = false;
            break;
        }
        left -= one.row.members.min(BOARD_MAX);
        let asked = Asked::new(&one.row, now, query)?;
        let as_of = as_of(&seen, &[one.p], Class::Slow, now);
        let at = At {
            store: store.clone(),
            id: one.id,
            p: one.p,
            row: one.row,
            now,
            as_of,
            seen: shared.seen.clone(),
            wait_max,
            _shared: PhantomData,
        };
        let (board, of_board) = Board::read(&at, asked).await?;
        let (members, _) = board.list(None, limit).await?;
        found.extend(members.into_iter().map(|member| (at.id.clone(), member)));
        found.sort_by_key(|(creator, one)| (Reverse(one.held.value), one.held.reached_at, creator.clone(), one.n));
        found.truncate(limit);
        about = Some(of_board.and(about));
    }
    let about = match about {
        Some(about) => about,
        None => Asked::parse(("UTC", currency.unwrap_or(Currency(*b"XXX"))), now, query)?.about(None),
    };
    let as_of = as_of(&seen, &partitions, Class::Slow, now);
    Ok(reply::json(&One { data: Answer { about, exact, entries: entries(&found) }, meta: meta(&as_of, None) }))
}

/// Money is compared in one currency, which must be named.
fn wanted(query: &Query) -> Result<(Metric, Option<Currency>), Problem> {
    let name = query.get("metric").unwrap_or("earnings");
    let metric = Metric::parse(name)
        .filter(|metric| METRICS.contains(&metric.name()))
        .ok_or_else(|| Problem::not_kept(format!("creators are not compared by `{name}`"), METRICS.to_vec()))?;
    let currency = query.get("currency").map(|text| {
        Currency::parse(text).ok_or_else(|| Problem::parameter("currency", "`currency` must be three capitals"))
    });
    let currency = currency.transpose()?;
    if metric.is_money() && currency.is_none() {
        return Err(Problem::parameter("currency", "money of several currencies is not compared: name one `currency`"));
    }
    Ok((metric, currency.filter(|_| metric.is_money())))
}

async fn candidates<S: Store>(
    store: &S,
    partitions: &[Partition],
    (metric, currency): (Metric, Option<Currency>),
) -> Result<Vec<Candidate>, Problem> {
    let mut found = Vec::new();
    for p in partitions {
        let (from, to) = (Bound::Unbounded, Bound::Unbounded);
        let range = Range { part: tables::creator_part(*p), from, to, reverse: false, limit: 0 };
        for row in scan(store, range, usize::MAX).await? {
            let (Some(bytes), Some(Col::Text(id))) = (row.value, row.key.cols.0.first()) else { continue };
            let row = CreatorRow::decode(&bytes)?;
            let most = most(metric, &row);
            if most > 0 && currency.is_none_or(|currency| row.currency == currency) {
                found.push(Candidate { p: *p, id: id.clone(), row, most });
            }
        }
    }
    found.sort_by_key(|one| (Reverse(one.most), one.id.clone()));
    Ok(found)
}

/// What was never taken back counts in full: it is an upper bound.
fn most(metric: Metric, row: &CreatorRow) -> i128 {
    let (counts, money) = (&row.totals.counts, row.totals.money_in(row.currency));
    match metric {
        Metric::Earnings => money.commission_earned,
        Metric::Revenue => money.revenue_gross,
        Metric::Referrals => counts.referrals.into(),
        Metric::Customers => counts.customers.into(),
        Metric::Clicks => counts.clicks_human.into(),
        Metric::Shares => counts.shares.into(),
    }
}

fn entries(found: &[Found]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::with_capacity(found.len());
    for (creator, one) in found {
        let tied = entries.last().filter(|last| last.value == one.held.value);
        entries.push(Entry {
            rank: tied.map_or(entries.len() + 1, |last| last.rank),
            value: one.held.value,
            reached_at: Stamp(Millis(one.held.reached_at)),
            creator_id: creator.clone(),
            member: MemberHead::new(&one.member),
        });
    }
    entries
}
