//! What can be wrong with the bytes of one record.

/// Why bytes are not a record of their schema. Eight bytes, so that a result fits into two registers: numbers that
/// do not fit are shown as the largest that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the bytes end too early")]
    Cut,
    #[error("{0} bytes follow the last field")]
    Trailing(u32),
    #[error("a number takes more than 64 bits")]
    Number,
    #[error("a length is negative")]
    Length,
    #[error("a text is not UTF-8")]
    Utf8,
    #[error("a boolean is neither 0 nor 1")]
    Flag,
    #[error("the union has no branch {0}")]
    Branch(i32),
    #[error("it is null, but must be there")]
    Null,
    #[error("it is of a type that cannot become the field's")]
    Type,
    #[error("the enum has no symbol {0}")]
    Symbol(i32),
    #[error("the symbol is unknown to this program")]
    UnknownSymbol { choice: u16, index: u16 },
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

/// A number for a message.
#[cold]
pub(crate) fn shown(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}

impl At {
    #[cold]
    pub(crate) const fn slot(slot: usize, fault: Fault) -> Self {
        Self { slot: Some(slot), fault }
    }

    #[cold]
    pub(crate) const fn nowhere(fault: Fault) -> Self {
        Self { slot: None, fault }
    }
}
