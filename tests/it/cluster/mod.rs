//! The program on a real Kafka and a real Cassandra.

pub(crate) mod admin;
mod at_once;
mod check;
mod figures;
mod generations;
mod halts;
mod letters;
mod place;
mod relay;
mod secure;
mod takeover;
mod ways;
