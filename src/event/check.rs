//! What makes an event well formed, whichever way it came in: from the log, over HTTP or out of a file.

use super::{ATTRIBUTES_BYTES_MAX, BREAKDOWN_PAIRS_MAX, Body, CommissionKind, ConversionKind, Event, LIST_LEN_MAX};
use crate::ids::{ID_BYTES_MAX, Millis};

/// Why an event is not well formed; the message names the field and the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("`{field}` must be 1 to 64 bytes")]
    Id { field: &'static str },
    #[error("`{field}` is missing")]
    Missing { field: &'static str },
    #[error("`attributes` are larger than 10,000 bytes")]
    AttributesTooLarge,
    #[error("`attributes` name a key twice")]
    AttributeTwice,
    #[error("`{field}` has more than 64 items")]
    TooMany { field: &'static str },
    #[error("`breakdown_pairs` has more than 6 pairs")]
    TooManyPairs,
    #[error("`breakdown_pairs` must look like `platform,country`")]
    PairMalformed,
    #[error("`{field}` is out of range")]
    Range { field: &'static str },
    #[error("`{field}` is larger than {max} bytes")]
    TooLong { field: &'static str, max: usize },
}

/// Longest free text (names, links, user agents, templates) in bytes.
const TEXT_BYTES_MAX: usize = 4_096;
/// Longest name of a dimension's value: a platform, a country, a plan.
const LABEL_BYTES_MAX: usize = 256;
/// Longest definition of a rule set.
const DEFINITION_BYTES_MAX: usize = 65_536;

/// Times that a calendar can show: the years 1 to 9999.
const TIME_MIN: i64 = -62_135_596_800_000;
const TIME_MAX: i64 = 253_402_300_799_999;

/// Checks the rules that no schema can state. `attributes` are sorted by key, as `decode` leaves them. Whether
/// `occurred_at` is a likely time is for the fold to say.
pub fn check(event: &Event<'_>) -> Result<(), Invalid> {
    id("event_id", event.event_id.0)?;
    id("creator_id", event.creator_id.0)?;
    let attributes: usize = event.attributes.iter().map(|(key, value)| key.len() + value.len()).sum();
    if attributes > ATTRIBUTES_BYTES_MAX {
        return Err(Invalid::AttributesTooLarge);
    }
    if event.attributes.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
        return Err(Invalid::AttributeTwice);
    }
    time("received_at", event.received_at)?;
    match &event.body {
        Body::Creator(creator) => check_creator(creator),
        Body::Member(member) => check_member(member),
        Body::Sighting(sighting) => id("member_id", sighting.member_id.0),
        Body::Share(share) => check_share(share),
        Body::Click(click) => check_click(click),
        Body::Conversion(conversion) => check_conversion(conversion),
        Body::Commission(commission) => check_commission(commission),
        Body::Review(review) => check_review(review),
        Body::RuleSet(rules) => check_rule_set(rules),
        Body::ListEntry(entry) => check_list_entry(entry),
        Body::Template(template) => check_template(template),
        Body::Erasure(erasure) => {
            text("actor", Some(erasure.actor))?;
            id("subject_id", erasure.subject_id)
        }
        Body::Tick => Ok(()),
    }
}

fn check_creator(creator: &super::Creator<'_>) -> Result<(), Invalid> {
    text("name", Some(creator.name))?;
    id("time_zone", creator.time_zone)?;
    text("link_base", creator.link_base)?;
    text("landing_url", creator.landing_url)?;
    if creator.breakdown_pairs.len() > BREAKDOWN_PAIRS_MAX {
        return Err(Invalid::TooManyPairs);
    }
    if creator.breakdown_pairs.iter().any(|pair| !is_pair(pair)) {
        return Err(Invalid::PairMalformed);
    }
    list("embed_origins", creator.embed_origins.len())?;
    if let Some(policy) = &creator.attribution {
        range("signup_window_ms", policy.signup_window_ms, 0, MS_MAX)?;
        range("purchase_window_ms", policy.purchase_window_ms, 0, MS_MAX)?;
    }
    if let Some(policy) = &creator.commission {
        range("rate_bp", policy.rate_bp, 0, 1_000_000)?;
        range("flat_amount", policy.flat_amount, 0, i64::MAX)?;
        range("hold_days", policy.hold_days, 0, 3_650)?;
        list("on", policy.on.len())?;
    }
    if let Some(policy) = &creator.review {
        range("due_days", policy.due_days, 0, 3_650)?;
    }
    Ok(())
}

/// Longest attribution window: ten years of 365 days.
const MS_MAX: i64 = 3_650 * Millis::DAY;

fn check_member(member: &super::Member<'_>) -> Result<(), Invalid> {
    id("member_id", member.member_id.0)?;
    optional_id("user_id", member.user_id)?;
    optional_id("username", member.username)?;
    optional_id("referral_code", member.referral_code.map(|code| code.0.trim()))?;
    time("joined_at", member.joined_at)?;
    list("coupons", member.coupons.len())?;
    member.coupons.iter().try_for_each(|code| id("coupons", code.0.trim()))
}

fn check_share(share: &super::Share<'_>) -> Result<(), Invalid> {
    id("share_id", share.share_id.0)?;
    id("member_id", share.member_id.0)?;
    id("platform", share.platform)?;
    optional_id("template_id", share.template_id)?;
    optional_id("locale", share.locale)
}

fn check_click(click: &super::Click<'_>) -> Result<(), Invalid> {
    id("click_id", click.click_id.0)?;
    optional_id("member_id", click.member_id.map(|id| id.0))?;
    optional_id("referral_code", click.referral_code.map(|code| code.0.trim()))?;
    optional_id("share_id", click.share_id.map(|id| id.0))?;
    if click.member_id.is_none() && click.referral_code.is_none() {
        return Err(Invalid::Missing { field: "member_id or referral_code" });
    }
    label("platform", click.platform)?;
    label("method", click.method)?;
    label("purpose", click.purpose)?;
    label("country", click.country)?;
    label("device_class", click.device_class)?;
    text("user_agent", click.user_agent)?;
    text("referrer", click.referrer)?;
    text("utm_source", click.utm_source)?;
    text("utm_medium", click.utm_medium)?;
    text("utm_campaign", click.utm_campaign)?;
    text("utm_term", click.utm_term)?;
    text("utm_content", click.utm_content)
}

fn check_conversion(conversion: &super::Conversion<'_>) -> Result<(), Invalid> {
    id("conversion_id", conversion.conversion_id.0)?;
    optional_id("original_id", conversion.original_id.map(|id| id.0))?;
    optional_id("click_id", conversion.click_id.map(|id| id.0))?;
    optional_id("referral_code", conversion.referral_code.map(|code| code.0.trim()))?;
    optional_id("coupon", conversion.coupon.map(|code| code.0.trim()))?;
    optional_id("customer_id", conversion.customer_id.map(|id| id.0))?;
    optional_id("user_id", conversion.user_id)?;
    label("plan", conversion.plan)?;
    let refers = matches!(
        conversion.kind,
        ConversionKind::Refund | ConversionKind::Chargeback | ConversionKind::ChargebackReversed
    );
    if refers && conversion.original_id.is_none() {
        return Err(Invalid::Missing { field: "original_id" });
    }
    let order = matches!(conversion.kind, ConversionKind::Purchase | ConversionKind::Renewal);
    if order && conversion.amount.is_none() {
        return Err(Invalid::Missing { field: "amount" });
    }
    range("amount", conversion.amount, -i64::MAX, i64::MAX)
}

fn check_commission(commission: &super::Commission<'_>) -> Result<(), Invalid> {
    nonempty("commission_id", commission.commission_id.0)?;
    id("member_id", commission.member_id.0)?;
    optional_id("conversion_id", commission.conversion_id.map(|id| id.0))?;
    let stated =
        matches!(commission.kind, CommissionKind::Earned | CommissionKind::Adjusted | CommissionKind::Reversed);
    if stated && commission.amount.is_none() {
        return Err(Invalid::Missing { field: "amount" });
    }
    time("paid_at", commission.paid_at)?;
    range("sale_amount", commission.sale_amount, -i64::MAX, i64::MAX)?;
    range("amount", commission.amount, -i64::MAX, i64::MAX)
}

fn check_review(review: &super::Review<'_>) -> Result<(), Invalid> {
    text("reason", Some(review.reason))?;
    text("actor", Some(review.actor))?;
    label("decision_id", review.decision_id)?;
    time("expires_at", review.expires_at)?;
    // A derived commission's id is longer than the ids that producers choose.
    nonempty("subject_id", review.subject_id)
}

fn check_rule_set(rules: &super::RuleSet<'_>) -> Result<(), Invalid> {
    let names_none = rules.mode == Some(super::RuleSetMode::Off) && rules.rule_set_id.is_empty();
    if !names_none {
        id("rule_set_id", rules.rule_set_id)?;
    }
    at_most("definition", rules.definition, DEFINITION_BYTES_MAX)?;
    optional_id("version", rules.version)
}

fn check_list_entry(entry: &super::ListEntry<'_>) -> Result<(), Invalid> {
    text("actor", entry.actor)?;
    time("expires_at", entry.expires_at)?;
    id("value", entry.value)
}

fn check_template(template: &super::Template<'_>) -> Result<(), Invalid> {
    id("template_id", template.template_id)?;
    id("platform", template.platform)?;
    id("category", template.category)?;
    optional_id("locale", template.locale)?;
    text("text", Some(template.text))
}

fn id(field: &'static str, value: &str) -> Result<(), Invalid> {
    if value.is_empty() || value.len() > ID_BYTES_MAX {
        return Err(Invalid::Id { field });
    }
    Ok(())
}

fn optional_id(field: &'static str, value: Option<&str>) -> Result<(), Invalid> {
    value.map_or(Ok(()), |value| id(field, value))
}

/// Ids that may be derived ones: `auto:{conversion}:{member}`.
fn nonempty(field: &'static str, value: &str) -> Result<(), Invalid> {
    if value.is_empty() || value.len() > 2 * ID_BYTES_MAX + 6 {
        return Err(Invalid::Id { field });
    }
    Ok(())
}

fn text(field: &'static str, value: Option<&str>) -> Result<(), Invalid> {
    at_most(field, value, TEXT_BYTES_MAX)
}

fn label(field: &'static str, value: Option<&str>) -> Result<(), Invalid> {
    at_most(field, value, LABEL_BYTES_MAX)
}

fn at_most(field: &'static str, value: Option<&str>, max: usize) -> Result<(), Invalid> {
    if value.is_some_and(|value| value.len() > max) {
        return Err(Invalid::TooLong { field, max });
    }
    Ok(())
}

fn time(field: &'static str, value: Option<Millis>) -> Result<(), Invalid> {
    range(field, value.map(|time| time.0), TIME_MIN, TIME_MAX)
}

fn list(field: &'static str, len: usize) -> Result<(), Invalid> {
    if len > LIST_LEN_MAX {
        return Err(Invalid::TooMany { field });
    }
    Ok(())
}

fn range(field: &'static str, value: Option<i64>, min: i64, max: i64) -> Result<(), Invalid> {
    if value.is_some_and(|value| value < min || value > max) {
        return Err(Invalid::Range { field });
    }
    Ok(())
}

fn is_pair(pair: &str) -> bool {
    pair.split_once(',').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty() && !b.contains(','))
}
