//! Tributary turns shares, clicks, conversions and commissions into member stats and creator analytics that are
//! right to the last event. The stages, in the order in which an event passes them:

#![deny(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::too_many_lines,
    clippy::dbg_macro,
    clippy::todo,
    clippy::unimplemented,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::await_holding_lock,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    rust_2018_idioms
)]
#![warn(clippy::all)]

pub mod append;
pub mod consume;
pub mod decode;
pub mod event;
pub mod fold;
pub mod keep;
pub mod project;
pub mod publish;
pub mod store;
pub mod web;

pub mod worker;

pub mod cli;
pub mod clock;
pub mod config;
pub mod disk;
pub mod ids;
pub mod memory;
pub mod run;
pub mod schema;
pub mod simulate;
pub mod telemetry;
pub mod tokens;
pub mod topology;
