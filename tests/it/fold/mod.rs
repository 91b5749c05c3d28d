//! What events mean, told as stories: lines of the log in, rows out.

mod boards;
mod clicks;
mod commissions;
mod credit;
mod duplicates;
mod members;
mod orders;
mod properties;
mod scripts;
mod series;
mod story;
mod sums;
mod time;
mod waiting;
mod world;
