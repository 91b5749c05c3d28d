//! What members are ranked and listed by.

use std::cmp::Reverse;

use serde::Serialize;

use super::members::{MemberHead, all_members};
use super::{At, One};
use crate::ids::Currency;
use crate::project::rows::{MemberRow, MemberState};
use crate::store::Store;
use crate::web::problem::Problem;
use crate::web::query::Query;
use crate::web::reply::{self, Reply};

/// A figure of all time that orders members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    /// Commission net, held included.
    Earnings,
    /// Credited revenue net.
    Revenue,
    Referrals,
    Customers,
    /// By humans.
    Clicks,
    Shares,
}

impl Metric {
    const ALL: [Self; 6] =
        [Self::Earnings, Self::Revenue, Self::Referrals, Self::Customers, Self::Clicks, Self::Shares];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Earnings => "earnings",
            Self::Revenue => "revenue",
            Self::Referrals => "referrals",
            Self::Customers => "customers",
            Self::Clicks => "clicks",
            Self::Shares => "shares",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == text)
    }

    /// Money counts in the creator's currency alone.
    pub(super) fn value(self, member: &MemberRow, own: Currency) -> i128 {
        let (counts, money) = (&member.totals.counts, member.totals.money_in(own));
        match self {
            Self::Earnings => money.commission_net(),
            Self::Revenue => money.revenue_net(),
            Self::Referrals => counts.referrals.into(),
            Self::Customers => counts.customers.into(),
            Self::Clicks => counts.clicks_human.into(),
            Self::Shares => counts.shares.into(),
        }
    }

    const fn is_money(self) -> bool {
        match self {
            Self::Earnings | Self::Revenue => true,
            Self::Referrals | Self::Customers | Self::Clicks | Self::Shares => false,
        }
    }
}

/// A member's place. `rank` is one more than the members strictly ahead; equals share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    rank: usize,
    /// How many members hold the value, this one included.
    tied: usize,
    /// Active members above 0.
    ranked: usize,
}

#[derive(Serialize)]
struct Board {
    metric: &'static str,
    window: &'static str,
    /// Of the values, where they are money.
    currency: Option<String>,
    ranked: usize,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    rank: usize,
    tied: usize,
    value: i128,
    member: MemberHead,
}

pub(in crate::web) async fn leaderboard<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    let wanted = query.get("metric").unwrap_or("earnings");
    let kept = || Metric::ALL.into_iter().map(Metric::name).collect();
    let metric =
        Metric::parse(wanted).ok_or_else(|| Problem::not_kept(format!("there is no board by `{wanted}`"), kept()))?;
    let window = query.get("window").unwrap_or("all");
    if window != "all" {
        return Err(Problem::not_kept(format!("there is no board of the window `{window}`"), vec!["all"]));
    }
    let limit = query.limit(10, 1_000)?;
    let own = at.row.currency;
    let members = all_members(at).await?;
    let ranked = ranked(metric, &members, own);
    let entry = |(place, (value, member)): (Place, (i128, &MemberRow))| Entry {
        rank: place.rank,
        tied: place.tied,
        value,
        member: MemberHead::new(member),
    };
    let data = Board {
        metric: metric.name(),
        window: "all",
        currency: metric.is_money().then(|| own.as_str().to_owned()),
        ranked: ranked.len(),
        entries: places(&ranked).into_iter().zip(ranked).take(limit).map(entry).collect(),
    };
    Ok(reply::json(&One { data, meta: at.meta() }))
}

/// Whether the member has a place at all.
pub(super) fn is_ranked(metric: Metric, member: &MemberRow, own: Currency) -> bool {
    member.status == MemberState::Active && metric.value(member, own) > 0
}

/// Active members above 0, the greatest first, equals in the order in which they joined.
fn ranked(metric: Metric, members: &[(u32, MemberRow)], own: Currency) -> Vec<(i128, &MemberRow)> {
    let members = members.iter().map(|(_, member)| member).filter(|member| is_ranked(metric, member, own));
    let mut ranked: Vec<_> = members.map(|member| (metric.value(member, own), member)).collect();
    // Stable: members come in the order in which they joined.
    ranked.sort_by_key(|(value, _)| Reverse(*value));
    ranked
}

fn places(ranked: &[(i128, &MemberRow)]) -> Vec<Place> {
    let mut places = Vec::with_capacity(ranked.len());
    for equals in ranked.chunk_by(|a, b| a.0 == b.0) {
        let place = Place { rank: places.len() + 1, tied: equals.len(), ranked: ranked.len() };
        places.extend(equals.iter().map(|_| place));
    }
    places
}

/// One member's place on a board of these members; `None` when it is not ranked.
pub(super) fn place_of(metric: Metric, members: &[(u32, MemberRow)], id: &str, own: Currency) -> Option<Place> {
    let ranked = ranked(metric, members, own);
    let place = ranked.iter().position(|(_, member)| member.member_id == id)?;
    places(&ranked).get(place).copied()
}
