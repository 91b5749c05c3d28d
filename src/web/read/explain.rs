//! Why a conversion is whose it is, and why a commission is what it is: the ordered checks, from rows alone.

use serde::Serialize;

use super::decisions::revisions;
use super::explain_commission::{self, Money};
use super::judged::Judged;
use super::members::member_row;
use super::money::{Commission, Conversion};
use super::{At, One, Stamp};
use crate::fold::attribute::Stage;
use crate::fold::fraud::Subject;
use crate::fold::parts::part;
use crate::ids::Millis;
use crate::project::rows::{CommissionRow, ConversionRow};
use crate::project::tables::{self, NameKind};
use crate::store::Store;
use crate::web::problem::{Kind, Problem};
use crate::web::reply::{self, Reply};

/// One thing that was looked at, and what came of it.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    pub(super) check: &'static str,
    /// won, failed, waiting, not_given, not_reached for attribution; held, passed, applied, not_applied for money.
    pub(super) outcome: &'static str,
    /// The reason, in the words that rows use.
    pub(super) reason: Option<String>,
    /// For people.
    pub(super) text: String,
}

#[derive(Serialize)]
struct Explained {
    conversion: Conversion,
    /// last, first, linear: the creator's when the conversion came; null for refunds and the like.
    model: Option<String>,
    window_ms: Option<i64>,
    blocked: bool,
    /// Whom it is credited to, the primary member last.
    credited: Vec<Share>,
    checks: Vec<Check>,
    /// What was decided of it, and why; null: nothing yet, because it is credited to nobody.
    decision: Option<Judged>,
}

/// One member's part; the parts sum to the whole.
#[derive(Serialize)]
struct Share {
    member_id: String,
    primary: bool,
    amount: i128,
    refunded: i128,
}

#[derive(Serialize)]
struct ExplainedCommission {
    commission: Commission,
    blocked: bool,
    figures: Money,
    checks: Vec<Check>,
    /// What was decided of it, and why.
    decision: Option<Judged>,
}

pub(in crate::web) async fn conversion<S: Store>(at: &At<'_, S>, id: &str) -> Result<Reply, Problem> {
    let row = conversion_row(at, id).await?.ok_or_else(|| unknown("conversion", id))?;
    let has_credit = !row.trail.is_empty();
    let members = if row.shared_by.is_empty() { vec![row.member_id.clone()] } else { row.shared_by.clone() };
    let of = members.len();
    let shares = members.into_iter().enumerate().filter(|(_, member_id)| !member_id.is_empty());
    let credited = shares.map(|(i, member_id)| Share {
        member_id,
        primary: i + 1 == of,
        amount: part(row.amount.into(), i, of),
        refunded: part(row.refunded.into(), i, of),
    });
    let explained = Explained {
        model: has_credit.then(|| row.model.clone()),
        window_ms: has_credit.then_some(row.window_ms),
        blocked: row.is_blocked,
        credited: credited.collect(),
        checks: if has_credit { checks(&row) } else { vec![moved(&row)] },
        decision: Judged::of(revisions(at, Subject::Conversion, id).await?)?,
        conversion: row.into(),
    };
    Ok(reply::json(&One { data: explained, meta: at.meta() }))
}

pub(in crate::web) async fn commission<S: Store>(at: &At<'_, S>, id: &str) -> Result<Reply, Problem> {
    let name = at.named(NameKind::Commission, id).await?.ok_or_else(|| unknown("commission", id))?;
    let made_at = name.made_at.unwrap_or(Millis(0));
    let key = tables::commission(at.p, &at.id, name.n.into(), made_at, id);
    let value = at.value(key).await?.ok_or_else(|| unknown("commission", id))?;
    let row = CommissionRow::decode(&value)?;
    let (_, member) = member_row(at, &row.member_id).await?;
    let revisions = revisions(at, Subject::Commission, id).await?;
    let is_under_review = revisions.last().is_some_and(|newest| newest.verdict == "review");
    let explained = ExplainedCommission {
        blocked: row.is_blocked,
        figures: Money::of(&row),
        checks: explain_commission::checks(&row, member.status, is_under_review),
        decision: Judged::of(revisions)?,
        commission: row.into(),
    };
    Ok(reply::json(&One { data: explained, meta: at.meta() }))
}

async fn conversion_row<S: Store>(at: &At<'_, S>, id: &str) -> Result<Option<ConversionRow>, Problem> {
    let Some(made_at) = at.named(NameKind::Conversion, id).await?.and_then(|name| name.made_at) else {
        return Ok(None);
    };
    let value = at.value(tables::conversion(at.p, &at.id, made_at, id)).await?;
    Ok(value.map(|value| ConversionRow::decode(&value)).transpose()?)
}

fn unknown(what: &str, id: &str) -> Problem {
    let kind = if what == "commission" { Kind::UnknownCommission } else { Kind::UnknownConversion };
    Problem::new(kind, format!("there is no {what} {id:?}, or it has not reached the projections yet"))
}

/// The stages in the order in which they were tried.
fn checks(row: &ConversionRow) -> Vec<Check> {
    let mut ended: Vec<(Stage, &str)> = Stage::ALL.into_iter().zip(row.trail.iter().map(String::as_str)).collect();
    if row.is_click_first {
        ended.swap(0, 1);
    }
    let is_owned_renewal = row.kind == "renewal" && row.trail.last().is_some_and(|owner| !owner.is_empty());
    let mut checks = Vec::new();
    let mut is_over = false;
    for (stage, ended) in ended {
        let name = stage.credit().name();
        let outcome = match ended {
            "" if is_over || (is_owned_renewal && stage != Stage::Owner) => "not_reached",
            "" => "not_given",
            "waiting" => "waiting",
            ended if ended == name => "won",
            _ => "failed",
        };
        is_over |= matches!(outcome, "won" | "waiting");
        let reason = (outcome == "failed").then(|| ended.to_owned());
        checks.push(Check { check: name, outcome, reason, text: sentence(row, stage, outcome, ended) });
    }
    checks
}

fn sentence(row: &ConversionRow, stage: Stage, outcome: &str, ended: &str) -> String {
    match outcome {
        "not_reached" if row.kind == "renewal" && row.credit == "owner" => {
            return "a renewal of a customer who is somebody's asks for nothing else".to_owned();
        }
        "not_reached" => return "an earlier stage decided".to_owned(),
        "not_given" => return absent(stage).to_owned(),
        _ => {}
    }
    let what = named(row, stage);
    match ended {
        "waiting" => format!("{what} is not known yet; credit waits for it, 24 h at most"),
        "window_expired" => format!("{what} is {}outside the window of {}", age(row), days(row.window_ms)),
        "member_removed" => format!("{what} leads to a member who was removed"),
        "unknown_coupon" => format!("{what} is nobody's: a plain discount"),
        "unknown_click" | "unknown_code" => format!("{what} did not come within 24 h and was passed over"),
        "click_after" => format!("{what} came more than 5 minutes after the conversion"),
        _ => won(row, stage, &what),
    }
}

fn won(row: &ConversionRow, stage: Stage, what: &str) -> String {
    let whom = if row.shared_by.is_empty() { row.member_id.clone() } else { row.shared_by.join(", ") };
    let touched = matches!(stage, Stage::Click | Stage::Visitor);
    match row.model.as_str() {
        "first" if touched && !row.owner_id.is_empty() => {
            format!("{what} counts, and by the model `first` the customer stays {whom}'s since {:?}", row.owner_id)
        }
        "first" if touched => format!("{what} counts; by the model `first` the earliest click decides: {whom}"),
        "linear" if touched => format!("{what} counts; by the model `linear` all who had a part share: {whom}"),
        _ => format!("{what} is {whom}'s"),
    }
}

const fn absent(stage: Stage) -> &'static str {
    match stage {
        Stage::Coupon => "no coupon was given",
        Stage::Click => "no click was named",
        Stage::Code => "no referral code was given",
        Stage::Visitor => "no click of this visitor is known",
        Stage::Owner => "the customer was nobody's",
    }
}

fn named(row: &ConversionRow, stage: Stage) -> String {
    match stage {
        Stage::Coupon => format!("the coupon {:?}", row.coupon),
        Stage::Click => format!("the click {:?}", row.click_id),
        Stage::Code => format!("the code {:?}", row.referral_code),
        Stage::Visitor if row.credited_click_id.is_empty() => "the visitor's last click".to_owned(),
        Stage::Visitor => format!("the visitor's click {:?}", row.credited_click_id),
        Stage::Owner if row.owner_id.is_empty() => "the customer".to_owned(),
        Stage::Owner => format!("the customer, credited since {:?},", row.owner_id),
    }
}

/// `31 d 2 h before it, ` where the click's time is known.
fn age(row: &ConversionRow) -> String {
    row.click_at.map_or_else(String::new, |at| format!("{} before it, ", days(row.converted_at.0 - at.0)))
}

fn days(ms: i64) -> String {
    let (days, hours, minutes) =
        (ms / Millis::DAY, ms % Millis::DAY / Millis::HOUR, ms % Millis::HOUR / Millis::MINUTE);
    let parts = [(days, "d"), (hours, "h"), (minutes, "min")];
    let text: Vec<String> = parts.iter().filter(|(n, _)| *n != 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if text.is_empty() { format!("{ms} ms") } else { text.join(" ") }
}

/// What a refund or the like did.
fn moved(row: &ConversionRow) -> Check {
    let text = match row.kind.as_str() {
        "chargeback_reversed" => format!("gave back what the chargeback took of {:?}", row.original_id),
        kind => format!("this {kind} took {} {} of {:?}", row.amount, row.currency.as_str(), row.original_id),
    };
    Check { check: "order", outcome: "applied", reason: None, text: format!("{text}; the credit is that order's") }
}

/// An instant as people read it.
pub(super) fn on(at: Millis) -> String {
    Stamp(at).to_string()
}
