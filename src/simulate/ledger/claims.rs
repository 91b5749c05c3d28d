//! §2 Duplicates and conflicts.

use super::Book;
use super::people::normal;
use super::time::{ABSURD, is_forgotten_some_day};
use super::waiting::{Key, key};
use crate::event::{Body, Commission, CommissionKind, Event};
use crate::ids::Millis;

/// What an id stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    facts: u64,
    /// `None`: kept for ever.
    until_forgotten: Option<Millis>,
}

pub(super) enum Verdict {
    New,
    Duplicate,
    Conflict,
}

impl Book {
    /// §2: the event id is asked first, then the business id.
    pub(super) fn known(&self, event: &Event<'_>) -> Verdict {
        for (id, facts) in claims_of(event) {
            let Some(claim) = self.claims.get(&id) else { continue };
            // What was dated ahead stands before its own time, and may come again until that is too late.
            if claim.until_forgotten.is_some_and(|t| !self.remembers(Millis(t.0 + ABSURD))) {
                continue;
            }
            return if claim.facts == facts { Verdict::Duplicate } else { Verdict::Conflict };
        }
        Verdict::New
    }

    /// §2: only what is applied claims its ids: neither what is dead-lettered nor what still waits and may yet be.
    pub(super) fn claim(&mut self, t: Millis, event: &Event<'_>) {
        let until_forgotten = is_forgotten_some_day(&event.body).then_some(t);
        for (id, facts) in claims_of(event) {
            self.claims.insert(id, Claim { facts, until_forgotten });
        }
    }
}

fn claims_of(event: &Event<'_>) -> impl Iterator<Item = (Key, u64)> {
    let by_event = (!is_known_by_own_id_only(&event.body)).then(|| (key(1, event.event_id.0), facts_of_event(event)));
    by_event.into_iter().chain(business_claim(&event.body))
}

/// §2: Click and Share have only their business id.
const fn is_known_by_own_id_only(body: &Body<'_>) -> bool {
    matches!(body, Body::Click(_) | Body::Share(_))
}

/// §2: all fields but `received_at` and the tokens.
fn facts_of_event(event: &Event<'_>) -> u64 {
    let mut bare = event.clone();
    bare.received_at = None;
    match &mut bare.body {
        Body::Sighting(sighting) => {
            sighting.ip_token = None;
            sighting.ip56_token = None;
            sighting.device_token = None;
            sighting.email_token = None;
            sighting.payout_token = None;
        }
        Body::Conversion(conversion) => {
            conversion.ip_token = None;
            conversion.device_token = None;
            conversion.email_token = None;
            conversion.payment_token = None;
        }
        Body::Creator(_) | Body::Member(_) | Body::Share(_) | Body::Click(_) | Body::Commission(_) => {}
        Body::Review(_) | Body::RuleSet(_) | Body::ListEntry(_) | Body::Template(_) => {}
        Body::Erasure(_) | Body::Tick => {}
    }
    facts(&bare)
}

fn facts(what: &impl serde::Serialize) -> u64 {
    let bytes = postcard::to_allocvec(what).expect("events are plain data");
    xxhash_rust::xxh3::xxh3_64(&bytes)
}

/// §2: the ids of money and traffic, and the fields that must agree.
fn business_claim(body: &Body<'_>) -> Option<(Key, u64)> {
    match body {
        Body::Share(share) => Some((key(2, share.share_id.0), facts(&(share.member_id, share.platform)))),
        Body::Click(click) => {
            let code = click.referral_code.map(|code| normal(code.0));
            Some((key(3, click.click_id.0), facts(&(click.member_id, code))))
        }
        Body::Conversion(c) => {
            let agreed = (c.kind, c.original_id, c.customer_id, c.amount, c.currency);
            Some((key(4, c.conversion_id.0), facts(&agreed)))
        }
        Body::Commission(commission) => commission_claim(commission),
        Body::Creator(_) | Body::Member(_) | Body::Sighting(_) | Body::Review(_) | Body::RuleSet(_) => None,
        Body::ListEntry(_) | Body::Template(_) | Body::Erasure(_) | Body::Tick => None,
    }
}

/// §2: `adjusted` and `reversed` have only their event id.
fn commission_claim(commission: &Commission<'_>) -> Option<(Key, u64)> {
    let tag = match commission.kind {
        CommissionKind::Earned => 5,
        CommissionKind::Approved => 6,
        CommissionKind::Paid => 7,
        CommissionKind::Adjusted | CommissionKind::Reversed => return None,
    };
    let agreed = (commission.member_id, commission.amount, commission.currency);
    Some((key(tag, commission.commission_id.0), facts(&agreed)))
}
