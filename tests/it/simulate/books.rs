//! What the books promise of themselves, before anything is compared with them.

use tributary::ids::Millis;
use tributary::project::totals::{Counts, Money, Totals};
use tributary::simulate::ledger::{CreatorFigures, Ledger};
use tributary::simulate::{Simulation, Spec};

use super::stream::spec;

pub(crate) fn books(spec: &Spec) -> Ledger {
    let mut ledger = Ledger::default();
    for record in Simulation::new(spec) {
        ledger.record(record.arrival, &record.event());
    }
    ledger
}

#[test]
fn every_record_read_is_accounted_for() {
    let tally = books(&spec(50_000, 11)).tally();
    let dead: u64 = tally.dead.values().sum();
    assert_eq!(tally.read, tally.applied + tally.duplicate + tally.parked + dead);
}

/// A class that never occurs is a rule that is never compared.
#[test]
fn every_class_of_refusal_occurs() {
    let tally = books(&spec(200_000, 12)).tally();
    let expected = [
        "absurd_time",
        "commission_is_derived",
        "conflict",
        "currency_mismatch",
        "not_refundable",
        "over_refund",
        "too_late",
        "unresolved",
    ];
    let missing: Vec<_> = expected.into_iter().filter(|class| !tally.dead.contains_key(class)).collect();
    assert!(missing.is_empty(), "{missing:?} missing from {tally:?}");
    let remarks: Vec<_> = tally.remarks.keys().copied().collect();
    assert_eq!(remarks, ["code_taken", "over_refund"]);
    assert!(tally.parked > 0 && tally.duplicate > 100, "{tally:?}");
}

fn check_sums(figures: &CreatorFigures) {
    let mut days = Totals::default();
    figures.days.values().for_each(|day| days.add(day));
    assert_eq!(days.counts, figures.totals.counts, "days add up");
    for (currency, money) in &figures.totals.money {
        let stated = Money { commission_held: 0, commission_approved: 0, commission_carry: 0, ..*money };
        assert_eq!(days.money_in(*currency), stated, "days add up in {currency}");
    }
    let mut members = Totals::default();
    figures.members.iter().for_each(|member| members.add(&member.totals));
    let clicks = |counts: &Counts| (counts.clicks_total, counts.clicks_human, counts.clicks_unique, counts.shares);
    assert_eq!(clicks(&members.counts), clicks(&figures.totals.counts), "members add up");
    assert_eq!(members.counts.referrals, figures.totals.counts.referrals);
    assert!(members.counts.orders <= figures.totals.counts.orders);
}

fn check_commissions(totals: &Totals) {
    for (currency, money) in &totals.money {
        let parts = money.commission_held + money.commission_approved + money.commission_paid + money.commission_carry;
        assert_eq!(money.commission_net(), parts, "net = held + approved + paid + carry in {currency}");
    }
}

#[test]
fn days_and_members_add_up_and_net_is_the_sum_of_its_states() {
    for figures in books(&spec(50_000, 13)).figures().into_values() {
        check_sums(&figures);
        check_commissions(&figures.totals);
        figures.members.iter().for_each(|member| check_commissions(&member.totals));
        assert!(figures.board.is_sorted_by_key(|entry| (-entry.value, entry.reached_at)));
    }
}

/// `cargo test --release --test it simulate::books::speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn speed() {
    let spec = Spec { creators: 100, members: 100_000, ..spec(5_000_000, 4) };
    #[allow(clippy::disallowed_methods)]
    let begin = std::time::Instant::now();
    let ledger = books(&spec);
    println!("{:?} {:#?}", begin.elapsed(), ledger.tally());
    let orders: i64 = ledger.figures().values().map(|figures| figures.totals.counts.orders).sum();
    println!("{:?} {orders} orders", begin.elapsed());
    assert!(spec.start > Millis(0));
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
}
