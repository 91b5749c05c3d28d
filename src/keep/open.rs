//! Opening a store: verify all frames, find P, load up to it, put the rest aside.

use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use super::{
    Error, Identity, Limits, Maps,
    bytes::{Bytes, count64, size},
    cold::Layout,
    frame::{Head, Kind},
    journal::{Appender, Found, Journal, Room},
    key::{self, Key},
    map::{Home, Shape},
    writer::{ColdFile, Position, Writer},
};

/// Part of the schema hash: files of another version are of another fold.
const VERSION: u64 = 2;

/// What a store begins with.
pub(super) struct Opened {
    pub(super) writer: Writer,
    /// `seq` of the coming frame.
    pub(super) seq: u64,
    pub(super) schema: u64,
    pub(super) released: crate::ids::Next,
    pub(super) position: Option<Position>,
    pub(super) layouts: Vec<Layout>,
}

/// Loads `dir` into `state`.
pub(super) fn open<S: Maps>(dir: &Path, identity: &Identity, limits: &Limits, state: &mut S) -> Result<Opened, Error> {
    let key = match key::read(dir, identity)? {
        Some(key) => key,
        None => create(dir, identity, limits)?,
    };
    state.set_hash_key(key.hash_key);
    let layouts = attach(dir, &key, state);
    let schema = schema(identity, state);
    let mut room = Room::default();
    let journal = Journal::read(dir, schema, &mut room)?;
    let found = journal.position();
    journal.check_first(found.as_ref())?;
    let mut position = None;
    if let Some(found) = &found {
        let colds = load(&journal, found, &mut room, state)?;
        position = Some(Position { next: found.head.next, needed: found.head.needed, colds });
    }
    drop(room);
    let (released, last_seq) = (journal.released(), journal.last_seq());
    let appender = cut(dir, &journal, found.as_ref(), schema, limits)?;
    let seq = last_seq + 1 + u64::from(last_seq > found.map_or(0, |f| f.head.seq));
    start(state, found.map_or(seq, |f| f.head.needed), seq)?;
    // No `.idx` that was removed may come back beside a file that is filled anew.
    key::sync_dir(dir)?;
    let firsts = position.iter().flat_map(|p| &p.colds).map(|(first, _)| *first).chain(std::iter::repeat(0));
    let colds = layouts.iter().zip(firsts).map(|(l, first)| ColdFile::new(l.clone(), first)).collect();
    let writer =
        Writer { dir: dir.to_owned(), journal: appender, colds, position: position.clone(), ahead: Default::default() };
    Ok(Opened { writer, seq, schema, released, position, layouts })
}

/// A journal without a `KEY` is what a crash right here leaves, as long as it is empty.
fn create(dir: &Path, identity: &Identity, limits: &Limits) -> Result<Key, Error> {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, length) = (entry.path(), entry.metadata().map_or(0, |m| m.len()));
        if path.extension().is_some_and(|e| e == "log") && length > 0 {
            return Err(Error::Missing { file: dir.join(key::NAME) });
        }
    }
    Appender::create(dir)?;
    key::create(dir, identity, limits.file_records.max(1))
}

/// Tells every map where it lives; the layouts of the Cold ones, in order.
fn attach<S: Maps>(dir: &Path, key: &Key, state: &mut S) -> Vec<Layout> {
    let mut layouts = Vec::new();
    state.visit(&mut |name, map| {
        let home = Home { dir: dir.to_owned(), name, seed: key.hash_key.seed(), file_records: key.file_records };
        let Shape { cold, key_bytes, value_bytes } = map.shape();
        if cold {
            layouts.push(Layout::new(home.clone(), key_bytes, value_bytes));
        }
        map.attach(home);
    });
    layouts
}

/// Names and sizes of the maps and the meaning of their records: what other code can not read.
fn schema<S: Maps>(identity: &Identity, state: &mut S) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(&VERSION.to_le_bytes());
    hasher.update(&identity.fingerprint.to_le_bytes());
    state.visit(&mut |name, map| {
        let Shape { cold, key_bytes, value_bytes } = map.shape();
        hasher.update(name.as_bytes());
        for word in [count64(name.len()), u64::from(cold), count64(key_bytes), count64(value_bytes)] {
            hasher.update(&word.to_le_bytes());
        }
    });
    hasher.digest()
}

/// Loads the frames that make up the state at `found`; first file and end of each Cold map there.
fn load<S: Maps>(journal: &Journal, found: &Found, room: &mut Room, state: &mut S) -> Result<Vec<(u64, u64)>, Error> {
    let mut colds = Vec::new();
    journal.load(found, room, |frame, body| {
        let (mut body, mut whole) = (Bytes(body), true);
        colds.clear();
        state.visit(&mut |_, map| {
            let section = body.pod::<u64>().and_then(|length| body.take(size(length)));
            whole &= section.and_then(|s| map.load(s)).is_some();
            if map.shape().cold {
                let mut section = Bytes(section.unwrap_or_default());
                colds.extend(section.pod().zip(section.pod()));
            }
        });
        if whole && body.is_empty() {
            Ok(())
        } else {
            Err(journal.damaged(frame, "the frame does not hold these maps"))
        }
    })?;
    Ok(colds)
}

/// Declares void what lies behind P, before any record is written over. Frames are never removed from the end: the
/// greatest `released` may be in one of them, and what was deleted was counted from it.
fn cut(dir: &Path, journal: &Journal, found: Option<&Found>, schema: u64, limits: &Limits) -> Result<Appender, Error> {
    let mut appender = Appender::open(dir, journal.parts.clone(), limits.journal_bytes)?;
    let (last, needed) = (journal.last_seq(), found.map_or(0, |f| f.head.seq));
    if last > needed {
        let next = found.map(|f| f.head.next).unwrap_or_default();
        let head = Head { kind: Kind::Cut, seq: last + 1, next, released: journal.released(), needed, schema };
        appender.append(&head, &[])?;
    }
    Ok(appender)
}

fn start<S: Maps>(state: &mut S, needed: u64, seq: u64) -> Result<(), Error> {
    let mut result = Ok(());
    state.visit(&mut |_, map| {
        if result.is_ok() {
            result = map.start(needed, seq);
        }
    });
    result
}
