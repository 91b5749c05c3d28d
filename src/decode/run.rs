//! Carrying out a plan over the bytes of one record.

use super::bytes::Bytes;
use super::fault::{At, Fault};
use super::plan::{Branch, Leaf, Plan, Step};
use crate::event::{ATTRIBUTES_BYTES_MAX, LIST_LEN_MAX};
use crate::ids::Token;
use crate::schema::row::{Cell, Row};

impl Plan {
    /// Reads the whole record; nothing may follow it.
    pub(crate) fn run<'a>(&self, value: &'a [u8]) -> Result<Row<'a>, At> {
        let mut run = Run { plan: self, bytes: Bytes::new(value), row: Row::new() };
        run.steps(&self.steps)?;
        match run.bytes.len() {
            0 => Ok(run.row),
            more => Err(At::nowhere(Fault::Trailing(more))),
        }
    }
}

struct Run<'p, 'a> {
    plan: &'p Plan,
    bytes: Bytes<'a>,
    row: Row<'a>,
}

impl<'p, 'a> Run<'p, 'a> {
    fn steps(&mut self, steps: &'p [Step]) -> Result<(), At> {
        for step in steps {
            self.step(step)?;
        }
        Ok(())
    }

    #[inline]
    fn step(&mut self, step: &'p Step) -> Result<(), At> {
        match step {
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
    fn maybe(&mut self, slot: usize, null: u8, leaf: Leaf) -> Result<(), Fault> {
        let branch = self.bytes.byte()?;
        if branch == null {
            return Ok(());
        }
        // The two branches are 0 and 1, in zigzag 0 and 2; no other byte begins either.
        if branch ^ null != 2 {
            return Err(Fault::Branch(i64::from(branch >> 1)));
        }
        self.read(slot, leaf)
    }

    fn union(&mut self, slot: usize, branches: &'p [Branch]) -> Result<(), At> {
        let index = self.bytes.long().map_err(|fault| At::slot(slot, fault))?;
        match usize::try_from(index).ok().and_then(|index| branches.get(index)) {
            Some(Branch::Value(step)) => self.step(step),
            Some(Branch::Null) => Ok(()),
            Some(Branch::Missing) => Err(At::slot(slot, Fault::Null)),
            Some(Branch::Wrong) => Err(At::slot(slot, Fault::Type)),
            None => Err(At::slot(slot, Fault::Branch(index))),
        }
    }

    #[inline]
    fn read(&mut self, slot: usize, leaf: Leaf) -> Result<(), Fault> {
        let cell = match leaf {
            Leaf::Text => Cell::Text(self.bytes.text()?),
            Leaf::Bytes => Cell::Bytes(self.bytes.blob()?),
            Leaf::Long => Cell::Long(self.bytes.long()?),
            Leaf::Flag => Cell::Flag(self.bytes.flag()?),
            Leaf::Token => Cell::Token(Token(self.bytes.array()?)),
            Leaf::Symbol(choice) => Cell::Symbol(self.symbol(choice)?),
            Leaf::Texts(list) => return self.texts(list),
            Leaf::Choices(choice) => return self.choices(choice),
            Leaf::Notes => return self.notes(),
        };
        self.row.set(slot, cell);
        Ok(())
    }

    fn symbol(&mut self, choice: usize) -> Result<u8, Fault> {
        let index = self.bytes.long()?;
        let place = usize::try_from(index).map_err(|_| Fault::Symbol(index))?;
        match self.plan.choices.get(choice).and_then(|symbols| symbols.get(place)) {
            Some(Ok(ours)) => Ok(*ours),
            Some(Err(_)) => Err(Fault::UnknownSymbol { choice, index: place }),
            None => Err(Fault::Symbol(index)),
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

    fn choices(&mut self, choice: usize) -> Result<(), Fault> {
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
