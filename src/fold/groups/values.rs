//! The values of dimensions as they are compared and shown.
//!
//! Platforms and device classes are compared in ASCII lower case, countries in upper case, a referrer is its host;
//! everything else letter by letter. What is longer than 64 bytes is cut at a character.

use std::borrow::Cow;

use super::dimension::Dimension;
use crate::event::{PaymentType, ShareType};

/// Bytes of a value that are kept.
const BYTES_MAX: usize = 64;

/// The value as it is compared, of a text without blanks around it and of a referrer's host; empty is none.
pub(super) fn canonical(dimension: Dimension, text: &str) -> Cow<'_, str> {
    match dimension {
        Dimension::Platform | Dimension::Device | Dimension::Referrer => folded(text, str::to_ascii_lowercase),
        Dimension::Country => folded(text, str::to_ascii_uppercase),
        Dimension::UtmSource
        | Dimension::UtmMedium
        | Dimension::UtmCampaign
        | Dimension::UtmTerm
        | Dimension::UtmContent
        | Dimension::ShareType
        | Dimension::Template
        | Dimension::Plan
        | Dimension::PaymentType => Cow::Borrowed(cut(text)),
    }
}

fn folded(text: &str, fold: fn(&str) -> String) -> Cow<'_, str> {
    Cow::Owned(fold(cut(text)))
}

/// The first 64 bytes, cut at a character.
pub(super) fn cut(text: &str) -> &str {
    let mut end = text.len().min(BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The host of a referrer: without scheme, user, port and path. Whatever has no scheme is taken for a host and path.
pub(super) fn host(referrer: &str) -> &str {
    let rest = referrer.trim();
    let rest = rest.split_once("://").map_or(rest, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // The colons of an IPv6 address stand in brackets.
    if host.starts_with('[') {
        return host.find(']').and_then(|end| host.get(..=end)).unwrap_or(host);
    }
    host.split(':').next().unwrap_or_default()
}

pub(super) const fn share_type(kind: ShareType) -> &'static str {
    match kind {
        ShareType::Link => "link",
        ShareType::Qr => "qr",
        ShareType::Message => "message",
    }
}

pub(super) const fn payment_type(kind: Option<PaymentType>) -> &'static str {
    match kind {
        None => "",
        Some(PaymentType::Initial) => "initial",
        Some(PaymentType::Recurring) => "recurring",
    }
}
