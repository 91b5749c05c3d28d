//! The projection store: one contract, kept by every engine, and what the embedded one promises beside it.

pub mod contract;
mod damage;
mod embedded;
mod generations;
