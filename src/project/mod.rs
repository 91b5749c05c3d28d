//! Rows of the projection tables, made whole from state.
//!
//! Promise: a row is a function of its key and of the log up to its `at`; its bytes are the same in every engine.

pub mod access;
pub mod boards;
pub mod build;
pub mod codec;
pub mod decisions;
pub mod groups;
pub mod key;
pub mod lists;
pub mod rows;
pub mod scores;
pub mod tables;
pub mod totals;
pub mod words;
