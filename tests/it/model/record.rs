//! A record on its way in: time, floor, duplicates, clock, timers; then its own rule (SEMANTICS §1 to §3).

use std::collections::BTreeMap;

use tributary::event::{self, Body, CommissionKind, Event, Kind, ReviewSubject};
use tributary::fold::fraud::RuleSet;
use tributary::ids::Millis;

use super::history::{Awaited, Claim, Creator, Credit, DAY, MINUTE, Parked, Record, Statement, compared};

/// Why a record was not applied.
pub(crate) enum Stop<'a> {
    Dead(&'static str),
    Park(Awaited<'a>),
    Duplicate,
}

pub(crate) type Outcome<'a> = Result<(), Stop<'a>>;

/// All creators of a log, each for itself.
#[derive(Default, Debug)]
pub(crate) struct Model<'a> {
    pub(crate) creators: BTreeMap<&'a str, Creator<'a>>,
    /// Class and offset, in the order in which they were sent.
    pub(crate) letters: Vec<(u64, &'static str)>,
    pub(crate) absurd: i64,
}

impl<'a> Model<'a> {
    pub(crate) fn apply(&mut self, event: &Event<'a>, offset: u64, timestamp: Millis) {
        let Some(t) = time_of(event, timestamp.0) else {
            self.absurd += 1;
            self.letters.push((offset, "absurd_time"));
            return;
        };
        let creator = self.creators.entry(event.creator_id.0).or_default();
        creator.take(Record { event: event.clone(), offset, t });
        self.letters.append(&mut creator.letters);
    }

    /// (applied, duplicate, parked, dead)
    pub(crate) fn tally(&self) -> (i64, i64, i64, i64) {
        let sum = |of: fn(&Creator<'a>) -> i64| self.creators.values().map(of).sum::<i64>();
        (
            sum(|creator| i64::try_from(creator.applied.len()).unwrap()),
            sum(|creator| creator.duplicate),
            sum(|creator| i64::try_from(creator.parked.len()).unwrap()),
            sum(|creator| creator.dead) + self.absurd,
        )
    }
}

/// The record's own time, unless it is absurd.
fn time_of(event: &Event<'_>, timestamp: i64) -> Option<i64> {
    let own = event.occurred_at.0;
    let received = event.received_at.map_or(timestamp, |at| at.0);
    // 2000-01-01 and 2100-01-01
    if !(946_684_800_000..4_102_444_800_000).contains(&own) || own.saturating_sub(received) > DAY {
        return None;
    }
    Some(if own - received > 5 * MINUTE { received } else { own })
}

impl<'a> Creator<'a> {
    fn take(&mut self, record: Record<'a>) {
        if let Err(stop) = self.check(&record) {
            return self.stopped(record, stop, None);
        }
        self.clock = self.clock.max(record.t);
        self.fire_timers();
        self.move_floor();
        self.settle(record, None);
        self.release();
    }

    fn move_floor(&mut self) {
        let (signup, purchase) = self.windows();
        let horizon = (45 * DAY).max(signup.max(purchase) + 15 * DAY);
        self.floor = self.floor.max(self.clock.saturating_sub(horizon));
    }

    fn settle(&mut self, record: Record<'a>, since: Option<i64>) {
        match self.act(&record) {
            Ok(()) => {
                self.applied.push(record.offset);
                if is_known_by_event_id(record.event.body.kind()) {
                    let kind = record.event.body.kind();
                    self.claims.push(Claim { event: said(&record.event), kind, t: record.t });
                }
            }
            Err(stop) => self.stopped(record, stop, since),
        }
    }

    fn stopped(&mut self, record: Record<'a>, stop: Stop<'a>, since: Option<i64>) {
        match stop {
            Stop::Duplicate => self.duplicate += 1,
            Stop::Dead(class) => {
                self.dead += 1;
                self.letters.push((record.offset, class));
            }
            Stop::Park(awaited) => {
                let since = since.unwrap_or(self.clock);
                let due = expires(&record.event.body).then_some(since + 30 * DAY);
                let number = self.next_number();
                self.parked.push(Parked { record, awaited, since, number, due });
            }
        }
    }

    /// The record's own rule. Before the creator's own record there is none.
    fn act(&mut self, record: &Record<'a>) -> Outcome<'a> {
        if self.settings.is_none() && record.event.body.kind() != Kind::Creator {
            return Err(Stop::Park(Awaited::Creator));
        }
        match &record.event.body {
            Body::Creator(stated) => self.creator_record(record, stated),
            Body::Member(stated) => self.member_record(record, stated),
            Body::Sighting(stated) => self.sighting(stated),
            Body::Share(stated) => self.share(record, stated),
            Body::Click(stated) => self.click_record(record, stated),
            Body::Conversion(stated) => self.conversion_record(record, stated),
            Body::Commission(stated) => self.commission_record(record, stated),
            Body::Review(stated) => self.review(stated),
            Body::Erasure(stated) => self.erase(stated),
            Body::RuleSet(stated) => rule_set(stated),
            Body::ListEntry(_) | Body::Template(_) | Body::Tick => Ok(()),
        }
    }

    /// §2: too late, a duplicate, a conflict.
    fn check(&self, record: &Record<'a>) -> Outcome<'a> {
        let kind = record.event.body.kind();
        if matches!(kind, Kind::Share | Kind::Click | Kind::Sighting) && record.t < self.floor {
            return Err(Stop::Dead("too_late"));
        }
        if is_known_by_event_id(kind)
            && let Some(claim) = self.claims.iter().find(|claim| {
                let is_forgotten = claim.kind == Kind::Sighting && claim.t < self.known_from();
                !is_forgotten && claim.event.event_id == record.event.event_id
            })
        {
            return Err(if claim.event == said(&record.event) { Stop::Duplicate } else { Stop::Dead("conflict") });
        }
        match self.is_said_again(&record.event.body) {
            None => Ok(()),
            Some(true) => Err(Stop::Duplicate),
            Some(false) => Err(Stop::Dead("conflict")),
        }
    }

    /// What was dated ahead stands before its own time, by a day at most, and may come again until that is too late.
    const fn known_from(&self) -> i64 {
        self.floor.saturating_sub(24 * 3_600_000)
    }

    /// Whether what is known of the business id agrees; `None` if nothing is.
    fn is_said_again(&self, body: &Body<'a>) -> Option<bool> {
        match body {
            Body::Share(stated) => {
                let known =
                    self.shares.iter().find(|share| share.id == stated.share_id.0 && share.t >= self.known_from())?;
                let member = self.members[known.member].id;
                Some(member == stated.member_id.0 && known.platform == stated.platform)
            }
            Body::Click(stated) => {
                let known =
                    self.clicks.iter().find(|click| click.id == stated.click_id.0 && click.t >= self.known_from())?;
                let member = stated.member_id.map(|id| id.0);
                Some(known.stated == (member, stated.referral_code.map(|code| compared(code.0))))
            }
            Body::Conversion(stated) => {
                let known = &self.conversions[self.conversion(stated.conversion_id.0)?].stated;
                let facts = |stated: &tributary::event::Conversion<'a>| {
                    (stated.kind, stated.original_id, stated.customer_id, stated.amount, stated.currency)
                };
                Some(facts(known) == facts(stated))
            }
            Body::Commission(stated) => {
                let known = &self.commissions[self.commission(stated.commission_id.0)?];
                let (_, first) = known.stated.iter().find(|(kind, _)| *kind == stated.kind)?;
                Some(*first == statement(stated))
            }
            Body::Creator(_)
            | Body::Member(_)
            | Body::Sighting(_)
            | Body::Review(_)
            | Body::RuleSet(_)
            | Body::ListEntry(_)
            | Body::Template(_)
            | Body::Erasure(_)
            | Body::Tick => None,
        }
    }

    pub(crate) fn arrive(&mut self, what: Awaited<'a>) {
        self.arrived.push((what, self.number));
    }

    /// What waited for what came is applied, oldest first; then waiting credit is tried again.
    fn release(&mut self) {
        while !self.arrived.is_empty() {
            let is_ready = |parked: &Parked<'a>| {
                self.arrived.iter().any(|(what, number)| *what == parked.awaited && parked.number <= *number)
            };
            let ready = self.parked.iter().enumerate().filter(|(_, parked)| is_ready(parked));
            if let Some((place, _)) = ready.min_by_key(|(_, parked)| parked.record.offset) {
                let parked = self.parked.remove(place);
                match self.check(&parked.record) {
                    Ok(()) => self.settle(parked.record, Some(parked.since)),
                    Err(stop) => self.stopped(parked.record, stop, Some(parked.since)),
                }
                continue;
            }
            let (what, _) = self.arrived.remove(0);
            self.retry_waiting(&what);
        }
    }

    fn retry_waiting(&mut self, what: &Awaited<'a>) {
        let is_waiting = |credit: &Credit<'a>| matches!(credit, Credit::Waiting(awaited) if awaited == what);
        let mut waiting: Vec<usize> =
            (0..self.conversions.len()).filter(|c| is_waiting(&self.conversions[*c].credit)).collect();
        waiting.sort_by_key(|c| self.conversions[*c].queued);
        for c in waiting {
            if is_waiting(&self.conversions[c].credit) {
                self.try_credit(c, false);
            }
        }
    }

    /// In the order in which they are due, then in which they were set.
    fn fire_timers(&mut self) {
        let watermark = self.watermark();
        loop {
            let waiting = self.conversions.iter().enumerate();
            let credits = waiting.filter(|(_, conversion)| matches!(conversion.credit, Credit::Waiting(_)));
            let credits = credits.filter_map(|(c, conversion)| Some((conversion.deadline?, Some(c), 0)));
            let parked = self.parked.iter().enumerate();
            let parked = parked.filter_map(|(place, parked)| Some(((parked.due?, parked.number), None, place)));
            let Some((_, credit, place)) = credits.chain(parked).filter(|((due, _), ..)| *due <= watermark).min()
            else {
                return;
            };
            if let Some(c) = credit {
                self.try_credit(c, true);
                self.release();
            } else {
                let parked = self.parked.remove(place);
                self.dead += 1;
                self.letters.push((parked.record.offset, "unresolved"));
            }
        }
    }
}

pub(crate) fn statement<'a>(stated: &tributary::event::Commission<'a>) -> Statement<'a> {
    (stated.member_id.0, stated.amount, stated.currency)
}

/// Kinds of commission records that come once.
pub(crate) const fn comes_once(kind: CommissionKind) -> bool {
    match kind {
        CommissionKind::Earned | CommissionKind::Approved | CommissionKind::Paid => true,
        CommissionKind::Adjusted | CommissionKind::Reversed => false,
    }
}

/// Click and Share have only their business id; a Tick says nothing.
const fn is_known_by_event_id(kind: Kind) -> bool {
    !matches!(kind, Kind::Click | Kind::Share | Kind::Tick)
}

const fn expires(body: &Body<'_>) -> bool {
    match body {
        Body::Share(_) | Body::Click(_) | Body::Sighting(_) => true,
        Body::Review(review) => matches!(review.subject_type, ReviewSubject::Click),
        Body::Creator(_)
        | Body::Member(_)
        | Body::Conversion(_)
        | Body::Commission(_)
        | Body::RuleSet(_)
        | Body::ListEntry(_)
        | Body::Template(_)
        | Body::Erasure(_)
        | Body::Tick => false,
    }
}

/// All that an event says, but for `received_at` and tokens.
fn said<'a>(event: &Event<'a>) -> Event<'a> {
    let mut said = event.clone();
    said.received_at = None;
    match &mut said.body {
        Body::Sighting(sighting) => {
            (sighting.ip_token, sighting.ip56_token, sighting.device_token) = (None, None, None);
            (sighting.email_token, sighting.payout_token) = (None, None);
        }
        Body::Conversion(conversion) => {
            (conversion.ip_token, conversion.device_token) = (None, None);
            (conversion.email_token, conversion.payment_token) = (None, None);
        }
        Body::Creator(_)
        | Body::Member(_)
        | Body::Share(_)
        | Body::Click(_)
        | Body::Commission(_)
        | Body::Review(_)
        | Body::RuleSet(_)
        | Body::ListEntry(_)
        | Body::Template(_)
        | Body::Erasure(_)
        | Body::Tick => {}
    }
    said
}

/// One that is shipped has no definition, any other has one that can be read. Of what runs beside the rules the model
/// knows nothing.
fn rule_set<'a>(stated: &event::RuleSet<'a>) -> Outcome<'a> {
    if stated.mode == Some(event::RuleSetMode::Off) {
        return Ok(());
    }
    let is_shipped = RuleSet::shipped(stated.rule_set_id).is_some();
    let is_good = match stated.definition {
        None => is_shipped,
        Some(definition) => !is_shipped && RuleSet::parse(stated.rule_set_id, "1", definition).is_ok(),
    };
    if is_good { Ok(()) } else { Err(Stop::Dead("invalid_rule_set")) }
}
