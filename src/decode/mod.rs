//! Bytes of the log become events.
//!
//! Promise: [`Decoder::decode`] reads what any program wrote with a released schema, or with a registered one that
//! goes with ours by Avro's rules; it borrows from the record, allocates only for lists, and answers any bytes
//! whatever with an event or an error, in time linear in their length. An event that it returns is well formed
//! (`event::check`), and its creator is the record's key. Pure: no clock, no file.

mod bytes;
pub mod csv;
mod error;
mod fault;
mod fill;
pub mod json;
mod plan;
mod raw;
mod refusal;
mod run;
mod skip;
mod straight;
mod to_event;

pub use error::{Error, Place, Verdict};
pub use fault::Fault;
pub use json::{Scratch, from_json};
pub use plan::Unreadable;
pub use raw::Raw;
pub(crate) use raw::refuse;

use apache_avro::Schema;

use crate::event::{self, Event, Kind};
use crate::schema::fields::Shape;
use crate::schema::row::Row;
use crate::schema::{
    CONFLUENT, DeadLetter, Embedded, RELEASED, SINGLE_OBJECT, current, fingerprint, fingerprint_of_apache_avro,
};
use plan::Plan;

/// Reads records, each by the schema it was written with.
#[derive(Debug, Clone)]
pub struct Decoder {
    plans: Vec<Known>,
    /// Places in `plans`, sorted by the schema's fingerprint.
    by_fingerprint: Vec<(u64, usize)>,
    /// Places in `plans`, sorted by Confluent's id.
    by_id: Vec<(u32, usize)>,
}

/// What we know of a writer schema: how to read it, or why nobody can.
type Known = Result<Plan, Unreadable>;

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// Knows the schemas that are part of the program, current and released.
    pub fn new() -> Self {
        let mut decoder = Self { plans: Vec::new(), by_fingerprint: Vec::new(), by_id: Vec::new() };
        for embedded in current().chain(RELEASED.iter().map(|released| released.schema)) {
            decoder.embed(&embedded);
        }
        decoder
    }

    fn embed(&mut self, embedded: &Embedded) {
        if self.by_fingerprint.binary_search_by_key(&embedded.fingerprint, |known| known.0).is_err() {
            let schema = Schema::parse_str(embedded.json).expect("a test parses the embedded schemas");
            self.name(&schema);
            self.plans.push(Plan::compile(&schema));
        }
    }

    /// Makes the plan that is pushed next known by the schema's fingerprints, unless they name one already.
    fn name(&mut self, schema: &Schema) {
        for print in [fingerprint(schema), fingerprint_of_apache_avro(schema)] {
            if let Err(place) = self.by_fingerprint.binary_search_by_key(&print, |known| known.0) {
                self.by_fingerprint.insert(place, (print, self.plans.len()));
            }
        }
    }

    /// Whether a schema was registered under this Confluent id.
    pub fn knows(&self, id: u32) -> bool {
        self.by_id.binary_search_by_key(&id, |known| known.0).is_ok()
    }

    /// Makes a writer's schema known under the id that a registry gave it, in place of an earlier one, and under its
    /// fingerprint. A schema that cannot become ours is an error, and known as such from now on: its records are
    /// dead letters, not reasons to halt.
    pub fn register(&mut self, id: u32, writer_schema: &str) -> Result<(), Unreadable> {
        let parsed = Schema::parse_str(writer_schema).map_err(|error| Unreadable::Invalid(error.to_string()));
        let plan = self.plans.len();
        if let Ok(schema) = &parsed {
            self.name(schema);
        }
        match self.by_id.binary_search_by_key(&id, |known| known.0) {
            Ok(place) => self.by_id.splice(place..=place, [(id, plan)]).for_each(drop),
            Err(place) => self.by_id.insert(place, (id, plan)),
        }
        let known = parsed.and_then(|schema| Plan::compile(&schema));
        let outcome = known.as_ref().map(drop).map_err(Clone::clone);
        self.plans.push(known);
        outcome
    }

    /// The event of a record, or why there is none.
    pub fn decode<'a>(&self, value: &'a [u8], key: &[u8], at: Place<'_>) -> Result<Event<'a>, Error> {
        if key.is_empty() {
            return Err(Error::MissingKey { at: at.into() });
        }
        let (plan, body) = self.plan(value, key, at)?;
        let Shape::Event(kind) = plan.shape else {
            return Err(Error::UnknownType { name: plan.shape.name().to_owned(), at: at.into() });
        };
        if plan.is_straight {
            let mut event = Event::default();
            let is_read = straight::fill(kind, body, &mut event).is_some();
            if is_read && event.creator_id.0.as_bytes() == key && event::check(&event).is_ok() {
                return Ok(event);
            }
        }
        let event = by_plan(plan, kind, body, at)?;
        if event.creator_id.0.as_bytes() != key {
            return Err(Error::WrongKey { creator_id: event.creator_id.0.to_owned(), at: at.into() });
        }
        Ok(event)
    }

    /// The event of a record whose key is somebody else's business: of a topic that is not the log.
    pub fn decode_of_any_key<'a>(&self, value: &'a [u8], at: Place<'_>) -> Result<Event<'a>, Error> {
        let (plan, body) = self.plan(value, &[], at)?;
        let Shape::Event(kind) = plan.shape else {
            return Err(Error::UnknownType { name: plan.shape.name().to_owned(), at: at.into() });
        };
        by_plan(plan, kind, body, at)
    }

    /// The dead letter of a record of the dead-letter topic.
    pub fn dead_letter<'a>(&self, value: &'a [u8], at: Place<'_>) -> Result<DeadLetter<'a>, Error> {
        let (plan, body) = self.plan(value, &[], at)?;
        let Shape::DeadLetter = plan.shape else {
            return Err(Error::UnknownType { name: plan.shape.name().to_owned(), at: at.into() });
        };
        let mut row = Row::new();
        plan.run(body, &mut row).map_err(|wrong| Error::malformed(plan, wrong, at))?;
        to_event::dead_letter(&row).map_err(|wrong| Error::wrong(plan.shape, wrong, at))
    }

    /// The plan that a record's head names, and the bytes behind the head.
    fn plan<'a>(&self, value: &'a [u8], key: &[u8], at: Place<'_>) -> Result<(&Plan, &'a [u8]), Error> {
        let (place, body) = match value {
            [a, b, rest @ ..] if [*a, *b] == SINGLE_OBJECT => self.by_fingerprint(rest, key, at)?,
            [CONFLUENT, rest @ ..] => self.by_id(rest, key, at)?,
            _ => return Err(Error::Unframed { at: at.into() }),
        };
        match self.plans.get(place) {
            Some(Ok(plan)) => Ok((plan, body)),
            Some(Err(Unreadable::UnknownType(name))) => Err(Error::UnknownType { name: name.clone(), at: at.into() }),
            Some(Err(source)) => Err(Error::Schema { at: at.into(), source: source.clone() }),
            None => Err(Error::Unframed { at: at.into() }),
        }
    }

    fn by_fingerprint<'a>(&self, rest: &'a [u8], key: &[u8], at: Place<'_>) -> Result<(usize, &'a [u8]), Error> {
        let Some((head, body)) = rest.split_first_chunk() else { return Err(Error::Unframed { at: at.into() }) };
        let fingerprint = u64::from_le_bytes(*head);
        match self.by_fingerprint.binary_search_by_key(&fingerprint, |known| known.0) {
            Ok(place) => Ok((self.by_fingerprint.get(place).map_or(usize::MAX, |known| known.1), body)),
            Err(_) => Err(Error::UnknownSchema { fingerprint, at: at.into(), newer: names(body, key) }),
        }
    }

    fn by_id<'a>(&self, rest: &'a [u8], key: &[u8], at: Place<'_>) -> Result<(usize, &'a [u8]), Error> {
        let Some((head, body)) = rest.split_first_chunk() else { return Err(Error::Unframed { at: at.into() }) };
        let id = u32::from_be_bytes(*head);
        match self.by_id.binary_search_by_key(&id, |known| known.0) {
            Ok(place) => Ok((self.by_id.get(place).map_or(usize::MAX, |known| known.1), body)),
            Err(_) => Err(Error::UnknownId { id, at: at.into(), newer: names(body, key) }),
        }
    }
}

/// The long way: for the records of other schemas, and for all that have something wrong.
fn by_plan<'a>(plan: &Plan, kind: Kind, body: &'a [u8], at: Place<'_>) -> Result<Event<'a>, Error> {
    let mut row = Row::new();
    plan.run(body, &mut row).map_err(|wrong| Error::malformed(plan, wrong, at))?;
    let event = to_event::event(kind, &mut row).map_err(|wrong| Error::wrong(plan.shape, wrong, at))?;
    event::check(&event).map_err(|source| Error::Invalid { kind: kind.name(), at: at.into(), source })?;
    Ok(event)
}

/// Whether a record that we cannot read may be an event of this key's creator: whatever schema wrote it, the
/// creator's id stands in it as a text, its length before it. Garbage behind a good head does not.
fn names(body: &[u8], key: &[u8]) -> bool {
    let Ok(len) = u8::try_from(key.len()) else { return false };
    let zigzag = len.wrapping_mul(2);
    (1..=64).contains(&len) && body.windows(key.len() + 1).any(|window| window.split_first() == Some((&zigzag, key)))
}
