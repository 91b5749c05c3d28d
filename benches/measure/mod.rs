//! One file a measure, and what they share.

pub mod checks;
pub mod decode;
pub mod drain;
pub mod flat;
pub mod fold;
pub mod large;
pub mod live;
pub mod log;
pub mod machine;
pub mod memory;
pub mod programme;
pub mod queries;
pub mod report;
pub mod restart;
pub mod watch;
