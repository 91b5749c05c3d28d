//! What went wrong, as an RFC 9457 document whose `type` never changes.

use std::borrow::Cow;

use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};
use serde::Serialize;

use crate::append::{self, intake};
use crate::project::codec::Malformed;
use crate::store;
use crate::telemetry::with_causes;

/// A kind of problem: the last part of its `type`, its status and its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    InvalidParameter,
    InvalidBody,
    UnalignedBound,
    NotFound,
    UnknownCreator,
    UnknownMember,
    UnknownConversion,
    UnknownCommission,
    UnknownReview,
    UnknownKey,
    Unauthenticated,
    Forbidden,
    RateLimited,
    MethodNotAllowed,
    AlreadyRunning,
    NotNow,
    BodyTimeout,
    BodyTooLarge,
    MediaType,
    Misdirected,
    AllRejected,
    TooManyItems,
    NotKept,
    RangeTooLarge,
    DamagedRow,
    Overloaded,
    LogUnavailable,
    StoreUnavailable,
    PositionTimeout,
    DeadlineExceeded,
}

impl Kind {
    #[cfg(test)]
    const ALL: [Self; 30] = [
        Self::InvalidParameter,
        Self::InvalidBody,
        Self::UnalignedBound,
        Self::NotFound,
        Self::UnknownCreator,
        Self::UnknownMember,
        Self::UnknownConversion,
        Self::UnknownCommission,
        Self::UnknownReview,
        Self::UnknownKey,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::RateLimited,
        Self::MethodNotAllowed,
        Self::AlreadyRunning,
        Self::NotNow,
        Self::BodyTimeout,
        Self::BodyTooLarge,
        Self::MediaType,
        Self::Misdirected,
        Self::AllRejected,
        Self::TooManyItems,
        Self::NotKept,
        Self::RangeTooLarge,
        Self::DamagedRow,
        Self::Overloaded,
        Self::LogUnavailable,
        Self::StoreUnavailable,
        Self::PositionTimeout,
        Self::DeadlineExceeded,
    ];

    const fn facts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::InvalidParameter => ("invalid-parameter", StatusCode::BAD_REQUEST, "A parameter is not valid"),
            Self::InvalidBody => ("invalid-body", StatusCode::BAD_REQUEST, "The body is not what this path takes"),
            Self::UnalignedBound => ("unaligned-bound", StatusCode::BAD_REQUEST, "A bound is off its grid"),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is nothing at this path"),
            Self::UnknownCreator => ("unknown-creator", StatusCode::NOT_FOUND, "No such creator"),
            Self::UnknownMember => ("unknown-member", StatusCode::NOT_FOUND, "No such member"),
            Self::UnknownConversion => ("unknown-conversion", StatusCode::NOT_FOUND, "No such conversion"),
            Self::UnknownCommission => ("unknown-commission", StatusCode::NOT_FOUND, "No such commission"),
            Self::UnknownReview => ("unknown-review", StatusCode::NOT_FOUND, "No such open review"),
            Self::UnknownKey => ("unknown-key", StatusCode::NOT_FOUND, "No such key"),
            Self::Unauthenticated => ("unauthenticated", StatusCode::UNAUTHORIZED, "A good API key is needed"),
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "This key may not do that"),
            Self::RateLimited => ("rate-limited", StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
            Self::MethodNotAllowed => ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::AlreadyRunning => ("already-running", StatusCode::CONFLICT, "One is running already"),
            Self::NotNow => ("not-now", StatusCode::CONFLICT, "Something must be done first"),
            Self::BodyTimeout => ("body-timeout", StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time"),
            Self::BodyTooLarge => ("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::MediaType => ("media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body must be JSON"),
            Self::Misdirected => ("misdirected", StatusCode::MISDIRECTED_REQUEST, "This host is not served here"),
            Self::AllRejected => ("all-rejected", StatusCode::UNPROCESSABLE_ENTITY, "Every event was rejected"),
            Self::TooManyItems => ("too-many-items", StatusCode::UNPROCESSABLE_ENTITY, "Too many items"),
            Self::NotKept => ("not-kept", StatusCode::UNPROCESSABLE_ENTITY, "This figure is not kept"),
            Self::RangeTooLarge => ("range-too-large", StatusCode::UNPROCESSABLE_ENTITY, "The range is too large"),
            Self::DamagedRow => ("damaged-row", StatusCode::INTERNAL_SERVER_ERROR, "A stored row cannot be read"),
            Self::Overloaded => ("overloaded", StatusCode::SERVICE_UNAVAILABLE, "Too much at once"),
            Self::LogUnavailable => ("log-unavailable", StatusCode::SERVICE_UNAVAILABLE, "The log takes nothing now"),
            Self::StoreUnavailable => {
                ("store-unavailable", StatusCode::SERVICE_UNAVAILABLE, "The projections cannot be read now")
            }
            Self::PositionTimeout => {
                ("position-timeout", StatusCode::GATEWAY_TIMEOUT, "The position asked for is not applied yet")
            }
            Self::DeadlineExceeded => ("deadline-exceeded", StatusCode::GATEWAY_TIMEOUT, "The answer took too long"),
        }
    }
}

/// An error as it is answered.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) kind: Kind,
    pub(super) detail: String,
    pub(super) extra: Box<Extra>,
    /// Seconds, for `Retry-After`.
    pub(super) retry_after: Option<u32>,
    /// For `Allow`.
    pub(super) allow: Option<String>,
    /// All others that only problems have.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

/// Members that only some problems have.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Extra {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameter: Option<String>,
    /// The valid values beside the one given, below and above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nearest: Option<[String; 2]>,
    /// What can be asked for instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kept: Option<Vec<Cow<'static, str>>>,
    /// The position that was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) results: Option<Vec<super::events::Item>>,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(flatten)]
    extra: &'a Extra,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), extra: Box::default(), retry_after: None, allow: None, headers: Vec::new() }
    }

    pub(super) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(Kind::InvalidParameter, detail);
        problem.extra.parameter = Some(name.to_owned());
        problem
    }

    pub(super) fn not_kept(detail: impl Into<String>, kept: Vec<&'static str>) -> Self {
        let mut problem = Self::new(Kind::NotKept, detail);
        problem.extra.kept = Some(kept.into_iter().map(Cow::Borrowed).collect());
        problem
    }

    /// The same where what is kept depends on the creator.
    pub(super) fn not_kept_of(detail: impl Into<String>, kept: Vec<String>) -> Self {
        let mut problem = Self::new(Kind::NotKept, detail);
        problem.extra.kept = Some(kept.into_iter().map(Cow::Owned).collect());
        problem
    }

    pub(super) fn retry(kind: Kind, detail: impl Into<String>, seconds: u32) -> Self {
        let mut problem = Self::new(kind, detail);
        problem.retry_after = Some(seconds);
        problem
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.kind.facts().1
    }

    /// The document's bytes.
    pub(super) fn document(&self) -> Vec<u8> {
        let (name, status, title) = self.kind.facts();
        let document = Document {
            r#type: format!("urn:tributary:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            extra: &self.extra,
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        tracing::warn!(error = %with_causes(&error), "cannot read the projections");
        Self::retry(Kind::StoreUnavailable, error.to_string(), 1)
    }
}

impl From<Malformed> for Problem {
    fn from(error: Malformed) -> Self {
        tracing::error!(error = %with_causes(&error), "a stored row is damaged");
        Self::new(Kind::DamagedRow, format!("{error}; run `tributary projections rebuild`"))
    }
}

impl From<intake::Error> for Problem {
    fn from(error: intake::Error) -> Self {
        match error {
            intake::Error::TooManyItems { .. } => Self::new(Kind::TooManyItems, error.to_string()),
            intake::Error::Log(append::Error::TooLarge { .. }) => Self::new(Kind::BodyTooLarge, error.to_string()),
            intake::Error::Log(_) => {
                tracing::warn!(error = %with_causes(&error), "cannot append to the log");
                Self::retry(Kind::LogUnavailable, error.to_string(), 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn every_kind_has_a_type_of_its_own_that_the_document_names() {
        let mut names: Vec<_> = Kind::ALL.into_iter().map(|kind| kind.facts().0).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
        for name in names {
            assert!(super::super::OPENAPI.contains(&format!("`{name}`")), "{name} is not in the document");
        }
    }
}
