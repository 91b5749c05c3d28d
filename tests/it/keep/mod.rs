//! The state of a partition: both maps against a `BTreeMap`, and a store against whatever can happen to it.

mod damage;
mod disk;
mod export;
mod kill;
mod model;
mod s3;
mod store;
mod toy;
