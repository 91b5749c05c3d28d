//! A board as it is read: from its members where they are few, else from the rows kept of it.

use std::cmp::Reverse;

use super::Asked;
use super::asked::About;
use super::large::Large;
use crate::fold::boards::{Order, SMALL};
use crate::project::rows::MemberRow;
use crate::project::scores::Held;
use crate::store::Store;
use crate::web::problem::Problem;
use crate::web::read::At;
use crate::web::read::members::members_between;

/// A member on a board.
#[derive(Debug, Clone)]
pub(in crate::web::read) struct Ranked {
    pub(in crate::web::read) held: Held,
    pub(in crate::web::read) n: u32,
    pub(in crate::web::read) member: MemberRow,
}

/// A member's place. `rank` is one more than the members strictly ahead; equals share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web::read) struct Place {
    pub(in crate::web::read) rank: u64,
    /// How many members hold the value, this one included.
    pub(in crate::web::read) tied: u64,
}

/// Where a board comes from.
pub(in crate::web::read) enum Board<'a, S> {
    Small(Vec<Ranked>),
    Large(Large<'a, S>),
}

impl Ranked {
    pub(super) fn order(&self) -> Order {
        (Reverse(self.held.value), self.held.reached_at, self.n)
    }
}

impl<'a, S: Store> Board<'a, S> {
    /// The board, and what is to be said of it.
    pub(in crate::web::read) async fn read(at: &'a At<'a, S>, asked: Asked) -> Result<(Self, About), Problem> {
        let members = u32::try_from(at.row.members).unwrap_or(u32::MAX);
        if members > SMALL {
            let (large, about) = Large::read(at, asked).await?;
            return Ok((Self::Large(large), about));
        }
        let members = members_between(at, (0, members), false, usize::MAX).await?;
        let rolled_to = at.row.rolled_to.and_then(|day| i32::try_from(day).ok()).unwrap_or_default();
        if asked.is_rolling() && asked.is_long_past(rolled_to) {
            return Ok((Self::Small(Vec::new()), asked.about(None)));
        }
        // A row written since the creator's was read may be a day further.
        let is_mixed = members.iter().flat_map(|(_, row)| &row.scores).any(|score| score.rolled > rolled_to);
        let about = asked.about(Some(rolled_to));
        let is_ready = !asked.is_rolling() || (rolled_to == asked.today && !is_mixed);
        let mut ranked: Vec<Ranked> =
            members.into_iter().map(|(n, member)| Ranked { held: asked.held(&member), n, member }).collect();
        ranked.retain(|ranked| ranked.held.value > 0);
        ranked.sort_by_key(Ranked::order);
        Ok((Self::Small(ranked), if is_ready { about } else { about.not_ready() }))
    }

    /// Members with a place.
    pub(in crate::web::read) fn ranked(&self) -> u64 {
        match self {
            Self::Small(ranked) => u64::try_from(ranked.len()).unwrap_or_default(),
            Self::Large(large) => large.ranked(),
        }
    }

    /// Of values above 0 that members hold, in their order.
    pub(in crate::web::read) async fn places(&mut self, values: &[i64]) -> Result<Vec<Place>, Problem> {
        match self {
            Self::Small(ranked) => Ok(values.iter().map(|value| place(ranked, *value)).collect()),
            Self::Large(large) => large.places(values).await,
        }
    }

    /// At most `limit` members behind a place, in order, and where to go on.
    pub(in crate::web::read) async fn list(
        &self,
        after: Option<After>,
        limit: usize,
    ) -> Result<(Vec<Ranked>, Option<After>), Problem> {
        match self {
            Self::Small(ranked) => {
                let from = after.map_or(0, |after| ranked.partition_point(|one| one.order() <= after.order()));
                let page: Vec<Ranked> = ranked.iter().skip(from).take(limit).cloned().collect();
                let next = if from + limit < ranked.len() { page.last().map(After::of) } else { None };
                Ok((page, next))
            }
            Self::Large(large) => large.list(after, limit).await,
        }
    }

    /// Two members above and two below, nearest in order; `None` where every member would have to be looked at, and
    /// that is not `always` wanted.
    pub(in crate::web::read) async fn neighbours(
        &self,
        own: &Ranked,
        always: bool,
    ) -> Result<Option<(Vec<Ranked>, Vec<Ranked>)>, Problem> {
        match self {
            Self::Small(ranked) => {
                let place = ranked.partition_point(|one| one.order() < own.order());
                let above = ranked.iter().take(place).skip(place.saturating_sub(NEIGHBOURS)).cloned().collect();
                Ok(Some((above, ranked.iter().skip(place + 1).take(NEIGHBOURS).cloned().collect())))
            }
            Self::Large(large) => large.neighbours(own, always).await,
        }
    }
}

/// Members shown above and below another.
pub(super) const NEIGHBOURS: usize = 2;

fn place(ranked: &[Ranked], value: i64) -> Place {
    let ahead = ranked.partition_point(|one| one.held.value > value);
    let to = ranked.partition_point(|one| one.held.value >= value);
    let count = |n: usize| u64::try_from(n).unwrap_or_default();
    Place { rank: count(ahead) + 1, tied: count(to - ahead) }
}

/// The last member of a page, as a cursor holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web::read) struct After {
    pub(super) value: i64,
    pub(super) reached_at: i64,
    pub(super) n: u32,
}

impl After {
    pub(super) const fn of(last: &Ranked) -> Self {
        Self { value: last.held.value, reached_at: last.held.reached_at, n: last.n }
    }

    pub(super) const fn order(&self) -> Order {
        (Reverse(self.value), self.reached_at, self.n)
    }

    pub(super) fn parse([value, reached_at, n]: [String; 3]) -> Option<Self> {
        Some(Self { value: value.parse().ok()?, reached_at: reached_at.parse().ok()?, n: n.parse().ok()? })
    }

    pub(super) fn parts(&self) -> [String; 3] {
        [self.value.to_string(), self.reached_at.to_string(), self.n.to_string()]
    }
}
