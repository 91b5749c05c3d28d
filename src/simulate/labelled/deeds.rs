//! What agents can do: join, log in, share, click, sign up, buy. Each deed is a record, and carries its intent.

use super::agent::Agent;
use super::label::Group;
use super::owed::{Bought, Fate};
use super::person::{Guise, Person};
use super::scene::{Evidence, Intent, Link, Sale, Scene};
use crate::event::{ConversionKind, ListKind, MemberStatus, PaymentType, ShareType};
use crate::ids::{Millis, Token};
use crate::simulate::record::{
    ClickCard, Content, ConversionCard, CreatorCard, ListCard, MemberCard, Name, ShareCard, SightingCard,
};

impl Scene {
    /// The creator's settings, once.
    pub(super) fn found(&mut self, agent: &mut Agent, at: Millis) {
        let card: CreatorCard = self.programme(agent.creator).card.clone();
        self.publish(agent, None, at, Content::Creator(Box::new(card)));
    }

    /// Somebody becomes a member; what the honest are known by is passed on by others.
    pub(super) fn join(&mut self, agent: &mut Agent, member: Person, at: Millis) {
        let card = MemberCard {
            member_id: member.member_id(),
            user_id: Some(member.user_id()),
            username: None,
            code: Some(member.code()),
            coupons: Vec::new(),
            joined_at: Some(at),
            status: Some(MemberStatus::Active),
        };
        self.publish(agent, None, at, Content::Member(Box::new(card)));
        if !agent.group.is_fraud() {
            self.programme_mut(agent.creator).members.push(member);
        }
    }

    /// A member logs in, and is seen.
    pub(super) fn log_in(&mut self, agent: &mut Agent, member: Person, guise: &Guise, payout: Token, at: Millis) {
        let card = SightingCard {
            member_id: member.member_id(),
            ip: guise.address.ip,
            ip56: guise.address.ip56,
            device: guise.device,
            email: Some(member.email()),
            payout: Some(payout),
        };
        self.publish(agent, None, at, Content::Sighting(card));
    }

    /// The creator has an agreement with the member.
    pub(super) fn allow(&mut self, agent: &mut Agent, member: Person, at: Millis) {
        let card = ListCard { list: ListKind::Allow, member_id: member.member_id() };
        self.publish(agent, None, at, Content::ListEntry(card));
    }

    pub(super) fn share(&mut self, agent: &mut Agent, member: Person, platform: &'static str, at: Millis) -> Link {
        let share_id = Name::hex("shr-", agent.name());
        let card = ShareCard { share_id, member_id: member.member_id(), platform, share_type: ShareType::Link };
        self.publish(agent, None, at, Content::Share(card));
        Link { member, share: Some((share_id, platform)) }
    }

    /// Somebody, or something, follows a link.
    pub(super) fn click(&mut self, by: Group, agent: &mut Agent, link: &Link, guise: &Guise, at: Millis) -> Name {
        let click_id = Name::hex("clk-", agent.name());
        let by_code = agent.dice.permille(80);
        let card = ClickCard {
            click_id,
            member_id: (!by_code).then(|| link.member.member_id()),
            code: by_code.then(|| link.member.code()),
            share_id: link.share.map(|(id, _)| id),
            platform: link.share.map(|(_, platform)| platform),
            ip: guise.address.ip,
            ip56: guise.address.ip56,
            device: guise.device,
            user_agent: guise.user_agent,
            method: Some(guise.method),
            purpose: guise.purpose,
            referrer: None,
            utm_source: link.share.map(|(_, platform)| platform),
            utm_campaign: None,
            country: guise.address.country,
            device_class: guise.device_class,
        };
        self.publish(agent, Some(Intent::of(by)), at, Content::Click(card));
        click_id
    }

    pub(super) fn sign_up(&mut self, agent: &mut Agent, sale: &Sale, at: Millis) {
        let card = ConversionCard {
            conversion_id: Name::hex("sgn-", agent.name()),
            payment: None,
            ..blank(ConversionKind::Signup, sale)
        };
        self.convert(agent, sale, card, at);
    }

    /// An order, and all that follows from it.
    pub(super) fn order(&mut self, agent: &mut Agent, sale: &Sale, (amount, fate): (i64, &Fate), at: Millis) -> Name {
        let order = Name::hex("ord-", agent.name());
        let card = ConversionCard {
            conversion_id: order,
            amount: Some(amount),
            currency: Some(self.programme(agent.creator).currency),
            payment_type: Some(PaymentType::Initial),
            ..blank(ConversionKind::Purchase, sale)
        };
        self.convert(agent, sale, card, at);
        self.settle(agent, &Bought { by: sale.by, member: sale.member, order, amount }, fate, at);
        order
    }

    /// The next month of what was ordered: nobody is there, the account is charged.
    pub(super) fn renew(&mut self, agent: &mut Agent, sale: &Sale, (first, amount): (Name, i64), at: Millis) {
        let order = Name::hex("ord-", agent.name());
        let card = ConversionCard {
            conversion_id: order,
            original_id: Some(first),
            click_id: None,
            code: None,
            ip: None,
            device: None,
            amount: Some(amount),
            currency: Some(self.programme(agent.creator).currency),
            payment_type: Some(PaymentType::Recurring),
            ..blank(ConversionKind::Renewal, sale)
        };
        self.convert(agent, sale, card, at);
        let fate = self.programme(agent.creator).fate(&mut agent.dice);
        self.settle(agent, &Bought { by: sale.by, member: sale.member, order, amount }, &fate, at);
    }

    fn convert(&mut self, agent: &mut Agent, sale: &Sale, card: ConversionCard, at: Millis) {
        let derives = self.programme(agent.creator).derives(card.kind);
        let intent = Intent { by: sale.by, derives_for: derives.then(|| sale.member.member_id()) };
        self.publish(agent, Some(intent), at, Content::Conversion(card));
    }
}

/// What all conversions of a sale say.
fn blank(kind: ConversionKind, sale: &Sale) -> ConversionCard {
    let (click_id, code) = match sale.evidence {
        Evidence::Click(click) => (Some(click), None),
        Evidence::Code => (None, Some(sale.member.code())),
    };
    ConversionCard {
        conversion_id: sale.member.code(),
        kind,
        original_id: None,
        click_id,
        code,
        coupon: None,
        customer_id: Some(sale.customer.customer_id()),
        user_id: sale.user.map(Person::user_id),
        ip: sale.guise.address.ip,
        device: sale.guise.device,
        email: Some(sale.customer.email()),
        payment: sale.payment,
        amount: None,
        currency: None,
        plan: None,
        payment_type: None,
    }
}
