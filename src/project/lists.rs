//! Rows of clicks and shares one by one, and of how many members were active.

use bytes::Bytes;
use hashbrown::HashMap;

use crate::fold::activity::kind;
use crate::fold::groups::dimension::Dimension;
use crate::fold::groups::{NO_GROUP, NONE, OTHER};
use crate::fold::records::{ActiveKey, Combo, Text, Touch as Record};
use crate::fold::state::{FOR_EVER, State};
use crate::fold::touches::Disposition;
use crate::ids::{Millis, Next};

use super::build::{Builder, row};
use super::codec::{Malformed, Reader, Writer};
use super::key::Row;
use super::tables;
use super::totals::{put_unsigned, take_unsigned};

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
    pub fn encode(&self) -> Bytes {
        let mut packed = Vec::new();
        for touch in &self.touches {
            touch.pack(&mut packed);
        }
        Writer::default().int(position(self.at)).blob(&packed).finish()
    }

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
    fn pack(&self, out: &mut Vec<u8>) {
        put_unsigned(out, u128::from(self.place));
        put_unsigned(out, u128::from(self.prev));
        put_unsigned(out, u128::from(self.n));
        // Admitted times lie between 2000 and 2100.
        put_unsigned(out, u128::try_from(self.t.0).unwrap_or_default());
        put_unsigned(out, u128::try_from(self.expires.0 - self.t.0).unwrap_or_default());
        out.push(self.disposition.number());
        for text in [&self.id, &self.share_id, &self.platform, &self.template] {
            put_unsigned(out, u128::try_from(text.len()).unwrap_or_default());
            out.extend_from_slice(text.as_bytes());
        }
    }

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
    pub(super) fn touches(&self, creator: u32, page: u64, at: Next) -> Option<Row> {
        let id = self.id(creator)?;
        let (found, expires) = self.state.touches_of_page(creator, page);
        let mut names = Names { state: self.state, creator, of_combos: HashMap::new() };
        let touches = found.into_iter().map(|(place, record)| names.touch(place, &record)).collect();
        let mut row = row(tables::touch(self.p, id, page), at, TouchRow { at, touches }.encode());
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

/// Platform and template of the combinations of a page: most of its touches have the same.
struct Names<'a> {
    state: &'a State,
    creator: u32,
    of_combos: HashMap<u32, (String, String)>,
}

impl Names<'_> {
    fn touch(&mut self, place: u64, record: &Record) -> Touch {
        let (platform, template) = self.of_combo(record.group);
        Touch {
            place,
            prev: record.prev,
            n: record.n,
            t: Millis(record.t),
            expires: Millis(record.t.saturating_add(i64::from(record.horizon_hours).saturating_mul(Millis::HOUR))),
            disposition: Disposition::of_number(record.disposition),
            id: record.id.as_str().to_owned(),
            share_id: record.share_id.as_str().to_owned(),
            platform,
            template,
        }
    }

    fn of_combo(&mut self, group: u32) -> (String, String) {
        if group == NO_GROUP {
            return (String::new(), String::new());
        }
        let (state, creator) = (self.state, self.creator);
        let names = self.of_combos.entry(group).or_insert_with(|| {
            let combo = state.combo(creator, group);
            let of = |dimension| text_of(state, creator, &combo, dimension);
            (of(Dimension::Platform), of(Dimension::Template))
        });
        names.clone()
    }
}

fn text_of(state: &State, creator: u32, combo: &Combo, dimension: Dimension) -> String {
    match combo.values.get(dimension.place()).copied().unwrap_or(NONE) {
        NONE => String::new(),
        OTHER => "(other)".to_owned(),
        value => state.value_text(creator, value).as_ref().map_or("", Text::as_str).to_owned(),
    }
}
