//! The specification of Tributary, as one test binary.
mod bots;
mod cases;
mod chaos;
mod cli;
mod cluster;
mod decode;
mod deploy;
mod keep;
mod log;
mod schemas;
mod services;
mod store;

mod fold;
mod fraud;
mod model;
mod sim;
mod simulate;

mod tidy;
mod tokens;
mod topology;
mod web;
mod worker;
