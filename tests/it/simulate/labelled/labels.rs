//! Every click, conversion and commission has one label, and only those have.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tributary::event::{Body, CommissionKind, ReviewSubject};
use tributary::project::key::Col;
use tributary::project::tables;
use tributary::schema;
use tributary::simulate::labelled::{Cohort, Family, Group, Label, Spec, Traffic};

use super::spec;
use crate::fold::world::{Flush, World};

fn key(label: &Label) -> (&'static str, String, String) {
    (label.subject.symbol(), label.creator_id().to_owned(), label.subject_id().to_owned())
}

#[test]
fn every_click_and_conversion_and_stated_commission_is_labelled_exactly_once() {
    let mut labels: HashMap<_, u32> = HashMap::new();
    let (mut subjects, mut derived) = (0, 0);
    for labelled in Traffic::new(&spec(11)) {
        let event = labelled.event();
        let subject = match &event.body {
            Body::Click(click) => Some((ReviewSubject::Click, click.click_id.0)),
            Body::Conversion(conversion) => Some((ReviewSubject::Conversion, conversion.conversion_id.0)),
            Body::Commission(commission) if commission.kind == CommissionKind::Earned => {
                Some((ReviewSubject::Commission, commission.commission_id.0))
            }
            _ => None,
        };
        let found: Vec<Label> = labelled.labels().collect();
        let own = found.first().map(|label| (label.subject, label.subject_id()));
        assert_eq!(own, subject, "{event:?}");
        assert!(found.len() <= 2);
        derived += found.len().saturating_sub(1);
        subjects += usize::from(subject.is_some());
        found.iter().for_each(|label| *labels.entry(key(label)).or_default() += 1);
    }
    assert_eq!(labels.len(), subjects + derived, "no subject has two");
    assert!(labels.values().all(|count| *count == 1) && derived > 100, "{derived} are derived");
}

/// The fold is asked only here: what it derives is what was foretold, and nothing is refused. One or two may be cut off
/// by the end.
#[test]
fn every_commission_that_the_fold_makes_is_labelled_and_none_else() {
    let spec = Spec { agents: 300, days: 40, ..spec(12) };
    let mut world = World::alone(Flush::AtTheEnd);
    let mut labels = BTreeSet::new();
    let mut json = Vec::new();
    for labelled in Traffic::new(&spec) {
        json.clear();
        schema::to_json(&labelled.event(), &mut json);
        world.apply(std::str::from_utf8(&json).unwrap(), labelled.record.arrival);
        let commissions = labelled.labels().filter(|label| label.subject == ReviewSubject::Commission);
        labels.extend(commissions.map(|label| (label.creator_id().to_owned(), label.subject_id().to_owned())));
    }
    world.flush();
    assert_eq!(world.letters.iter().map(|letter| letter.message.as_str()).collect::<Vec<_>>(), [""; 0]);
    let mut made = BTreeSet::new();
    for row in world.live().filter(|row| row.key.part.table == tables::COMMISSION.id) {
        let [Col::Text(creator), _, _, Col::Text(id)] = row.key.cols.0.as_slice() else { panic!("{:?}", row.key) };
        made.insert((creator.clone(), id.clone()));
    }
    let strange: Vec<_> = made.symmetric_difference(&labels).collect();
    assert!(strange.len() <= 2, "{} differ of {}: {:?}", strange.len(), labels.len(), strange.first());
}

#[test]
fn every_family_and_cohort_occurs_with_clicks_and_conversions() {
    let mut seen: BTreeMap<Group, (u32, u32, u32)> = BTreeMap::new();
    for label in Traffic::new(&spec(13)).flat_map(|labelled| labelled.labels().collect::<Vec<_>>()) {
        let counts = seen.entry(label.group).or_default();
        match label.subject {
            ReviewSubject::Click => counts.0 += 1,
            ReviewSubject::Conversion => counts.1 += 1,
            ReviewSubject::Commission => counts.2 += 1,
        }
    }
    for (group, counts) in &seen {
        println!("{:<20} clicks {:>6} conversions {:>5} commissions {:>5}", group.name(), counts.0, counts.1, counts.2);
    }
    let all = Cohort::ALL.map(Group::Honest).into_iter().chain(Family::ALL.map(Group::Fraud));
    let seldom: Vec<_> =
        all.filter(|group| seen.get(group).is_none_or(|(c, o, d)| *c < 10 || *o < 3 || *d < 1)).collect();
    assert!(seldom.is_empty(), "{seldom:?} in {seen:?}");
}

#[test]
fn only_the_named_cohorts_and_families_are_there() {
    let spec = Spec {
        cohorts: vec![Cohort::Household, Cohort::Office],
        families: vec![Family::BotPoisson],
        days: 20,
        ..spec(14)
    };
    let seen: BTreeSet<&str> = Traffic::new(&spec)
        .flat_map(|labelled| labelled.labels().map(|label| label.group.name()).collect::<Vec<_>>())
        .collect();
    // Those who come across a cheat's link are strangers from outside.
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["bot_poisson", "household", "office", "ordinary"]);
    assert!(Cohort::ALL.iter().all(|cohort| Cohort::parse(cohort.name()) == Some(*cohort)));
    assert!(Family::ALL.iter().all(|family| Family::parse(family.name()) == Some(*family)));
}

#[test]
fn a_label_is_a_line_of_json() {
    let spec = Spec { families: vec![Family::SelfPlain], days: 10, ..spec(15) };
    let mut lines = Vec::new();
    Traffic::new(&spec).flat_map(|made| made.labels().collect::<Vec<_>>()).for_each(|label| label.to_json(&mut lines));
    let text = String::from_utf8(lines).unwrap();
    let fields = |line: &str| -> Vec<String> {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        value.as_object().unwrap().keys().cloned().collect()
    };
    let fraud = text.lines().find(|line| line.contains(r#""label":"fraud""#)).unwrap();
    let honest = text.lines().find(|line| line.contains(r#""label":"not_fraud""#)).unwrap();
    assert_eq!(fields(fraud), ["agent", "creator_id", "family", "label", "subject_id", "subject_type"]);
    assert_eq!(fields(honest), ["agent", "cohort", "creator_id", "label", "subject_id", "subject_type"]);
}
