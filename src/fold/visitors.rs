//! A visitor's own clicks: the touches that models choose from (SEMANTICS §6).

use super::attribute::Credit;
use super::owner::Owner;
use super::records::{Click as Record, Conversion, NO_ID, Text, Visitor};
use super::{Turn, kind};
use crate::event::Click;
use crate::ids::Token;
use crate::keep::{HashKey, Id128};

/// A visitor's newest human clicks that are looked at.
const CLICKS_MAX: usize = 32;

/// A click that may be credited.
#[derive(Clone, Copy)]
struct Touch {
    t: i64,
    text: Text,
    click: Id128,
    n: u32,
}

/// The clicks inside the window, oldest first by (t, id), and the one that the conversion names.
#[derive(Default)]
pub(super) struct Touched {
    touches: Vec<Touch>,
    named: Option<Touch>,
}

/// What was found of a visitor; `failure` says why nothing, where there was something.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) touched: Touched,
    pub(super) failure: Option<Credit>,
}

impl Touched {
    pub(super) const fn is_empty(&self) -> bool {
        self.touches.is_empty()
    }

    /// The conversion names this click: it counts, wherever it stands.
    pub(super) fn name(&mut self, turn: &Turn<'_>, id: Id128, click: &Record) {
        let named = turn.touch_of(id, click);
        if !self.touches.iter().any(|touch| touch.click == id) {
            let place = self.touches.partition_point(|touch| is_before(touch, &named));
            self.touches.insert(place, named);
        }
        self.named = Some(named);
    }

    /// The named click, else the latest.
    fn chosen(&self) -> Option<Touch> {
        self.named.or_else(|| self.touches.last().copied())
    }

    pub(super) fn last(&self) -> (Vec<u32>, Id128) {
        one(self.chosen())
    }

    pub(super) fn first(&self) -> (Vec<u32>, Id128) {
        one(self.touches.first().copied())
    }

    /// Each member once, in the order of its first touch; the one that `last` would choose is moved to the end.
    pub(super) fn linear(&self, owner: Option<Owner>) -> (Vec<u32>, Id128) {
        let mut members: Vec<u32> = Vec::new();
        let mut add = |n: u32| {
            if !members.contains(&n) {
                members.push(n);
            }
        };
        let mut owner = owner;
        for touch in &self.touches {
            if let Some(first) = owner.take_if(|owner| owner.is_before(touch.t, &touch.text)) {
                first.members.into_iter().for_each(&mut add);
            }
            add(touch.n);
        }
        if let Some(owner) = owner {
            owner.members.into_iter().for_each(&mut add);
        }
        let Some(chosen) = self.chosen() else { return (members, NO_ID) };
        members.retain(|n| *n != chosen.n);
        members.push(chosen.n);
        (members, chosen.click)
    }
}

fn one(touch: Option<Touch>) -> (Vec<u32>, Id128) {
    touch.map_or((Vec::new(), NO_ID), |touch| (vec![touch.n], touch.click))
}

pub(super) fn visitor(key: &HashKey, creator: u32, device: Option<Token>, ip: Option<Token>) -> Id128 {
    let Some(token) = device.or(ip) else { return NO_ID };
    let mut bytes = [0_u8; 17];
    bytes
        .iter_mut()
        .zip(token.0.into_iter().chain([u8::from(device.is_some())]))
        .for_each(|(place, byte)| *place = byte);
    key.id(kind::VISITOR, creator, &bytes)
}

/// By time, then by id.
fn is_before(a: &Touch, b: &Touch) -> bool {
    (a.t, a.text.as_str()) < (b.t, b.text.as_str())
}

impl Turn<'_> {
    /// Who clicks or converts, as far as a token tells.
    pub(super) fn visitor(&self, device: Option<Token>, ip: Option<Token>) -> Id128 {
        visitor(&self.state.hash_key, self.c, device, ip)
    }

    /// Hangs a human click into its visitor's list, which is in the order of (t, id), newest first.
    pub(super) fn remember_click(&mut self, click: &Click<'_>, id: Id128, mut record: Record) -> Record {
        let visitor = self.visitor(click.device_token, click.ip_token);
        if visitor == NO_ID {
            return record;
        }
        let known = self.state.visitors.get(&visitor, self.floor());
        if known.is_none_or(|known| self.is_newer(click, &record, known.newest, known.t)) {
            (record.before, record.before_t) = known.map_or((NO_ID, 0), |known| (known.newest, known.t));
            self.state.visitors.put(&visitor, Visitor { newest: id, t: record.t }, self.t);
            return record;
        }
        let (mut after, mut t) = known.map_or((NO_ID, 0), |known| (known.newest, known.t));
        for _ in 1..CLICKS_MAX {
            let Some(there) = self.click_of(after, t) else { break };
            let (next, next_t) = (there.before, there.before_t);
            if self.click_of(next, next_t).is_none() || self.is_newer(click, &record, next, next_t) {
                (record.before, record.before_t) = (next, next_t);
                if let Some(there) = self.state.clicks.get_mut(&after, self.floor()) {
                    (there.before, there.before_t) = (id, record.t);
                }
                break;
            }
            (after, t) = (next, next_t);
        }
        record
    }

    /// The click that had the id at `t`, unless it is forgotten: a newer one may have its id.
    fn click_of(&self, id: Id128, t: i64) -> Option<Record> {
        self.state.clicks.get(&id, self.floor()).filter(|click| click.t == t)
    }

    fn is_newer(&self, click: &Click<'_>, record: &Record, other: Id128, t: i64) -> bool {
        record.t > t || (record.t == t && self.click_text(other).as_str() < click.click_id.0)
    }

    pub(super) fn click_text(&self, id: Id128) -> Text {
        let click = self.state.clicks.get(&id, self.floor());
        click.and_then(|click| self.touch_id(click.touch)).unwrap_or_else(|| Text::new(""))
    }

    fn touch_of(&self, id: Id128, click: &Record) -> Touch {
        let text = self.touch_id(click.touch).unwrap_or_else(|| Text::new(""));
        Touch { t: click.t, text, click: id, n: click.n }
    }

    /// When other members' links were clicked by the conversion's visitor.
    pub(super) fn others_clicks(&self, conversion: &Conversion) -> Vec<i64> {
        let mut times = Vec::new();
        if conversion.visitor == NO_ID {
            return times;
        }
        let newest = self.state.visitors.get(&conversion.visitor, self.floor());
        let (mut id, mut t) = newest.map_or((NO_ID, 0), |visitor| (visitor.newest, visitor.t));
        for _ in 0..CLICKS_MAX {
            let Some(click) = self.click_of(id, t) else { break };
            if click.n != conversion.n {
                times.push(click.t);
            }
            (id, t) = (click.before, click.before_t);
        }
        times
    }

    /// The clicks of the conversion's visitor that may be credited with it.
    pub(super) fn seen_by(&self, conversion: &Conversion) -> Seen {
        let mut seen = Seen::default();
        if conversion.visitor == NO_ID {
            return seen;
        }
        let newest = self.state.visitors.get(&conversion.visitor, self.floor());
        let (mut id, mut t) = newest.map_or((NO_ID, 0), |visitor| (visitor.newest, visitor.t));
        for _ in 0..CLICKS_MAX {
            let Some(click) = self.click_of(id, t) else { break };
            let age = conversion.t - click.t;
            if age > conversion.window {
                seen.failure = seen.failure.or(Some(Credit::WindowExpired));
            } else if age >= 0 && self.is_creditable(click.n) {
                seen.touched.touches.push(self.touch_of(id, &click));
            } else if age >= 0 {
                seen.failure = Some(Credit::MemberRemoved);
            }
            (id, t) = (click.before, click.before_t);
        }
        seen.touched.touches.reverse();
        seen
    }
}
