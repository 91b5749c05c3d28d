//! What the fold keeps its state in, without what copies it into a bucket.

#[path = "../../src/keep/bytes.rs"]
mod bytes;
#[path = "../../src/keep/cold/mod.rs"]
mod cold;
#[path = "../../src/keep/error.rs"]
mod error;
#[path = "../../src/keep/frame.rs"]
mod frame;
#[path = "../../src/keep/hash.rs"]
mod hash;
#[path = "../../src/keep/hot.rs"]
mod hot;
#[path = "../../src/keep/hot_journal.rs"]
mod hot_journal;
#[path = "../../src/keep/index.rs"]
mod index;
#[path = "../../src/keep/journal.rs"]
mod journal;
#[path = "../../src/keep/key.rs"]
mod key;
#[path = "../../src/keep/map.rs"]
mod map;
#[path = "../../src/keep/open.rs"]
mod open;
#[path = "../../src/keep/restored.rs"]
mod restored;
#[path = "../../src/keep/slab.rs"]
mod slab;
#[path = "../../src/keep/snapshot.rs"]
mod snapshot;
#[path = "../../src/keep/store.rs"]
mod store;
#[path = "../../src/keep/writer.rs"]
mod writer;

mod export {
    pub(super) const UNFINISHED: &str = "restoring";
}

pub use bytemuck::{Pod, Zeroable};

pub use self::cold::Cold;
pub use self::error::{Error, Verdict};
pub use self::hash::{HashKey, Id128};
pub use self::hot::Hot;
pub use self::map::{Map, Maps};
pub use self::store::{Identity, Intake, Limits, Store};
