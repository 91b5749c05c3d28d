//! Conversions: signups, orders, and what is taken back of them.

use super::market::{self, PLANS, PRICES};
use super::record::{ConversionCard, Name};
use super::settle::Settlement;
use super::world::{code_of, coupon_of};
use super::{Content, Plan, Simulation};
use crate::event::{ConversionKind, PaymentType};
use crate::ids::{Currency, Millis};

/// A visitor on the way from a click to an order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Journey {
    pub(super) creator: usize,
    pub(super) member: usize,
    /// Number of the click.
    pub(super) click: u64,
    pub(super) visitor: u64,
    pub(super) customer: u64,
    /// Number of the order that a renewal renews.
    pub(super) first_order: Option<u64>,
}

/// An order as its producer remembers it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sale {
    pub(super) creator: usize,
    /// Whom the producer believes to have brought it.
    pub(super) member: usize,
    pub(super) order: u64,
    pub(super) amount: i64,
    /// As written on the order; absent for the creator's.
    pub(super) stated: Option<Currency>,
    pub(super) commission: i64,
    /// How many refunds came before this one.
    pub(super) refunds: u8,
}

/// What a conversion names as its cause.
#[derive(Debug, Default)]
struct Evidence {
    click_id: Option<Name>,
    code: Option<Name>,
    coupon: Option<Name>,
    /// Another member than the journey's, when a coupon says so.
    member: Option<usize>,
}

pub(super) fn order_id(number: u64) -> Name {
    Name::numbered("ord-", number)
}

fn customer_id(number: u64) -> Name {
    Name::numbered("cus-", number)
}

impl Simulation {
    pub(super) fn sign_up(&mut self, journey: Journey, at: Millis) {
        let number = self.next_number();
        let evidence = self.evidence(&journey);
        let card = ConversionCard {
            conversion_id: Name::numbered("sgn-", number),
            kind: ConversionKind::Signup,
            original_id: None,
            amount: None,
            currency: None,
            plan: None,
            payment_type: None,
            ..self.card(&journey, evidence)
        };
        self.publish(journey.creator, at, Content::Conversion(card));
        if self.traffic.permille(480) {
            let after = self.delay(2 * Millis::DAY);
            self.schedule(Millis(at.0 + after), Plan::Order(Box::new(journey)));
        }
        // Somebody tries to refund what never cost anything.
        if self.faults.permille(2) {
            let signup = Name::numbered("sgn-", number);
            let after = self.delay(Millis::HOUR);
            self.take_back(journey.creator, Millis(at.0 + after), ConversionKind::Refund, signup, (None, None));
        }
    }

    pub(super) fn order(&mut self, journey: Journey, at: Millis) {
        let number = self.next_number();
        let evidence = self.evidence(&journey);
        let (amount, stated) = self.price(journey.creator);
        let member = evidence.member.unwrap_or(journey.member);
        let renewal = journey.first_order.is_some();
        let card = ConversionCard {
            conversion_id: order_id(number),
            kind: if renewal { ConversionKind::Renewal } else { ConversionKind::Purchase },
            original_id: journey.first_order.map(order_id),
            amount: Some(amount),
            currency: stated,
            plan: self.traffic.permille(800).then(|| *self.traffic.pick(&PLANS)),
            payment_type: Some(if renewal { PaymentType::Recurring } else { PaymentType::Initial }),
            ..self.card(&journey, evidence)
        };
        let sale = Sale {
            creator: journey.creator,
            member,
            order: number,
            amount,
            stated,
            commission: amount * 12 / 100,
            refunds: 0,
        };
        self.send_order(&sale, card, at);
        self.renew(&journey, number, at);
        self.regret(&sale, at);
        self.pay_commission(&sale, at);
    }

    /// Some orders are held up on their way, and are overtaken by their own refund.
    fn send_order(&mut self, sale: &Sale, card: ConversionCard, at: Millis) {
        if !self.faults.permille(4) {
            return self.publish(sale.creator, at, Content::Conversion(card));
        }
        let held_up = self.faults.between(Millis::HOUR, 3 * Millis::HOUR) / self.tempo.scale;
        self.publish_after(sale.creator, at, held_up, Content::Conversion(card));
        self.schedule(Millis(at.0 + held_up / 3), Plan::Refund(Box::new(*sale)));
    }

    fn renew(&mut self, journey: &Journey, order: u64, at: Millis) {
        if self.traffic.permille(if journey.first_order.is_some() { 700 } else { 250 }) {
            let first_order = Some(journey.first_order.unwrap_or(order));
            let month = (30 * Millis::DAY / self.tempo.scale).max(1);
            let at = Millis(at.0 + month);
            self.schedule(at, Plan::Order(Box::new(Journey { first_order, ..*journey })));
        }
    }

    fn regret(&mut self, sale: &Sale, at: Millis) {
        match self.traffic.below(1_000) {
            0..=69 => {
                let after = self.delay(8 * Millis::DAY);
                self.schedule(Millis(at.0 + after), Plan::Refund(Box::new(*sale)));
            }
            70..=84 => {
                let after = self.delay(18 * Millis::DAY);
                self.schedule(Millis(at.0 + after), Plan::Chargeback(Box::new(*sale)));
            }
            _ => {}
        }
    }

    pub(super) fn refund(&mut self, sale: &Sale, at: Millis) {
        let part = sale.amount * self.traffic.between(10, 80) / 100;
        let amount = match self.traffic.below(100) {
            0..=34 => None,
            35..=59 => Some(sale.amount),
            // Some write what they give back as a negative amount.
            60..=64 => Some(-sale.amount),
            65..=95 => Some(part),
            _ => Some(sale.amount + part + 1),
        };
        let wrong = self.faults.permille(30);
        let currency = if wrong { Some(market::currency("CHF")) } else { sale.stated };
        self.take_back(sale.creator, at, ConversionKind::Refund, order_id(sale.order), (amount, currency));
        let again = if amount == Some(part) { 250 } else { 20 };
        if sale.refunds < 3 && self.traffic.permille(again) {
            let after = self.delay(3 * Millis::DAY);
            let next = Sale { refunds: sale.refunds + 1, ..*sale };
            self.schedule(Millis(at.0 + after), Plan::Refund(Box::new(next)));
        }
        let taken = amount.unwrap_or(sale.amount).abs().min(sale.amount);
        self.settle_refund(sale, taken, at);
    }

    pub(super) fn charge_back(&mut self, sale: &Sale, at: Millis) {
        let amount = self.traffic.permille(500).then_some(sale.amount);
        let kind = ConversionKind::Chargeback;
        let id = self.take_back(sale.creator, at, kind, order_id(sale.order), (amount, sale.stated));
        if self.traffic.permille(400) {
            let after = self.delay(9 * Millis::DAY);
            let named = if self.traffic.permille(700) { id } else { order_id(sale.order) };
            let at = Millis(at.0 + after);
            self.take_back(sale.creator, at, ConversionKind::ChargebackReversed, named, (None, None));
        }
        let after = self.delay(Millis::HOUR);
        self.schedule(Millis(at.0 + after), Plan::Settle(Box::new(*sale), Settlement::Reverse(sale.commission)));
    }

    fn take_back(
        &mut self,
        creator: usize,
        at: Millis,
        kind: ConversionKind,
        original: Name,
        money: (Option<i64>, Option<Currency>),
    ) -> Name {
        let conversion_id = Name::numbered("ret-", self.next_number());
        let card = ConversionCard::taken_back(conversion_id, kind, original, money);
        self.publish(creator, at, Content::Conversion(card));
        conversion_id
    }

    /// Amount, and the currency as written on the order.
    fn price(&mut self, creator: usize) -> (i64, Option<Currency>) {
        let (own, factor) = (self.world.creator(creator).currency, self.world.creator(creator).factor);
        let units = *self.traffic.pick(&PRICES);
        let (currency, factor) = match self.traffic.below(100) {
            0..=3 => (market::currency("USD"), 100),
            4..=5 => (market::currency("JPY"), 1),
            6 => (market::currency("KWD"), 1_000),
            _ => (own, factor),
        };
        let stated = (currency != own || self.traffic.permille(700)).then_some(currency);
        let amount = match self.faults.below(1_000) {
            // A credit note, and an order that costs nothing.
            0..=1 => -market::price(units, factor),
            2..=4 => 0,
            _ => market::price(units, factor),
        };
        (amount, stated)
    }

    fn card(&self, journey: &Journey, evidence: Evidence) -> ConversionCard {
        ConversionCard {
            conversion_id: order_id(0),
            kind: ConversionKind::Signup,
            original_id: None,
            click_id: evidence.click_id,
            code: evidence.code,
            coupon: evidence.coupon,
            customer_id: Some(customer_id(journey.customer)),
            user_id: None,
            ip: None,
            device: (!journey.visitor.is_multiple_of(3)).then(|| market::token(1, journey.visitor)),
            email: None,
            payment: None,
            amount: None,
            currency: None,
            plan: None,
            payment_type: None,
        }
    }

    /// Mostly the click; else a code or a coupon, right, mistyped or not there yet; or nothing.
    fn evidence(&mut self, journey: &Journey) -> Evidence {
        let click_id = Some(Name::numbered("clk-", journey.click));
        let code = self.spell(code_of(journey.member).as_str());
        match self.traffic.below(1_000) {
            0..=699 => Evidence { click_id, ..Evidence::default() },
            700..=799 => Evidence { code: Some(code), ..Evidence::default() },
            800..=859 => Evidence { coupon: coupon_of(journey.member).or(Some(code)), ..Evidence::default() },
            860..=889 => self.foreign_coupon(journey, click_id),
            890..=919 => {
                Evidence { click_id, coupon: Some(Name::new(format_args!("WELCOME10"))), ..Evidence::default() }
            }
            920..=929 => Evidence { click_id: Some(Name::new(format_args!("undefined"))), ..Evidence::default() },
            930..=939 => {
                Evidence { click_id: Some(Name::new(format_args!("clk-0"))), code: Some(code), ..Evidence::default() }
            }
            940..=954 => self.early_code(journey),
            955..=974 => Evidence { click_id, code: Some(code), ..Evidence::default() },
            _ => Evidence::default(),
        }
    }

    /// A coupon of one member, a click of another.
    fn foreign_coupon(&mut self, journey: &Journey, click_id: Option<Name>) -> Evidence {
        let other = self.world.creator(journey.creator).popularity.draw(&mut self.traffic);
        let coupon = coupon_of(other).unwrap_or_else(|| code_of(other));
        Evidence { click_id, coupon: Some(self.spell(coupon.as_str())), code: None, member: Some(other) }
    }

    /// A code of anybody, who may not have joined yet.
    fn early_code(&mut self, journey: &Journey) -> Evidence {
        let members = u64::try_from(self.world.creator(journey.creator).joined.len()).unwrap_or(1);
        let other = usize::try_from(self.traffic.below(members)).unwrap_or_default();
        Evidence { code: Some(code_of(other)), member: Some(other), ..Evidence::default() }
    }
}
