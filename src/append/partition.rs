//! Which partition a key belongs to.
