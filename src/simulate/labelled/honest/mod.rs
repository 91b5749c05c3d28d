//! The honest: nothing they do is fraud, however it looks.

pub(super) mod crowds;
pub(super) mod homes;
pub(super) mod newsletter;
pub(super) mod trade;
