//! Boards: the members with the most, by a metric, in a window of days.

mod asked;
mod global;
mod large;
mod ranked;

use serde::Serialize;

pub(super) use asked::{About, Asked};
pub(in crate::web) use global::global_leaderboard;
pub(super) use ranked::{After, Board, Place, Ranked};

use super::members::MemberHead;
use super::{At, Meta, Stamp};
use crate::ids::Millis;
use crate::store::Store;
use crate::web::problem::Problem;
use crate::web::query::{Query, cursor, malformed_cursor, read_cursor};
use crate::web::reply::{self, Reply};

/// A page of a board.
#[derive(Serialize)]
struct Answer {
    data: Leaderboard,
    next: Option<String>,
    meta: Meta,
}

#[derive(Serialize)]
struct Leaderboard {
    #[serde(flatten)]
    about: About,
    ranked: u64,
    entries: Vec<Entry>,
}

/// A member on a board.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    rank: u64,
    tied: u64,
    value: i64,
    reached_at: Stamp,
    member: MemberHead,
}

impl Entry {
    pub(super) fn new(place: Place, ranked: &Ranked) -> Self {
        Self {
            rank: place.rank,
            tied: place.tied,
            value: ranked.held.value,
            reached_at: Stamp(Millis(ranked.held.reached_at)),
            member: MemberHead::new(&ranked.member),
        }
    }
}

/// Entries with their places.
pub(super) async fn entries<S: Store>(board: &mut Board<'_, S>, members: &[Ranked]) -> Result<Vec<Entry>, Problem> {
    let values: Vec<i64> = members.iter().map(|member| member.held.value).collect();
    let places = board.places(&values).await?;
    Ok(places.into_iter().zip(members).map(|(place, member)| Entry::new(place, member)).collect())
}

/// Where a page of a board begins.
pub(super) fn after(query: &Query, list: &str) -> Result<Option<After>, Problem> {
    read_cursor(query, list)?.map(|parts| After::parse(parts).ok_or_else(malformed_cursor)).transpose()
}

pub(super) fn next(after: &After, list: &str) -> String {
    let parts = after.parts();
    cursor(list, &parts.each_ref().map(String::as_str))
}

pub(in crate::web) async fn leaderboard<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    let asked = Asked::new(&at.row, at.now, query)?;
    let of = |name| query.get(name).unwrap_or_default();
    let list = format!("board {} {} {}", of("metric"), of("window"), of("period"));
    let (limit, after) = (query.limit(10, 1_000)?, after(query, &list)?);
    let (mut board, about) = Board::read(at, asked).await?;
    let (members, next_after) = board.list(after, limit).await?;
    let entries = entries(&mut board, &members).await?;
    let data = Leaderboard { about, ranked: board.ranked(), entries };
    Ok(reply::json(&Answer { data, next: next_after.as_ref().map(|after| next(after, &list)), meta: at.meta() }))
}
