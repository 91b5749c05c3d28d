//! Clicks, shares, and what was seen before.

use bytemuck::{Pod, Zeroable};

use super::Text;
use crate::keep::Id128;

/// A click, as far as attribution needs it.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Click {
    pub t: i64,
    /// Hash of the member and code it named: must agree when the id comes again.
    pub names: u64,
    /// Its place among the touches.
    pub touch: u64,
    /// The visitor's human click before this one by (t, id), or `NO_ID`; and its time, for its id may be another's
    /// once it is forgotten.
    pub before: Id128,
    pub before_t: i64,
    pub n: u32,
    /// Its combination of dimensions.
    pub group: u32,
    pub human: u8,
    /// Its answers to the fraud questions are kept.
    pub judged: u8,
    /// Bit i: question i of `judge::frozen::QUESTIONS` was not answered.
    pub unknown: u16,
    pub pad: [u8; 4],
}

/// A visitor: head of the list of its human clicks, newest first by (t, id).
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Visitor {
    pub newest: Id128,
    /// Its time.
    pub t: i64,
}

/// A click or share, in the order of the log.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Touch {
    pub t: i64,
    /// The creator's clock and floor when it came.
    pub clock: i64,
    pub floor: i64,
    /// The place of the member's touch before it, plus one; 0 is none.
    pub prev: u64,
    pub n: u32,
    /// Its combination of dimensions.
    pub group: u32,
    /// How long the creator remembered clicks and shares when it came, in hours.
    pub horizon_hours: u32,
    pub id: Text,
    /// The share that a click names, known or not.
    pub share_id: Text,
    /// See `touches::Disposition`.
    pub disposition: u8,
    pub pad: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Share {
    /// Hash of member and platform: must agree when the id comes again.
    pub names: u64,
    pub n: u32,
    /// Its combination of dimensions.
    pub group: u32,
}

/// Hash of what an id said first.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Seen {
    pub hash: u64,
    /// Forgotten once the floor is beyond it.
    pub t: i64,
}

/// That something was there.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Mark {
    pub pad: u32,
}
