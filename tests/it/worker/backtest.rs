//! A back-test, held against what the product itself makes of the same log with the candidate in force: its rows and
//! its decisions, read and subtracted here.

use std::collections::{BTreeMap, BTreeSet};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tributary::append::{Outgoing, Sink};
use tributary::clock::Clock;
use tributary::decode::{Scratch, from_json};
use tributary::fold::fraud::RuleSet;
use tributary::ids::{Millis, Partition};
use tributary::project::key::Col;
use tributary::project::rows::{CreatorRow, MemberRow};
use tributary::project::tables::{self, Table};
use tributary::project::totals::Totals;
use tributary::run::{Options, Program};
use tributary::simulate::Simulation;
use tributary::worker::backtest::{Asked, Report, Subjects};

use super::decisions::{Decided, of_partition};
use super::programme::{START, spec};
use crate::fold::scripts::draws;
use crate::fraud::spice::{spiced, with_candidate};
use crate::schemas::decision::read;

type Events = Vec<(String, Millis)>;

/// Another opinion about almost everything, that makes no click part of a storm.
fn other() -> Value {
    json!({
        "id": "other", "version": "7",
        "points": {"self.same_device": 90, "click.bot": 71, "click.timing": 71, "abuse.chargeback": 20,
                   "abuse.refund": 80, "abuse.multi_account": 31},
        "thresholds": {"customer_refunds": 1, "customer_refunds_orders": 1, "member_refunds": 1,
                       "hasty_purchase": 3_600_000, "shared_customers": 2},
        "guards": {"proxy": false, "crowded_device": false},
    })
}

fn asked(rules: Value) -> Asked {
    Asked { rules: RuleSet::parse_named(rules).unwrap(), from: None, to: None, creator: None, top: 10_000 }
}

/// The log of a programme, and of some adversarial scripts, each of a creator of its own.
fn log() -> Events {
    let simulated = Simulation::new(&spec(3, 60, 6_000, 4)).map(|record| {
        let mut json = Vec::new();
        tributary::schema::to_json(&record.event(), &mut json);
        (String::from_utf8(json).unwrap(), record.arrival)
    });
    let mut all: Events = simulated.collect();
    let mut runner = TestRunner::deterministic();
    for n in 0..40 {
        let script =
            draws(150).prop_filter("long", |script| script.len() > 60).new_tree(&mut runner).unwrap().current();
        all.extend(spiced(&script, &format!("odd-{n}")));
    }
    all
}

/// The same with the candidate chosen before anything else, for every creator.
fn with_candidate_in_force(log: &Events, rules: &Value) -> Events {
    let definition = json!({"points": rules["points"], "thresholds": rules["thresholds"], "guards": rules["guards"]});
    let chosen = json!({"rule_set_id": rules["id"], "version": rules["version"], "definition": definition.to_string()});
    let creator = |event: &str| -> String {
        let event: Value = serde_json::from_str(event).unwrap();
        event["creator_id"].as_str().unwrap().to_owned()
    };
    let mut by_creator: BTreeMap<String, Events> = BTreeMap::new();
    for (event, at) in log {
        by_creator.entry(creator(event)).or_default().push((event.clone(), *at));
    }
    by_creator.values().flat_map(|events| with_candidate(events, &chosen)).collect()
}

/// A program that has folded some events.
struct Folded {
    program: Program,
    _dir: tempfile::TempDir,
}

impl Folded {
    async fn of(events: &Events) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut program = Program::open(Options::new(dir.path()), Clock::system()).await.unwrap();
        for chunk in events.chunks(2_000) {
            let outgoing = |(json, at): &(String, Millis)| {
                let mut scratch = Scratch::default();
                let event = from_json(json.as_bytes(), &mut scratch).unwrap();
                Outgoing::of_event(&event, *at, 4)
            };
            program.sink.append(chunk.iter().map(outgoing).collect()).await.unwrap();
        }
        program.start().unwrap();
        program.caught_up().await.unwrap();
        Self { program, _dir: dir }
    }

    async fn totals(
        &self,
        table: Table,
        read: impl Fn(&[u8]) -> (String, Totals),
    ) -> BTreeMap<(String, String), Totals> {
        let mut all = BTreeMap::new();
        for p in (0..4).map(Partition) {
            for row in tributary::worker::scan::table(&self.program.store, table, p, 0..1).await.unwrap() {
                let Some(Col::Text(creator)) = row.key.cols.0.first() else { panic!("its creator comes first") };
                let (name, totals) = read(row.value.as_deref().unwrap());
                all.insert((creator.clone(), name), totals);
            }
        }
        all
    }

    async fn creators(&self) -> BTreeMap<(String, String), Totals> {
        self.totals(tables::CREATOR, |value| (String::new(), CreatorRow::decode(value).unwrap().totals)).await
    }

    async fn members(&self) -> BTreeMap<(String, String), Totals> {
        let read = |value: &[u8]| {
            let row = MemberRow::decode(value).unwrap();
            (row.member_id, row.totals)
        };
        self.totals(tables::MEMBER, read).await
    }

    /// The newest decision on each subject: (creator, kind, id).
    fn newest(&self) -> BTreeMap<(String, String, String), Value> {
        let decided: Vec<Decided> = (0..4).map(|p| of_partition(&self.program, Partition(p))).collect();
        let mut newest: BTreeMap<_, Value> = BTreeMap::new();
        for decision in decided.iter().flatten().map(|(_, value)| read(value)) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let subject = &decision["subject"];
            let key = (text(&decision["creator_id"]), text(&subject["type"]), text(&subject["id"]));
            let is_click = key.1 == "click";
            let older = newest.insert(key, decision.clone());
            // A click's id may be another's once it is forgotten.
            let is_newer = |older: Value| is_click || older["revision"].as_u64() < decision["revision"].as_u64();
            assert!(older.is_none_or(is_newer));
        }
        newest
    }
}

/// (creator, member, currency) to held, approved, carry: how much more there is in `b`.
type Differences = BTreeMap<(String, String, String), [i128; 4]>;

fn differences(a: &BTreeMap<(String, String), Totals>, b: &BTreeMap<(String, String), Totals>) -> Differences {
    let mut all = Differences::new();
    for (sign, totals) in [(-1, a), (1, b)] {
        for ((creator, member), totals) in totals {
            for (currency, money) in &totals.money {
                let key = (creator.clone(), member.clone(), currency.to_string());
                let sum = all.entry(key).or_default();
                let parts =
                    [money.commission_held, money.commission_approved, money.commission_carry, money.revenue_blocked];
                sum.iter_mut().zip(parts).for_each(|(sum, part)| *sum += sign * part);
            }
        }
    }
    all.retain(|_, sum| *sum != [0; 4]);
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rule_set_in_force_changes_nothing() {
    let folded = Folded::of(&log()).await;
    let report = folded.program.backtest(&asked(json!({"id": "guarded-v1"}))).await.unwrap();
    assert_eq!(
        (report.changed, report.money.len(), report.members.affected),
        (Subjects::default(), 0, 0),
        "{report:#?}"
    );
    assert!(report.verdicts.iter().all(|it| it.today == it.candidate), "{report:#?}");
    assert!(report.rules.iter().all(|it| it.today == it.candidate), "{report:#?}");
    let ends: u64 = folded.program.ends().iter().map(|(_, end)| end.0).sum();
    assert_eq!(report.replayed.iter().map(|it| it.to).sum::<u64>(), ends);
    assert!(report.compared.clicks > 1_000 && report.compared.conversions > 100 && report.compared.commissions > 50);
    // It read, and left nothing behind.
    assert_eq!(folded.program.ends().iter().map(|(_, end)| end.0).sum::<u64>(), ends);
    assert!(!folded._dir.path().join("backtest-p0").exists());
    folded.program.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_finds_is_what_rows_and_decisions_of_both_say() {
    let (log, rules) = (log(), other());
    let (today, candidate) = (Folded::of(&log).await, Folded::of(&with_candidate_in_force(&log, &rules)).await);
    let report = today.program.backtest(&asked(rules)).await.unwrap();
    assert!(report.money.iter().any(|it| it.revenue_blocked != 0), "{report:#?}");
    assert!(
        report.changed.clicks > 0 && report.changed.conversions > 10 && report.changed.commissions > 10,
        "{report:#?}"
    );
    compare_money(&report, &today, &candidate).await;
    compare_decisions(&report, &today, &candidate).await;
    today.program.stop().await.unwrap();
    candidate.program.stop().await.unwrap();
}

/// A report's amounts have 64 bits; scripts have greater ones.
fn told_as(parts: &mut [i128; 4]) {
    parts.iter_mut().for_each(|part| *part = (*part).clamp(i64::MIN.into(), i64::MAX.into()));
}

async fn compare_money(report: &Report, today: &Folded, candidate: &Folded) {
    let found = differences(&today.creators().await, &candidate.creators().await);
    let mut sums: BTreeMap<String, [i128; 4]> = BTreeMap::new();
    for ((_, _, currency), parts) in &found {
        let sum = sums.entry(currency.clone()).or_default();
        sum.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
    }
    sums.retain(|_, sum| *sum != [0; 4]);
    sums.values_mut().for_each(told_as);
    let told = report.money.iter().map(|it| {
        let parts = [it.commission_held, it.commission_approved, it.commission_carry, it.revenue_blocked];
        (it.currency.clone(), parts.map(i128::from))
    });
    assert_eq!(told.filter(|(_, sum)| *sum != [0; 4]).collect::<BTreeMap<_, _>>(), sums);

    let mut found = differences(&today.members().await, &candidate.members().await);
    found.values_mut().for_each(told_as);
    let mut told = Differences::new();
    for member in &report.members.first {
        for it in &member.money {
            let parts = [it.commission_held, it.commission_approved, it.commission_carry, 0].map(i128::from);
            told.insert((member.creator_id.clone(), member.member_id.clone(), it.currency.clone()), parts);
        }
    }
    told.retain(|_, sum| *sum != [0; 4]);
    assert_eq!(told, found);
}

async fn compare_decisions(report: &Report, today: &Folded, candidate: &Folded) {
    let (a, b) = (today.newest(), candidate.newest());
    let mut matrix: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    let mut members: BTreeSet<(String, String)> = BTreeSet::new();
    // Of the clicks of a storm the topic has one a minute; the rest of them is the back-test's alone.
    let subjects: BTreeSet<_> = a.keys().chain(b.keys()).filter(|(_, kind, _)| kind != "click").collect();
    for key in subjects {
        let word =
            |of: &BTreeMap<_, Value>| of.get(key).map_or("none", |it| it["verdict"].as_str().unwrap()).to_owned();
        let pair = (word(&a), word(&b));
        if pair.0 != pair.1 {
            let either = a.get(key).or(b.get(key)).unwrap();
            members.insert((key.0.clone(), either["member_id"].as_str().unwrap_or_default().to_owned()));
        }
        *matrix.entry((key.1.clone(), pair.0, pair.1)).or_default() += 1;
    }
    let told = report.verdicts.iter().filter(|it| it.subject != "click");
    let told = told.map(|it| ((it.subject.clone(), it.today.clone(), it.candidate.clone()), it.subjects));
    assert_eq!(told.collect::<BTreeMap<_, _>>(), matrix);

    let has_changed =
        |member: &&tributary::worker::backtest::Member| member.changed.conversions + member.changed.commissions > 0;
    let told = report.members.first.iter().filter(has_changed);
    let told: BTreeSet<_> = told.map(|it| (it.creator_id.clone(), it.member_id.clone())).collect();
    assert_eq!(told, members);

    for rule in &report.rules {
        let fires = |of: &BTreeMap<(String, String, String), Value>, kinds: &[&str]| {
            let fired =
                |it: &&Value| it["reasons"].as_array().unwrap().iter().any(|one| one["rule_id"] == rule.rule_id);
            let of_kind = of.iter().filter(|((_, kind, _), _)| kinds.contains(&kind.as_str()));
            u64::try_from(of_kind.map(|(_, it)| it).filter(fired).count()).unwrap()
        };
        let all = ["click", "conversion", "commission"];
        if rule.rule_id == "click.velocity" {
            continue;
        }
        assert!(rule.today >= fires(&a, &all) && rule.candidate >= fires(&b, &all), "{rule:?}");
        if rule.rule_id.starts_with("abuse.") {
            assert_eq!((rule.today, rule.candidate), (fires(&a, &all), fires(&b, &all)), "{rule:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_and_creators_are_parts_of_the_whole() {
    let folded = Folded::of(&log()).await;
    let ask = async |asked: Asked| folded.program.backtest(&asked).await.unwrap();
    let whole = ask(asked(other())).await;
    let middle = Millis(START.0 + 20 * Millis::DAY);
    let before = ask(Asked { to: Some(middle), ..asked(other()) }).await;
    let after = ask(Asked { from: Some(middle), ..asked(other()) }).await;
    let sum = |a: Subjects, b: Subjects| Subjects {
        clicks: a.clicks + b.clicks,
        conversions: a.conversions + b.conversions,
        commissions: a.commissions + b.commissions,
    };
    assert_eq!(sum(before.compared, after.compared), whole.compared);
    assert_eq!(sum(before.changed, after.changed), whole.changed);
    assert!(before.changed.sum() > 0 && after.changed.sum() > 0);
    let held = |report: &Report| report.money.iter().map(|it| it.commission_held).sum::<i64>();
    assert_eq!(held(&before) + held(&after), held(&whole));

    let creators: BTreeSet<String> = whole.members.first.iter().map(|it| it.creator_id.clone()).collect();
    let mut changed = Subjects::default();
    for creator in creators {
        let of_one = ask(Asked { creator: Some(creator), ..asked(other()) }).await;
        assert!(of_one.events < whole.events);
        changed = sum(changed, of_one.changed);
    }
    assert_eq!(changed, whole.changed);
    folded.program.stop().await.unwrap();
}
