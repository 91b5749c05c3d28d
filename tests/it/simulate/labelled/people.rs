//! The honest are as the documents say that people are (docs/LABELLED-TRAFFIC.md).

use std::collections::{BTreeMap, HashMap, HashSet};

use tributary::event::{Body, Bots, ConversionKind, ListKind};
use tributary::ids::{Millis, Token};
use tributary::simulate::labelled::{Cohort, Family, Group, Labelled, Spec, Traffic};

use super::spec;

/// A good while of the honest alone, and more of them.
fn honest(cohorts: &[Cohort]) -> impl Iterator<Item = Labelled> {
    let spec = Spec { families: Vec::new(), cohorts: cohorts.to_vec(), agents: 3_000, days: 150, ..spec(21) };
    Traffic::new(&spec)
}

fn group(labelled: &Labelled) -> Option<Group> {
    labelled.labels().next().map(|label| label.group)
}

/// Orders that are old enough for their fate to show, refunds and chargebacks of them: by group.
fn fates(traffic: impl Iterator<Item = Labelled>) -> BTreeMap<Group, (u64, u64, u64)> {
    let (mut orders, mut fates) = (HashSet::new(), BTreeMap::new());
    let mut begin = None;
    for labelled in traffic {
        let Some(group) = group(&labelled) else { continue };
        let event = labelled.event();
        let begin = *begin.get_or_insert(event.occurred_at.0);
        let Body::Conversion(conversion) = &event.body else { continue };
        let counts: &mut (u64, u64, u64) = fates.entry(group).or_default();
        match conversion.kind {
            ConversionKind::Purchase if event.occurred_at.0 < begin + 60 * Millis::DAY => {
                orders.insert(conversion.conversion_id.0.to_owned());
                counts.0 += 1;
            }
            ConversionKind::Refund if orders.contains(conversion.original_id.unwrap().0) => counts.1 += 1,
            ConversionKind::Chargeback if orders.contains(conversion.original_id.unwrap().0) => counts.2 += 1,
            _ => {}
        }
    }
    fates
}

#[test]
fn of_honest_orders_one_to_four_in_a_thousand_are_disputed_and_of_clothes_a_quarter_comes_back() {
    let fates = fates(honest(&Cohort::ALL));
    let (orders, disputes) =
        fates.values().fold((0, 0), |(orders, disputes), fate| (orders + fate.0, disputes + fate.2));
    assert!(orders > 5_000, "{orders} orders");
    assert!((10..=40).contains(&(disputes * 10_000 / orders)), "{disputes} of {orders} are disputed");
    let (orders, refunds, _) = fates[&Group::Honest(Cohort::RefundHeavy)];
    assert!((200..=300).contains(&(refunds * 1_000 / orders)), "{refunds} of {orders} come back");
    println!("{fates:?}");
}

/// Whose clicks come from an address, and how many devices are there.
fn devices_by_address(cohort: Cohort) -> HashMap<Token, HashSet<Token>> {
    let mut devices: HashMap<Token, HashSet<Token>> = HashMap::new();
    for labelled in
        honest(&[cohort, Cohort::Ordinary]).filter(|labelled| group(labelled) == Some(Group::Honest(cohort)))
    {
        if let Body::Click(click) = &labelled.event().body
            && let (Some(ip), Some(device)) = (click.ip_token, click.device_token)
        {
            devices.entry(ip).or_default().insert(device);
        }
    }
    devices
}

fn most_customers_on_a_device() -> usize {
    let mut customers: HashMap<Token, HashSet<String>> = HashMap::new();
    for labelled in honest(&[Cohort::SharedTablet, Cohort::Ordinary]) {
        if let Body::Conversion(conversion) = &labelled.event().body
            && let (Some(device), Some(customer)) = (conversion.device_token, conversion.customer_id)
        {
            customers.entry(device).or_default().insert(customer.0.to_owned());
        }
    }
    customers.values().map(HashSet::len).max().unwrap()
}

#[test]
fn offices_and_carriers_put_many_people_behind_an_address_and_tablets_many_on_a_device() {
    let most = |cohort| devices_by_address(cohort).values().map(HashSet::len).max().unwrap();
    assert!((60..=1_500).contains(&most(Cohort::Office)), "{} behind one office", most(Cohort::Office));
    assert!(most(Cohort::CarrierNat) > 100, "{} behind one address of a carrier", most(Cohort::CarrierNat));
    assert!(most_customers_on_a_device() > 20, "{} on one tablet", most_customers_on_a_device());
    // Few devices, of which some forget every week who they are.
    assert!((2..60).contains(&most(Cohort::Household)), "{} in one home", most(Cohort::Household));
}

#[test]
fn a_link_in_a_newsletter_is_opened_by_hundreds_within_the_hour_and_by_machines_before_them() {
    let mut clicks: HashMap<String, Vec<(i64, Option<Token>)>> = HashMap::new();
    let (mut machines, bots) = (0, Bots::default());
    for labelled in honest(&[Cohort::Newsletter, Cohort::Ordinary]) {
        let event = labelled.event();
        let Body::Click(click) = &event.body else { continue };
        if let Some(share) = click.share_id {
            clicks.entry(share.0.to_owned()).or_default().push((event.occurred_at.0, click.ip_token));
            machines += u32::from(bots.of(click.user_agent, click.method, click.purpose).is_some());
        }
    }
    let within = |clicks: &Vec<(i64, Option<Token>)>| {
        let first = clicks.iter().map(|(at, _)| *at).min().unwrap();
        let early = clicks.iter().filter(|(at, _)| *at < first + Millis::HOUR);
        (early.clone().count(), early.filter_map(|(_, ip)| *ip).collect::<HashSet<_>>().len())
    };
    let (most, addresses) = clicks.values().map(within).max().unwrap();
    assert!(most > 200 && addresses > most / 2, "{most} clicks from {addresses} addresses");
    assert!(machines > 50, "{machines} machines");
}

#[test]
fn resellers_are_allowed_what_they_do_and_the_quick_pay_within_seconds() {
    let (mut allowed, mut quick, mut clicks) = (HashSet::new(), 0, HashMap::new());
    for labelled in honest(&[Cohort::Reseller, Cohort::FastBuyer, Cohort::Ordinary]) {
        let (event, group) = (labelled.event(), group(&labelled));
        match &event.body {
            Body::ListEntry(entry) => {
                assert_eq!(entry.list, ListKind::Allow);
                allowed.insert(entry.value.to_owned());
            }
            Body::Click(click) => {
                let member = click.member_id.map(|member| member.0.to_owned());
                clicks.insert(click.click_id.0.to_owned(), (event.occurred_at.0, member));
            }
            Body::Conversion(order) if group == Some(Group::Honest(Cohort::Reseller)) => {
                let member =
                    order.click_id.and_then(|click| clicks.get(click.0)).and_then(|(_, member)| member.as_ref());
                assert!(member.is_none_or(|member| allowed.contains(member)), "{event:?}");
            }
            Body::Conversion(conversion) if group == Some(Group::Honest(Cohort::FastBuyer)) => {
                let clicked = conversion.click_id.and_then(|click| clicks.get(click.0));
                quick +=
                    u32::from(clicked.is_some_and(|(clicked, _)| event.occurred_at.0 - clicked < 10 * Millis::SECOND));
            }
            _ => {}
        }
    }
    assert!(!allowed.is_empty() && quick > 50, "{} allowed, {quick} quick", allowed.len());
}

/// Gaps of one robot's clicks in a run: the mean, and how far they are from it in permille of it.
fn spread(family: Family) -> i64 {
    let mut last: HashMap<u64, i64> = HashMap::new();
    let mut gaps: HashMap<u64, Vec<i64>> = HashMap::new();
    for labelled in super::cheats(family, 5) {
        let event = labelled.event();
        let Some(label) = labelled.labels().next().filter(|label| label.is_fraud()) else { continue };
        if matches!(event.body, Body::Click(_)) {
            // Late ones arrive out of turn; a pause ends the run.
            if let Some(before) = last.insert(label.agent, event.occurred_at.0)
                && (1..2 * Millis::HOUR).contains(&(event.occurred_at.0 - before))
            {
                gaps.entry(label.agent).or_default().push(event.occurred_at.0 - before);
            }
        }
    }
    let mut spreads: Vec<i64> = gaps
        .values()
        .filter(|gaps| gaps.len() > 30)
        .map(|gaps| {
            let count = i64::try_from(gaps.len()).unwrap();
            let mean = gaps.iter().sum::<i64>() / count;
            gaps.iter().map(|gap| (gap - mean).abs()).sum::<i64>() * 1_000 / count / mean
        })
        .collect();
    spreads.sort_unstable();
    spreads[spreads.len() / 2]
}

#[test]
fn robots_wait_alike_or_nearly_or_as_chance_has_it() {
    let [fixed, jittered, poisson] = [Family::BotFixed, Family::BotJittered, Family::BotPoisson].map(spread);
    assert!(fixed < 120 && fixed < jittered && jittered < poisson, "{fixed} {jittered} {poisson}");
}
