//! Is this record, or what it speaks of, known already? (SEMANTICS §2)

use super::{Stop, Turn, kind, refuse};
use crate::event::{Body, Click, Commission, CommissionKind, Conversion, Event, Kind, Share};

use super::records::Seen;
use super::state::FOR_EVER;

impl Turn<'_> {
    /// `Ok(true)`: seen, with the same facts. A conflict is refused: the first wins.
    pub(super) fn is_duplicate(&mut self, event: &Event<'_>) -> Result<bool, Stop> {
        if !is_claimed(event.body.kind()) {
            return self.is_known(event);
        }
        let id = self.id(kind::EVENT, event.event_id.0);
        let floor = if event.body.kind() == Kind::Sighting { self.floor() } else { FOR_EVER };
        match self.state.events.get(&id, floor) {
            Some(seen) if seen.hash == self.event_facts(event) => Ok(true),
            Some(_) => Err(conflict("event_id", event.event_id.0)),
            None => self.is_known(event),
        }
    }

    /// An applied record's event id is its own from now on.
    pub(super) fn claim(&mut self, event: &Event<'_>) {
        if is_claimed(event.body.kind()) {
            let id = self.id(kind::EVENT, event.event_id.0);
            let hash = self.event_facts(event);
            self.state.events.put(&id, Seen { hash }, self.t);
        }
    }

    /// By business id.
    fn is_known(&self, event: &Event<'_>) -> Result<bool, Stop> {
        let (field, id, known, now) = match &event.body {
            Body::Share(share) => {
                let id = self.id(kind::SHARE, share.share_id.0);
                let known = self.state.shares.get(&id, self.floor()).map(|share| share.names);
                ("share_id", share.share_id.0, known, self.share_facts(share))
            }
            Body::Click(click) => {
                let id = self.id(kind::CLICK, click.click_id.0);
                let known = self.state.clicks.get(&id, self.floor()).map(|click| click.names);
                ("click_id", click.click_id.0, known, self.click_facts(click))
            }
            Body::Conversion(conversion) => {
                let id = self.id(kind::CONVERSION, conversion.conversion_id.0);
                let known = self.state.conversions.get(&id, FOR_EVER).map(|conversion| conversion.names);
                ("conversion_id", conversion.conversion_id.0, known, self.conversion_facts(conversion))
            }
            Body::Commission(commission) => {
                let known = self.commission_stated(commission);
                ("commission_id", commission.commission_id.0, known, self.commission_facts(commission))
            }
            Body::Creator(_)
            | Body::Member(_)
            | Body::Sighting(_)
            | Body::Review(_)
            | Body::RuleSet(_)
            | Body::ListEntry(_)
            | Body::Template(_)
            | Body::Erasure(_)
            | Body::Tick => return Ok(false),
        };
        match known {
            None => Ok(false),
            Some(facts) if facts == now => Ok(true),
            Some(_) => Err(conflict(field, id)),
        }
    }

    fn commission_stated(&self, commission: &Commission<'_>) -> Option<u64> {
        let id = self.id(kind::COMMISSION, commission.commission_id.0);
        let known = self.state.commissions.get(&id, FOR_EVER)?;
        match commission.kind {
            // Nobody stated a derived one: what does so now is told why not.
            CommissionKind::Earned => (known.derived == 0).then_some(known.names),
            CommissionKind::Approved => (known.approved == 1).then_some(known.approved_names),
            CommissionKind::Paid => (known.paid == 1).then_some(known.paid_names),
            // Deltas: only their event id tells two of them apart.
            CommissionKind::Adjusted | CommissionKind::Reversed => None,
        }
    }

    pub(super) fn share_facts(&self, share: &Share<'_>) -> u64 {
        self.facts(format!("{}\0{}", share.member_id.0, share.platform).as_bytes())
    }

    pub(super) fn click_facts(&self, click: &Click<'_>) -> u64 {
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

    pub(super) fn conversion_facts(&self, conversion: &Conversion<'_>) -> u64 {
        let stated =
            (conversion.kind, conversion.original_id, conversion.customer_id, conversion.amount, conversion.currency);
        self.hash_of(&stated)
    }

    pub(super) fn commission_facts(&self, commission: &Commission<'_>) -> u64 {
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

fn conflict(field: &str, id: &str) -> Stop {
    refuse("conflict", format!("{field} {id:?} came before with other facts; the first one stands"))
}
