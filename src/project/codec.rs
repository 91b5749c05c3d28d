//! The bytes of a row: CQL's encoding of a user-defined type, so that they are the same in every engine.
//!
//! A field is a big-endian i32 length (−1 for null) and its bytes, in the order of the type. Fields are only ever
//! appended: a reader takes a missing one for null, and leaves those it does not know.

use bytes::Bytes;

use crate::ids::Millis;

/// A row that does not read as its type: damage, or a newer writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the row's bytes do not read as its type at field {field}")]
pub struct Malformed {
    pub field: usize,
}

/// Appends fields in order.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// CQL `bigint`.
    pub fn int(&mut self, value: i64) -> &mut Self {
        self.blob(&value.to_be_bytes())
    }

    pub fn optional_int(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.int(value),
            None => self.null(),
        }
    }

    /// CQL `text`.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.blob(value.as_bytes())
    }

    /// CQL `text`; empty is null.
    pub fn optional_text(&mut self, value: &str) -> &mut Self {
        if value.is_empty() { self.null() } else { self.text(value) }
    }

    /// CQL `varint`: big-endian two's complement in as few bytes as hold it.
    pub fn varint(&mut self, value: i128) -> &mut Self {
        let bytes = value.to_be_bytes();
        let spare = bytes
            .iter()
            .zip(bytes.iter().skip(1))
            .take_while(|(high, low)| match **high {
                0x00 => **low < 0x80,
                0xff => **low >= 0x80,
                _ => false,
            })
            .count();
        self.blob(bytes.get(spare..).unwrap_or(&bytes))
    }

    /// CQL `list<text>`; empty is null.
    pub fn texts(&mut self, values: &[String]) -> &mut Self {
        if values.is_empty() {
            return self.null();
        }
        let count = i32::try_from(values.len()).expect("rows are bounded far below 2 GiB");
        let mut list = Self { bytes: count.to_be_bytes().to_vec() };
        for value in values {
            list.text(value);
        }
        self.blob(&list.bytes)
    }

    /// CQL `blob`. A field of more than 2 GiB cannot be written: rows are bounded far below.
    pub fn blob(&mut self, value: &[u8]) -> &mut Self {
        let len = i32::try_from(value.len()).expect("rows are bounded far below 2 GiB");
        self.bytes.extend_from_slice(&len.to_be_bytes());
        self.bytes.extend_from_slice(value);
        self
    }

    pub fn null(&mut self) -> &mut Self {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
        self
    }

    pub fn finish(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.bytes))
    }
}

/// Takes fields in order.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    field: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, field: 0 }
    }

    /// The next field's bytes; `None` for null, or when the writer did not know the field yet.
    pub fn field(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        self.field += 1;
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (len, rest) = self.rest.split_first_chunk::<4>().ok_or(self.malformed())?;
        let Ok(len) = usize::try_from(i32::from_be_bytes(*len)) else {
            self.rest = rest;
            return Ok(None);
        };
        let (value, rest) = rest.split_at_checked(len).ok_or(self.malformed())?;
        self.rest = rest;
        Ok(Some(value))
    }

    pub fn int(&mut self) -> Result<i64, Malformed> {
        Ok(self.optional_int()?.unwrap_or_default())
    }

    pub fn optional_int(&mut self) -> Result<Option<i64>, Malformed> {
        let Some(bytes) = self.field()? else { return Ok(None) };
        let bytes = bytes.try_into().map_err(|_| self.malformed())?;
        Ok(Some(i64::from_be_bytes(bytes)))
    }

    pub fn millis(&mut self) -> Result<Millis, Malformed> {
        Ok(Millis(self.int()?))
    }

    /// Null reads as empty.
    pub fn text(&mut self) -> Result<String, Malformed> {
        let bytes = self.field()?.unwrap_or_default();
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| self.malformed())
    }

    /// Null reads as empty.
    pub fn texts(&mut self) -> Result<Vec<String>, Malformed> {
        let Some(bytes) = self.field()? else { return Ok(Vec::new()) };
        let (count, rest) = bytes.split_first_chunk::<4>().ok_or(self.malformed())?;
        let mut list = Reader::new(rest);
        let mut values = Vec::new();
        for _ in 0..i32::from_be_bytes(*count) {
            if list.rest.is_empty() {
                return Err(self.malformed());
            }
            values.push(list.text().map_err(|_| self.malformed())?);
        }
        Ok(values)
    }

    pub fn varint(&mut self) -> Result<i128, Malformed> {
        let bytes = self.field()?.unwrap_or_default();
        let Some(first) = bytes.first() else { return Ok(0) };
        let mut wide = if *first >= 0x80 { [0xff; 16] } else { [0; 16] };
        let start = wide.len().checked_sub(bytes.len()).ok_or(self.malformed())?;
        wide.get_mut(start..).ok_or(self.malformed())?.copy_from_slice(bytes);
        Ok(i128::from_be_bytes(wide))
    }

    const fn malformed(&self) -> Malformed {
        Malformed { field: self.field }
    }
}
