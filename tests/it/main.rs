//! The specification of Tributary, as one test binary.
mod keep;
mod decode;
mod log;
mod schemas;
mod store;

mod simulate;
mod worker;
