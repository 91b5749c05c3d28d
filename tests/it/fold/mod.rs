//! What events mean, told as stories: lines of the log in, rows out.

mod activity;
pub(crate) mod boards;
mod clicks;
mod commissions;
mod counted;
mod credit;
mod duplicates;
mod groups;
mod members;
mod orders;
mod properties;
pub(crate) mod scripts;
pub(crate) mod seed;
mod series;
pub(crate) mod story;
pub(crate) mod sums;
mod time;
mod touches;
mod waiting;
pub(crate) mod world;
