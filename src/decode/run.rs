//! Carrying out a plan over the bytes of one record.

use super::bytes::Bytes;
use super::fault::{At, Fault, shown};
use super::plan::{Branch, Leaf, Plan, Step};
use crate::event::{ATTRIBUTES_BYTES_MAX, LIST_LEN_MAX};
use crate::ids::Token;
use crate::schema::row::{Cell, Row};

impl Plan {
    /// Reads the whole record into an empty row; nothing may follow it.
    pub(crate) fn run<'a>(&self, value: &'a [u8], row: &mut Row<'a>) -> Result<(), At> {
        let mut run = Run { plan: self, bytes: Bytes::new(value), row };
        run.steps(&self.steps)?;
        match run.bytes.len() {
            0 => Ok(()),
            more => Err(At::nowhere(Fault::Trailing(u32::try_from(more).unwrap_or(u32::MAX)))),
        }
    }
}

struct Run<'p, 'r, 'a> {
    plan: &'p Plan,
    bytes: Bytes<'a>,
    row: &'r mut Row<'a>,
}

impl<'p> Run<'p, '_, '_> {
    fn steps(&mut self, steps: &'p [Step]) -> Result<(), At> {
        for step in steps {
            self.step(step)?;
        }
        Ok(())
    }

    #[inline]
    fn step(&mut self, step: &'p Step) -> Result<(), At> {
        match step {
            // Most fields are texts, so they get the short way.
            Step::Maybe { slot, null, leaf: Leaf::Text } => {
                self.maybe_text(*slot, *null).map_err(|fault| At::slot(*slot, fault))
            }
            Step::Read { slot, leaf } => self.read(*slot, *leaf).map_err(|fault| At::slot(*slot, fault)),
            Step::Maybe { slot, null, leaf } => self.maybe(*slot, *null, *leaf).map_err(|fault| At::slot(*slot, fault)),
            Step::Union { slot, branches } => self.union(*slot, branches),
            Step::Record { slot, steps } => {
                self.row.set(*slot, Cell::Present);
                self.steps(steps)
            }
            Step::Skip(skip) => self.plan.skips.pass(skip, &mut self.bytes).map_err(At::nowhere),
        }
    }

    #[inline]
    fn maybe_text(&mut self, slot: usize, null: u8) -> Result<(), Fault> {
        if self.is_there(null)? {
            self.row.set(slot, Cell::Text(self.bytes.text()?));
        }
        Ok(())
    }

    #[inline]
    fn maybe(&mut self, slot: usize, null: u8, leaf: Leaf) -> Result<(), Fault> {
        if self.is_there(null)? { self.read(slot, leaf) } else { Ok(()) }
    }

    /// Reads the branch of a union of null and a value. The two are 0 and 1, in zigzag 0 and 2; no other byte begins
    /// either.
    #[inline]
    fn is_there(&mut self, null: u8) -> Result<bool, Fault> {
        let branch = self.bytes.byte()?;
        if branch == null {
            return Ok(false);
        }
        if branch ^ null == 2 { Ok(true) } else { Err(Fault::Branch(i32::from(branch >> 1))) }
    }

    fn union(&mut self, slot: usize, branches: &'p [Branch]) -> Result<(), At> {
        let index = self.bytes.long().map_err(|fault| At::slot(slot, fault))?;
        match usize::try_from(index).ok().and_then(|index| branches.get(index)) {
            Some(Branch::Value(step)) => self.step(step),
            Some(Branch::Null) => Ok(()),
            Some(Branch::Missing) => Err(At::slot(slot, Fault::Null)),
            Some(Branch::Wrong) => Err(At::slot(slot, Fault::Type)),
            None => Err(At::slot(slot, Fault::Branch(shown(index)))),
        }
    }

    /// Each arm sets the cell itself: a cell common to all would be put together byte by byte.
    #[inline]
    fn read(&mut self, slot: usize, leaf: Leaf) -> Result<(), Fault> {
        match leaf {
            Leaf::Text => self.row.set(slot, Cell::Text(self.bytes.text()?)),
            Leaf::Bytes => self.row.set(slot, Cell::Bytes(self.bytes.blob()?)),
            Leaf::Long => self.row.set(slot, Cell::Long(self.bytes.long()?)),
            Leaf::Flag => self.row.set(slot, Cell::Flag(self.bytes.flag()?)),
            Leaf::Token => self.row.set(slot, Cell::Token(Token(self.bytes.array()?))),
            Leaf::Symbol(choice) => {
                let symbol = self.symbol(choice)?;
                self.row.set(slot, Cell::Symbol(symbol));
            }
            Leaf::Texts(list) => return self.texts(list),
            Leaf::Choices(choice) => return self.choices(choice),
            Leaf::Notes => return self.notes(),
        }
        Ok(())
    }

    fn symbol(&mut self, choice: u16) -> Result<u8, Fault> {
        let index = self.bytes.long()?;
        let place = usize::try_from(index).map_err(|_| Fault::Symbol(shown(index)))?;
        match self.plan.choices.get(usize::from(choice)).and_then(|symbols| symbols.get(place)) {
            Some(Ok(ours)) => Ok(*ours),
            Some(Err(_)) => Err(Fault::UnknownSymbol { choice, index: u16::try_from(place).unwrap_or(u16::MAX) }),
            None => Err(Fault::Symbol(shown(index))),
        }
    }

    fn texts(&mut self, list: usize) -> Result<(), Fault> {
        self.blocks(|run| {
            let text = run.bytes.text()?;
            let Some(texts) = run.row.texts_mut(list) else { return Ok(()) };
            if texts.len() == LIST_LEN_MAX {
                return Err(Fault::Items);
            }
            texts.push(text);
            Ok(())
        })
    }

    fn choices(&mut self, choice: u16) -> Result<(), Fault> {
        self.blocks(|run| {
            let symbol = run.symbol(choice)?;
            if run.row.choices.len() == LIST_LEN_MAX {
                return Err(Fault::Items);
            }
            run.row.choices.push(symbol);
            Ok(())
        })
    }

    fn notes(&mut self) -> Result<(), Fault> {
        let mut left = ATTRIBUTES_BYTES_MAX;
        self.blocks(|run| {
            let (key, value) = (run.bytes.text()?, run.bytes.text()?);
            // Two empty texts count one byte, so that they cannot be many either.
            left = left.checked_sub((key.len() + value.len()).max(1)).ok_or(Fault::Notes)?;
            run.row.attributes.to_mut().push((key, value));
            Ok(())
        })
    }

    /// Reads the items of a list or a map; every one takes a byte at least, so no count outlasts the bytes.
    #[inline]
    fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        loop {
            let block = self.bytes.block()?;
            if block.items == 0 {
                return Ok(());
            }
            let before = self.bytes.len();
            for _ in 0..block.items {
                item(self)?;
            }
            if block.bytes.is_some_and(|bytes| before - self.bytes.len() != bytes) {
                return Err(Fault::Block);
            }
        }
    }
}
