//! Why a record of the log is not an event, and what follows from it.

use super::fault::{At, Fault};
use super::plan::{Plan, Unreadable};
use super::to_event::Wrong;
use crate::event::Invalid;
use crate::ids::{Offset, Partition, Position};
use crate::schema::fields::Shape;

/// Where the record stands, to be named in an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'t> {
    pub topic: &'t str,
    pub partition: Partition,
    pub offset: Offset,
}

impl From<Place<'_>> for Position {
    fn from(place: Place<'_>) -> Self {
        Self { topic: place.topic.to_owned(), partition: place.partition, offset: place.offset }
    }
}

/// What becomes of a record that is not an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Stop before it: to go on would lose what only a newer program can read.
    Halt,
    /// To the dead-letter topic, and on.
    DeadLetter,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("no schema {fingerprint:016x} for the record at {at}; upgrade this consumer, a newer writer may be ahead")]
    UnknownSchema { fingerprint: u64, at: Position, newer: bool },
    #[error(
        "no schema with the id {id} for the record at {at}; `kafka.registry_url` must name the registry that its writer used"
    )]
    UnknownId { id: u32, at: Position, newer: bool },
    #[error("the record at {at} begins neither as Avro's single-object encoding nor as Confluent's framing")]
    Unframed { at: Position },
    #[error("the record at {at} is a `{name}`, which is no event of Tributary")]
    UnknownType { name: String, at: Position },
    #[error("the writer's schema of the record at {at} cannot be read")]
    Schema { at: Position, source: Unreadable },
    #[error("cannot read the record at {at} as {schema}{}", of(field))]
    Malformed { schema: &'static str, field: Option<String>, at: Position, source: Fault },
    #[error("`{field}` of the record at {at} has the symbol `{symbol}`, which this program does not know")]
    UnknownSymbol { field: String, symbol: String, at: Position },
    #[error("`{field}` of the {kind} at {at} must be three capital letters")]
    Currency { kind: &'static str, field: String, at: Position },
    #[error("the {kind} at {at} is not well formed")]
    Invalid { kind: &'static str, at: Position, source: Invalid },
    #[error("the record at {at} has no key; it must be the creator_id")]
    MissingKey { at: Position },
    #[error("the record at {at} belongs to creator `{creator_id}`, but its key is another's")]
    WrongKey { creator_id: String, at: Position },
}

fn of(field: &Option<String>) -> String {
    field.as_ref().map(|field| format!(", field `{field}`")).unwrap_or_default()
}

impl Error {
    pub const fn verdict(&self) -> Verdict {
        match self {
            // A newer writer may be ahead of us: skipping would lose its events.
            Self::UnknownSchema { newer: true, .. } | Self::UnknownId { newer: true, .. } => Verdict::Halt,
            Self::UnknownSchema { newer: false, .. }
            | Self::UnknownId { newer: false, .. }
            | Self::Unframed { .. }
            | Self::UnknownType { .. }
            | Self::Schema { .. }
            | Self::Malformed { .. }
            | Self::UnknownSymbol { .. }
            | Self::Currency { .. }
            | Self::Invalid { .. }
            | Self::MissingKey { .. }
            | Self::WrongKey { .. } => Verdict::DeadLetter,
        }
    }

    /// The stable name of the kind of fault, as dead letters carry it and metrics count it.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::UnknownSchema { .. } | Self::UnknownId { .. } => "unknown_schema",
            Self::Unframed { .. } | Self::Malformed { .. } => "undecodable",
            Self::UnknownType { .. } => "unknown_type",
            Self::Schema { .. } => "incompatible_schema",
            Self::UnknownSymbol { .. } | Self::Currency { .. } | Self::Invalid { .. } => "invalid_field",
            Self::MissingKey { .. } => "missing_key",
            Self::WrongKey { .. } => "wrong_key",
        }
    }

    /// The message with its causes, as a dead letter carries it.
    pub fn reason(&self) -> String {
        let mut reason = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            reason = format!("{reason}: {error}");
            cause = error.source();
        }
        reason
    }

    /// Whose event a wrongly keyed record is: it may be published anew under this key.
    pub fn misrouted(&self) -> Option<&str> {
        if let Self::WrongKey { creator_id, .. } = self { Some(creator_id) } else { None }
    }

    pub(crate) fn malformed(plan: &Plan, wrong: At, at: Place<'_>) -> Self {
        let field = wrong.slot.map(|slot| plan.shape.field_name(slot));
        if let Fault::UnknownSymbol { choice, index } = wrong.fault
            && let Some(Err(symbol)) =
                plan.choices.get(usize::from(choice)).and_then(|symbols| symbols.get(usize::from(index)))
        {
            return Self::UnknownSymbol { field: field.unwrap_or_default(), symbol: symbol.clone(), at: at.into() };
        }
        Self::Malformed { schema: plan.shape.name(), field, at: at.into(), source: wrong.fault }
    }

    pub(crate) fn wrong(shape: Shape, wrong: Wrong, at: Place<'_>) -> Self {
        match wrong {
            Wrong::Currency => Self::Currency { kind: shape.name(), field: "currency".to_owned(), at: at.into() },
            Wrong::Missing { slot } => Self::Malformed {
                schema: shape.name(),
                field: Some(shape.field_name(slot)),
                at: at.into(),
                source: Fault::Null,
            },
        }
    }
}
