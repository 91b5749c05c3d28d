//! Members: one, many at once, and all in an order.

use hyper::HeaderMap;
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};

use super::boards::{Asked, Board, after, next};
use super::figures::Figures;
use super::rank::{Standing, by_earnings};
use super::{At, One, Page, Stamp};
use crate::fold::boards::{Metric, SMALL};
use crate::ids::{Currency, ID_BYTES_MAX};
use crate::project::rows::{MemberRow, NameRow};
use crate::project::tables::{self, NameKind};
use crate::store::{Bound, Col, Cols, Range, Row, Store};
use crate::web::Limits;
use crate::web::calendar::Zone;
use crate::web::events::read_json;
use crate::web::problem::{Kind, Problem};
use crate::web::query::{Query, cursor, malformed_cursor, read_cursor};
use crate::web::reply::{self, Reply};

/// Most ids asked for at once.
const IDS_MAX: usize = 1_000;
/// Most members that are read to put them in order: about 100 ms.
const ORDERED_MAX: usize = 20_000;
/// Most members looked at for one page of those who have no place on a board.
const LOOKED_AT_MAX: u32 = 20_000;
/// What members are listed by.
const SORTS: [&str; 4] = ["created_at", "earnings", "referrals", "clicks"];

/// Who a member is.
#[derive(Debug, Serialize)]
pub(super) struct MemberHead {
    member_id: String,
    user_id: Option<String>,
    username: Option<String>,
    referral_code: Option<String>,
    status: &'static str,
    joined_at: Stamp,
    /// Event time of the newest record that touched the member.
    active_at: Stamp,
}

#[derive(Debug, Serialize)]
struct Member {
    #[serde(flatten)]
    head: MemberHead,
    figures: Figures,
}

#[derive(Debug, Serialize)]
struct MemberStats {
    #[serde(flatten)]
    member: Member,
    /// Days on end on which the member was active, on the creator's calendar.
    streak: Streak,
    /// By earnings, of all time; null for those not ranked.
    rank: Option<Standing>,
}

#[derive(Debug, Serialize)]
struct Streak {
    /// The run that ends today or yesterday.
    current: i64,
    best: i64,
}

#[derive(Debug, Serialize)]
struct Many {
    members: Vec<Member>,
    /// Ids that no member has.
    unknown: Vec<String>,
}

impl MemberHead {
    pub(super) fn new(row: &MemberRow) -> Self {
        let given = |text: &String| (!text.is_empty()).then(|| text.clone());
        Self {
            member_id: row.member_id.clone(),
            user_id: given(&row.user_id),
            username: given(&row.username),
            referral_code: given(&row.referral_code),
            status: row.status.name(),
            joined_at: Stamp(row.joined_at),
            active_at: Stamp(row.active_at),
        }
    }
}

impl Member {
    fn new(row: &MemberRow, own: Currency) -> Self {
        Self { head: MemberHead::new(row), figures: Figures::all_time(&row.totals, own) }
    }
}

impl Streak {
    fn new<S>(row: &MemberRow, at: &At<'_, S>) -> Self {
        let today = i64::from(Zone::of_creator(&at.row.time_zone).day(at.now));
        // A day that is ahead of the reader's clock is as good as today.
        let is_current = row.streak.length > 0 && row.streak.end >= today - 1;
        Self { current: if is_current { row.streak.length } else { 0 }, best: row.streak.best }
    }
}

pub(in crate::web) async fn member_stats<S: Store>(at: &At<'_, S>, id: &str) -> Result<Reply, Problem> {
    let (n, row) = member_row(at, id).await?;
    let rank = by_earnings(at, n, &row).await?;
    let streak = Streak::new(&row, at);
    let data = MemberStats { member: Member::new(&row, at.row.currency), streak, rank };
    Ok(reply::json(&One { data, meta: at.meta() }))
}

/// The ids asked for, each once, in order.
pub(in crate::web) async fn member_ids(
    limits: &Limits,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Vec<String>, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        member_ids: Vec<String>,
    }
    let bytes = read_json(headers, body, limits.body_bytes_max, limits.body_wait_max).await?;
    let Wanted { member_ids: wanted } = serde_json::from_slice(&bytes).map_err(|error| {
        Problem::new(Kind::InvalidBody, format!("the body must be {{\"member_ids\": [\"…\"]}}: {error}"))
    })?;
    if wanted.len() > IDS_MAX {
        let detail = format!("{} ids at once are too many; send at most {IDS_MAX}", wanted.len());
        return Err(Problem::new(Kind::TooManyItems, detail));
    }
    if wanted.iter().any(|id| !(1..=ID_BYTES_MAX).contains(&id.len())) {
        return Err(Problem::parameter("member_ids", format!("an id has 1 to {ID_BYTES_MAX} bytes")));
    }
    let mut seen = std::collections::HashSet::new();
    Ok(wanted.into_iter().filter(|id| seen.insert(id.clone())).collect())
}

pub(in crate::web) async fn members_stats<S: Store>(at: &At<'_, S>, ids: &[String]) -> Result<Reply, Problem> {
    let names: Vec<_> = ids.iter().map(|id| tables::name(at.p, &at.id, NameKind::Member, id)).collect();
    let mut data = Many { members: Vec::new(), unknown: Vec::new() };
    let mut keys = Vec::new();
    for (id, row) in ids.iter().zip(at.store.get(&names).await?) {
        match row.and_then(|row| row.value) {
            Some(bytes) => keys.push(tables::member(at.p, &at.id, NameRow::decode(&bytes)?.n)),
            None => data.unknown.push(id.clone()),
        }
    }
    for row in at.store.get(&keys).await?.into_iter().flatten() {
        if let Some((_, row)) = decode(row)? {
            data.members.push(Member::new(&row, at.row.currency));
        }
    }
    Ok(reply::json(&One { data, meta: at.meta() }))
}

/// The member of this id and its ordinal.
pub(super) async fn member_row<S: Store>(at: &At<'_, S>, id: &str) -> Result<(u32, MemberRow), Problem> {
    let n = ordinal(at, id).await?;
    Ok((n, member_of(at, n, id).await?))
}

/// The ordinal of the member of this id.
pub(super) async fn ordinal<S: Store>(at: &At<'_, S>, id: &str) -> Result<u32, Problem> {
    Ok(at.named(NameKind::Member, id).await?.ok_or_else(|| unknown_member(id))?.n)
}

/// The member of this ordinal, which `id` is the id of.
pub(super) async fn member_of<S: Store>(at: &At<'_, S>, n: u32, id: &str) -> Result<MemberRow, Problem> {
    let found = at.store.get(&[tables::member(at.p, &at.id, n)]).await?;
    let found = found.into_iter().flatten().next().ok_or_else(|| unknown_member(id))?;
    decode(found)?.map(|(_, row)| row).ok_or_else(|| unknown_member(id))
}

fn unknown_member(id: &str) -> Problem {
    Problem::new(Kind::UnknownMember, format!("there is no member `{id}` yet; its `Member` event makes it"))
}

/// Sorted by joining, or by a figure of all time.
pub(in crate::web) async fn members<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    let limit = query.limit(50, 1_000)?;
    let sort = query.get("sort").unwrap_or("created_at");
    let order = query.get("order");
    if !matches!(order, None | Some("asc" | "desc")) {
        return Err(Problem::parameter("order", "`order` must be asc or desc"));
    }
    if sort == "created_at" {
        return by_joining(at, order == Some("desc"), limit, query).await;
    }
    match Metric::parse(sort).filter(|metric| SORTS.contains(&metric.name())) {
        Some(metric) if at.row.members > i64::from(SMALL) && order != Some("asc") => {
            by_board(at, metric, limit, query).await
        }
        Some(metric) => by_value(at, metric, (order != Some("asc"), limit), query).await,
        None => Err(Problem::not_kept(format!("members are not listed by `{sort}`"), SORTS.to_vec())),
    }
}

/// Whose cursors these are: another order has others.
fn list(sort: &str, descending: bool) -> String {
    format!("members {sort} {}", if descending { "desc" } else { "asc" })
}

async fn by_joining<S: Store>(
    at: &At<'_, S>,
    newest_first: bool,
    limit: usize,
    query: &Query,
) -> Result<Reply, Problem> {
    let list = list("created_at", newest_first);
    let after = read_cursor(query, &list)?;
    let end = u32::try_from(at.row.members).unwrap_or(u32::MAX);
    let after: Option<u32> = after.map(|[n]: [String; 1]| n.parse().map_err(|_| malformed_cursor())).transpose()?;
    let span = match after {
        None => (0, end),
        Some(last) if newest_first => (0, last.min(end)),
        Some(last) => (last.saturating_add(1), end),
    };
    let found = members_between(at, span, newest_first, limit + 1).await?;
    let last = if found.len() > limit { found.get(limit - 1) } else { None };
    let next = last.map(|(n, _)| cursor(&list, &[&n.to_string()]));
    let data = found.iter().take(limit).map(|(_, row)| Member::new(row, at.row.currency)).collect();
    Ok(reply::json(&Page { data, next, meta: at.meta() }))
}

/// The greatest first, as the board of all time has them; then, by joining, those who have no place there.
async fn by_board<S: Store>(at: &At<'_, S>, metric: Metric, limit: usize, query: &Query) -> Result<Reply, Problem> {
    let asked = Asked::all_time(metric, &at.row, at.now);
    let (board_list, rest_list) = (format!("members {}", metric.name()), format!("others {}", metric.name()));
    let rest = read_cursor::<1>(query, &rest_list).ok().flatten().and_then(|[n]| n.parse::<u32>().ok());
    let (mut found, mut from) = (Vec::new(), rest.unwrap_or_default());
    if rest.is_none() {
        let (board, _) = Board::read(at, asked).await?;
        let (page, behind) = board.list(after(query, &board_list)?, limit).await?;
        found.extend(page.into_iter().map(|one| one.member));
        if let Some(behind) = behind {
            return Ok(members_page(at, &found, Some(next(&behind, &board_list))));
        }
    }
    // A page ends early when it had to look at too many who have a place.
    let to = u32::try_from(at.row.members).unwrap_or(u32::MAX);
    let end = to.min(from.saturating_add(LOOKED_AT_MAX));
    while from < end && found.len() < limit {
        let members = members_between(at, (from, end), false, limit).await?;
        if members.is_empty() {
            break;
        }
        for (n, row) in members {
            from = n.saturating_add(1);
            if asked.held(&row).value == 0 {
                found.push(row);
            }
            if found.len() == limit {
                break;
            }
        }
    }
    let cursor = (from < to).then(|| cursor(&rest_list, &[&from.to_string()]));
    Ok(members_page(at, &found, cursor))
}

fn members_page<S: Store>(at: &At<'_, S>, found: &[MemberRow], next: Option<String>) -> Reply {
    let data = found.iter().map(|row| Member::new(row, at.row.currency)).collect();
    reply::json(&Page { data, next, meta: at.meta() })
}

async fn by_value<S: Store>(
    at: &At<'_, S>,
    metric: Metric,
    (greatest_first, limit): (bool, usize),
    query: &Query,
) -> Result<Reply, Problem> {
    let own = at.row.currency;
    let list = list(metric.name(), greatest_first);
    let order = |value: i128, n: u32| (if greatest_first { value.saturating_neg() } else { value }, n);
    let after = match read_cursor(query, &list)? {
        None => None,
        Some::<[String; 2]>([value, n]) => {
            Some(order(value.parse().map_err(|_| malformed_cursor())?, n.parse().map_err(|_| malformed_cursor())?))
        }
    };
    let mut found = all_members(at).await?;
    found.retain(|(n, row)| after.is_none_or(|after| order(value(metric, row, own), *n) > after));
    found.sort_by_key(|(n, row)| order(value(metric, row, own), *n));
    let last = if found.len() > limit { found.get(limit - 1) } else { None };
    let next = last.map(|(n, row)| cursor(&list, &[&value(metric, row, own).to_string(), &n.to_string()]));
    let data = found.iter().take(limit).map(|(_, row)| Member::new(row, own)).collect();
    Ok(reply::json(&Page { data, next, meta: at.meta() }))
}

/// Of all time. Money counts in the creator's currency alone.
fn value(metric: Metric, member: &MemberRow, own: Currency) -> i128 {
    let (counts, money) = (&member.totals.counts, member.totals.money_in(own));
    match metric {
        Metric::Earnings => money.commission_net(),
        Metric::Revenue => money.revenue_net(),
        Metric::Referrals => counts.referrals.into(),
        Metric::Customers => counts.customers.into(),
        Metric::Clicks => counts.clicks_human.into(),
        Metric::Shares => counts.shares.into(),
    }
}

/// Every member in the order in which they joined; a 422 when they are too many to be put in another order.
async fn all_members<S: Store>(at: &At<'_, S>) -> Result<Vec<(u32, MemberRow)>, Problem> {
    let end = u32::try_from(at.row.members).unwrap_or(u32::MAX);
    if usize::try_from(end).is_ok_and(|end| end > ORDERED_MAX) {
        let detail = format!("orders by a figure are kept for up to {ORDERED_MAX} members; there are {end}");
        return Err(Problem::not_kept(detail, vec!["created_at"]));
    }
    members_between(at, (0, end), false, ORDERED_MAX).await
}

/// Members `from..to` by ordinal, `max` of them at most.
pub(super) async fn members_between<S: Store>(
    at: &At<'_, S>,
    (from, to): (u32, u32),
    reverse: bool,
    max: usize,
) -> Result<Vec<(u32, MemberRow)>, Problem> {
    let mut steps = Vec::new();
    let mut step = from;
    while step < to {
        let (_, end) = tables::member_step(step);
        steps.push((step, end.min(to)));
        step = end;
    }
    if reverse {
        steps.reverse();
    }
    let mut found = Vec::new();
    for (from, to) in steps {
        let ordinal = |n: u32| Cols(vec![Col::Text(at.id.clone()), Col::Int(i64::from(n))]);
        let range = Range {
            part: tables::member_part(at.p, &at.id, from),
            from: Bound::Included(ordinal(from)),
            to: Bound::Excluded(ordinal(to)),
            reverse,
            limit: 0,
        };
        for row in at.scan(range, max - found.len()).await? {
            found.extend(decode(row)?);
        }
        if found.len() >= max {
            break;
        }
    }
    Ok(found)
}

/// The ordinal stands in the key.
pub(super) fn decode(row: Row) -> Result<Option<(u32, MemberRow)>, Problem> {
    let (Some(bytes), Some(Col::Int(n))) = (row.value, row.key.cols.0.get(1)) else { return Ok(None) };
    Ok(Some((u32::try_from(*n).unwrap_or_default(), MemberRow::decode(&bytes)?)))
}
