//! The pure part of Tributary, which reads what others wrote and says what it means, built alone: a sanitized build of
//! everything takes long.
#![allow(dead_code, unused_imports)]

#[path = "../../src/decode/mod.rs"]
pub mod decode;
pub mod disk;
#[path = "../../src/event/mod.rs"]
pub mod event;
#[path = "../../src/fold/mod.rs"]
pub mod fold;
#[path = "../../src/ids.rs"]
pub mod ids;
pub mod keep;
#[path = "../../src/schema/mod.rs"]
pub mod schema;
#[path = "../../src/tokens/mod.rs"]
pub mod tokens;
