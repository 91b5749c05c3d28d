//! What goes wrong on the way: late, resent, renumbered, contradicted, and clocks that are off.

use super::record::{Content, Name, Simulated};
use super::{Outbound, Plan, Simulation};
use crate::event::CommissionKind;
use crate::ids::Millis;

impl Simulation {
    /// Sends a record off; it arrives when networks, queues and clocks allow.
    pub(super) fn publish(&mut self, creator: usize, at: Millis, body: Content) {
        let lateness = self.lateness();
        self.publish_after(creator, at, lateness, body);
    }

    /// As `publish`, held up for at least `lateness` milliseconds.
    pub(super) fn publish_after(&mut self, creator: usize, at: Millis, lateness: i64, body: Content) {
        let network = self.faults.wait(800) / self.tempo.scale;
        // When live nothing can arrive later than now: what is late happened earlier.
        let (occurred, arrival) =
            if self.tempo.scale > 1 { (at.0 - lateness, at.0 + network) } else { (at.0, at.0 + network + lateness) };
        let number = self.next_number();
        let record = Simulated {
            arrival: Millis(arrival),
            event_id: Name::numbered("evt-", number),
            creator_id: self.world.creator(creator).id,
            occurred_at: Millis(occurred),
            stamped: true,
            body,
        };
        let record = Simulated { stamped: !self.faults.permille(15), ..self.set_clock(record) };
        self.schedule(record.arrival, Plan::Emit(Box::new(Outbound { record, again: false })));
    }

    fn lateness(&mut self) -> i64 {
        match self.faults.below(100_000) {
            0..=1_999 => self.faults.wait(2 * Millis::HOUR),
            2_000..=2_199 => self.faults.wait(3 * Millis::DAY),
            2_200..=2_219 => self.faults.between(62 * Millis::DAY, 70 * Millis::DAY),
            _ => 0,
        }
    }

    /// A producer's clock that is off, a little or absurdly.
    fn set_clock(&mut self, record: Simulated) -> Simulated {
        let arrival = record.arrival.0;
        let occurred = match self.faults.below(100_000) {
            0..=499 => arrival + self.faults.between(0, 4 * Millis::MINUTE),
            500..=599 => arrival + self.faults.between(6 * Millis::MINUTE, 20 * Millis::HOUR),
            600..=615 => arrival + self.faults.between(2 * Millis::DAY, 900 * Millis::DAY),
            616..=625 => self.faults.between(0, Millis::DAY),
            _ => return record,
        };
        Simulated { occurred_at: Millis(occurred), ..record }
    }

    /// The record arrives; some arrive again, later, as they were or changed.
    pub(super) fn emit(&mut self, outbound: Outbound) -> Simulated {
        if !outbound.again {
            self.resend(&outbound.record);
        }
        outbound.record
    }

    fn resend(&mut self, record: &Simulated) {
        let copy = match self.faults.below(10_000) {
            0..=99 => Some(record.clone()),
            100..=149 => self.renumber(record),
            150..=159 => contradict(record),
            _ => None,
        };
        if let Some(mut copy) = copy {
            let mean = if self.faults.permille(50) { 8 * Millis::DAY } else { 10 * Millis::MINUTE };
            let after = self.faults.wait(mean) / self.tempo.scale;
            copy.arrival = Millis(record.arrival.0 + after + 1);
            self.schedule(copy.arrival, Plan::Emit(Box::new(Outbound { record: copy, again: true })));
        }
    }

    /// The same fact under a new event id, where its own id tells that it is the same.
    fn renumber(&mut self, record: &Simulated) -> Option<Simulated> {
        let has_own_id = match &record.body {
            Content::Creator(_) | Content::Member(_) | Content::Sighting(_) | Content::ListEntry(_) => false,
            Content::Share(_) | Content::Click(_) | Content::Conversion(_) => true,
            Content::Commission(card) => match card.kind {
                CommissionKind::Earned | CommissionKind::Approved | CommissionKind::Paid => true,
                CommissionKind::Adjusted | CommissionKind::Reversed => false,
            },
        };
        let event_id = Name::numbered("evt-", self.next_number());
        has_own_id.then(|| Simulated { event_id, ..record.clone() })
    }
}

/// The same ids with another story.
fn contradict(record: &Simulated) -> Option<Simulated> {
    let mut copy = record.clone();
    match &mut copy.body {
        Content::Creator(_) | Content::Member(_) | Content::Sighting(_) | Content::ListEntry(_) => return None,
        Content::Share(card) => card.platform = "carrier-pigeon",
        Content::Click(card) => card.member_id = Some(Name::new(format_args!("m-other"))),
        Content::Conversion(card) => card.amount = Some(card.amount.unwrap_or(1_000) + 1),
        Content::Commission(card) => card.amount = Some(card.amount.unwrap_or(1_000) + 1),
    }
    Some(copy)
}
