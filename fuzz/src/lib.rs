//! The pure part of Tributary that reads what others wrote, built alone: a sanitized build of everything takes long.

#[path = "../../src/decode/mod.rs"]
pub mod decode;
#[path = "../../src/event/mod.rs"]
pub mod event;
#[path = "../../src/ids.rs"]
pub mod ids;
#[path = "../../src/schema/mod.rs"]
pub mod schema;
