//! A second, slow model of what events mean, written from the semantics alone, and random scripts compared with it.
//!
//! Promise: nothing of the fold is used. Whatever can be worked out from the whole history is, each time anew.

mod activity;
mod commissions;
pub(crate) mod compare;
mod credit;
mod draw;
mod figures;
mod found;
mod history;
mod laws;
mod orderly;
mod orders;
mod people;
mod reach;
mod record;
mod smallest;
mod told;
