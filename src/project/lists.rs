//! Rows of clicks and shares one by one, and of how many members were active.

use bytes::Bytes;

use crate::fold::activity::kind;
use crate::fold::groups::dimension::Dimension;
use crate::fold::records::{ActiveKey, Touch as Record};
use crate::fold::state::FOR_EVER;
use crate::fold::touches::Disposition;
use crate::ids::{Millis, Next};

use super::build::{Builder, row};
use super::codec::{Malformed, Reader, Writer};
use super::key::Row;
use super::tables;
use super::totals::{put_unsigned, take_unsigned};
use super::words::Words;

/// `touch`: a page of clicks and shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchRow {
    pub at: Next,
    /// By place, ascending.
    pub touches: Vec<Touch>,
}

/// A click or share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    pub place: u64,
    /// The place of the member's touch before it, plus one; 0 is none.
    pub prev: u64,
    /// The member's ordinal.
    pub n: u32,
    pub t: Millis,
    /// When it is forgotten, by the settings under which it came.
    pub expires: Millis,
    pub disposition: Disposition,
    pub id: String,
    /// The share that a click names; empty: none.
    pub share_id: String,
    /// Empty when unknown.
    pub platform: String,
    pub template: String,
}

/// `cohort`, `active`: how many members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountRow {
    pub at: Next,
    pub members: i64,
}

impl TouchRow {
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        let at = take_position(&mut row)?;
        let mut packed = row.field()?.unwrap_or_default();
        let mut touches = Vec::new();
        while !packed.is_empty() {
            touches.push(Touch::unpack(&mut packed).ok_or(Malformed { field: 2 })?);
        }
        Ok(Self { at, touches })
    }
}

impl Touch {
    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        let place = u64::try_from(take_unsigned(bytes)?).ok()?;
        let prev = u64::try_from(take_unsigned(bytes)?).ok()?;
        let n = u32::try_from(take_unsigned(bytes)?).ok()?;
        let t = Millis(i64::try_from(take_unsigned(bytes)?).ok()?);
        let expires = Millis(t.0.checked_add(i64::try_from(take_unsigned(bytes)?).ok()?)?);
        let (disposition, rest) = bytes.split_first()?;
        *bytes = rest;
        let disposition = Disposition::of_number(*disposition);
        let mut text = || {
            let len = usize::try_from(take_unsigned(bytes)?).ok()?;
            let (text, rest) = bytes.split_at_checked(len)?;
            *bytes = rest;
            Some(std::str::from_utf8(text).ok()?.to_owned())
        };
        Some(Self {
            place,
            prev,
            n,
            t,
            expires,
            disposition,
            id: text()?,
            share_id: text()?,
            platform: text()?,
            template: text()?,
        })
    }
}

impl CountRow {
    pub fn encode(&self) -> Bytes {
        Writer::default().int(position(self.at)).int(self.members).finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new(bytes);
        Ok(Self { at: take_position(&mut row)?, members: row.int()? })
    }
}

fn position(at: Next) -> i64 {
    i64::try_from(at.0).expect("a log has fewer than 2^63 records")
}

fn take_position(row: &mut Reader<'_>) -> Result<Next, Malformed> {
    u64::try_from(row.int()?).map(Next).map_err(|_| Malformed { field: 1 })
}

impl Builder<'_> {
    pub(super) fn touches(&self, words: &mut Words, (creator, page): (u32, u64), at: Next) -> Option<Row> {
        let id = self.id(creator)?;
        let (found, expires) = self.state.touches_of_page(creator, page);
        let mut packed = Vec::new();
        words.make_room();
        for (place, touch) in found {
            pack(&mut packed, place, &touch);
            let group = (creator, touch.group);
            pack_text(&mut packed, words.of(self.state, group, Dimension::Platform));
            pack_text(&mut packed, words.of(self.state, group, Dimension::Template));
        }
        let value = Writer::default().int(position(at)).blob(&packed).finish();
        let mut row = row(tables::touch(self.p, id, page), at, value);
        row.expires = Some(expires);
        Some(row)
    }

    pub(super) fn active(&self, key: &ActiveKey, at: Next) -> Option<Row> {
        let id = self.id(key.creator)?;
        let members = self.state.active.get(key, FOR_EVER)?.members;
        let value = CountRow { at, members }.encode();
        let (period, age) = (i64::from(key.period), i64::from(key.age));
        let key = if key.kind == kind::COHORT {
            tables::cohort(self.p, id, period, age)
        } else {
            tables::active(self.p, id, key.kind, period)
        };
        Some(row(key, at, value))
    }
}

/// All of a touch but what its combination says.
fn pack(out: &mut Vec<u8>, place: u64, touch: &Record) {
    put_unsigned(out, u128::from(place));
    put_unsigned(out, u128::from(touch.prev));
    put_unsigned(out, u128::from(touch.n));
    // Admitted times lie between 2000 and 2100.
    put_unsigned(out, u128::try_from(touch.t).unwrap_or_default());
    put_unsigned(out, u128::from(touch.horizon_hours) * u128::from(Millis::HOUR.unsigned_abs()));
    out.push(touch.disposition);
    pack_text(out, touch.id.as_str());
    pack_text(out, touch.share_id.as_str());
}

fn pack_text(out: &mut Vec<u8>, text: &str) {
    put_unsigned(out, u128::try_from(text.len()).unwrap_or_default());
    out.extend_from_slice(text.as_bytes());
}
