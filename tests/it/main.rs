//! The specification of Tributary, as one test binary.
mod log;
mod store;

mod simulate;
mod worker;
