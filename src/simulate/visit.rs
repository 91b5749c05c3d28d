//! Shares, and the clicks on them.

use super::market::{self, BOTS, BROWSERS, CAMPAIGNS, COUNTRIES, PLATFORMS, REFERRERS};
use super::record::{ClickCard, ShareCard};
use super::sale::Journey;
use super::world::{code_of, member_id};
use super::{Content, Name, Plan, Simulation};
use crate::event::ShareType;
use crate::ids::Millis;

/// Visitors of one creator who may come back.
const RETURNING_MAX: usize = 128;

impl Simulation {
    /// A member shares, or somebody follows a link.
    pub(super) fn visit(&mut self, creator: usize, at: Millis) {
        let Some(member) = self.somebody(creator) else { return };
        match self.traffic.below(1_000) {
            0..=59 => self.share(creator, member, at),
            60..=164 => self.bot_click(creator, member, at),
            _ => self.human_click(creator, member, at),
        }
    }

    /// A member, the popular ones often. Links of members we have not heard of yet occur, but seldom.
    fn somebody(&mut self, creator: usize) -> Option<usize> {
        for _ in 0..8 {
            let member = self.world.creator(creator).popularity.draw(&mut self.traffic);
            let joined = self.world.creator(creator).joined.get(member).copied().unwrap_or_default();
            if joined || self.traffic.permille(10) {
                return Some(member);
            }
        }
        None
    }

    fn share(&mut self, creator: usize, member: usize, at: Millis) {
        let number = self.next_number();
        if let Some(newest) = self.world.creator_mut(creator).shares.get_mut(member) {
            *newest = number;
        }
        let card = ShareCard {
            share_id: Name::numbered("shr-", number),
            member_id: member_id(member),
            platform: choose(&PLATFORMS, number),
            share_type: *self.traffic.pick(&[ShareType::Link, ShareType::Link, ShareType::Qr, ShareType::Message]),
        };
        self.publish(creator, at, Content::Share(card));
    }

    fn bot_click(&mut self, creator: usize, member: usize, at: Millis) {
        let (_, mut card) = self.click_card(creator, member);
        let (user_agent, method, purpose) = *self.traffic.pick(&BOTS);
        let source = self.traffic.below(40);
        card.user_agent = user_agent;
        card.method = Some(method);
        card.purpose = purpose;
        card.ip = Some(market::token(5, source));
        card.device = None;
        card.device_class = None;
        self.publish(creator, at, Content::Click(card));
    }

    fn human_click(&mut self, creator: usize, member: usize, at: Millis) {
        let (visitor, member) = self.visitor(creator, member);
        let (number, mut card) = self.click_card(creator, member);
        dress(&mut card, visitor);
        if self.traffic.permille(80) {
            self.click_again(creator, &card, at);
        }
        self.publish(creator, at, Content::Click(card));
        let journey = Journey { creator, member, click: number, visitor, customer: visitor, first_order: None };
        let fate = self.traffic.below(1_000);
        if fate < self.signups_permille {
            let after = self.delay(25 * Millis::MINUTE);
            self.schedule(Millis(at.0 + after), Plan::Signup(Box::new(journey)));
        } else if fate < self.signups_permille * 6 / 5 {
            let after = self.delay(6 * Millis::HOUR);
            self.schedule(Millis(at.0 + after), Plan::Order(Box::new(journey)));
        }
    }

    /// The same visitor on the same link, a little later.
    fn click_again(&mut self, creator: usize, first: &ClickCard, at: Millis) {
        let number = self.next_number();
        let after = self.delay(40 * Millis::MINUTE);
        let card = ClickCard { click_id: Name::numbered("clk-", number), ..first.clone() };
        self.publish(creator, Millis(at.0 + after), Content::Click(card));
    }

    /// Somebody new, or one who was here before: mostly through the same member.
    fn visitor(&mut self, creator: usize, member: usize) -> (u64, usize) {
        let returning = self.traffic.permille(150);
        let known = self.world.creator(creator).visitors.len();
        if returning && known > 0 {
            let place = usize::try_from(self.traffic.below(u64::try_from(known).unwrap_or(1))).unwrap_or_default();
            let kept = self.world.creator(creator).visitors.get(place).copied();
            let (visitor, through) = kept.unwrap_or((0, member));
            return (visitor, if self.traffic.permille(700) { through } else { member });
        }
        let visitor = self.next_number();
        let place = pick_of(market::mix(visitor), RETURNING_MAX);
        let visitors = &mut self.world.creator_mut(creator).visitors;
        match visitors.get_mut(place) {
            Some(kept) => *kept = (visitor, member),
            None => visitors.push((visitor, member)),
        }
        (visitor, member)
    }

    fn click_card(&mut self, creator: usize, member: usize) -> (u64, ClickCard) {
        let number = self.next_number();
        let by_code = self.traffic.permille(150);
        let code = by_code.then(|| self.spell(code_of(member).as_str()));
        let share = self.world.creator(creator).shares.get(member).copied().unwrap_or_default();
        let tagged = share > 0 && self.traffic.permille(600);
        let platform = choose(&PLATFORMS, share);
        let card = ClickCard {
            click_id: Name::numbered("clk-", number),
            // A few links carry both; they agree.
            member_id: (!by_code || number.is_multiple_of(16)).then(|| member_id(member)),
            code,
            share_id: tagged.then(|| Name::numbered("shr-", share)),
            platform: (tagged && share % 3 > 0).then_some(platform),
            ip: None,
            ip56: None,
            device: None,
            user_agent: None,
            method: Some("GET"),
            purpose: None,
            referrer: self.traffic.permille(500).then(|| *self.traffic.pick(&REFERRERS)),
            utm_source: tagged.then_some(platform),
            utm_campaign: (number.is_multiple_of(5)).then(|| choose(&CAMPAIGNS, share)),
            country: None,
            device_class: None,
        };
        (number, card)
    }

    /// A code as people type it: any case, a blank too many.
    pub(super) fn spell(&mut self, code: &str) -> Name {
        match self.traffic.below(10) {
            0 => Name::new(format_args!(" {code}")),
            1 => Name::new(format_args!("{} ", code.to_ascii_uppercase())),
            2 | 3 => Name::new(format_args!("{}", code.to_ascii_lowercase())),
            _ => Name::new(format_args!("{code}")),
        }
    }
}

/// Always the same for the same number.
fn choose<T: Copy>(items: &[T], number: u64) -> T {
    *items.get(pick_of(number, items.len())).expect("the tables of the market are not empty")
}

fn pick_of(number: u64, len: usize) -> usize {
    let len = u64::try_from(len).unwrap_or(1).max(1);
    usize::try_from(number % len).unwrap_or_default()
}

/// What a visitor's browser says; always the same for the same visitor.
fn dress(card: &mut ClickCard, visitor: u64) {
    let mixed = market::mix(visitor);
    let (user_agent, device_class) = choose(&BROWSERS, mixed);
    card.user_agent = (!mixed.is_multiple_of(50)).then_some(user_agent);
    card.device_class = Some(device_class);
    card.country = (!mixed.is_multiple_of(20)).then(|| choose(&COUNTRIES, mixed >> 8));
    card.device = (!mixed.is_multiple_of(10)).then(|| market::token(1, visitor));
    // Several share one address; some come without any.
    card.ip = (!mixed.is_multiple_of(33)).then(|| market::token(2, visitor / 3));
}
