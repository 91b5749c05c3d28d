//! What a store asks of a map.

use super::HashKey;

/// A map of a fold's state as the store sees it: [`Hot`](super::Hot) and [`Cold`](super::Cold), nothing else.
pub trait Map {
    #[doc(hidden)]
    fn seed(&mut self, key: HashKey);
}

/// What a fold's state offers to the store: its maps by name, in a fixed order.
pub trait Maps: Default {
    /// Calls `visitor` once a map. Names are file names: letters, digits and `_`.
    fn visit(&mut self, visitor: &mut dyn FnMut(&'static str, &mut dyn Map));
    /// The key with which the fold makes its ids, told before the first event.
    fn set_hash_key(&mut self, key: HashKey);
}
