//! Reading a record whose writer has our own schema, field by field into the event: no row in between.
//!
//! It only ever says yes. Whatever it cannot read goes through the plan, which says what is wrong and where.

use super::bytes::Bytes;
use super::plan::{Leaf, Step};
use super::to_event::{Fields, Form, Taker, Wrong, of_fields};
use crate::event::{ATTRIBUTES_BYTES_MAX, Event, Kind, LIST_LEN_MAX};
use crate::ids::Token;
use crate::schema::fields::{Need, Shape, Type};

/// Whether the steps of a plan take our own fields, each encoded as we write it, in our order.
pub(super) fn is_straight(shape: Shape, steps: &[Step], choices: &[Box<[Result<u8, String>]>]) -> bool {
    let is_ours = |choice: u16| {
        let symbols = choices.get(usize::from(choice)).map_or(&[][..], |symbols| symbols);
        (0..).zip(symbols).all(|(index, symbol)| *symbol == Ok(index))
    };
    let fits = |ty: Type, leaf: Leaf| match (ty, leaf) {
        (Type::Text, Leaf::Text)
        | (Type::Long | Type::Time, Leaf::Long)
        | (Type::Flag, Leaf::Flag)
        | (Type::Token, Leaf::Token)
        | (Type::Notes, Leaf::Notes) => true,
        (Type::Texts(list), Leaf::Texts(other)) => list == other,
        (Type::Symbol(_), Leaf::Symbol(choice)) => is_ours(choice),
        (_, _) => false,
    };
    let mut steps = steps.iter();
    let all = shape.fields().all(|(slot, field)| match (steps.next(), field.need) {
        (Some(Step::Maybe { slot: of, null: 0, leaf }), Need::Optional) => *of == slot && fits(field.ty, *leaf),
        (Some(Step::Read { slot: of, leaf }), Need::Required | Need::Default) => *of == slot && fits(field.ty, *leaf),
        (_, _) => false,
    });
    all && steps.next().is_none()
}

/// Makes `event` that of a whole record; `None`: let the plan say why not.
#[inline]
pub(super) fn fill<'a>(kind: Kind, body: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    let mut take = Taker(Straight { bytes: Bytes::new(body) });
    // Only creators have records and lists of symbols in them: `is_straight` lets none of them through.
    of_fields(kind, &mut take, |_| Err(Unclear), event).ok()?;
    (take.0.bytes.len() == 0).then_some(())
}

/// Something that the plan has to look at.
struct Unclear;

struct Straight<'a> {
    bytes: Bytes<'a>,
}

impl From<Wrong> for Unclear {
    fn from(_: Wrong) -> Self {
        Self
    }
}

impl Straight<'_> {
    /// Items in blocks; every one takes a byte at least, so no count outlasts the bytes.
    #[inline]
    fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Unclear>) -> Result<(), Unclear> {
        loop {
            let block = self.bytes.block().map_err(|_| Unclear)?;
            if block.items == 0 {
                return Ok(());
            }
            if block.bytes.is_some() {
                return Err(Unclear);
            }
            for _ in 0..block.items {
                item(self)?;
            }
        }
    }
}

impl<'a> Fields<'a> for Straight<'a> {
    type Error = Unclear;

    /// The branch of a union of null and a value.
    #[inline]
    fn is_there(&mut self) -> Result<bool, Unclear> {
        match self.bytes.byte() {
            Ok(0) => Ok(false),
            Ok(2) => Ok(true),
            Ok(_) | Err(_) => Err(Unclear),
        }
    }

    #[inline]
    fn text(&mut self) -> Result<&'a str, Unclear> {
        self.bytes.text().map_err(|_| Unclear)
    }

    #[inline]
    fn token(&mut self) -> Result<Token, Unclear> {
        self.bytes.array().map(Token).map_err(|_| Unclear)
    }

    #[inline]
    fn number(&mut self, form: Form) -> Result<i64, Unclear> {
        let number = match form {
            Form::Long | Form::Symbol => self.bytes.long(),
            Form::Flag => self.bytes.flag().map(i64::from),
        };
        number.map_err(|_| Unclear)
    }

    #[inline]
    fn notes(&mut self) -> Result<Vec<(&'a str, &'a str)>, Unclear> {
        let mut notes = Vec::new();
        let mut left = ATTRIBUTES_BYTES_MAX;
        self.blocks(|take| {
            let (key, value) = (take.text()?, take.text()?);
            left = left.checked_sub((key.len() + value.len()).max(1)).ok_or(Unclear)?;
            notes.push((key, value));
            Ok(())
        })?;
        Ok(notes)
    }

    fn texts(&mut self, _list: usize) -> Result<Vec<&'a str>, Unclear> {
        let mut texts = Vec::new();
        self.blocks(|take| {
            let text = take.text()?;
            if texts.len() == LIST_LEN_MAX {
                return Err(Unclear);
            }
            texts.push(text);
            Ok(())
        })?;
        Ok(texts)
    }
}
