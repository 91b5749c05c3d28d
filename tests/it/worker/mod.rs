//! The embedded mode as a whole: events in, rows out, by way of the commit protocol.

mod end_to_end;
pub mod programme;
