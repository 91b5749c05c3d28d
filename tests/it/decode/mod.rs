//! Reading records and texts.

mod roundtrip;
pub mod sample;

use tributary::decode::Place;
use tributary::ids::{Offset, Partition};

pub fn place() -> Place<'static> {
    Place { topic: "tributary.events", partition: Partition(3), offset: Offset(41) }
}
