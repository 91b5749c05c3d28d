//! What holds of the rows of any log whatever.

use std::collections::BTreeMap;

use tributary::ids::{Currency, Millis};
use tributary::project::key::{Col, Row};
use tributary::project::rows::{CommissionRow, ConversionRow, CreatorRow, MemberRow, SeriesRow, TotalsRow};
use tributary::project::tables::{self, Table};
use tributary::project::totals::{Counts, Money, Totals};

use super::world::World;

/// Rows of one creator in a table, without those that hold a breakdown by one axis.
pub(crate) fn rows<'w>(world: &'w World, table: Table, creator: &'w str) -> impl Iterator<Item = &'w Row> {
    let has_parts = table.id == tables::HOUR.id || table.id == tables::DAY.id;
    world.live().filter(move |row| {
        row.key.part.table == table.id
            && matches!(row.key.cols.0.first(), Some(Col::Text(owner)) if owner == creator)
            && !(has_parts && number(row, 2) != 0)
    })
}

fn value(row: &Row) -> &[u8] {
    row.value.as_deref().unwrap_or_default()
}

fn number(row: &Row, place: usize) -> i64 {
    match row.key.cols.0.get(place) {
        Some(Col::Int(n) | Col::IntDesc(n)) => *n,
        other => panic!("no number but {other:?}"),
    }
}

/// The sums of the hours of each UTC day.
pub(crate) fn days(world: &World, creator: &str) -> BTreeMap<i64, Totals> {
    let mut days: BTreeMap<i64, Totals> = BTreeMap::new();
    for row in rows(world, tables::HOUR, creator) {
        let hour = SeriesRow::decode(value(row)).unwrap();
        assert_eq!(sum(hour.slots.iter().map(|(_, sums)| sums)), clean(&hour.totals), "minutes add up to their hour");
        days.entry(number(row, 1).div_euclid(24)).or_default().add(&hour.totals);
    }
    days
}

fn sum<'t>(parts: impl Iterator<Item = &'t Totals>) -> Totals {
    let mut sum = Totals::default();
    parts.for_each(|part| sum.add(part));
    clean(&sum)
}

/// Without currencies in which nothing stands.
fn clean(totals: &Totals) -> Totals {
    let mut totals = totals.clone();
    totals.money.retain(|(_, money)| *money != Money::default());
    totals
}

/// Series keep what moved, not what stands: those are states of all time.
fn moved(totals: &Totals) -> Totals {
    let mut totals = totals.clone();
    for (_, money) in &mut totals.money {
        (money.commission_held, money.commission_approved, money.commission_carry) = (0, 0, 0);
    }
    clean(&totals)
}

pub(crate) fn check(world: &World) {
    let tally = world.tally;
    assert_eq!(
        world.read,
        tally.applied + tally.duplicate + tally.parked + tally.dead,
        "nothing is dropped: {tally:?}"
    );
    assert!(tally.applied >= 0 && tally.duplicate >= 0 && tally.parked >= 0 && tally.dead >= 0, "{tally:?}");
    for row in world.live().filter(|row| row.key.part.table == tables::CREATOR.id) {
        let [Col::Text(creator)] = row.key.cols.0.as_slice() else { panic!("a creator's key is its id") };
        check_creator(world, creator, &CreatorRow::decode(value(row)).unwrap());
    }
}

fn check_creator(world: &World, creator: &str, head: &CreatorRow) {
    let members: Vec<MemberRow> =
        rows(world, tables::MEMBER, creator).map(|row| MemberRow::decode(value(row)).unwrap()).collect();
    assert_eq!(i64::try_from(members.len()).unwrap(), head.members, "every member has a row");
    check_members(world, creator, head, &members);
    check_commissions(world, creator, head);
    members.iter().map(|member| &member.totals).chain([&head.totals]).for_each(check_balance);
    check_series(world, creator, head);
}

/// Credited to members, to nobody, and blocked: together the creator's.
fn check_members(world: &World, creator: &str, head: &CreatorRow, members: &[MemberRow]) {
    let mut sum = sum(members.iter().map(|member| &member.totals));
    for row in rows(world, tables::CONVERSION, creator) {
        let order = ConversionRow::decode(value(row)).unwrap();
        let is_order = matches!(order.kind.as_str(), "purchase" | "renewal");
        if is_order && (order.member_id.is_empty() || order.is_blocked) {
            let money = sum.money_mut(order.currency);
            money.revenue_gross += i128::from(order.amount);
            money.revenue_refunded += i128::from(order.refunded);
            if order.is_blocked {
                money.revenue_blocked += i128::from(order.amount) - i128::from(order.refunded);
            } else {
                sum.counts.orders += 1;
            }
        }
    }
    // Those whom no member brought, or whose conversions are blocked, are the creator's alone.
    let (theirs, all) = (&mut sum.counts, &head.totals.counts);
    assert!(theirs.signups <= all.signups && theirs.customers <= all.customers, "{theirs:?} of {all:?}");
    (theirs.signups, theirs.customers) = (all.signups, all.customers);
    assert_eq!(clean(&sum), clean(&head.totals), "members and nobody add up to the creator");
}

fn check_commissions(world: &World, creator: &str, head: &CreatorRow) {
    let mut sums: BTreeMap<Currency, (i128, i128, i128)> = BTreeMap::new();
    for row in rows(world, tables::COMMISSION, creator) {
        let commission = CommissionRow::decode(value(row)).unwrap();
        let sum = sums.entry(commission.currency).or_default();
        sum.2 += commission.paid_amount;
        if !commission.is_blocked {
            (sum.0, sum.1) = (sum.0 + commission.earned, sum.1 + commission.reversed);
        }
        if commission.earned > 0 {
            assert!((0..=commission.earned).contains(&commission.reversed), "{commission:?}");
        }
    }
    for (currency, money) in &head.totals.money {
        let stated = (money.commission_earned, money.commission_reversed, money.commission_paid);
        assert_eq!(sums.remove(currency).unwrap_or_default(), stated, "commissions add up in {currency}");
    }
    // What earned nothing needs no purse.
    sums.retain(|_, sum| *sum != (0, 0, 0));
    assert!(sums.is_empty(), "commissions in no purse: {sums:?}");
}

fn check_balance(totals: &Totals) {
    for (currency, money) in &totals.money {
        let parts = money.commission_held + money.commission_approved + money.commission_paid + money.commission_carry;
        assert_eq!(money.commission_net(), parts, "net = held + approved + paid + carry in {currency}: {money:?}");
    }
}

/// Minutes, hours, days, months and members' days tell the same story as the totals.
fn check_series(world: &World, creator: &str, head: &CreatorRow) {
    let days = days(world, creator);
    assert_eq!(sum(days.values()), moved(&head.totals), "hours add up to the totals");
    let sealed_to = sealed_to(world, creator);
    let mut sealed: BTreeMap<i64, Totals> = BTreeMap::new();
    for row in rows(world, tables::DAY, creator) {
        let day = SeriesRow::decode(value(row)).unwrap();
        assert_eq!(sum(day.slots.iter().map(|(_, sums)| sums)), clean(&day.totals), "quarters add up to their day");
        assert!(number(row, 1) < sealed_to, "a day's row is written when the day is over");
        sealed.insert(number(row, 1), day.totals);
    }
    for (day, hours) in days.iter().filter(|(day, _)| **day < sealed_to) {
        let written = sealed.get(day).cloned().unwrap_or_default();
        assert_eq!(clean(hours), clean(&written), "hours add up to their day {day}");
    }
    check_months(world, creator, &sealed);
    check_member_days(world, creator, &sealed);
}

fn sealed_to(world: &World, creator: &str) -> i64 {
    let forever = tributary::fold::state::FOR_EVER;
    let all = (0..u32::MAX).map_while(|n| Some((n, world.state.creator_profiles.peek(&n, forever)?)));
    let n = all.filter(|(_, profile)| profile.id.as_str() == creator).map(|(n, _)| n).next().unwrap();
    world.state.creators.peek(&n, forever).unwrap().sealed_to
}

fn check_months(world: &World, creator: &str, sealed: &BTreeMap<i64, Totals>) {
    let mut months: BTreeMap<i64, Totals> = BTreeMap::new();
    for (day, totals) in sealed {
        let month = tables::month_of(Millis(day * Millis::DAY));
        months.entry(i64::from(month)).or_default().add(totals);
    }
    for row in rows(world, tables::MONTH, creator) {
        let month = TotalsRow::decode(value(row)).unwrap();
        let days = months.remove(&number(row, 1)).unwrap_or_default();
        assert_eq!(clean(&days), clean(&month.totals), "days add up to their month");
    }
    assert!(months.values().all(Totals::is_zero), "a month without a row: {months:?}");
}

/// Every member who did anything on a day that is over has a row of it.
fn check_member_days(world: &World, creator: &str, sealed: &BTreeMap<i64, Totals>) {
    let mut days: BTreeMap<i64, Totals> = BTreeMap::new();
    for row in rows(world, tables::MEMBER_DAY, creator) {
        let day = TotalsRow::decode(value(row)).unwrap();
        days.entry(number(row, 2)).or_default().add(&day.totals);
    }
    for (day, totals) in sealed {
        let members = days.remove(day).unwrap_or_default();
        assert_eq!(of_members(&members.counts), of_members(&totals.counts), "members add up on day {day}");
        for (currency, money) in &totals.money {
            let theirs = members.money_in(*currency);
            let all = (money.commission_earned, money.commission_reversed, money.commission_paid);
            let sum = (theirs.commission_earned, theirs.commission_reversed, theirs.commission_paid);
            assert_eq!(sum, all, "members add up on day {day} in {currency}");
        }
    }
    assert!(days.values().all(Totals::is_zero), "members' days without a day: {days:?}");
}

/// What no creator has without a member.
const fn of_members(counts: &Counts) -> [i64; 7] {
    [
        counts.clicks_total,
        counts.clicks_human,
        counts.clicks_unique,
        counts.clicks_shared,
        counts.shares,
        counts.referrals,
        counts.signups_credited,
    ]
}

/// The books kept from the semantics alone say the same.
pub(crate) fn check_books(world: &World) {
    let ledger = world.ledger.as_ref().expect("books were kept");
    for (creator, figures) in ledger.figures() {
        let Some(row) = rows(world, tables::CREATOR, creator).next() else {
            assert_eq!(figures.currency, None, "a creator's record makes its row");
            continue;
        };
        let head = CreatorRow::decode(value(row)).unwrap();
        assert_eq!(Some(head.clock), figures.clock, "clock of {creator}");
        assert_eq!(clean(&head.totals), figures.totals, "totals of {creator}");
        let days: BTreeMap<i64, Totals> = days(world, creator);
        let days: BTreeMap<i64, Totals> =
            days.into_iter().filter(|(_, sums)| !sums.is_zero()).map(|(day, sums)| (day, clean(&sums))).collect();
        let booked = figures.days.into_iter().filter(|(_, sums)| !sums.is_zero()).collect();
        assert_eq!(days, booked, "days of {creator}");
        for member in figures.members {
            let own = |row: &&Row| MemberRow::decode(value(row)).unwrap().member_id == member.member_id;
            let row = rows(world, tables::MEMBER, creator).find(own).expect("every member has a row");
            let totals = MemberRow::decode(value(row)).unwrap().totals;
            assert_eq!(clean(&totals), member.totals, "totals of {} under {creator}", member.member_id);
        }
    }
}
