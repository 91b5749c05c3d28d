//! The schemas of the log, and events as bytes and as JSON.
//!
//! Promise: what [`encode`] writes, `decode` reads back the same, this year's program and every earlier and later
//! one alike: a released schema never changes, and the current one can read, and be read by, each of them
//! ([`check`]). The schemas are part of the program; no registry is needed.

mod check;
mod dead_letter;
pub mod decision;
mod encode;
pub(crate) mod fields;
mod fingerprint;
mod json;
mod of_event;
mod released;
pub(crate) mod row;

pub use check::{Checked, Error, check};
pub use dead_letter::DeadLetter;
pub use decision::Decision;
pub use encode::{encode, encode_confluent};
pub use fingerprint::{crc64, fingerprint, fingerprint_of_apache_avro};
pub use json::to_json;
pub use released::{RELEASED, Released};

use fields::Shape;

use crate::event::Kind;

/// The first two bytes of the single-object encoding; the fingerprint follows, low byte first.
pub const SINGLE_OBJECT: [u8; 2] = [0xC3, 0x01];
/// The first byte of Confluent's framing; the schema's id follows, high byte first.
pub const CONFLUENT: u8 = 0;

/// A schema that is part of the program.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    pub(crate) shape: Shape,
    /// The file, as in the repository.
    pub file: &'static str,
    pub json: &'static str,
    /// CRC-64-AVRO of the canonical form: what a record's head carries.
    pub fingerprint: u64,
}

impl Embedded {
    /// The record's name.
    pub const fn name(&self) -> &'static str {
        self.shape.name()
    }
}

/// The schemas that this program writes.
pub fn current() -> impl Iterator<Item = Embedded> {
    Kind::ALL.into_iter().map(Shape::Event).chain([Shape::Decision, Shape::DeadLetter]).map(embedded)
}

const fn embedded(shape: Shape) -> Embedded {
    Embedded { shape, file: file(shape), json: json(shape), fingerprint: fingerprint_of(shape) }
}

const fn file(shape: Shape) -> &'static str {
    match shape {
        Shape::Event(Kind::Creator) => "schemas/avro/Creator.avsc",
        Shape::Event(Kind::Member) => "schemas/avro/Member.avsc",
        Shape::Event(Kind::Sighting) => "schemas/avro/Sighting.avsc",
        Shape::Event(Kind::Share) => "schemas/avro/Share.avsc",
        Shape::Event(Kind::Click) => "schemas/avro/Click.avsc",
        Shape::Event(Kind::Conversion) => "schemas/avro/Conversion.avsc",
        Shape::Event(Kind::Commission) => "schemas/avro/Commission.avsc",
        Shape::Event(Kind::Review) => "schemas/avro/Review.avsc",
        Shape::Event(Kind::RuleSet) => "schemas/avro/RuleSet.avsc",
        Shape::Event(Kind::ListEntry) => "schemas/avro/ListEntry.avsc",
        Shape::Event(Kind::Template) => "schemas/avro/Template.avsc",
        Shape::Event(Kind::Erasure) => "schemas/avro/Erasure.avsc",
        Shape::Event(Kind::Tick) => "schemas/avro/Tick.avsc",
        Shape::Decision => "schemas/avro/Decision.avsc",
        Shape::DeadLetter => "schemas/avro/DeadLetter.avsc",
    }
}

const fn json(shape: Shape) -> &'static str {
    match shape {
        Shape::Event(Kind::Creator) => include_str!("../../schemas/avro/Creator.avsc"),
        Shape::Event(Kind::Member) => include_str!("../../schemas/avro/Member.avsc"),
        Shape::Event(Kind::Sighting) => include_str!("../../schemas/avro/Sighting.avsc"),
        Shape::Event(Kind::Share) => include_str!("../../schemas/avro/Share.avsc"),
        Shape::Event(Kind::Click) => include_str!("../../schemas/avro/Click.avsc"),
        Shape::Event(Kind::Conversion) => include_str!("../../schemas/avro/Conversion.avsc"),
        Shape::Event(Kind::Commission) => include_str!("../../schemas/avro/Commission.avsc"),
        Shape::Event(Kind::Review) => include_str!("../../schemas/avro/Review.avsc"),
        Shape::Event(Kind::RuleSet) => include_str!("../../schemas/avro/RuleSet.avsc"),
        Shape::Event(Kind::ListEntry) => include_str!("../../schemas/avro/ListEntry.avsc"),
        Shape::Event(Kind::Template) => include_str!("../../schemas/avro/Template.avsc"),
        Shape::Event(Kind::Erasure) => include_str!("../../schemas/avro/Erasure.avsc"),
        Shape::Event(Kind::Tick) => include_str!("../../schemas/avro/Tick.avsc"),
        Shape::Decision => include_str!("../../schemas/avro/Decision.avsc"),
        Shape::DeadLetter => include_str!("../../schemas/avro/DeadLetter.avsc"),
    }
}

/// The fingerprints, worked out beforehand so that writing a record needs no schema; `check` compares them.
const fn fingerprint_of(shape: Shape) -> u64 {
    match shape {
        Shape::Event(Kind::Creator) => 0xf913_154d_70ca_70ac,
        Shape::Event(Kind::Member) => 0xcf05_755c_1cd2_0be2,
        Shape::Event(Kind::Sighting) => 0x46ba_25a6_3108_ad83,
        Shape::Event(Kind::Share) => 0xa759_22c3_9225_3f1b,
        Shape::Event(Kind::Click) => 0xd5c2_aee6_5ca8_b7ab,
        Shape::Event(Kind::Conversion) => 0xda10_11c7_c9bc_e5ee,
        Shape::Event(Kind::Commission) => 0x1a2b_9f67_f20a_efdd,
        Shape::Event(Kind::Review) => 0xa22b_3b22_e469_73eb,
        Shape::Event(Kind::RuleSet) => 0xaf39_55bc_dca8_3301,
        Shape::Event(Kind::ListEntry) => 0x053d_fb25_0ad4_9ca1,
        Shape::Event(Kind::Template) => 0x3a77_6ee9_47c9_369e,
        Shape::Event(Kind::Erasure) => 0x244d_9a25_3911_12f5,
        Shape::Event(Kind::Tick) => 0x60d8_6f18_87eb_cbbd,
        Shape::Decision => 0xe9ab_0a83_f7ec_2c9f,
        Shape::DeadLetter => 0x58bf_7f87_d65e_7cee,
    }
}
