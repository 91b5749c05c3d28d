//! From the head of a request to who asks, or to the problem that it is answered with.

use std::collections::BTreeSet;
use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::{self, HeaderName, HeaderValue};

use super::bucket::{Drawn, Rate};
use super::ring::{Found, Known, Ring, Stranger};
use super::secret::Secret;
use super::{Access, Keys, Scope};
use crate::store::Store;
use crate::telemetry::REQUESTS_REFUSED;
use crate::web::problem::{Kind, Problem};

/// What a path asks of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum Needs {
    /// No key.
    Nothing,
    /// The scope; of creators the key sees its own.
    Scope(Scope),
    /// The scope, for all creators: the answer is about everything.
    Whole(Scope),
}

impl Needs {
    pub(in crate::web) const fn scope(self) -> Option<Scope> {
        match self {
            Self::Nothing => None,
            Self::Scope(scope) | Self::Whole(scope) => Some(scope),
        }
    }
}

/// Somebody who was let in.
#[derive(Clone)]
pub(in crate::web) struct Pass {
    /// `None`: no key was asked for.
    owner: Option<(Arc<Ring>, Arc<Known>)>,
    drawn: Option<(Rate, Drawn)>,
}

impl Pass {
    /// The only creators there are for this one; `None`: all.
    pub(in crate::web) fn creators(&self) -> Option<Arc<BTreeSet<String>>> {
        self.owner.as_ref().and_then(|(_, known)| known.creators.clone())
    }

    /// Who it is, for the record: the key's public part.
    pub(in crate::web) fn actor(&self) -> String {
        self.owner.as_ref().map_or_else(|| "local".to_owned(), |(_, known)| format!("key:{}", known.id))
    }

    pub(in crate::web) fn may_touch(&self, creator: &str) -> bool {
        self.creators().is_none_or(|creators| creators.contains(creator))
    }

    /// Whether it would still be let in: what goes on for long asks again.
    pub(in crate::web) fn is_good(&self) -> bool {
        self.owner.as_ref().is_none_or(|(ring, known)| ring.is_good(known))
    }

    /// Says how much is left, in the fields of draft-ietf-httpapi-ratelimit-headers.
    pub(in crate::web) fn tell(&self, headers: &mut HeaderMap) {
        headers.extend(self.drawn.iter().flat_map(|(rate, drawn)| limits(*rate, *drawn)));
    }
}

/// Lets a request in, or says why not.
pub(in crate::web) fn admit<S: Store>(
    (access, keys): (Access, &Keys<S>),
    needs: Needs,
    headers: &HeaderMap,
) -> Result<Pass, Problem> {
    let (Access::Keys, Some(scope)) = (access, needs.scope()) else {
        return Ok(Pass { owner: None, drawn: None });
    };
    let ring = &keys.ring;
    let known = match bearer(headers).map(|secret| ring.find(&secret)) {
        Ok(Found::Owner(known)) => known,
        Ok(Found::Nobody(stranger)) | Err(stranger) => return Err(turn_away(ring, stranger)),
        Ok(Found::Stale) => {
            let detail = "the API keys could not be read for a while, so that nobody can be let in";
            return Err(Problem::retry(Kind::StoreUnavailable, detail, 1));
        }
    };
    let drawn = known.draw(ring.clock.monotonic());
    if let Some((rate, refused)) = drawn.filter(|(_, drawn)| !drawn.is_allowed) {
        let detail = format!("this key may ask {} times a second, and {} times at once", rate.per_s, rate.burst);
        count("rate");
        let mut problem = Problem::retry(Kind::RateLimited, detail, refused.next_in_s);
        problem.headers.extend(limits(rate, refused));
        return Err(problem);
    }
    if let Some(mut problem) = lacking(&known, needs, scope) {
        count("scope");
        problem.headers.extend(drawn.iter().flat_map(|(rate, drawn)| limits(*rate, *drawn)));
        return Err(problem);
    }
    Ok(Pass { owner: Some((Arc::clone(ring), known)), drawn })
}

/// The key of `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Result<Secret, Stranger> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let value = all.next().ok_or(Stranger::NoKey)?;
    let text = value.to_str().ok().filter(|_| all.next().is_none()).ok_or(Stranger::Malformed)?;
    let (scheme, key) = text.split_once(' ').ok_or(Stranger::Malformed)?;
    let key = Some(key.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer"));
    key.and_then(Secret::parse).ok_or(Stranger::Malformed)
}

/// A 401; a 429 when too many of them came. A good key is let in all the same: nobody can lock others out.
fn turn_away(ring: &Ring, stranger: Stranger) -> Problem {
    let drawn = ring.refuse();
    let (reason, detail) = match stranger {
        Stranger::NoKey => ("no_key", "send an API key: `Authorization: Bearer trb_…`"),
        Stranger::Malformed => {
            ("malformed_key", "this is no API key, or not all of it: `Authorization: Bearer trb_…` is expected")
        }
        Stranger::Unknown => ("unknown_key", "this key is not known here, or was revoked"),
        Stranger::Expired => ("expired_key", "this key has expired; ask for another"),
    };
    if !drawn.is_allowed {
        count("guessing");
        let detail = "too many requests came without a good key";
        return Problem::retry(Kind::RateLimited, detail, drawn.next_in_s);
    }
    count(reason);
    let challenge = match stranger {
        Stranger::NoKey => "Bearer realm=\"tributary\"",
        Stranger::Malformed | Stranger::Unknown | Stranger::Expired => {
            "Bearer realm=\"tributary\", error=\"invalid_token\""
        }
    };
    let mut problem = Problem::new(Kind::Unauthenticated, detail);
    problem.headers.push((header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge)));
    problem
}

fn lacking(known: &Known, needs: Needs, scope: Scope) -> Option<Problem> {
    let detail = if !known.scopes.contains(&scope) {
        format!("this key has not the scope `{}`", scope.name())
    } else if matches!(needs, Needs::Whole(_)) && known.creators.is_some() {
        "this answer is about all creators, and this key is for some".to_owned()
    } else {
        return None;
    };
    let mut problem = Problem::new(Kind::Forbidden, detail);
    let challenge = format!("Bearer realm=\"tributary\", error=\"insufficient_scope\", scope=\"{}\"", scope.name());
    problem.headers.extend(HeaderValue::try_from(challenge).ok().map(|value| (header::WWW_AUTHENTICATE, value)));
    Some(problem)
}

fn limits(rate: Rate, drawn: Drawn) -> [(HeaderName, HeaderValue); 2] {
    let window = rate.burst.div_ceil(rate.per_s.max(1));
    let policy = format!("\"key\";q={};w={window}", rate.burst);
    let now = format!("\"key\";r={};t={}", drawn.left, drawn.full_in_s);
    let value = |text: String| HeaderValue::try_from(text).expect("digits and quotes are a header's letters");
    [(HeaderName::from_static("ratelimit-policy"), value(policy)), (HeaderName::from_static("ratelimit"), value(now))]
}

fn count(reason: &'static str) {
    metrics::counter!(REQUESTS_REFUSED, "reason" => reason).increment(1);
}
