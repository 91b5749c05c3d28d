//! The projection store: one contract, kept by every engine, and what each promises beside it.

pub mod contract;
mod damage;
mod embedded;
mod generations;
mod samples;
mod schema;
mod scylla;
mod scylla_away;
