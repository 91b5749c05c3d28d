//! One file a measure, and what they share.

pub mod fold;
pub mod machine;
pub mod programme;
