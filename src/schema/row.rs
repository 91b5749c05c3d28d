//! A record as flat cells in the order of its fields: the one form between an event and every encoding of it.

use std::borrow::Cow;

use crate::ids::{Millis, Token};

/// Slots of the widest record (`Creator`: 5 common ones, 8 of its own, three policies with 4, 5 and 2 fields).
pub(crate) const SLOTS: usize = 27;

/// What stands in one slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    Absent,
    Text(&'a str),
    Bytes(&'a [u8]),
    /// A number or a time.
    Long(i64),
    Flag(bool),
    Token(Token),
    /// The index of the symbol.
    Symbol(u8),
    /// A nested record is there; its fields follow.
    Present,
}

/// One record.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    cells: [Cell<'a>; SLOTS],
    pub(crate) attributes: Cow<'a, [(&'a str, &'a str)]>,
    pub(crate) texts: [Vec<&'a str>; 2],
    pub(crate) choices: Vec<u8>,
}

impl<'a> Row<'a> {
    pub(crate) const fn new() -> Self {
        Self {
            cells: [Cell::Absent; SLOTS],
            attributes: Cow::Borrowed(&[]),
            texts: [Vec::new(), Vec::new()],
            choices: Vec::new(),
        }
    }

    #[inline]
    pub(crate) fn get(&self, slot: usize) -> Cell<'a> {
        self.cells.get(slot).copied().unwrap_or(Cell::Absent)
    }

    #[inline]
    pub(crate) fn set(&mut self, slot: usize, cell: Cell<'a>) {
        if let Some(place) = self.cells.get_mut(slot) {
            *place = cell;
        }
    }

    /// A list of texts by its number; an unknown one is empty.
    pub(crate) fn texts(&self, list: usize) -> &[&'a str] {
        self.texts.get(list).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn texts_mut(&mut self, list: usize) -> Option<&mut Vec<&'a str>> {
        self.texts.get_mut(list)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Cell<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Long(number)
    }
}

impl From<Millis> for Cell<'_> {
    fn from(time: Millis) -> Self {
        Self::Long(time.0)
    }
}

impl From<bool> for Cell<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Token> for Cell<'_> {
    fn from(token: Token) -> Self {
        Self::Token(token)
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, T::into)
    }
}
