//! What can be wrong with the bytes of one record.

/// Why bytes are not a record of their schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the bytes end too early")]
    Cut,
    #[error("{0} bytes follow the last field")]
    Trailing(usize),
    #[error("a number takes more than 64 bits")]
    Number,
    #[error("a length is negative")]
    Length,
    #[error("a text is not UTF-8")]
    Utf8,
    #[error("a boolean is neither 0 nor 1")]
    Flag,
    #[error("the union has no branch {0}")]
    Branch(i64),
    #[error("it is null, but must be there")]
    Null,
    #[error("it is of a type that cannot become the field's")]
    Type,
    #[error("the enum has no symbol {0}")]
    Symbol(i64),
    #[error("the symbol is unknown to this program")]
    UnknownSymbol { choice: usize, index: usize },
    #[error("a block of items is not as long as it says")]
    Block,
    #[error("it has too many items")]
    Items,
    #[error("it is larger than 10,000 bytes")]
    Notes,
    #[error("values are nested deeper than 256 levels")]
    Depth,
}

/// A fault and the slot of the field where it showed, if it was one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) slot: Option<usize>,
    pub(crate) fault: Fault,
}

impl At {
    pub(crate) const fn slot(slot: usize, fault: Fault) -> Self {
        Self { slot: Some(slot), fault }
    }

    pub(crate) const fn nowhere(fault: Fault) -> Self {
        Self { slot: None, fault }
    }
}
