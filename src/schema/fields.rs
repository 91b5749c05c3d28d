//! The fields of every record, once: the schemas, Avro both ways, JSON both ways and CSV all go by these tables.
//!
//! The order is the schema's. Each field has a *slot*, its place in a [`Row`](super::row::Row): fields count from
//! zero, a nested record takes one slot for itself and then one for each of its own fields.

use crate::event::{
    AttributionModel, CommissionKind, CommissionSource, ConversionKind, ErasureSubject, Kind, ListKey, ListKind,
    MemberStatus, OnDue, PaymentType, Precedence, ReviewLabel, ReviewSubject, RuleSetMode, ShareType, Verdict,
};

/// The symbol at an index, `None` past the last.
pub(crate) type Symbols = fn(usize) -> Option<&'static str>;

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Type {
    Text,
    Bytes,
    Long,
    /// Milliseconds since 1970.
    Time,
    Flag,
    Token,
    Symbol(Symbols),
    /// A list of texts, in this one of the row's two.
    Texts(usize),
    /// A list of symbols.
    Choices(Symbols),
    /// The map of `attributes`.
    Notes,
    Record(&'static [Field]),
}

/// Whether a field may be left out, and how its schema says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    /// A union with null, and null by default.
    Optional,
    /// Not a union; the schema has a default.
    Default,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) ty: Type,
    pub(crate) need: Need,
}

/// The fields at the head of every event.
const COMMON: &[Field] = &[
    required("event_id", Type::Text),
    required("creator_id", Type::Text),
    required("occurred_at", Type::Time),
    optional("received_at", Type::Time),
    default("attributes", Type::Notes),
];

/// The fields of a kind behind the common ones.
const fn of(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Creator => CREATOR,
        Kind::Member => MEMBER,
        Kind::Sighting => SIGHTING,
        Kind::Share => SHARE,
        Kind::Click => CLICK,
        Kind::Conversion => CONVERSION,
        Kind::Commission => COMMISSION,
        Kind::Review => REVIEW,
        Kind::RuleSet => RULE_SET,
        Kind::ListEntry => LIST_ENTRY,
        Kind::Template => TEMPLATE,
        Kind::Erasure => ERASURE,
        Kind::Tick => NONE,
    }
}

/// A record that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Event(Kind),
    /// Written by itself and never read here: it has no fields in these tables.
    Decision,
    DeadLetter,
}

impl Shape {
    /// The record's name in its schema.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Event(kind) => kind.name(),
            Self::Decision => "Decision",
            Self::DeadLetter => "DeadLetter",
        }
    }

    /// The shape of records that can be read.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        if name == Self::DeadLetter.name() { Some(Self::DeadLetter) } else { Kind::parse(name).map(Self::Event) }
    }

    /// All fields with their slots, nested ones not among them.
    pub(crate) fn fields(self) -> impl Iterator<Item = (usize, &'static Field)> {
        let (head, tail) = match self {
            Self::Event(kind) => (COMMON, of(kind)),
            Self::Decision => (NONE, NONE),
            Self::DeadLetter => (DEAD_LETTER, NONE),
        };
        numbered(head.iter().chain(tail), 0)
    }

    /// The name of the field at a slot, dotted if it is nested.
    pub(crate) fn field_name(self, slot: usize) -> String {
        path(self.fields(), slot).unwrap_or_else(|| self.name().to_owned())
    }
}

/// The fields of a nested record with their slots; `at` is the record's own.
pub(crate) fn nested(fields: &'static [Field], at: usize) -> impl Iterator<Item = (usize, &'static Field)> {
    numbered(fields.iter(), at + 1)
}

fn numbered(
    fields: impl Iterator<Item = &'static Field>,
    first: usize,
) -> impl Iterator<Item = (usize, &'static Field)> {
    fields.scan(first, |next, field| {
        let slot = *next;
        *next += field.width();
        Some((slot, field))
    })
}

fn path(fields: impl Iterator<Item = (usize, &'static Field)>, slot: usize) -> Option<String> {
    let (at, field) = fields.take_while(|(at, _)| *at <= slot).last()?;
    match field.ty {
        Type::Record(inner) if at < slot => Some(format!("{}.{}", field.name, path_flat(inner, slot - at - 1)?)),
        Type::Record(_)
        | Type::Text
        | Type::Bytes
        | Type::Long
        | Type::Time
        | Type::Flag
        | Type::Token
        | Type::Symbol(_)
        | Type::Texts(_)
        | Type::Choices(_)
        | Type::Notes => Some(field.name.to_owned()),
    }
}

fn path_flat(fields: &'static [Field], index: usize) -> Option<&'static str> {
    fields.get(index).map(|field| field.name)
}

impl Field {
    /// How many slots the field takes.
    pub(crate) fn width(&self) -> usize {
        if let Type::Record(fields) = self.ty { 1 + fields.iter().map(Self::width).sum::<usize>() } else { 1 }
    }
}

/// The index of a symbol.
pub(crate) fn symbol_index(symbols: Symbols, name: &str) -> Option<u8> {
    (0..u8::MAX)
        .map_while(|index| Some((index, symbols(usize::from(index))?)))
        .find(|(_, s)| *s == name)
        .map(|(i, _)| i)
}

const fn required(name: &'static str, ty: Type) -> Field {
    Field { name, ty, need: Need::Required }
}

const fn optional(name: &'static str, ty: Type) -> Field {
    Field { name, ty, need: Need::Optional }
}

const fn default(name: &'static str, ty: Type) -> Field {
    Field { name, ty, need: Need::Default }
}

const CONVERSION_KIND: Symbols = |i| ConversionKind::ALL.get(i).map(|v| v.symbol());
const PAYMENT_TYPE: Type = Type::Symbol(|i| PaymentType::ALL.get(i).map(|v| v.symbol()));

const NONE: &[Field] = &[];

const CREATOR: &[Field] = &[
    required("name", Type::Text),
    required("currency", Type::Text),
    required("time_zone", Type::Text),
    optional("attribution", Type::Record(ATTRIBUTION_POLICY)),
    optional("commission", Type::Record(COMMISSION_POLICY)),
    optional("review", Type::Record(REVIEW_POLICY)),
    default("breakdown_pairs", Type::Texts(0)),
    optional("link_base", Type::Text),
    optional("landing_url", Type::Text),
    optional("click_cookie", Type::Flag),
    default("embed_origins", Type::Texts(1)),
];

const ATTRIBUTION_POLICY: &[Field] = &[
    optional("model", Type::Symbol(|i| AttributionModel::ALL.get(i).map(|v| v.symbol()))),
    optional("precedence", Type::Symbol(|i| Precedence::ALL.get(i).map(|v| v.symbol()))),
    optional("signup_window_ms", Type::Long),
    optional("purchase_window_ms", Type::Long),
];

const COMMISSION_POLICY: &[Field] = &[
    optional("source", Type::Symbol(|i| CommissionSource::ALL.get(i).map(|v| v.symbol()))),
    optional("rate_bp", Type::Long),
    optional("flat_amount", Type::Long),
    default("on", Type::Choices(CONVERSION_KIND)),
    optional("hold_days", Type::Long),
];

const REVIEW_POLICY: &[Field] =
    &[optional("due_days", Type::Long), optional("on_due", Type::Symbol(|i| OnDue::ALL.get(i).map(|v| v.symbol())))];

const MEMBER: &[Field] = &[
    required("member_id", Type::Text),
    optional("user_id", Type::Text),
    optional("username", Type::Text),
    optional("referral_code", Type::Text),
    default("coupons", Type::Texts(0)),
    optional("joined_at", Type::Time),
    optional("status", Type::Symbol(|i| MemberStatus::ALL.get(i).map(|v| v.symbol()))),
];

const SIGHTING: &[Field] = &[
    required("member_id", Type::Text),
    optional("ip_token", Type::Token),
    optional("ip56_token", Type::Token),
    optional("device_token", Type::Token),
    optional("email_token", Type::Token),
    optional("payout_token", Type::Token),
];

const SHARE: &[Field] = &[
    required("share_id", Type::Text),
    required("member_id", Type::Text),
    required("platform", Type::Text),
    required("share_type", Type::Symbol(|i| ShareType::ALL.get(i).map(|v| v.symbol()))),
    optional("template_id", Type::Text),
    optional("locale", Type::Text),
];

const CLICK: &[Field] = &[
    required("click_id", Type::Text),
    optional("member_id", Type::Text),
    optional("referral_code", Type::Text),
    optional("share_id", Type::Text),
    optional("platform", Type::Text),
    optional("ip_token", Type::Token),
    optional("ip56_token", Type::Token),
    optional("device_token", Type::Token),
    optional("user_agent", Type::Text),
    optional("method", Type::Text),
    optional("purpose", Type::Text),
    optional("referrer", Type::Text),
    optional("utm_source", Type::Text),
    optional("utm_medium", Type::Text),
    optional("utm_campaign", Type::Text),
    optional("utm_term", Type::Text),
    optional("utm_content", Type::Text),
    optional("country", Type::Text),
    optional("device_class", Type::Text),
];

const CONVERSION: &[Field] = &[
    required("conversion_id", Type::Text),
    required("kind", Type::Symbol(CONVERSION_KIND)),
    optional("original_id", Type::Text),
    optional("click_id", Type::Text),
    optional("referral_code", Type::Text),
    optional("coupon", Type::Text),
    optional("customer_id", Type::Text),
    optional("user_id", Type::Text),
    optional("ip_token", Type::Token),
    optional("device_token", Type::Token),
    optional("email_token", Type::Token),
    optional("payment_token", Type::Token),
    optional("amount", Type::Long),
    optional("currency", Type::Text),
    optional("plan", Type::Text),
    optional("payment_type", PAYMENT_TYPE),
];

const COMMISSION: &[Field] = &[
    required("commission_id", Type::Text),
    required("kind", Type::Symbol(|i| CommissionKind::ALL.get(i).map(|v| v.symbol()))),
    required("member_id", Type::Text),
    optional("conversion_id", Type::Text),
    optional("amount", Type::Long),
    optional("currency", Type::Text),
    optional("sale_amount", Type::Long),
    optional("payment_type", PAYMENT_TYPE),
    optional("paid_at", Type::Time),
];

const REVIEW: &[Field] = &[
    required("subject_type", Type::Symbol(|i| ReviewSubject::ALL.get(i).map(|v| v.symbol()))),
    required("subject_id", Type::Text),
    optional("decision_id", Type::Text),
    required("verdict", Type::Symbol(|i| Verdict::ALL.get(i).map(|v| v.symbol()))),
    required("label", Type::Symbol(|i| ReviewLabel::ALL.get(i).map(|v| v.symbol()))),
    required("reason", Type::Text),
    required("actor", Type::Text),
    optional("expires_at", Type::Time),
];

const RULE_SET: &[Field] = &[
    required("rule_set_id", Type::Text),
    optional("version", Type::Text),
    optional("definition", Type::Text),
    optional("mode", Type::Symbol(|i| RuleSetMode::ALL.get(i).map(|v| v.symbol()))),
];

const LIST_ENTRY: &[Field] = &[
    required("list", Type::Symbol(|i| ListKind::ALL.get(i).map(|v| v.symbol()))),
    required("key", Type::Symbol(|i| ListKey::ALL.get(i).map(|v| v.symbol()))),
    required("value", Type::Text),
    default("active", Type::Flag),
    optional("actor", Type::Text),
    optional("expires_at", Type::Time),
];

const TEMPLATE: &[Field] = &[
    required("template_id", Type::Text),
    required("platform", Type::Text),
    required("category", Type::Text),
    optional("locale", Type::Text),
    required("text", Type::Text),
    default("active", Type::Flag),
];

const ERASURE: &[Field] = &[
    required("subject_type", Type::Symbol(|i| ErasureSubject::ALL.get(i).map(|v| v.symbol()))),
    required("subject_id", Type::Text),
    required("actor", Type::Text),
];

const DEAD_LETTER: &[Field] = &[
    required("topic", Type::Text),
    required("partition", Type::Long),
    required("offset", Type::Long),
    required("timestamp", Type::Time),
    required("class", Type::Text),
    required("message", Type::Text),
    required("key", Type::Bytes),
    required("value", Type::Bytes),
];
