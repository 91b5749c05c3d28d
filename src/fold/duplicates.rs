//! Is this record, or what it speaks of, known already? (SEMANTICS §2)

use super::{Stop, Subject, Turn, kind, refuse};
use crate::event::{Body, Click, Commission, CommissionKind, Conversion, Event, Kind, Share};

use super::records::Seen;
use super::state::FOR_EVER;
use crate::keep::Id128;

impl Turn<'_> {
    /// Works out the ids of the record in hand and what it says of them.
    pub(super) fn identify(&mut self, event: &Event<'_>) {
        if is_claimed(event.body.kind()) {
            self.claim = Subject { id: self.id(kind::EVENT, event.event_id.0), facts: self.event_facts(event) };
        }
        self.subject = match &event.body {
            Body::Share(share) => {
                Subject { id: self.id(kind::SHARE, share.share_id.0), facts: self.share_facts(share) }
            }
            Body::Click(click) => {
                Subject { id: self.id(kind::CLICK, click.click_id.0), facts: self.click_facts(click) }
            }
            Body::Conversion(conversion) => {
                let id = self.id(kind::CONVERSION, conversion.conversion_id.0);
                Subject { id, facts: self.conversion_facts(conversion) }
            }
            Body::Commission(commission) => {
                let id = self.id(kind::COMMISSION, commission.commission_id.0);
                Subject { id, facts: self.commission_facts(commission) }
            }
            Body::Creator(_)
            | Body::Member(_)
            | Body::Sighting(_)
            | Body::Review(_)
            | Body::RuleSet(_)
            | Body::ListEntry(_)
            | Body::Template(_)
            | Body::Erasure(_)
            | Body::Tick => Subject::default(),
        };
    }

    /// `Ok(true)`: seen, with the same facts. A conflict is refused: the first wins.
    pub(super) fn is_duplicate(&self, event: &Event<'_>) -> Result<bool, Stop> {
        if is_claimed(event.body.kind()) {
            match self.state.events.get(&self.claim.id, FOR_EVER).filter(|seen| seen.t >= self.known_from().0) {
                Some(seen) if seen.hash == self.claim.facts => return Ok(true),
                Some(_) => return Err(conflict("event_id", event.event_id.0)),
                None => {}
            }
        }
        match self.stated_of(event) {
            None => Ok(false),
            Some(facts) if facts == self.subject.facts => Ok(true),
            Some(_) => {
                let (field, id) = business_id(event);
                Err(conflict(field, id))
            }
        }
    }

    /// An applied record's event id is its own from now on.
    pub(super) fn claim(&mut self, kind: Kind, claim: Subject) {
        if is_claimed(kind) {
            // Ids of sightings expire, all others are kept for ever.
            let t = if kind == Kind::Sighting { self.t.0 } else { i64::MAX };
            self.state.events.put(&claim.id, Seen { hash: claim.facts, t }, self.t);
        }
    }

    /// What was said first under the business id of the record in hand.
    fn stated_of(&self, event: &Event<'_>) -> Option<u64> {
        let id = self.subject.id;
        match &event.body {
            Body::Share(_) => self.state.shares.get(&id, self.known_from()).map(|share| share.names),
            Body::Click(_) => self.state.clicks.get(&id, self.known_from()).map(|click| click.names),
            Body::Conversion(_) => self.state.conversions.get(&id, FOR_EVER).map(|conversion| conversion.names),
            Body::Commission(commission) => self.commission_stated(id, commission.kind),
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

    fn commission_stated(&self, id: Id128, kind: CommissionKind) -> Option<u64> {
        let known = self.state.commissions.get(&id, FOR_EVER)?;
        match kind {
            // Nobody stated a derived one: what does so now is told why not.
            CommissionKind::Earned => (known.derived == 0).then_some(known.names),
            CommissionKind::Approved => (known.approved == 1).then_some(known.approved_names),
            CommissionKind::Paid => (known.paid == 1).then_some(known.paid_names),
            // Deltas: only their event id tells two of them apart.
            CommissionKind::Adjusted | CommissionKind::Reversed => None,
        }
    }

    fn share_facts(&self, share: &Share<'_>) -> u64 {
        self.facts(format!("{}\0{}", share.member_id.0, share.platform).as_bytes())
    }

    fn click_facts(&self, click: &Click<'_>) -> u64 {
        let member = click.member_id.map_or("", |id| id.0).as_bytes();
        let code = click.referral_code.map_or("", |code| code.0.trim()).as_bytes();
        let mut bytes = [0_u8; 2 * crate::ids::ID_BYTES_MAX + 1];
        let (head, rest) = bytes.split_at_mut(member.len());
        head.copy_from_slice(member);
        let tail = rest.get_mut(1..=code.len()).unwrap_or_default();
        tail.copy_from_slice(code);
        tail.make_ascii_lowercase();
        self.facts(bytes.get(..member.len() + 1 + code.len()).unwrap_or_default())
    }

    fn conversion_facts(&self, conversion: &Conversion<'_>) -> u64 {
        let stated =
            (conversion.kind, conversion.original_id, conversion.customer_id, conversion.amount, conversion.currency);
        self.hash_of(&stated)
    }

    fn commission_facts(&self, commission: &Commission<'_>) -> u64 {
        self.hash_of(&(commission.member_id, commission.amount, commission.currency))
    }

    /// All fields but `received_at` and the tokens.
    fn event_facts(&mut self, event: &Event<'_>) -> u64 {
        let mut facts = event.clone();
        facts.received_at = None;
        facts.attributes.sort_unstable();
        match &mut facts.body {
            Body::Sighting(sighting) => {
                sighting.ip_token = None;
                sighting.ip56_token = None;
                sighting.device_token = None;
                sighting.email_token = None;
                sighting.payout_token = None;
            }
            Body::Conversion(conversion) => {
                conversion.ip_token = None;
                conversion.device_token = None;
                conversion.email_token = None;
                conversion.payment_token = None;
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
        let mut scratch = std::mem::take(&mut self.fold.scratch);
        scratch.clear();
        let scratch = postcard::to_extend(&facts, scratch).expect("events encode into memory");
        let hash = self.facts(&scratch);
        self.fold.scratch = scratch;
        hash
    }

    fn hash_of(&self, stated: &impl serde::Serialize) -> u64 {
        let mut bytes = [0_u8; 512];
        let written = postcard::to_slice(stated, &mut bytes).expect("a few ids and numbers fit 512 bytes");
        self.facts(written)
    }
}

/// Click and Share are known by their business id alone; a Tick says nothing.
const fn is_claimed(kind: Kind) -> bool {
    !matches!(kind, Kind::Click | Kind::Share | Kind::Tick)
}

/// The field that names what the record speaks of, and the name.
const fn business_id<'a>(event: &Event<'a>) -> (&'static str, &'a str) {
    match &event.body {
        Body::Share(share) => ("share_id", share.share_id.0),
        Body::Click(click) => ("click_id", click.click_id.0),
        Body::Conversion(conversion) => ("conversion_id", conversion.conversion_id.0),
        Body::Commission(commission) => ("commission_id", commission.commission_id.0),
        Body::Creator(_)
        | Body::Member(_)
        | Body::Sighting(_)
        | Body::Review(_)
        | Body::RuleSet(_)
        | Body::ListEntry(_)
        | Body::Template(_)
        | Body::Erasure(_)
        | Body::Tick => ("event_id", event.event_id.0),
    }
}

fn conflict(field: &str, id: &str) -> Stop {
    refuse("conflict", format!("{field} {id:?} came before with other facts; the first one stands"))
}
