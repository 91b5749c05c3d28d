//! One member's place on a board, and who stands beside it.

use serde::Serialize;

use super::boards::{About, Asked, Board, Entry, Place, Ranked, entries};
use super::figures::{Rate, rate};
use super::members::member_row;
use super::{At, One, Stamp};
use crate::fold::boards::Metric;
use crate::ids::Millis;
use crate::project::rows::MemberRow;
use crate::store::Store;
use crate::web::problem::Problem;
use crate::web::query::Query;
use crate::web::reply::{self, Reply};

/// In short, as a member's figures carry it.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    /// 1 + members strictly ahead; equals share it.
    rank: u64,
    /// How many members hold the value.
    tied: u64,
    /// Active members above 0.
    ranked: u64,
}

#[derive(Serialize)]
struct Rank {
    #[serde(flatten)]
    about: About,
    value: i64,
    /// When the value was reached; null without one.
    reached_at: Option<Stamp>,
    /// Null for those who have no place: nothing above 0, or not active.
    rank: Option<u64>,
    tied: Option<u64>,
    ranked: u64,
    /// Members strictly below, of all ranked.
    percentile: Option<Rate>,
    /// Null where every member of a huge programme would have to be looked at for them.
    neighbours: Option<Neighbours>,
}

/// At most two each, in the order of the board.
#[derive(Serialize, Default)]
struct Neighbours {
    above: Vec<Entry>,
    below: Vec<Entry>,
}

pub(in crate::web) async fn rank<S: Store>(at: &At<'_, S>, id: &str, query: &Query) -> Result<Reply, Problem> {
    let asked = Asked::new(&at.row, at.now, query)?;
    let always = match query.get("neighbours") {
        None | Some("near") => false,
        Some("always") => true,
        Some(_) => return Err(Problem::parameter("neighbours", "`neighbours` must be near or always")),
    };
    let (n, member) = member_row(at, id).await?;
    let (mut board, about) = Board::read(at, asked).await?;
    let own = Ranked { held: asked.held(&member), n, member };
    let place = place(&mut board, &own).await?;
    let mut answer = Rank {
        about,
        value: own.held.value,
        reached_at: (own.held.value > 0).then_some(Stamp(Millis(own.held.reached_at))),
        rank: place.map(|place| place.rank),
        tied: place.map(|place| place.tied),
        ranked: board.ranked(),
        percentile: place.and_then(|place| percentile(place, board.ranked())),
        neighbours: Some(Neighbours::default()),
    };
    if place.is_some() {
        answer.neighbours = match board.neighbours(&own, always).await? {
            None => None,
            Some((above, below)) => {
                let (above, below) = (entries(&mut board, &above).await?, entries(&mut board, &below).await?);
                Some(Neighbours { above, below })
            }
        };
    }
    Ok(reply::json(&One { data: answer, meta: at.meta() }))
}

/// By earnings, of all time.
pub(super) async fn by_earnings<S: Store>(
    at: &At<'_, S>,
    n: u32,
    member: &MemberRow,
) -> Result<Option<Standing>, Problem> {
    let asked = Asked::all_time(Metric::Earnings, &at.row, at.now);
    let own = Ranked { held: asked.held(member), n, member: member.clone() };
    // Most earn nothing, and need no look at the others.
    if own.held.value == 0 {
        return Ok(None);
    }
    let (mut board, _) = Board::read(at, asked).await?;
    let ranked = board.ranked();
    Ok(place(&mut board, &own).await?.map(|place| Standing { rank: place.rank, tied: place.tied, ranked }))
}

async fn place<S: Store>(board: &mut Board<'_, S>, own: &Ranked) -> Result<Option<Place>, Problem> {
    if own.held.value == 0 {
        return Ok(None);
    }
    Ok(board.places(&[own.held.value]).await?.first().copied())
}

fn percentile(place: Place, ranked: u64) -> Option<Rate> {
    let ahead = place.rank - 1;
    let below = ranked.saturating_sub(ahead + place.tied);
    rate(i128::from(below), i128::from(ranked))
}
