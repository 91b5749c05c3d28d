//! The projection tables: their ids, names, shards and how fast they follow, and the keys of their rows.

use crate::fold::calendar::key_month;
use crate::fold::fraud::Subject;
use crate::ids::{Millis, Partition};

use super::key::{Col, Cols, Key, Part, TableId};

/// How soon a table follows the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// 250 ms when live.
    Fast,
    /// A second when live.
    Slow,
}

/// One projection table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    pub id: TableId,
    pub name: &'static str,
    pub shards: u16,
    pub class: Class,
    /// A partition holds one UTC month.
    pub by_month: bool,
}

const fn table(id: u16, name: &'static str, shards: u16, class: Class, by_month: bool) -> Table {
    Table { id: TableId(id), name, shards, class, by_month }
}

pub const CREATOR: Table = table(1, "creator", 1, Class::Fast, false);
pub const NAME: Table = table(2, "name", 4, Class::Fast, false);
pub const MEMBER: Table = table(3, "member", 16, Class::Fast, false);
pub const MEMBER_DAY: Table = table(4, "member_day", 16, Class::Slow, true);
pub const HOUR: Table = table(5, "hour", 4, Class::Slow, true);
pub const DAY: Table = table(6, "day", 4, Class::Slow, true);
pub const MONTH: Table = table(7, "month", 4, Class::Slow, false);
pub const COMMISSION: Table = table(8, "commission", 4, Class::Fast, true);
pub const LEDGER: Table = table(9, "ledger", 16, Class::Fast, false);
pub const CONVERSION: Table = table(10, "conversion", 4, Class::Fast, true);
pub const APPLIED: Table = table(11, "applied", 1, Class::Fast, false);

pub const TOUCH: Table = table(16, "touch", 4, Class::Slow, true);
pub const COHORT: Table = table(17, "cohort", 1, Class::Slow, false);
pub const ACTIVE: Table = table(18, "active", 1, Class::Slow, false);

pub const RANK: Table = table(20, "rank", 4, Class::Slow, false);

pub const DECISION: Table = table(21, "decision", 4, Class::Fast, false);
pub const REVIEW: Table = table(22, "review", 4, Class::Fast, false);

pub const ALL: [Table; 17] = [
    CREATOR, NAME, MEMBER, MEMBER_DAY, HOUR, DAY, MONTH, COMMISSION, LEDGER, CONVERSION, APPLIED, TOUCH, COHORT,
    ACTIVE, RANK, DECISION, REVIEW,
];

/// API keys. Not among [`ALL`]: no log makes them and no replay may touch them. One part, for keys are few.
pub const KEY: Table = table(1_000, "key", 1, Class::Fast, false);

/// Tables with a number from here on belong to no generation: they are not made from the log, and outlive a rebuild.
const SHARED_FROM: u16 = 1_000;

/// Which generation is live: one row, changed by `swap` alone.
pub const ALIAS: Table = table(1_001, "alias", 1, Class::Fast, false);

/// Whether a table belongs to no generation.
pub const fn is_shared(table: TableId) -> bool {
    table.0 >= SHARED_FROM
}

/// Members per shard step: ordinals that share `n >> 12` stay together.
const MEMBERS_PER_SHARD_BITS: u32 = 12;

/// An hour's row expires this long after the hour began: from then on its quarter hours stand in its day's row alone.
pub const HOUR_KEPT: i64 = 400 * Millis::DAY;

/// A page of touches expires no sooner than this after the creator's clock when its newest came.
pub const TOUCH_KEPT: i64 = 45 * Millis::DAY;

/// What kind of name a `name` row resolves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// A member's id.
    Member,
    /// A referral code or coupon, trimmed and in ASCII lower case.
    Code,
    Conversion,
    Commission,
}

impl NameKind {
    const fn number(self) -> i64 {
        match self {
            Self::Member => 1,
            Self::Code => 2,
            Self::Conversion => 3,
            Self::Commission => 4,
        }
    }
}

/// Months since year 0, UTC: bounds tables that grow.
pub fn month_of(t: Millis) -> u16 {
    key_month(day_of(t))
}

/// Days since 1970-01-01, UTC.
pub const fn day_of(t: Millis) -> i64 {
    t.0.div_euclid(Millis::DAY)
}

/// Hours since 1970-01-01T00Z.
pub const fn hour_of(t: Millis) -> i64 {
    t.0.div_euclid(Millis::HOUR)
}

pub(super) fn part(table: Table, p: Partition, creator: &str, spread: u64, month: u16) -> Part {
    let hash = xxhash_rust::xxh3::xxh3_64_with_seed(creator.as_bytes(), spread);
    let shard = u16::try_from(hash % u64::from(table.shards)).unwrap_or_default();
    Part { table: table.id, p, shard, month: if table.by_month { month } else { 0 } }
}

fn text(value: &str) -> Col {
    Col::Text(value.to_owned())
}

/// Creators of one partition, by id: the part to scan for a list.
pub const fn creator_part(p: Partition) -> Part {
    Part { table: CREATOR.id, p, shard: 0, month: 0 }
}

pub fn creator(p: Partition, creator: &str) -> Key {
    Key { part: creator_part(p), cols: Cols(vec![text(creator)]) }
}

pub fn name(p: Partition, creator: &str, kind: NameKind, name: &str) -> Key {
    Key { part: part(NAME, p, creator, 0, 0), cols: Cols(vec![text(creator), Col::Int(kind.number()), text(name)]) }
}

pub fn member(p: Partition, creator: &str, n: u32) -> Key {
    Key { part: member_part(p, creator, n), cols: Cols(vec![text(creator), Col::Int(i64::from(n))]) }
}

/// The part that holds member `n`, and all others with the same `n >> 12`.
pub fn member_part(p: Partition, creator: &str, n: u32) -> Part {
    part(MEMBER, p, creator, u64::from(n >> MEMBERS_PER_SHARD_BITS), 0)
}

/// The ordinals that share a shard step with `n`: first and one past the last.
pub const fn member_step(n: u32) -> (u32, u32) {
    let first = n >> MEMBERS_PER_SHARD_BITS << MEMBERS_PER_SHARD_BITS;
    (first, first.saturating_add(1 << MEMBERS_PER_SHARD_BITS))
}

pub fn member_day(p: Partition, creator: &str, n: u32, day: i64) -> Key {
    let spread = u64::from(n >> MEMBERS_PER_SHARD_BITS);
    let part = part(MEMBER_DAY, p, creator, spread, month_of(Millis(day * Millis::DAY)));
    Key { part, cols: Cols(vec![text(creator), Col::Int(i64::from(n)), Col::Int(day)]) }
}

pub fn hour(p: Partition, creator: &str, hour: i64) -> Key {
    let part = part(HOUR, p, creator, 0, month_of(Millis(hour * Millis::HOUR)));
    Key { part, cols: Cols(vec![text(creator), Col::Int(hour), Col::Int(0)]) }
}

pub fn day(p: Partition, creator: &str, day: i64) -> Key {
    let part = part(DAY, p, creator, 0, month_of(Millis(day * Millis::DAY)));
    Key { part, cols: Cols(vec![text(creator), Col::Int(day), Col::Int(0)]) }
}

/// Part of an hour or day that says what its breakdowns are, or where.
pub const GROUPS: u16 = 256;
/// Parts from here on: what came once the day was sealed, in parts as before it.
pub const LATE: u16 = 512;

/// A part of an hour's row: 0 is the row itself, [`GROUPS`] its breakdowns, the others the breakdown by one axis each.
pub fn hour_part(p: Partition, creator: &str, hour: i64, part: u16) -> Key {
    with_part(self::hour(p, creator, hour), part)
}

/// The same of a day's.
pub fn day_part(p: Partition, creator: &str, day: i64, part: u16) -> Key {
    with_part(self::day(p, creator, day), part)
}

fn with_part(mut key: Key, part: u16) -> Key {
    if let Some(last) = key.cols.0.last_mut() {
        *last = Col::Int(i64::from(part));
    }
    key
}

/// `month` counts from year 0, UTC.
pub fn month(p: Partition, creator: &str, month: u16) -> Key {
    let part = part(MONTH, p, creator, 0, 0);
    Key { part, cols: Cols(vec![text(creator), Col::Int(i64::from(month)), Col::Int(0)]) }
}

/// `payment_type`: 0 unknown, 1 initial, 2 recurring.
pub fn commission(p: Partition, creator: &str, payment_type: i64, created_at: Millis, id: &str) -> Key {
    let part = part(COMMISSION, p, creator, 0, month_of(created_at));
    Key { part, cols: Cols(vec![text(creator), Col::Int(payment_type), Col::IntDesc(created_at.0), text(id)]) }
}

/// Moves when the commission is paid: `time` is then when it was paid, before that when it was made.
pub fn ledger(p: Partition, creator: &str, n: u32, paid: bool, time: Millis, id: &str) -> Key {
    let part = part(LEDGER, p, creator, u64::from(n >> MEMBERS_PER_SHARD_BITS), 0);
    let cols = vec![text(creator), Col::Int(i64::from(n)), Col::Int(i64::from(paid)), Col::IntDesc(time.0), text(id)];
    Key { part, cols: Cols(cols) }
}

pub fn conversion(p: Partition, creator: &str, converted_at: Millis, id: &str) -> Key {
    let part = part(CONVERSION, p, creator, 0, month_of(converted_at));
    Key { part, cols: Cols(vec![text(creator), Col::IntDesc(converted_at.0), text(id)]) }
}

/// `page` counts pages of touches; its month stands in it.
pub fn touch(p: Partition, creator: &str, page: u64) -> Key {
    let part = part(TOUCH, p, creator, 0, crate::fold::touches::month_of_page(page));
    Key { part, cols: Cols(vec![text(creator), Col::Int(i64::try_from(page).unwrap_or(i64::MAX))]) }
}

/// Members who joined in a month since year 0 and were active `age` months later; age −1: all who joined.
pub fn cohort(p: Partition, creator: &str, joined: i64, age: i64) -> Key {
    Key { part: part(COHORT, p, creator, 0, 0), cols: Cols(vec![text(creator), Col::Int(joined), Col::Int(age)]) }
}

/// Members active in a period; kinds and periods are those of `fold::activity`.
pub fn active(p: Partition, creator: &str, kind: u32, period: i64) -> Key {
    let cols = vec![text(creator), Col::Int(i64::from(kind)), Col::Int(period)];
    Key { part: part(ACTIVE, p, creator, 0, 0), cols: Cols(cols) }
}

/// The part that holds a creator's decisions.
pub fn decision_part(p: Partition, creator: &str) -> Part {
    part(DECISION, p, creator, 0, 0)
}

/// `subject`: its number, see [`subject_number`].
pub fn decision(p: Partition, creator: &str, subject: i64, id: &str, revision: u32) -> Key {
    let cols = vec![text(creator), Col::Int(subject), text(id), Col::Int(i64::from(revision))];
    Key { part: decision_part(p, creator), cols: Cols(cols) }
}

/// The part that holds a creator's open reviews.
pub fn review_part(p: Partition, creator: &str) -> Part {
    part(REVIEW, p, creator, 0, 0)
}

/// Moves when another day is set for it; `due` is `i64::MAX` where none is.
pub fn review(p: Partition, creator: &str, due: i64, since: Millis, subject: i64, id: &str) -> Key {
    let cols = vec![text(creator), Col::Int(due), Col::Int(since.0), Col::Int(subject), text(id)];
    Key { part: review_part(p, creator), cols: Cols(cols) }
}

/// A kind of subject as it stands in keys.
pub const fn subject_number(subject: Subject) -> i64 {
    match subject {
        Subject::Click => 1,
        Subject::Conversion => 2,
        Subject::Commission => 3,
    }
}

/// The part to scan for all keys.
pub const fn key_part() -> Part {
    Part { table: KEY.id, p: Partition(0), shard: 0, month: 0 }
}

/// `id`: the public part of an API key.
pub fn key(id: &str) -> Key {
    Key { part: key_part(), cols: Cols(vec![text(id)]) }
}

/// One row a partition.
pub fn applied(p: Partition) -> Key {
    Key { part: Part { table: APPLIED.id, p, shard: 0, month: 0 }, cols: Cols(vec![Col::Int(0)]) }
}

/// Beside the row of `alias`: which log the projections are made of.
pub fn origin() -> Key {
    Key { cols: Cols(vec![Col::Int(1)]), ..alias() }
}

/// Beside it, too: up to where a partition is accepted as it is.
pub fn accepted(p: Partition) -> Key {
    Key { cols: Cols(vec![Col::Int(1_000 + i64::from(p.0))]), ..alias() }
}

/// Beside it, too: which generation puts outputs out.
pub fn emitter() -> Key {
    Key { cols: Cols(vec![Col::Int(2)]), ..alias() }
}

/// Beside it, too: whether generations are to stop at one place.
pub fn fence() -> Key {
    Key { cols: Cols(vec![Col::Int(3)]), ..alias() }
}

/// Beside it, too: where a generation stands in a partition, while it is to stop.
pub fn stand(generation: u32, p: Partition) -> Key {
    const FIRST: i64 = 1_000_000_000;
    const GENERATION: i64 = 1_000_000;
    Key { cols: Cols(vec![Col::Int(FIRST + i64::from(generation) * GENERATION + i64::from(p.0))]), ..alias() }
}

/// Beside it, too: where the owner of a partition can be asked. Below all others.
pub fn owner(generation: u32, p: Partition) -> Key {
    const GENERATION: i64 = 1_000_000;
    Key { cols: Cols(vec![Col::Int(-1 - i64::from(generation) * GENERATION - i64::from(p.0))]), ..alias() }
}

/// The one row of `alias`.
pub fn alias() -> Key {
    Key { part: Part { table: ALIAS.id, p: Partition(0), shard: 0, month: 0 }, cols: Cols(vec![Col::Int(0)]) }
}
