//! Both sides as texts, row by row: what the fold wrote, and what the model says must be there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use tributary::decode::json::{Scratch, from_json};
use tributary::event::{Body, Event, MemberStatus, PaymentType, Verdict};
use tributary::fold::effects::Effects;
use tributary::fold::state::State;
use tributary::fold::{Fold, Origin, fraud};
use tributary::ids::{Millis, Next, Offset};
use tributary::project::key::{Col, Row};
use tributary::project::lists::CountRow;
use tributary::project::rows::{
    CommissionRow, ConversionRow, CreatorRow, MemberRow, NameRow, SeriesRow, Streak, TotalsRow,
};
use tributary::project::tables;
use tributary::project::totals::Totals;

use crate::fold::story;
use crate::fold::world::{Flush, World};

use super::figures::{Booking, clean, credit_of};
use super::history::{Creator, DAY, MINUTE};
use super::record::Model;

/// The name of a row and its fields, as a text.
pub(crate) type Rows = BTreeMap<String, String>;

/// Rows that are of no creator.
const LETTERS: &str = "letters";
const TALLY: &str = "applied, duplicate, parked, dead";

pub(crate) type Events = Vec<(String, Millis)>;

/// What differs between the fold and the model after these events; empty when they agree.
pub(crate) fn differences(events: &[(String, Millis)]) -> String {
    differing(&rows_of_world(&folded(events)), &expected(events), ["fold", "model"])
}

/// Rows that are not the same on both sides, with both values.
pub(crate) fn differing(left: &Rows, right: &Rows, sides: [&str; 2]) -> String {
    let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let mut out = String::new();
    for name in names.into_iter().filter(|name| left.get(*name) != right.get(*name)) {
        writeln!(out, "{name}").unwrap();
        for (side, rows) in sides.iter().zip([left, right]) {
            writeln!(out, "{side:>7}: {}", rows.get(name).map_or("(no row)", |text| text)).unwrap();
        }
    }
    out
}

/// The rows that must be there after these events.
pub(crate) fn expected(events: &[(String, Millis)]) -> Rows {
    modelled(events, rows_of_model)
}

/// The same of one creator's events as they stand in a log, without what is told of all creators together.
pub(crate) fn expected_of<'a: 'e, 'e>(events: impl Iterator<Item = (&'e Event<'a>, u64, Millis)>) -> Rows {
    let mut model = Model::default();
    let mut decided = Decided::default();
    for (event, offset, timestamp) in events {
        model.apply(event, offset, timestamp);
        decided.apply(event, offset, timestamp);
    }
    decided.tell(&mut model);
    let mut rows = rows_of_model(&model);
    rows.retain(|name, _| name != LETTERS && name != TALLY);
    rows
}

/// What the model knows after these events.
pub(crate) fn modelled<T>(events: &[(String, Millis)], look: impl FnOnce(&Model<'_>) -> T) -> T {
    let mut scratches: Vec<Scratch> = events.iter().map(|_| Scratch::default()).collect();
    let (mut model, mut decided) = (Model::default(), Decided::default());
    for (offset, ((json, timestamp), scratch)) in (0_u64..).zip(events.iter().zip(&mut scratches)) {
        let event = from_json(json.as_bytes(), scratch).unwrap_or_else(|error| panic!("{error}: {json}"));
        model.apply(&event, offset, *timestamp);
        decided.apply(&event, offset, *timestamp);
    }
    decided.tell(&mut model);
    look(&model)
}

/// What the fold decides: the model knows what follows of it.
#[derive(Default)]
struct Decided {
    state: State,
    fold: Fold,
    last: BTreeMap<(String, bool, String), fraud::Verdict>,
}

impl Decided {
    fn apply(&mut self, event: &Event<'_>, offset: u64, timestamp: Millis) {
        let mut effects = Effects::from(Next(offset));
        let origin = Origin { offset: Offset(offset), timestamp };
        self.fold.apply(&mut self.state, &mut effects, event, origin);
        let follows = |decision: &&fraud::Decision| {
            decision.subject != fraud::Subject::Click && decision.mode != fraud::Mode::Shadow
        };
        for decision in effects.decisions.iter().filter(follows) {
            let is_conversion = decision.subject == fraud::Subject::Conversion;
            let subject =
                (decision.creator.as_str().to_owned(), is_conversion, decision.subject_id.as_str().to_owned());
            self.last.insert(subject, decision.verdict);
        }
    }

    fn tell(self, model: &mut Model<'_>) {
        for ((creator, is_conversion, subject), verdict) in self.last {
            if let Some(creator) = model.creators.get_mut(creator.as_str()) {
                creator.decided.insert((is_conversion, subject), verdict);
            }
        }
    }
}

/// The places of records that were applied, by the model, and where they were: as they came, or when what they waited
/// for came. A Tick has nothing to be known by.
pub(crate) fn applied_where(events: &[(String, Millis)]) -> BTreeMap<usize, usize> {
    let mut scratches: Vec<Scratch> = events.iter().map(|_| Scratch::default()).collect();
    let mut model = Model::default();
    let (mut places, mut ticks) = (BTreeMap::new(), BTreeSet::new());
    for (place, ((json, timestamp), scratch)) in events.iter().zip(&mut scratches).enumerate() {
        let event = from_json(json.as_bytes(), scratch).unwrap_or_else(|error| panic!("{error}: {json}"));
        if event.body == Body::Tick {
            ticks.insert(place);
        }
        let before = model.creators.get(event.creator_id.0).map_or(0, |creator| creator.applied.len());
        model.apply(&event, u64::try_from(place).unwrap(), *timestamp);
        if let Some(creator) = model.creators.get(event.creator_id.0) {
            let applied = creator.applied[before..].iter().map(|offset| usize::try_from(*offset).unwrap());
            places.extend(applied.filter(|offset| !ticks.contains(offset)).map(|offset| (offset, place)));
        }
    }
    places
}

pub(crate) fn folded(events: &[(String, Millis)]) -> World {
    let mut world = World::alone(Flush::AtTheEnd);
    events.iter().for_each(|(event, timestamp)| world.apply(event, *timestamp));
    world.flush();
    world
}

pub(crate) fn rows_of_world(world: &World) -> Rows {
    let mut rows = Rows::new();
    for row in world.live() {
        if let Some((name, text)) = row_text(row) {
            assert!(rows.insert(name.clone(), text).is_none(), "{name} is there once");
        }
    }
    let letters: Vec<String> = world.letters.iter().map(|l| format!("#{} {}", l.offset.0, l.class)).collect();
    rows.insert(LETTERS.to_owned(), letters.join(", "));
    let tally = world.tally;
    let figures = (tally.applied, tally.duplicate, tally.parked, tally.dead);
    rows.insert(TALLY.to_owned(), format!("{figures:?}"));
    rows
}

/// The name of a stored row and its fields; none of what the model does not make.
pub(crate) fn row_text(row: &Row) -> Option<(String, String)> {
    let value = row.value.as_deref().unwrap();
    let [Col::Text(creator), cols @ ..] = row.key.cols.0.as_slice() else { return None };
    let number = |place: usize| match cols.get(place) {
        Some(Col::Int(n) | Col::IntDesc(n)) => *n,
        other => panic!("no number but {other:?}"),
    };
    let text = |place: usize| match cols.get(place) {
        Some(Col::Text(text)) => text.clone(),
        other => panic!("no text but {other:?}"),
    };
    let table = tables::ALL.into_iter().find(|table| table.id == row.key.part.table).unwrap().name;
    let name = |key: String| format!("{table} {creator} {key}");
    Some(match table {
        "creator" => (name(String::new()), creator_text(&CreatorRow::decode(value).unwrap())),
        "name" => {
            let kind = ["member", "code", "conversion", "commission"][usize::try_from(number(0) - 1).unwrap()];
            let row = NameRow::decode(value).unwrap();
            (name(format!("{kind} {:?}", text(1))), format!("{} {:?}", row.n, row.made_at.map(|at| at.0)))
        }
        "member" => (name(number(0).to_string()), member_text(&MemberRow::decode(value).unwrap())),
        "conversion" => {
            let row = ConversionRow::decode(value).unwrap();
            (name(format!("{:?}", row.conversion_id)), conversion_text(&row))
        }
        "commission" => {
            let row = CommissionRow::decode(value).unwrap();
            (name(format!("{:?}", row.commission_id)), commission_text(&row))
        }
        "ledger" => {
            let row = CommissionRow::decode(value).unwrap();
            let time = row.paid_at.unwrap_or(row.created_at).0;
            let place = (number(1), number(2)) == (i64::from(row.paid_at.is_some()), time);
            (name(format!("{:?} of {}", row.commission_id, number(0))), format!("{place} {}", commission_text(&row)))
        }
        "member_day" => {
            let totals = TotalsRow::decode(value).unwrap().totals;
            return shown(name(format!("{} {}", number(0), day(number(1)))), &totals);
        }
        "month" => return shown(name(number(0).to_string()), &TotalsRow::decode(value).unwrap().totals),
        // Breakdowns beside the sums are another matter.
        "hour" | "day" if number(1) != 0 => return None,
        "touch" => return None,
        // Nor what was decided, which follows from what the model does not know: tokens.
        "decision" | "review" => return None,
        "active" => {
            let kind = ["days", "weeks", "months"][usize::try_from(number(0)).unwrap()];
            return counted(name(format!("in {kind} {}", number(1))), CountRow::decode(value).unwrap().members);
        }
        "cohort" => {
            let members = CountRow::decode(value).unwrap().members;
            return counted(name(format!("of {} at {}", number(0), number(1))), members);
        }
        "hour" => (name(number(0).to_string()), series_text(&SeriesRow::decode(value).unwrap())?),
        "day" => (name(day(number(0))), series_text(&SeriesRow::decode(value).unwrap())?),
        other => panic!("nothing is known of the table {other}"),
    })
}

/// A row in which nothing stands may be there or not.
fn shown(name: String, totals: &Totals) -> Option<(String, String)> {
    (!totals.is_zero()).then(|| (name, story::totals(totals)))
}

/// Nobody may be said or not.
fn counted(name: String, members: i64) -> Option<(String, String)> {
    (members != 0).then(|| (name, members.to_string()))
}

fn creator_text(row: &CreatorRow) -> String {
    let head = format!("{} {} {}", row.name, row.currency, row.time_zone);
    let members = format!("{} of {} members active", row.members_active, row.members);
    format!("{head}, clock {}, {members}{}", row.clock.0, story::totals(&row.totals))
}

fn member_text(row: &MemberRow) -> String {
    let texts = [&row.member_id, &row.referral_code, &row.user_id, &row.username];
    let Streak { end, length, best } = row.streak;
    // Without a run its end says nothing.
    let streak = (if length == 0 { 0 } else { end }, length, best);
    format!("{texts:?} {} since {}, {streak:?}{}", row.status.name(), row.joined_at.0, story::totals(&row.totals))
}

fn conversion_text(row: &ConversionRow) -> String {
    let texts = [&row.kind, &row.original_id, &row.customer_id, &row.plan];
    let money = format!("{} of {} {} taken", row.refunded, row.amount, row.currency);
    let whose = format!("{:?} {:?} by {} {:?}", row.member_id, row.shared_by, row.credit, row.credited_click_id);
    let blocked = if row.is_blocked { ", blocked" } else { "" };
    format!("{texts:?} at {}, {money}, to {whose}{blocked}", row.converted_at.0)
}

fn commission_text(row: &CommissionRow) -> String {
    let texts = [&row.member_id, &row.conversion_id];
    let money = format!("{} {} less {} ({} stated)", row.earned, row.currency, row.reversed, row.stated_reversed);
    let paid = row.paid_at.map_or(String::new(), |at| format!(" {} at {}", row.paid_amount, at.0));
    let order = format!("{:?} of {:?} taken", row.order_refunded, row.order_amount);
    let due = (row.is_derived, row.matures_at.map(|at| at.0));
    let verdict = (row.review.as_str(), row.is_blocked);
    let state = format!("{}{paid}, {due:?}, {verdict:?}, {}", row.state, row.is_approved);
    format!("{texts:?} type {} at {}: {money}, {order}, {state}", row.payment_type, row.created_at.0)
}

fn series_text(row: &SeriesRow) -> Option<String> {
    let slots: Vec<String> = row
        .slots
        .iter()
        .filter(|(_, totals)| !totals.is_zero())
        .map(|(slot, totals)| format!("{slot}{}", story::totals(totals)))
        .collect();
    (!slots.is_empty()).then(|| format!("{}; {}", slots.join(" | "), story::totals(&row.totals)))
}

fn day(day: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(day * DAY).unwrap().to_string();
    at.split('T').next().unwrap_or_default().to_owned()
}

fn rows_of_model(model: &Model<'_>) -> Rows {
    let mut rows = Rows::new();
    for (id, creator) in &model.creators {
        // Before the creator's own record there is nothing to show.
        if creator.settings.is_some() {
            rows_of_creator(id, creator, &mut rows);
        }
    }
    let letters: Vec<String> = model.letters.iter().map(|(offset, class)| format!("#{offset} {class}")).collect();
    rows.insert(LETTERS.to_owned(), letters.join(", "));
    rows.insert(TALLY.to_owned(), format!("{:?}", model.tally()));
    rows
}

fn rows_of_creator(id: &str, creator: &Creator<'_>, rows: &mut Rows) {
    let bookings = creator.bookings();
    let settings = creator.settings();
    let active = creator.members.iter().filter(|member| member.status == MemberStatus::Active).count();
    let head = format!("{} {} {}", settings.name, settings.currency, settings.time_zone);
    let members = format!("{active} of {} members active", creator.members.len());
    let totals = creator.totals(&bookings, None);
    let text = format!("{head}, clock {}, {members}{}", creator.clock, story::totals(&totals));
    rows.insert(format!("creator {id} "), text);
    for (n, member) in creator.members.iter().enumerate() {
        rows.insert(format!("name {id} member {:?}", member.id), format!("{n} None"));
        let texts = [member.id, member.code, member.user_id, member.username];
        let totals = creator.totals(&bookings, Some(n));
        let (status, streak) = (member.status.symbol(), creator.streak(n));
        let text = format!("{texts:?} {status} since {}, {streak:?}{}", member.joined_at, story::totals(&totals));
        rows.insert(format!("member {id} {n}"), text);
    }
    for (code, n) in &creator.codes {
        rows.insert(format!("name {id} code {code:?}"), format!("{n} None"));
    }
    for (name, members) in creator.activity() {
        rows.insert(format!("{} {id} {}", name.0, name.1), members.to_string());
    }
    rows_of_conversions(id, creator, rows);
    rows_of_commissions(id, creator, rows);
    rows_of_series(id, creator, &bookings, rows);
}

fn rows_of_conversions(id: &str, creator: &Creator<'_>, rows: &mut Rows) {
    for (c, conversion) in creator.conversions.iter().enumerate() {
        let stated = &conversion.stated;
        let texts = [
            stated.kind.symbol(),
            stated.original_id.map_or("", |id| id.0),
            stated.customer_id.map_or("", |id| id.0),
            stated.plan.unwrap_or(""),
        ];
        let money = format!("{} of {} {} taken", creator.refunded(c), conversion.amount, conversion.currency);
        let (primary, click, how) = credit_of(&conversion.credit);
        let name = |m: &usize| creator.members[*m].id;
        let all: Vec<&str> = conversion.credit.members().iter().map(name).collect();
        let shared_by = if all.len() > 1 { all } else { Vec::new() };
        let whose = format!("{:?} {shared_by:?} by {how} {:?}", primary.as_ref().map_or("", name), click.unwrap_or(""));
        let blocked = if creator.is_blocked(conversion.id()) { ", blocked" } else { "" };
        let text = format!("{texts:?} at {}, {money}, to {whose}{blocked}", conversion.t);
        rows.insert(format!("conversion {id} {:?}", conversion.id()), text);
        rows.insert(format!("name {id} conversion {:?}", conversion.id()), format!("0 {:?}", Some(conversion.t)));
    }
}

fn rows_of_commissions(id: &str, creator: &Creator<'_>, rows: &mut Rows) {
    for commission in &creator.commissions {
        let (standing, _) = creator.follow(commission);
        let texts = [creator.members[commission.member].id, commission.conversion_id.unwrap_or("")];
        let (earned, stated) = (standing.earned, standing.stated);
        let money = format!("{earned} {} less {} ({stated} stated)", commission.currency, standing.reversed);
        let paid = commission
            .paid_at
            .map_or(String::new(), |at| format!(" {} at {at}", standing.paid.expect("what is paid is an amount")));
        let payment_type = match commission.payment_type {
            None => 0,
            Some(PaymentType::Initial) => 1,
            Some(PaymentType::Recurring) => 2,
        };
        let order = commission.conversion_id.and_then(|id| creator.conversion(id));
        let moved = (order.map(|c| creator.refunded(c)), order.map(|c| creator.conversions[c].amount));
        let order = format!("{:?} of {:?} taken", moved.0, moved.1);
        let due = (commission.matures_at.is_some(), commission.matures_at);
        let verdict = match creator.verdict(false, &commission.id) {
            None => "",
            Some(Verdict::Approve) => "approved",
            Some(Verdict::Block) => "blocked",
        };
        let verdict = (verdict, creator.is_commission_blocked(commission));
        let state = creator.state_of(commission, &standing);
        let state = format!("{state}{paid}, {due:?}, {verdict:?}, {}", commission.is_approved);
        let text = format!("{texts:?} type {payment_type} at {}: {money}, {order}, {state}", commission.t);
        rows.insert(format!("commission {id} {:?}", commission.id), text.clone());
        let name = format!("{payment_type} {:?}", Some(commission.t));
        rows.insert(format!("name {id} commission {:?}", commission.id), name);
        rows.insert(format!("ledger {id} {:?} of {}", commission.id, commission.member), format!("true {text}"));
    }
}

fn rows_of_series(id: &str, creator: &Creator<'_>, bookings: &[Booking], rows: &mut Rows) {
    let slots = |length: i64| Creator::series(bookings, None, length);
    let mut grouped = |table: &str, length: i64, name: fn(i64) -> String, whole: i64, before: i64| {
        let mut groups: BTreeMap<i64, Vec<(i64, Totals)>> = BTreeMap::new();
        for (slot, totals) in slots(length) {
            let per = whole / length;
            groups.entry(slot.div_euclid(per)).or_default().push((slot.rem_euclid(per), totals));
        }
        for (group, slots) in groups.into_iter().filter(|(group, _)| *group < before) {
            let mut sum = Totals::default();
            slots.iter().for_each(|(_, totals)| sum.add(totals));
            let texts: Vec<String> =
                slots.iter().map(|(slot, totals)| format!("{slot}{}", story::totals(totals))).collect();
            let text = format!("{}; {}", texts.join(" | "), story::totals(&clean(sum)));
            rows.insert(format!("{table} {id} {}", name(group)), text);
        }
    };
    let sealed_to = creator.watermark().div_euclid(DAY);
    grouped("hour", MINUTE, |hour| hour.to_string(), 60 * MINUTE, i64::MAX);
    grouped("day", 15 * MINUTE, day, DAY, sealed_to);
    let mut months: BTreeMap<u16, Totals> = BTreeMap::new();
    for (at, totals) in slots(DAY).into_iter().filter(|(day, _)| *day < sealed_to) {
        months.entry(tables::month_of(Millis(at * DAY))).or_default().add(&totals);
    }
    for (month, totals) in months {
        rows.extend(shown(format!("month {id} {month}"), &clean(totals)));
    }
    for n in 0..creator.members.len() {
        for (at, totals) in Creator::series(bookings, Some(n), DAY).into_iter().filter(|(day, _)| *day < sealed_to) {
            rows.extend(shown(format!("member_day {id} {n} {}", day(at)), &totals));
        }
    }
}
