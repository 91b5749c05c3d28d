//! §9 Metrics and §10 Boards, worked out at the end from what the books hold.

use std::collections::{BTreeMap, HashMap};

use super::credit::Credit;
use super::orders::{ConversionBook, is_order};
use super::waiting::Key;
use super::{Book, Tally};
use crate::event::{ConversionKind, MemberStatus};
use crate::ids::{Currency, Millis};
use crate::project::totals::{Counts, Money, Totals};

/// What the projections of one creator must say.
#[derive(Debug, Clone)]
pub struct CreatorFigures {
    /// `None` until a Creator record came.
    pub currency: Option<Currency>,
    pub clock: Option<Millis>,
    pub tally: Tally,
    pub totals: Totals,
    /// By days since 1970, UTC. Held, approved and carry are states and not in here.
    pub days: BTreeMap<i64, Totals>,
    /// In the order in which they joined.
    pub members: Vec<MemberFigures>,
    /// All time, by earnings.
    pub board: Vec<Rank>,
}

#[derive(Debug, Clone)]
pub struct MemberFigures {
    pub member_id: String,
    pub status: MemberStatus,
    /// What is credited to the member.
    pub totals: Totals,
}

/// A place on the leaderboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rank {
    pub rank: usize,
    pub member_id: String,
    pub value: i128,
    pub reached_at: Millis,
}

/// Sums in the making.
struct Sheet {
    totals: Totals,
    days: BTreeMap<i64, Totals>,
    members: Vec<Totals>,
}

impl Sheet {
    /// Counts for the creator on the conversion's day, and for the member it is credited to.
    fn count(&mut self, conversion: &ConversionBook, counts: &Counts) {
        self.totals.counts.add(counts);
        self.days.entry(conversion.t.0.div_euclid(Millis::DAY)).or_default().counts.add(counts);
        self.count_member(conversion, counts);
    }

    fn count_member(&mut self, conversion: &ConversionBook, counts: &Counts) {
        if let Some(totals) = self.member(conversion.credit) {
            totals.counts.add(counts);
        }
    }

    fn member(&mut self, credit: Credit) -> Option<&mut Totals> {
        match credit {
            Credit::To(member) => self.members.get_mut(member),
            Credit::Waiting | Credit::Nobody => None,
        }
    }
}

impl Book {
    pub(super) fn figures(&self) -> CreatorFigures {
        let mut sheet = Sheet {
            totals: self.totals.clone(),
            days: self.days.clone(),
            members: self.members.iter().map(|member| member.totals.clone()).collect(),
        };
        self.add_orders(&mut sheet);
        self.add_customers(&mut sheet);
        self.add_standings(&mut sheet);
        let currency = self.settings.as_ref().map(|settings| settings.currency);
        CreatorFigures {
            currency,
            clock: self.clock,
            tally: self.tally.clone(),
            board: currency.map(|currency| self.board(&sheet, currency)).unwrap_or_default(),
            members: self.members.iter().zip(sheet.members).map(MemberFigures::new).collect(),
            totals: without_zeros(sheet.totals),
            days: sheet.days.into_iter().map(|(day, totals)| (day, without_zeros(totals))).collect(),
        }
    }

    /// §7: the credited member's orders and revenue. The creator's were booked as they came.
    fn add_orders(&self, sheet: &mut Sheet) {
        for order in self.conversions.iter().filter(|conversion| is_order(conversion.kind)) {
            let Some(totals) = sheet.member(order.credit) else { continue };
            totals.counts.orders += 1;
            let money = totals.money_mut(order.currency);
            money.revenue_gross += order.amount;
            money.revenue_refunded += order.moved();
        }
    }

    /// §9: each customer counts at a first conversion by (t, id).
    fn add_customers(&self, sheet: &mut Sheet) {
        let mut conversions: HashMap<Key, Vec<&ConversionBook>> = HashMap::new();
        for conversion in &self.conversions {
            if conversion.kind == ConversionKind::Signup || is_order(conversion.kind) {
                conversions.entry(conversion.customer).or_default().push(conversion);
            }
        }
        for mut theirs in conversions.into_values() {
            theirs.sort_by_key(|conversion| (conversion.t, &conversion.id));
            add_customer(sheet, &theirs);
        }
    }

    fn add_standings(&self, sheet: &mut Sheet) {
        for commission in &self.commissions {
            let money = self.standing(commission);
            sheet.totals.money_mut(commission.currency).add(&money);
            if let Some(totals) = sheet.members.get_mut(commission.member) {
                totals.money_mut(commission.currency).add(&money);
            }
        }
    }

    /// §10: active members above zero; value down, `reached_at` up, then who joined first.
    fn board(&self, sheet: &Sheet, currency: Currency) -> Vec<Rank> {
        let mut ranks: Vec<Rank> = self
            .members
            .iter()
            .zip(&sheet.members)
            .filter(|(member, _)| member.status == MemberStatus::Active)
            .map(|(member, totals)| Rank {
                rank: 0,
                member_id: member.id.clone(),
                value: totals.money_in(currency).commission_net(),
                reached_at: member.reached_at,
            })
            .filter(|entry| entry.value > 0)
            .collect();
        ranks.sort_by_key(|entry| (-entry.value, entry.reached_at));
        let values: Vec<i128> = ranks.iter().map(|entry| entry.value).collect();
        for entry in &mut ranks {
            entry.rank = 1 + values.partition_point(|value| *value > entry.value);
        }
        ranks
    }
}

/// §9 for one customer, whose conversions are in order of (t, id).
fn add_customer(sheet: &mut Sheet, theirs: &[&ConversionBook]) {
    if let Some(signup) = theirs.iter().find(|conversion| conversion.kind == ConversionKind::Signup) {
        let credited = i64::from(matches!(signup.credit, Credit::To(_)));
        sheet.count(signup, &Counts { signups: 1, signups_credited: credited, ..Counts::default() });
    }
    let counted = theirs.iter().find(|order| is_order(order.kind) && order.amount - order.moved() > 0);
    if let Some(order) = counted {
        sheet.count(order, &Counts { customers: 1, ..Counts::default() });
    }
    if let Some(first) = theirs.first().filter(|first| matches!(first.credit, Credit::To(_))) {
        sheet.count(first, &Counts { referrals: 1, ..Counts::default() });
    }
}

impl MemberFigures {
    fn new((member, totals): (&super::people::MemberBook, Totals)) -> Self {
        Self { member_id: member.id.clone(), status: member.status, totals: without_zeros(totals) }
    }
}

/// A currency in which nothing stands says nothing.
fn without_zeros(mut totals: Totals) -> Totals {
    totals.money.retain(|(_, money)| *money != Money::default());
    totals
}
