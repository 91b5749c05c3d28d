//! Clicks, shares, and what was seen before.

use bytemuck::{Pod, Zeroable};

/// A click, as far as attribution needs it.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Click {
    pub t: i64,
    /// Hash of the member and code it named: must agree when the id comes again.
    pub names: u64,
    pub n: u32,
    pub human: u8,
    pub pad: [u8; 3],
}

#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Share {
    /// Hash of member and platform: must agree when the id comes again.
    pub names: u64,
    pub n: u32,
    pub pad: u32,
}

/// Hash of what an id said first.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Seen {
    pub hash: u64,
}

/// That something was there.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Mark {
    pub pad: u32,
}
