//! Which path is answered by what, and what it may be asked.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};

use super::keys::{self, Needs, Pass, Scope, View};
use super::problem::{Kind, Problem};
use super::query::{self, Query};
use super::read::At;
use super::reply::{self, Reply};
use super::server::Shared;
use super::{Ask, OPENAPI, admin, check, events, generations, health, live, page, read, reviews};
use crate::append::Sink;
use crate::project::tables::Class;
use crate::store::Store;

/// A path, its method, and the parameters of its query string. GET answers HEAD too.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub query: &'static [&'static str],
    endpoint: Endpoint,
}

/// What answers a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Page,
    Asset,
    Health,
    Livez,
    Readyz,
    Metrics,
    OpenApi,
    ProjectionsStats,
    ProjectionsVerify,
    ProjectionsCompare,
    Backtest,
    Generations,
    GenerationsChange(Ask),
    KeysCreate,
    KeysList,
    KeyRevoke,
    Events,
    Creators,
    GlobalLeaderboard,
    Ask(Question),
    Review,
    ListEntry,
    Check,
}

impl Endpoint {
    /// What a key must have. A key of some creators sees no other whatever stands here: that is the view's.
    const fn needs(self) -> Needs {
        match self {
            Self::Page | Self::Asset | Self::Livez | Self::Readyz | Self::OpenApi => Needs::Nothing,
            // Both count what all creators do.
            Self::Health | Self::Metrics => Needs::Whole(Scope::Read),
            Self::ProjectionsStats
            | Self::ProjectionsVerify
            | Self::ProjectionsCompare
            | Self::Backtest
            | Self::Generations
            | Self::GenerationsChange(_)
            | Self::KeysCreate
            | Self::KeysList
            | Self::KeyRevoke
            | Self::GlobalLeaderboard => Needs::Whole(Scope::Admin),
            Self::Events => Needs::Scope(Scope::Write),
            Self::Review | Self::ListEntry => Needs::Scope(Scope::Review),
            Self::Creators | Self::Ask(_) | Self::Check => Needs::Scope(Scope::Read),
        }
    }
}

/// What can be asked about one creator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Creator,
    Members,
    MembersStats,
    MemberStats,
    MemberCommissions,
    MemberClicks,
    MemberShares,
    Breakdown,
    Cohorts,
    MemberRank,
    Conversions,
    ExplainConversion,
    ExplainCommission,
    Decisions,
    Reviews,
    MemberTimeseries,
    Commissions,
    Analytics,
    Funnel,
    Timeseries,
    Leaderboard,
    Live,
}

const fn get(path: &'static str, query: &'static [&'static str], endpoint: Endpoint) -> Route {
    Route { method: "GET", path, query, endpoint }
}

const fn ask(path: &'static str, query: &'static [&'static str], question: Question) -> Route {
    Route { method: "GET", path, query, endpoint: Endpoint::Ask(question) }
}

const fn post(path: &'static str, endpoint: Endpoint) -> Route {
    Route { method: "POST", path, query: &[], endpoint }
}

const fn change(ask: Ask) -> Route {
    post(ask.path(), Endpoint::GenerationsChange(ask))
}

const fn delete(path: &'static str, endpoint: Endpoint) -> Route {
    Route { method: "DELETE", path, query: &[], endpoint }
}

impl Route {
    /// The scope that a key needs here; `None`: no key is needed.
    pub const fn scope(&self) -> Option<Scope> {
        self.endpoint.needs().scope()
    }
}

/// Every path there is.
pub const ROUTES: &[Route] = &[
    get("/", &["creator", "range", "metric"], Endpoint::Page),
    get("/assets/{file}", &[], Endpoint::Asset),
    get("/health", &[], Endpoint::Health),
    get("/livez", &[], Endpoint::Livez),
    get("/readyz", &[], Endpoint::Readyz),
    get("/metrics", &[], Endpoint::Metrics),
    get("/v1/openapi.json", &[], Endpoint::OpenApi),
    get(admin::path::STATS, &[], Endpoint::ProjectionsStats),
    post(admin::path::VERIFY, Endpoint::ProjectionsVerify),
    post(admin::path::COMPARE, Endpoint::ProjectionsCompare),
    post(admin::path::BACKTEST, Endpoint::Backtest),
    get(Ask::Status.path(), &[], Endpoint::Generations),
    change(Ask::Rebuild { rate: None }),
    change(Ask::Cancel),
    change(Ask::Switch { force: false }),
    change(Ask::Rollback { force: false }),
    change(Ask::Drop),
    post("/v1/admin/keys", Endpoint::KeysCreate),
    get("/v1/admin/keys", &["limit", "cursor"], Endpoint::KeysList),
    delete("/v1/admin/keys/{key_id}", Endpoint::KeyRevoke),
    post("/v1/events", Endpoint::Events),
    post("/v1/fraud/check", Endpoint::Check),
    get("/v1/creators", &["limit", "cursor"], Endpoint::Creators),
    get("/v1/leaderboard", &["metric", "window", "period", "currency", "limit"], Endpoint::GlobalLeaderboard),
    ask("/v1/creators/{creator}", &[], Question::Creator),
    ask("/v1/creators/{creator}/members", &["sort", "order", "limit", "cursor"], Question::Members),
    post("/v1/creators/{creator}/members/stats", Endpoint::Ask(Question::MembersStats)),
    ask("/v1/creators/{creator}/members/{member}/stats", &[], Question::MemberStats),
    ask(
        "/v1/creators/{creator}/members/{member}/commissions",
        &["paid", "limit", "cursor"],
        Question::MemberCommissions,
    ),
    ask("/v1/creators/{creator}/members/{member}/clicks", &["limit", "cursor"], Question::MemberClicks),
    ask("/v1/creators/{creator}/members/{member}/shares", &["limit", "cursor"], Question::MemberShares),
    ask(
        "/v1/creators/{creator}/breakdown",
        &["by", "from", "to", "tz", "metric", "limit", "cursor"],
        Question::Breakdown,
    ),
    ask("/v1/creators/{creator}/cohorts", &["limit"], Question::Cohorts),
    ask("/v1/creators/{creator}/conversions/{conversion}/explain", &[], Question::ExplainConversion),
    ask("/v1/creators/{creator}/commissions/{commission}/explain", &[], Question::ExplainCommission),
    ask(
        "/v1/creators/{creator}/members/{member}/timeseries",
        &["from", "to", "tz", "interval", "metric"],
        Question::MemberTimeseries,
    ),
    ask("/v1/creators/{creator}/conversions", &["from", "to", "tz", "limit", "cursor"], Question::Conversions),
    ask(
        "/v1/creators/{creator}/commissions",
        &["from", "to", "tz", "payment_type", "state", "limit", "cursor"],
        Question::Commissions,
    ),
    ask(
        "/v1/creators/{creator}/decisions",
        &["subject_type", "subject_id", "verdict", "member", "limit", "cursor"],
        Question::Decisions,
    ),
    ask("/v1/creators/{creator}/reviews", &["subject_type", "member", "limit", "cursor"], Question::Reviews),
    post("/v1/creators/{creator}/reviews/{review}", Endpoint::Review),
    post("/v1/creators/{creator}/lists", Endpoint::ListEntry),
    ask("/v1/creators/{creator}/analytics", &["from", "to", "tz", "compare"], Question::Analytics),
    ask("/v1/creators/{creator}/funnel", &["from", "to", "tz"], Question::Funnel),
    ask("/v1/creators/{creator}/timeseries", &["from", "to", "tz", "interval", "metric"], Question::Timeseries),
    ask(
        "/v1/creators/{creator}/leaderboard",
        &["metric", "window", "period", "limit", "cursor"],
        Question::Leaderboard,
    ),
    ask(
        "/v1/creators/{creator}/members/{member}/rank",
        &["metric", "window", "period", "neighbours"],
        Question::MemberRank,
    ),
    ask("/v1/creators/{creator}/live", &[], Question::Live),
];

/// All routes of one path.
type Methods = Vec<Route>;

/// The routes, ready to be looked up.
pub(super) struct Routes(matchit::Router<Methods>);

impl Routes {
    pub(super) fn new() -> Self {
        let mut router = matchit::Router::<Methods>::new();
        for route in ROUTES {
            let same: Vec<Route> = ROUTES.iter().filter(|other| other.path == route.path).copied().collect();
            if same.first().is_some_and(|first| first.method == route.method) {
                router.insert(route.path, same).expect("ROUTES hold each path once and none that collide");
            }
        }
        Self(router)
    }
}

/// The names in a path, decoded.
struct Names {
    creator: Option<String>,
    member: Option<String>,
    /// A conversion's or commission's id, or what is reviewed.
    subject: Option<String>,
    key_id: Option<String>,
    file: String,
}

pub(super) async fn answer<S: Store, K: Sink>(
    shared: &Arc<Shared<View<S>, K>>,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    let (parts, body) = request.into_parts();
    let (route, names) = find(&shared.routes, &parts)?;
    let pass = keys::admit((shared.app.access, &shared.app.keys), route.endpoint.needs(), &parts.headers)?;
    let shared = shared.seen_by(&pass);
    let answered = of_route(&shared, (route, names), (parts, body), &pass).await;
    let mut reply = answered.unwrap_or_else(|problem| reply::problem(&problem));
    pass.tell(reply.headers_mut());
    Ok(reply)
}

async fn of_route<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    (route, names): (Route, Names),
    (parts, body): (Parts, Incoming),
    pass: &Pass,
) -> Result<Reply, Problem> {
    let query = Query::parse(parts.uri.query(), route.query)?;
    // The page says in its own address what it shows, even if that is nothing yet.
    if route.endpoint != Endpoint::Page {
        query.refuse_empty()?;
    }
    match route.endpoint {
        Endpoint::Page => Ok(page::page()),
        Endpoint::Asset => page::asset(&names.file, &parts.headers),
        Endpoint::Health => Ok(health::health(shared).await),
        Endpoint::Livez => Ok(health::livez()),
        Endpoint::Readyz => Ok(health::readyz(shared)),
        Endpoint::Metrics => Ok(health::metrics(shared).await),
        Endpoint::OpenApi => Ok(reply::whole(StatusCode::OK, "application/json", OPENAPI)),
        Endpoint::ProjectionsStats => admin::stats(shared),
        Endpoint::ProjectionsVerify => admin::verify(shared, &parts.headers, body).await,
        Endpoint::Backtest => admin::backtest(shared, &parts.headers, body).await,
        Endpoint::ProjectionsCompare => admin::compare(shared, &parts.headers, body).await,
        Endpoint::Generations => generations::status(shared).await,
        Endpoint::GenerationsChange(ask) => generations::change(shared, ask, &parts.headers, body).await,
        Endpoint::KeysCreate => keys::create(shared, &parts.headers, body).await,
        Endpoint::KeysList => keys::list(shared, &query).await,
        Endpoint::KeyRevoke => keys::revoke(shared, &names.key_id.unwrap_or_default()).await,
        Endpoint::Events => events::post(shared, pass, &parts.headers, body).await,
        Endpoint::Check => check::check((shared, pass), &parts.headers, body).await,
        Endpoint::Creators => read::creators(shared, &parts.headers, &query).await,
        Endpoint::GlobalLeaderboard => read::global_leaderboard(shared, &parts.headers, &query).await,
        Endpoint::Review | Endpoint::ListEntry => decide(shared, names, (&parts, body), pass).await,
        Endpoint::Ask(question) => ask_about(shared, (question, names), (&parts, body, &query), pass).await,
    }
}

/// Something that a person decides about a creator's subjects.
async fn decide<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    names: Names,
    (parts, body): (&Parts, Incoming),
    pass: &Pass,
) -> Result<Reply, Problem> {
    let at = At::new(shared, &parts.headers, names.creator.unwrap_or_default(), Class::Fast).await?;
    let sent = (&parts.headers, body);
    match names.subject {
        Some(named) => reviews::review((shared, pass), (&at, &named), sent).await,
        None => reviews::entry((shared, pass), &at, sent).await,
    }
}

async fn ask_about<S: Store, K: Sink>(
    shared: &Arc<Shared<S, K>>,
    (question, names): (Question, Names),
    (parts, body, query): (&Parts, Incoming, &Query),
    pass: &Pass,
) -> Result<Reply, Problem> {
    let at = At::new(shared, &parts.headers, names.creator.unwrap_or_default(), class(question)).await?;
    let member = names.member.unwrap_or_default();
    match question {
        Question::Creator => Ok(read::creator(&at)),
        Question::Members => read::members(&at, query).await,
        Question::MembersStats => {
            let ids = read::member_ids(&shared.limits, &parts.headers, body).await?;
            read::members_stats(&at, &ids).await
        }
        Question::MemberStats => read::member_stats(&at, &member).await,
        Question::MemberClicks => read::clicks(&at, &member, query).await,
        Question::MemberShares => read::shares(&at, &member, query).await,
        Question::Breakdown => read::breakdown(&at, query).await,
        Question::Cohorts => read::cohorts(&at, query).await,
        Question::MemberRank => read::rank(&at, &member, query).await,
        Question::Conversions => read::conversions(&at, query).await,
        Question::ExplainConversion => read::explain_conversion(&at, &names.subject.unwrap_or_default()).await,
        Question::ExplainCommission => read::explain_commission(&at, &names.subject.unwrap_or_default()).await,
        Question::Decisions => read::decisions(&at, query).await,
        Question::Reviews => read::reviews(&at, query).await,
        Question::MemberCommissions => read::member_commissions(&at, &member, query).await,
        Question::MemberTimeseries => read::member_timeseries(&at, &member, query).await,
        Question::Commissions => read::commissions(&at, query).await,
        Question::Analytics => read::analytics(&at, query).await,
        Question::Funnel => read::funnel(&at, query).await,
        Question::Timeseries => read::timeseries(&at, query).await,
        Question::Leaderboard => read::leaderboard(&at, query).await,
        Question::Live => live::live(shared, at, pass.clone()),
    }
}

/// What an answer follows: sums over time are written less often.
const fn class(question: Question) -> Class {
    match question {
        Question::Analytics
        | Question::Funnel
        | Question::Timeseries
        | Question::MemberTimeseries
        | Question::MemberClicks
        | Question::MemberShares
        | Question::Breakdown
        | Question::Cohorts => Class::Slow,
        // Beyond 1,024 members boards have rows of their own.
        Question::Leaderboard | Question::MemberRank => Class::Slow,
        Question::Creator
        | Question::Members
        | Question::MembersStats
        | Question::MemberStats
        | Question::MemberCommissions
        | Question::Conversions
        | Question::ExplainConversion
        | Question::ExplainCommission
        | Question::Decisions
        | Question::Reviews
        | Question::Commissions
        | Question::Live => Class::Fast,
    }
}

fn find(routes: &Routes, parts: &Parts) -> Result<(Route, Names), Problem> {
    let path = parts.uri.path();
    let Ok(found) = routes.0.at(path) else {
        return Err(Problem::new(Kind::NotFound, "there is no such path; GET /v1/openapi.json lists all there are"));
    };
    let asked = if parts.method == Method::HEAD { "GET" } else { parts.method.as_str() };
    let Some(route) = found.value.iter().find(|route| route.method == asked) else {
        return Err(not_allowed(found.value));
    };
    let decoded = |name: &str| found.params.get(name).map(|raw| query::id(name, raw)).transpose();
    let file = found.params.get("file").unwrap_or_default().to_owned();
    let subject = decoded("conversion")?.or(decoded("commission")?).or(decoded("review")?);
    let (creator, member, key_id) = (decoded("creator")?, decoded("member")?, decoded("key_id")?);
    let names = Names { creator, member, subject, key_id, file };
    Ok((*route, names))
}

fn not_allowed(methods: &Methods) -> Problem {
    let mut allowed: Vec<&str> = methods.iter().map(|route| route.method).collect();
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    let allowed = allowed.join(", ");
    let mut problem = Problem::new(Kind::MethodNotAllowed, format!("this path answers {allowed}"));
    problem.allow = Some(allowed);
    problem
}
