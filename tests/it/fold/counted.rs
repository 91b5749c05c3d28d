//! Breakdowns and activity of any script, counted again from the lists alone: which clicks and shares were taken in,
//! which conversions and commissions there are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use proptest::test_runner::{TestError, TestRunner};
use serde_json::{Map, Value, json};
use tributary::fold::activity::{JOINED, kind};
use tributary::fold::groups::dimension::{Axis, Dimension};
use tributary::fold::records::{SeqKey, Touch};
use tributary::fold::state::FOR_EVER;
use tributary::fold::touches::Disposition;
use tributary::ids::{Currency, Millis};
use tributary::project::key::Col;
use tributary::project::lists::CountRow;
use tributary::project::rows::{CommissionRow, ConversionRow, MemberRow};
use tributary::project::tables;
use tributary::project::totals::{Money, Totals};

use super::groups::{Slots, days, slots};
use super::scripts::{Draw, Temper, draws, events};
use super::seed::fixed;
use super::sums;
use super::world::{Flush, World};

const ZONE: &str = "America/St_Johns";
const CASES: u32 = 150;
const MOST: usize = 200;

type Events = Vec<(String, Millis)>;

/// Of an id: whatever it says of itself is the same each time it comes.
fn of<'a>(from: &[&'a str], id: &str, salt: usize) -> &'a str {
    let sum: usize = id.bytes().map(usize::from).sum();
    from[(sum * 7 + salt * 13) % from.len()]
}

/// What clicks, shares and conversions of an id are.
fn stated(kind: &str, id: &str) -> Map<String, Value> {
    let fields: &[(&str, &[&str])] = match kind {
        "Click" => &[
            ("platform", &["", "X", "x", "web"]),
            ("country", &["de", "DE", "", "US"]),
            ("device_class", &["phone", "", "Phone"]),
            ("referrer", &["", "https://A.example/x?y", "a.example"]),
            ("utm_source", &["go", "Go", "(none)", ""]),
            ("utm_campaign", &["spring", "(other)"]),
            ("utm_content", &["", "b"]),
        ],
        "Share" => &[("template_id", &["hello", "", "bye"]), ("share_type", &["link", "qr", "message"])],
        "Conversion" => &[("plan", &["", "pro", "team"]), ("payment_type", &["", "initial", "recurring"])],
        _ => &[],
    };
    let value = |(salt, (name, from)): (usize, &(&str, &[&str]))| ((*name).to_owned(), json!(of(from, id, salt)));
    fields.iter().enumerate().map(value).filter(|(_, value)| *value != json!("")).collect()
}

/// A script in one zone, where everything says more of itself, members say when they joined, and verdicts come.
fn script(draws: &[Draw]) -> Events {
    let plain = events(draws, Temper::Wild, "c");
    let told = plain.into_iter().enumerate().map(|(n, (event, at))| {
        let mut event: Map<String, Value> = serde_json::from_str(&event).unwrap();
        let kind = event["type"].as_str().unwrap().to_owned();
        match kind.as_str() {
            "Creator" => drop(event.insert("time_zone".to_owned(), json!(ZONE))),
            "Member" if n % 3 == 0 => {
                let joined = at.0 - i64::try_from(n % 7).unwrap() * 20 * Millis::DAY;
                event.insert("joined_at".to_owned(), json!(joined));
            }
            "Sighting" | "Tick" | "Erasure" if n % 4 != 0 => {
                let subject = format!("p{}", n % 8);
                let verdict = if n % 3 == 0 { "approve" } else { "block" };
                let mut review = json!({"type": "Review", "subject_type": "conversion", "subject_id": subject,
                    "verdict": verdict, "label": "unsure", "reason": "r", "actor": "o"});
                for name in ["event_id", "creator_id", "occurred_at"] {
                    review[name] = event[name].clone();
                }
                event = review.as_object().unwrap().clone();
            }
            _ => {}
        }
        let id = ["click_id", "share_id", "conversion_id"].into_iter().find(|id| {
            event.contains_key(*id)
                && matches!(
                    (kind.as_str(), *id),
                    ("Click", "click_id") | ("Share", "share_id") | ("Conversion", "conversion_id")
                )
        });
        if let Some(id) = id.and_then(|id| event[id].as_str()).map(str::to_owned) {
            event.extend(stated(&kind, &id));
        }
        (Value::Object(event).to_string(), at)
    });
    told.collect()
}

/// The values of a record, by the rules alone; absent is none.
type Values = BTreeMap<Dimension, String>;

fn values(kind: &str, id: &str) -> Values {
    let mut values = Values::new();
    for (name, value) in stated(kind, id) {
        let dimension = match name.as_str() {
            "device_class" => Dimension::Device,
            "template_id" => Dimension::Template,
            name => Dimension::parse(name).unwrap(),
        };
        let text = value.as_str().unwrap();
        let text = match dimension {
            Dimension::Platform | Dimension::Device => text.to_lowercase(),
            Dimension::Country => text.to_uppercase(),
            Dimension::Referrer => "a.example".to_owned(),
            _ => text.to_owned(),
        };
        if text != "(none)" {
            values.insert(dimension, text);
        }
    }
    if kind == "Share" {
        // All shares of the scripts are on it.
        values.insert(Dimension::Platform, "x".to_owned());
    }
    values
}

fn label(values: &Values, axis: Axis) -> String {
    let of = |dimension| values.get(&dimension).map_or("(none)", String::as_str);
    axis.b.map_or_else(|| of(axis.a).to_owned(), |b| format!("{} {}", of(axis.a), of(b)))
}

/// Everything that was taken in, and in which group it is.
struct Counted {
    touches: Vec<(u64, Touch)>,
    conversions: Vec<ConversionRow>,
    commissions: Vec<CommissionRow>,
}

impl Counted {
    fn new(world: &World) -> Self {
        let decode = |table| sums::rows(world, table, "c").map(|row| row.value.clone().unwrap());
        let mut touches = Vec::new();
        for row in sums::rows(world, tables::TOUCH, "c") {
            let [_, Col::Int(page)] = row.key.cols.0.as_slice() else { panic!("{row:?}") };
            for seq in page * 128..(page + 1) * 128 {
                let seq = u64::try_from(seq).unwrap();
                let key = SeqKey { creator: 0, page: 0, seq };
                touches.extend(world.state.touches.get(&key, FOR_EVER).map(|touch| (seq, touch)));
            }
        }
        touches.sort_by_key(|(seq, _)| *seq);
        Self {
            touches,
            conversions: decode(tables::CONVERSION).map(|bytes| ConversionRow::decode(&bytes).unwrap()).collect(),
            commissions: decode(tables::COMMISSION).map(|bytes| CommissionRow::decode(&bytes).unwrap()).collect(),
        }
    }

    /// A click's own values, and those of its share if that was there and not forgotten.
    fn of_touch(&self, seq: u64, touch: &Touch) -> Values {
        if touch.disposition == Disposition::Share.number() {
            return values("Share", touch.id.as_str());
        }
        let mut own = values("Click", touch.id.as_str());
        let is_share = |(before, share): &&(u64, Touch)| {
            *before < seq
                && share.disposition == Disposition::Share.number()
                && share.id == touch.share_id
                && share.t >= touch.floor
        };
        if self.touches.iter().any(|share| is_share(&share)) {
            for (dimension, value) in values("Share", touch.share_id.as_str()) {
                own.entry(dimension).or_insert(value);
            }
        }
        own
    }

    /// `None`: its click came twice, before and after it was forgotten, and not with the same share.
    fn of_conversion(&self, conversion: &ConversionRow) -> Option<Values> {
        let mut own = values("Conversion", &conversion.conversion_id);
        let clicks = self.touches.iter().filter(|(_, touch)| {
            touch.disposition != Disposition::Share.number() && touch.id.as_str() == conversion.credited_click_id
        });
        let found: BTreeSet<Values> = clicks.map(|(seq, touch)| self.of_touch(*seq, touch)).collect();
        if found.len() > 1 {
            return None;
        }
        for (dimension, value) in found.into_iter().flatten() {
            own.entry(dimension).or_insert(value);
        }
        Some(own)
    }

    fn order_of(&self, id: &str) -> Option<&ConversionRow> {
        let found = self.conversions.iter().find(|row| row.conversion_id == id)?;
        if found.kind == "chargeback" { self.order_of(&found.original_id) } else { Some(found) }
    }

    /// What each conversion counts, at its time.
    fn figures(&self, row: &ConversionRow) -> Vec<(Millis, Totals)> {
        let mut found = Totals::default();
        let is_order = matches!(row.kind.as_str(), "purchase" | "renewal");
        let is_first = |is_kind: &dyn Fn(&ConversionRow) -> bool| {
            let same = |other: &&ConversionRow| {
                !row.customer_id.is_empty() && other.customer_id == row.customer_id && is_kind(other) && is_made(other)
            };
            let first =
                self.conversions.iter().filter(same).min_by_key(|other| (other.converted_at, &other.conversion_id));
            is_kind(row) && is_made(row) && first.is_none_or(|first| first.conversion_id == row.conversion_id)
        };
        found.counts.signups = i64::from(is_first(&|row| row.kind == "signup"));
        let is_live = |row: &ConversionRow| row.kind != "signup" && row.amount > row.refunded && !row.is_blocked;
        found.counts.customers = i64::from(is_first(&is_live));
        let is_credited = !row.member_id.is_empty() && !row.is_blocked;
        found.counts.referrals = i64::from(is_credited && is_first(&|_| true));
        found.counts.signups_credited = if is_credited { found.counts.signups } else { 0 };
        found.counts.orders = i64::from(is_order && !row.is_blocked);
        if is_order {
            *found.money_mut(row.currency) = money(row.amount, 0, row.is_blocked);
        }
        vec![(row.converted_at, found)]
    }
}

fn is_made(row: &ConversionRow) -> bool {
    matches!(row.kind.as_str(), "signup" | "purchase" | "renewal")
}

fn money(gross: i64, refunded: i64, is_blocked: bool) -> Money {
    let (gross, refunded) = (i128::from(gross), i128::from(refunded));
    let revenue_blocked = if is_blocked { gross - refunded } else { 0 };
    Money { revenue_gross: gross, revenue_refunded: refunded, revenue_blocked, ..Money::default() }
}

/// Without commissions, of which no list says when they moved.
fn without_commissions(slots: Slots) -> Slots {
    let mut found = Slots::new();
    for (place, mut sums) in slots {
        for (_, money) in &mut sums.money {
            (money.commission_earned, money.commission_reversed, money.commission_paid) = (0, 0, 0);
        }
        sums.money.retain(|(_, money)| *money != Money::default());
        if !sums.is_zero() {
            found.insert(place, sums);
        }
    }
    found
}

fn expected(counted: &Counted, axis: Axis) -> Option<Slots> {
    let mut found = Slots::new();
    let mut add = |t: i64, values: &Values, sums: &Totals| {
        found.entry((t.div_euclid(15 * Millis::MINUTE), label(values, axis))).or_default().add(sums);
    };
    for (seq, touch) in &counted.touches {
        let mut sums = Totals::default();
        let counts = &mut sums.counts;
        let disposition = Disposition::of_number(touch.disposition);
        let (click, human) = (disposition != Disposition::Share, disposition != Disposition::ExcludedBot);
        counts.shares = i64::from(!click);
        counts.clicks_total = i64::from(click);
        counts.clicks_human = i64::from(click && human);
        counts.clicks_unique = i64::from(disposition == Disposition::Countable);
        counts.clicks_shared = i64::from(click && human && !touch.share_id.as_str().is_empty());
        add(touch.t, &counted.of_touch(*seq, touch), &sums);
    }
    for row in &counted.conversions {
        if is_made(row) {
            let values = counted.of_conversion(row)?;
            for (t, sums) in counted.figures(row) {
                add(t.0, &values, &sums);
            }
            continue;
        }
        let order = counted.order_of(&row.original_id).unwrap();
        let taken = if row.kind == "chargeback_reversed" { -row.amount } else { row.amount };
        let mut sums = Totals::default();
        *sums.money_mut(order.currency) = money(0, taken, order.is_blocked);
        add(row.converted_at.0, &counted.of_conversion(order)?, &sums);
    }
    Some(without_commissions(found))
}

type Owed = BTreeMap<(String, Currency), (i128, i128, i128)>;

fn owed_by_group(slots: &Slots) -> Owed {
    let mut owed = Owed::new();
    for ((_, group), sums) in slots {
        for (currency, money) in &sums.money {
            let sum = owed.entry((group.clone(), *currency)).or_default();
            sum.0 += money.commission_earned;
            sum.1 += money.commission_reversed;
            sum.2 += money.commission_paid;
        }
    }
    owed.retain(|_, sum| *sum != (0, 0, 0));
    owed
}

fn owed_expected(counted: &Counted, axis: Axis) -> Option<Owed> {
    let mut owed = Owed::new();
    for row in &counted.commissions {
        let values = match counted.conversions.iter().find(|order| order.conversion_id == row.conversion_id) {
            Some(order) if is_made(order) => counted.of_conversion(order)?,
            // Nobody says what a commission for a refund is of.
            Some(_) => return None,
            None => Values::new(),
        };
        let sum = owed.entry((label(&values, axis), row.currency)).or_default();
        sum.2 += row.paid_amount;
        if !row.is_blocked {
            (sum.0, sum.1) = (sum.0 + row.earned, sum.1 + row.reversed);
        }
    }
    owed.retain(|_, sum| *sum != (0, 0, 0));
    Some(owed)
}

fn told(draws: &[Draw], flush: Flush) -> World {
    let mut world = World::alone(flush);
    script(draws).iter().for_each(|(event, at)| world.apply(event, *at));
    world.flush();
    world
}

fn hold(law: impl Fn(&World)) {
    hold_of_draws(|draws| law(&told(draws, Flush::AtTheEnd)));
}

fn hold_of_draws(law: impl Fn(&[Draw])) {
    let outcome = TestRunner::new(fixed(CASES)).run(&draws(MOST), |draws| {
        law(&draws);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, draws)) => {
            let lines: Vec<String> = script(&draws).iter().map(|(event, at)| format!("{} {event}", at.0)).collect();
            panic!("{why}\n{}", lines.join("\n"));
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

#[test]
fn every_breakdown_is_what_is_counted_from_the_lists() {
    hold(|world| {
        let counted = Counted::new(world);
        for axis in Dimension::ALL.into_iter().map(Axis::one).chain(Axis::PAIRS) {
            let Some(there) = slots(world, "c", axis) else { panic!("{} is kept", axis.name()) };
            days(world, "c", axis).unwrap();
            if let Some(owed) = owed_expected(&counted, axis) {
                assert_eq!(owed_by_group(&there), owed, "commissions by {}", axis.name());
            }
            if let Some(expected) = expected(&counted, axis) {
                assert_eq!(without_commissions(there), expected, "by {}", axis.name());
            }
        }
    });
}

/// The days on which each member was active.
fn active_days(counted: &Counted, members: &[(u32, MemberRow)]) -> BTreeMap<u32, BTreeSet<Date>> {
    let mut days: BTreeMap<u32, BTreeSet<Date>> = BTreeMap::new();
    for (_, touch) in &counted.touches {
        if touch.disposition != Disposition::ExcludedBot.number() {
            days.entry(touch.n).or_default().insert(local(Millis(touch.t)));
        }
    }
    for row in counted.conversions.iter().filter(|row| is_made(row) && !row.is_blocked) {
        let credited = if row.shared_by.is_empty() { vec![row.member_id.clone()] } else { row.shared_by.clone() };
        for (n, _) in members.iter().filter(|(_, member)| credited.contains(&member.member_id)) {
            days.entry(*n).or_default().insert(local(row.converted_at));
        }
    }
    days
}

fn local(t: Millis) -> Date {
    TimeZone::get(ZONE).unwrap().to_datetime(jiff::Timestamp::from_millisecond(t.0).unwrap()).date()
}

fn number(date: Date) -> i64 {
    i64::from(date.since(Date::constant(1970, 1, 1)).unwrap().get_days())
}

fn month(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

fn monday(date: Date) -> Date {
    date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).unwrap()
}

/// The end of the last run, its length, the length of the longest.
fn runs(days: &BTreeSet<Date>) -> (Option<Date>, i64, i64) {
    let (mut end, mut length, mut best) = (None, 0, 0);
    for day in days {
        length = if end == Some(day.yesterday().unwrap()) { length + 1 } else { 1 };
        end = Some(*day);
        best = best.max(length);
    }
    (end, length, best)
}

#[test]
fn streaks_active_members_and_cohorts_are_what_is_counted_from_the_lists() {
    hold(|world| {
        let counted = Counted::new(world);
        let members: Vec<(u32, MemberRow)> = sums::rows(world, tables::MEMBER, "c")
            .map(|row| {
                let [_, Col::Int(n)] = row.key.cols.0.as_slice() else { panic!("{row:?}") };
                (u32::try_from(*n).unwrap(), MemberRow::decode(row.value.as_deref().unwrap()).unwrap())
            })
            .collect();
        let days = active_days(&counted, &members);
        let mut expected: BTreeMap<(u16, i64, i64), i64> = BTreeMap::new();
        let mut count = |place: (u16, i64, i64)| *expected.entry(place).or_default() += 1;
        for (n, member) in &members {
            let none = BTreeSet::new();
            let active = days.get(n).unwrap_or(&none);
            let (end, length, best) = runs(active);
            let streak = member.streak;
            assert_eq!((streak.length, streak.best), (length, best), "runs of {}", member.member_id);
            assert_eq!(end.map(number), (length > 0).then_some(streak.end), "end of {}'s run", member.member_id);
            active.iter().for_each(|day| count((tables::ACTIVE.id.0, i64::from(kind::DAY), number(*day))));
            let weeks: BTreeSet<Date> = active.iter().map(|day| monday(*day)).collect();
            weeks.iter().for_each(|week| count((tables::ACTIVE.id.0, i64::from(kind::WEEK), number(*week))));
            let months: BTreeSet<i64> = active.iter().map(|day| month(*day)).collect();
            let joined = month(local(member.joined_at));
            count((tables::COHORT.id.0, joined, i64::from(JOINED)));
            for month in months {
                count((tables::ACTIVE.id.0, i64::from(kind::MONTH), month));
                if month >= joined {
                    count((tables::COHORT.id.0, joined, month - joined));
                }
            }
        }
        let rows = [tables::ACTIVE, tables::COHORT].into_iter().flat_map(|table| sums::rows(world, table, "c"));
        let there = rows.map(|row| {
            let [_, Col::Int(a), Col::Int(b)] = row.key.cols.0.as_slice() else { panic!("{row:?}") };
            ((row.key.part.table.0, *a, *b), CountRow::decode(row.value.as_deref().unwrap()).unwrap().members)
        });
        let there: BTreeMap<_, _> = there.filter(|(_, members)| *members != 0).collect();
        assert_eq!(there, expected);
    });
}

/// Built at once or much later: what came in between, and touched it not, must not show.
#[test]
fn a_row_says_what_the_log_says_up_to_its_own_position() {
    let tables = [tables::MEMBER, tables::HOUR, tables::DAY, tables::TOUCH, tables::ACTIVE, tables::COHORT];
    let ours: Vec<_> = tables.iter().map(|table| table.id).collect();
    hold_of_draws(|draws| {
        let [at_once, late] = [Flush::EveryEvent, Flush::AtTheEnd].map(|flush| {
            let rows = told(draws, flush).rows;
            let rows = rows.into_values().filter(|row| ours.contains(&row.key.part.table));
            let rows = rows.map(|row| (format!("{:?}", row.key), (row.at, row.value, row.expires)));
            rows.collect::<BTreeMap<_, _>>()
        });
        assert_eq!(at_once, late);
    });
}
