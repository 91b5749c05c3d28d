//! One helper: a story, what to show of it, and the text expected. Both fit on a screen.
//!
//! A line of a story is when it happened, what, and its fields: `01-05 10:00 Click click_id=k1 member_id=ann`. The
//! year is 2026 unless stated. The log takes a record in when it happened, or at the time behind `@` at its end. A
//! line without a creator is `c`'s; a line without an event id has one of its own. Every story is also checked for
//! what holds of any (`sums`), against the slow model, and, as far as they go, against the simulator's books.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::Expect;
use serde_json::{Map, Value, json};
use tributary::fold::fraud::{Answer, Decision, Finding, Mode, Subject, Verdict};
use tributary::fold::groups::dimension::Axis;
use tributary::ids::{Currency, Millis};
use tributary::project::key::Col;
use tributary::project::lists::{CountRow, TouchRow};
use tributary::project::rows::{CommissionRow, ConversionRow, CreatorRow, MemberRow, NameRow, SeriesRow, TotalsRow};
use tributary::project::tables;
use tributary::project::totals::{Money, Totals};
use tributary::simulate::ledger;

use super::world::{Flush, World};
use super::{groups, sums};
use crate::model::compare::differences;

/// `show` names what is printed: creator, members, names, conversions, commissions, days, sealed, streaks, active,
/// cohorts, touches, by:country, by:country@01-03.
pub(crate) fn story(lines: &str, show: &str, expected: Expect) {
    let world = told(lines);
    expected.assert_eq(&text(&world, show, "c"));
}

/// A club in euros with the members Ann and Bob, who have a code each: records 0 to 2.
const CLUB: &str = r#"
01-01 00:00 Creator name=Club currency=EUR time_zone=UTC
01-01 00:00 Member member_id=ann referral_code=ANN
01-01 00:00 Member member_id=bob referral_code=BOB
"#;

/// The same, where the fold makes the commissions: 10 % and 50 cents on top, held for 14 days.
pub(crate) const DERIVING: &str = r#"
01-01 00:00 Creator name=Club currency=EUR time_zone=UTC commission={"source":"derived","rate_bp":1000,"flat_amount":50,"hold_days":14}
01-01 00:00 Member member_id=ann referral_code=ANN
01-01 00:00 Member member_id=bob referral_code=BOB
"#;

/// A story of that club.
pub(crate) fn club(lines: &str, show: &str, expected: Expect) {
    story(&format!("{CLUB}{lines}"), show, expected);
}

/// A story of the club that derives its commissions.
pub(crate) fn deriving(lines: &str, show: &str, expected: Expect) {
    story(&format!("{DERIVING}{lines}"), show, expected);
}

/// A story's end, checked.
pub(crate) fn told(lines: &str) -> World {
    let events = events(lines);
    let world = run(&events, Flush::EveryEvent);
    let at_once = run(&events, Flush::AtTheEnd);
    assert_eq!(text(&world, ALL, "c"), text(&at_once, ALL, "c"), "rows do not depend on when they are flushed");
    sums::check(&world);
    assert_eq!(differences(&events), "", "the model says the same");
    // The simulator's books know no reviews, no rules of fraud, and no model but `last`.
    let is_in_doubt = |decision: &Decision| {
        decision.subject != Subject::Click && decision.verdict != Verdict::Approve && decision.mode != Mode::Shadow
    };
    let is_clear = !world.decisions.iter().any(is_in_doubt);
    if is_clear && !lines.contains("\"model\":") && !lines.contains(" Review ") {
        sums::check_books(&world);
    }
    world
}

pub(crate) fn run(events: &[(String, Millis)], flush: Flush) -> World {
    let mut world = World::new(flush);
    for (event, timestamp) in events {
        world.apply(event, *timestamp);
    }
    world.flush();
    world
}

/// The events of a story, as JSON, with the log's timestamps.
pub(crate) fn events(lines: &str) -> Vec<(String, Millis)> {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.enumerate().map(|(n, line)| event(n, line)).collect()
}

fn event(n: usize, line: &str) -> (String, Millis) {
    let (line, arrival) = match line.rsplit_once(" @") {
        Some((line, arrival)) => (line, Some(arrival)),
        None => (line, None),
    };
    let words = words(line);
    let [date, time, kind, fields @ ..] = words.as_slice() else { panic!("no date, time and kind: {line}") };
    let occurred = instant(date, time);
    let mut event = Map::new();
    event.insert("type".to_owned(), json!(kind));
    event.insert("event_id".to_owned(), json!(format!("e{n}")));
    event.insert("creator_id".to_owned(), json!("c"));
    event.insert("occurred_at".to_owned(), json!(occurred.0));
    for field in fields {
        let (name, value) = field.split_once('=').unwrap_or_else(|| panic!("no `name=value`: {field}"));
        event.insert(name.to_owned(), value_of(value));
    }
    let timestamp = arrival.map_or(occurred, |arrival| {
        let (date, time) = arrival.split_once(' ').unwrap_or_else(|| panic!("no date and time: {arrival}"));
        instant(date, time)
    });
    (Value::Object(event).to_string(), timestamp)
}

/// Split at spaces, but for those between quotes or braces.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut depth) = (Vec::new(), String::new(), false, 0_i32);
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            _ => {}
        }
        if letter == ' ' && !quoted && depth == 0 {
            words.push(std::mem::take(&mut word));
        } else {
            word.push(letter);
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// JSON where it is JSON, else text.
fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// `01-05` of 2026, or with a year before it; `10:00`, or with seconds behind.
fn instant(date: &str, time: &str) -> Millis {
    let date = if date.len() == 5 { format!("2026-{date}") } else { date.to_owned() };
    let time = if time.len() == 5 { format!("{time}:00") } else { time.to_owned() };
    let at: jiff::Timestamp =
        format!("{date}T{time}Z").parse().unwrap_or_else(|error| panic!("{date} {time}: {error}"));
    Millis(at.as_millisecond())
}

fn clock(t: Millis) -> String {
    let at = jiff::Timestamp::from_millisecond(t.0).unwrap().to_string();
    let at = at.trim_end_matches('Z').replace('T', " ");
    let at = at.strip_prefix("2026-").unwrap_or(&at);
    at.strip_suffix(":00").unwrap_or(at).to_owned()
}

fn day(day: i64) -> String {
    clock(Millis(day * Millis::DAY)).split(' ').next().unwrap_or_default().to_owned()
}

pub(crate) const ALL: &str = "creator members names conversions commissions days sealed";

/// What is shown of the rows of one creator, the letters and the tally.
pub(crate) fn text(world: &World, show: &str, creator: &str) -> String {
    let mut out = rows_text(world, show, creator);
    for letter in &world.letters {
        writeln!(out, "! {} #{}: {}", letter.class, letter.offset.0, letter.message).unwrap();
    }
    let tally = world.tally;
    let figures = [("duplicate", tally.duplicate), ("parked", tally.parked), ("dead", tally.dead)];
    let rest: String = figures.iter().filter(|(_, n)| *n != 0).map(|(name, n)| format!(", {n} {name}")).collect();
    writeln!(out, "= {} read: {} applied{rest}", world.read, tally.applied).unwrap();
    out
}

/// What is shown of the rows of one creator.
pub(crate) fn rows_text(world: &World, show: &str, creator: &str) -> String {
    let mut out = String::new();
    for section in show.split(' ').filter(|section| !section.is_empty()) {
        let mut lines = match section {
            "creator" => of(world, tables::CREATOR, creator, show_creator),
            "members" => of(world, tables::MEMBER, creator, show_member),
            "names" => of(world, tables::NAME, creator, show_name),
            "conversions" => of(world, tables::CONVERSION, creator, show_conversion),
            "commissions" => commissions(world, creator),
            "days" => days(world, creator),
            "sealed" => sealed(world, creator),
            "streaks" => of(world, tables::MEMBER, creator, show_streak),
            "active" => of(world, tables::ACTIVE, creator, show_active),
            "cohorts" => of(world, tables::COHORT, creator, show_cohort),
            "touches" => touches(world, creator),
            "decisions" => decisions(world, creator, |decision| decision.subject != Subject::Click),
            "decisions:clicks" => decisions(world, creator, |decision| decision.subject == Subject::Click),
            other => {
                let by = other.strip_prefix("by:").unwrap_or_else(|| panic!("nothing is called {other}"));
                broken_down(world, creator, by)
            }
        };
        lines.sort();
        lines.iter().for_each(|(_, line)| writeln!(out, "{line}").unwrap());
    }
    out
}

/// What a line is sorted by, and the line.
type Line = (String, String);

fn of(world: &World, table: tables::Table, creator: &str, show: impl Fn(&[Col], &[u8]) -> Line) -> Vec<Line> {
    let rows = sums::rows(world, table, creator);
    rows.map(|row| show(&row.key.cols.0[1..], row.value.as_deref().unwrap_or_default())).collect()
}

fn show_creator(_: &[Col], value: &[u8]) -> Line {
    let row = CreatorRow::decode(value).unwrap();
    let members = format!("{}/{} members active", row.members_active, row.members);
    let head = format!("{} {} {}", row.name, row.currency, row.time_zone);
    let line = format!("{head}, clock {}, {members}{}", clock(row.clock), totals(&row.totals));
    (String::new(), line)
}

fn show_member(cols: &[Col], value: &[u8]) -> Line {
    let row = MemberRow::decode(value).unwrap();
    let names: String = [("code", &row.referral_code), ("user", &row.user_id), ("name", &row.username)]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| format!(" {name} {text}"))
        .collect();
    let since = format!("joined {}, seen {}", clock(row.joined_at), clock(row.active_at));
    (sort_key(cols), format!("{} {}{names}, {since}{}", row.member_id, row.status.name(), totals(&row.totals)))
}

fn show_name(cols: &[Col], value: &[u8]) -> Line {
    let (row, Some(Col::Text(name))) = (NameRow::decode(value).unwrap(), cols.get(1)) else {
        panic!("a name's key ends with it")
    };
    let line = match cols.first() {
        Some(Col::Int(1)) => format!("member {name:?} is member {}", row.n),
        Some(Col::Int(2)) => format!("code {name:?} is member {}", row.n),
        Some(Col::Int(3)) => format!("conversion {name:?} was at {}", clock(row.made_at.unwrap())),
        _ => format!("commission {name:?} was made at {}, payment type {}", clock(row.made_at.unwrap()), row.n),
    };
    (sort_key(cols), line)
}

fn show_conversion(_: &[Col], value: &[u8]) -> Line {
    let row = ConversionRow::decode(value).unwrap();
    let mut line =
        format!("{} {} {} {} {}", clock(row.converted_at), row.conversion_id, row.kind, row.amount, row.currency);
    let texts = [(" of ", &row.original_id), (" by ", &row.customer_id), (" for ", &row.plan)];
    texts.iter().filter(|(_, text)| !text.is_empty()).for_each(|(word, text)| write!(line, "{word}{text}").unwrap());
    if row.refunded != 0 {
        write!(line, ", {} taken back", row.refunded).unwrap();
    }
    if row.credit != "not_applicable" {
        let whom = if row.member_id.is_empty() { "nobody" } else { &row.member_id };
        let whom = if row.shared_by.is_empty() { whom.to_owned() } else { row.shared_by.join("+") };
        write!(line, " → {whom}: {}", row.credit).unwrap();
    }
    if row.is_blocked {
        line.push_str(", blocked");
    }
    (format!("{:020} {}", row.converted_at.0, row.conversion_id), line)
}

/// Each with its place in the ledger, which must hold the same.
fn commissions(world: &World, creator: &str) -> Vec<Line> {
    let ledger: Vec<(Vec<Col>, CommissionRow)> = world
        .live()
        .filter(|row| {
            row.key.part.table == tables::LEDGER.id && row.key.cols.0.first() == Some(&Col::Text(creator.to_owned()))
        })
        .map(|row| (row.key.cols.0.clone(), CommissionRow::decode(row.value.as_deref().unwrap()).unwrap()))
        .collect();
    let lines = of(world, tables::COMMISSION, creator, |_, value| {
        let row = CommissionRow::decode(value).unwrap();
        let places: Vec<_> = ledger.iter().filter(|(_, other)| other.commission_id == row.commission_id).collect();
        let [(place, other)] = places.as_slice() else {
            panic!("{} stands in the ledger {} times", row.commission_id, places.len())
        };
        assert_eq!(*other, row, "the ledger says the same");
        let paid = i64::from(row.paid_at.is_some());
        let time = row.paid_at.unwrap_or(row.created_at).0;
        assert_eq!((&place[2], &place[3]), (&Col::Int(paid), &Col::IntDesc(time)), "its place in the ledger");
        show_commission(&row)
    });
    assert_eq!(lines.len(), ledger.len(), "the ledger holds nothing else");
    lines
}

fn show_commission(row: &CommissionRow) -> Line {
    let mut line = format!("{} {} {}", clock(row.created_at), row.commission_id, row.member_id);
    if !row.conversion_id.is_empty() {
        write!(line, " for {}", row.conversion_id).unwrap();
    }
    write!(line, ": {} {} earned", row.earned, row.currency).unwrap();
    if row.reversed != 0 {
        write!(line, ", {} reversed", row.reversed).unwrap();
    }
    match row.payment_type {
        1 => line.push_str(", initial"),
        2 => line.push_str(", recurring"),
        _ => {}
    }
    write!(line, ", {}", row.state).unwrap();
    if let Some(at) = row.paid_at {
        write!(line, " {} on {}", row.paid_amount, clock(at)).unwrap();
    }
    (format!("{:020} {}", row.created_at.0, row.commission_id), line)
}

fn show_streak(cols: &[Col], value: &[u8]) -> Line {
    let row = MemberRow::decode(value).unwrap();
    let streak = row.streak;
    let last = if streak.length == 0 { "none".to_owned() } else { format!("{} to {}", streak.length, day(streak.end)) };
    (sort_key(cols), format!("{} on end: {last}, best {}", row.member_id, streak.best))
}

fn show_active(cols: &[Col], value: &[u8]) -> Line {
    let [Col::Int(kind), Col::Int(period)] = cols else { panic!("a kind and a period: {cols:?}") };
    let period = match kind {
        0 => format!("on {}", day(*period)),
        1 => format!("in the week of {}", day(*period)),
        _ => format!("in {:04}-{:02}", period / 12, period % 12 + 1),
    };
    (sort_key(cols), format!("{} active {period}", CountRow::decode(value).unwrap().members))
}

fn show_cohort(cols: &[Col], value: &[u8]) -> Line {
    let [Col::Int(joined), Col::Int(age)] = cols else { panic!("a month and an age: {cols:?}") };
    let members = CountRow::decode(value).unwrap().members;
    let joined = format!("{:04}-{:02}", joined / 12, joined % 12 + 1);
    let line =
        if *age < 0 { format!("{members} joined in {joined}") } else { format!("{members} of {joined} at {age}") };
    (format!("{joined} {:03}", age + 1), line)
}

/// Clicks and shares in the order of the log.
fn touches(world: &World, creator: &str) -> Vec<Line> {
    let rows = sums::rows(world, tables::TOUCH, creator);
    let pages = rows.map(|row| TouchRow::decode(row.value.as_deref().unwrap()).unwrap());
    pages
        .flat_map(|page| page.touches)
        .map(|touch| {
            let texts = [(" of ", &touch.share_id), (" on ", &touch.platform), (" as ", &touch.template)];
            let rest: String =
                texts.iter().filter(|(_, text)| !text.is_empty()).map(|(word, text)| format!("{word}{text}")).collect();
            let place = |place: u64| place % (1 << 40);
            let prev =
                touch.prev.checked_sub(1).map_or_else(String::new, |prev| format!(", before it {}", place(prev)));
            let what = format!("{} {} {}", clock(touch.t), touch.id, touch.disposition.name());
            (format!("{:020}", touch.place), format!("{} {what} by {}{rest}{prev}", place(touch.place), touch.n))
        })
        .collect()
}

/// In the order in which they were told.
fn decisions(world: &World, creator: &str, is_shown: impl Fn(&Decision) -> bool) -> Vec<Line> {
    let shown = world.decisions.iter().filter(|decision| decision.creator.as_str() == creator && is_shown(decision));
    shown.enumerate().map(|(i, decision)| (format!("{i:08}"), show_decision(decision))).collect()
}

fn show_decision(decision: &Decision) -> String {
    let beside = if decision.mode == Mode::Shadow { "shadow: " } else { "" };
    let head = format!("{beside}{} {} /{}", decision.subject.name(), decision.subject_id.as_str(), decision.revision);
    let score = decision.assessment.score;
    let mut line = format!("{head}: {} {} ({})", decision.verdict.name(), score.raw, decision.action.name());
    let by = decision.decided_by.name();
    if by != "score" {
        write!(line, " by {by}").unwrap();
    }
    let mut told: Vec<String> = decision.assessment.findings().filter_map(show_finding).collect();
    told.dedup();
    if !told.is_empty() {
        write!(line, "; {}", told.join(", ")).unwrap();
    }
    if let Some(previous) = decision.previous {
        write!(line, "; was {} {}, {}", previous.verdict.name(), previous.score, previous.cause.name()).unwrap();
    }
    line
}

fn show_finding(finding: &Finding) -> Option<String> {
    let code = finding.question.code();
    match finding.answer {
        Answer::Yes(seen) => Some(format!("{code} {}/{}", seen.observed, seen.threshold)),
        Answer::Silenced(_, guard) => Some(format!("{code} but {}", guard.name())),
        Answer::No | Answer::Unknown(_) => None,
    }
}

/// `country`: the sums of its groups; `country@01-03`: of that day.
fn broken_down(world: &World, creator: &str, by: &str) -> Vec<Line> {
    let (axis, on) = by.split_once('@').map_or((by, None), |(axis, on)| (axis, Some(on)));
    let axis = Axis::parse(axis).unwrap_or_else(|| panic!("{axis} is no dimension"));
    let mut sums: BTreeMap<String, Totals> = BTreeMap::new();
    for ((quarter, group), totals) in groups::slots(world, creator, axis).expect("the pair is kept") {
        if on.is_none_or(|on| day(quarter.div_euclid(96)) == on) {
            sums.entry(group).or_default().add(&totals);
        }
    }
    sums.into_iter().map(|(group, sums)| (group.clone(), format!("{group}{}", totals(&sums)))).collect()
}

/// The sums of the hours of each UTC day.
fn days(world: &World, creator: &str) -> Vec<Line> {
    let days = sums::days(world, creator);
    days.iter()
        .filter(|(_, sums)| !sums.is_zero())
        .map(|(at, sums)| (format!("{at:08}"), format!("{}{}", day(*at), totals(sums))))
        .collect()
}

/// Rows that are written once their day is over.
fn sealed(world: &World, creator: &str) -> Vec<Line> {
    let mut lines = of(world, tables::DAY, creator, |cols, value| {
        let row = SeriesRow::decode(value).unwrap();
        let [Col::Int(at), ..] = cols else { panic!("a day's key is the day") };
        (format!("1 {at:08}"), format!("sealed {}{}", day(*at), totals(&row.totals)))
    });
    lines.extend(of(world, tables::MEMBER_DAY, creator, |cols, value| {
        let row = TotalsRow::decode(value).unwrap();
        let [Col::Int(n), Col::Int(at), ..] = cols else { panic!("a member's day has member and day") };
        (format!("2 {n:08} {at:08}"), format!("sealed member {n} {}{}", day(*at), totals(&row.totals)))
    }));
    lines.extend(of(world, tables::MONTH, creator, |cols, value| {
        let row = TotalsRow::decode(value).unwrap();
        let [Col::Int(at), ..] = cols else { panic!("a month's key is the month") };
        (format!("3 {at:08}"), format!("sealed {:04}-{:02}{}", at / 12, at % 12 + 1, totals(&row.totals)))
    }));
    lines
}

/// Only what is not zero; clicks as total/human/unique.
pub(crate) fn totals(totals: &Totals) -> String {
    let mut parts = Vec::new();
    let counts = &totals.counts;
    if counts.clicks_total != 0 {
        parts.push(format!("clicks {}/{}/{}", counts.clicks_total, counts.clicks_human, counts.clicks_unique));
    }
    let rest = ledger::counts(counts).into_iter().skip(3).filter(|(_, n)| *n != 0);
    parts.extend(rest.map(|(name, n)| format!("{name} {n}")));
    parts
        .extend(totals.money.iter().filter(|(_, money)| *money != Money::default()).map(|(c, money)| purse(*c, money)));
    if parts.is_empty() { String::new() } else { format!("; {}", parts.join(", ")) }
}

fn purse(currency: Currency, money: &Money) -> String {
    let parts = ledger::money(money).into_iter().filter(|(_, value)| *value != 0);
    let parts: Vec<String> = parts
        .map(|(name, value)| {
            format!("{} {value}", name.trim_start_matches("revenue_").trim_start_matches("commission_"))
        })
        .collect();
    format!("{currency} {}", parts.join(" "))
}

/// Numbers in order of their value.
fn sort_key(cols: &[Col]) -> String {
    let mut key = String::new();
    for col in cols {
        match col {
            Col::Int(n) | Col::IntDesc(n) => write!(key, "{n:020} ").unwrap(),
            Col::Text(text) => write!(key, "{text} ").unwrap(),
        }
    }
    key
}
