//! Avro's primitives, read from borrowed bytes. Nothing is allocated and nothing read twice.

use super::fault::Fault;

/// What is left to read of one record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a> {
    rest: &'a [u8],
    /// A run of ASCII that reaches from somewhere before `rest` into it: texts in it need no look of their own.
    ascii: &'a str,
    /// The bytes of `rest` at its beginning.
    ascii_from: usize,
}

/// Bytes looked at together for a run of ASCII.
const RUN: usize = 16;

impl<'a> Bytes<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, ascii: "", ascii_from: bytes.len() }
    }

    pub(crate) const fn len(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, Fault> {
        let (first, rest) = self.rest.split_first().ok_or(Fault::Cut)?;
        self.rest = rest;
        Ok(*first)
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(Fault::Cut)?;
        self.rest = rest;
        Ok(head)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Fault::Cut)?;
        self.rest = rest;
        Ok(*head)
    }

    /// An int or a long: zigzag, seven bits a byte, low ones first.
    #[inline]
    pub(crate) fn long(&mut self) -> Result<i64, Fault> {
        let first = self.byte()?;
        let raw = if first < 0x80 { u64::from(first) } else { self.long_rest(first)? };
        Ok((raw >> 1).cast_signed() ^ (raw & 1).cast_signed().wrapping_neg())
    }

    fn long_rest(&mut self, first: u8) -> Result<u64, Fault> {
        let mut raw = u64::from(first & 0x7F);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                return Err(Fault::Number);
            }
            raw |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(raw);
            }
        }
        Err(Fault::Number)
    }

    /// A length; whether what is left can hold it shows when it is taken.
    #[inline]
    pub(crate) fn length(&mut self) -> Result<usize, Fault> {
        match self.rest.split_first() {
            // One byte, not negative: nearly every length there is.
            Some((first, rest)) if first & 0x81 == 0 => {
                self.rest = rest;
                Ok(usize::from(first >> 1))
            }
            _ => self.long_length(),
        }
    }

    fn long_length(&mut self) -> Result<usize, Fault> {
        usize::try_from(self.long()?).map_err(|_| Fault::Length)
    }

    #[inline]
    pub(crate) fn blob(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.length()?;
        self.take(length)
    }

    #[inline]
    pub(crate) fn text(&mut self) -> Result<&'a str, Fault> {
        let length = self.length()?;
        let start = self.ascii_from - self.rest.len();
        let blob = self.rest;
        let bytes = self.take(length)?;
        match self.ascii.get(start..start + length) {
            Some(text) => Ok(text),
            None => self.fresh_text(blob, bytes),
        }
    }

    /// Short texts come one after the other, with lengths between them that are ASCII too: one look at the whole run
    /// costs less than one at each.
    fn fresh_text(&mut self, from: &'a [u8], bytes: &'a [u8]) -> Result<&'a str, Fault> {
        let (chunks, _) = from.as_chunks::<RUN>();
        let run = chunks.iter().take_while(|chunk| chunk.is_ascii()).count() * RUN;
        if run <= bytes.len() {
            return std::str::from_utf8(bytes).map_err(|_| Fault::Utf8);
        }
        let run = from.get(..run).unwrap_or_default();
        self.ascii = std::str::from_utf8(run).map_err(|_| Fault::Utf8)?;
        self.ascii_from = from.len();
        self.ascii.get(..bytes.len()).ok_or(Fault::Utf8)
    }

    #[inline]
    pub(crate) fn flag(&mut self) -> Result<bool, Fault> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Fault::Flag),
        }
    }

    /// The head of a block of a list or a map: how many items follow, 0 at the end, and if the writer says so,
    /// how many bytes they take.
    pub(crate) fn block(&mut self) -> Result<Block, Fault> {
        let count = self.long()?;
        let bytes = if count < 0 { Some(self.length()?) } else { None };
        if bytes.is_some_and(|bytes| bytes > self.rest.len()) {
            return Err(Fault::Cut);
        }
        Ok(Block { items: count.unsigned_abs(), bytes })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) items: u64,
    pub(crate) bytes: Option<usize>,
}
