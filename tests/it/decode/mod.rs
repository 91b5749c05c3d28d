//! Reading records and texts.

pub(crate) mod apache;
mod corpus;
mod csv;
mod evolve;
mod hostile;
mod json;
mod memory;
mod roundtrip;
pub mod sample;
mod verdicts;

use tributary::decode::Place;
use tributary::ids::{Offset, Partition};

pub fn place() -> Place<'static> {
    Place { topic: "tributary.events", partition: Partition(3), offset: Offset(41) }
}
