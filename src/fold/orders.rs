//! Conversions: revenue at once, credit when it is known (SEMANTICS §3, §7).

use bytemuck::Zeroable;

use super::attribute::Credit;
use super::booking::{Booked, Movement};
use super::effects::Named;
use super::records::{Conversion as Record, ConversionTexts, Counts, NO_ID, NONE, Text};
use super::state::FOR_EVER;
use super::{Stop, Turn, kind};
use crate::event::{Conversion, ConversionKind, PaymentType};
use crate::ids::Millis;
use crate::keep::Id128;

/// The kind's number in the record.
pub const fn number(kind: ConversionKind) -> u8 {
    match kind {
        ConversionKind::Signup => 0,
        ConversionKind::Purchase => 1,
        ConversionKind::Renewal => 2,
        ConversionKind::Refund => 3,
        ConversionKind::Chargeback => 4,
        ConversionKind::ChargebackReversed => 5,
    }
}

/// The kind's bit in `Creator::earns_on`.
pub(super) const fn bit(kind: ConversionKind) -> u8 {
    1 << number(kind)
}

impl Record {
    pub fn kind(&self) -> ConversionKind {
        match self.kind {
            0 => ConversionKind::Signup,
            1 => ConversionKind::Purchase,
            2 => ConversionKind::Renewal,
            3 => ConversionKind::Refund,
            4 => ConversionKind::Chargeback,
            _ => ConversionKind::ChargebackReversed,
        }
    }

    pub fn is_order(&self) -> bool {
        matches!(self.kind(), ConversionKind::Purchase | ConversionKind::Renewal)
    }

    /// What refunds and chargebacks may still take.
    pub(super) fn left(&self) -> i64 {
        self.amount.saturating_sub(self.moved).max(0)
    }

    /// How a change of it at `t` is booked.
    pub(super) const fn booked(&self, t: Millis) -> Booked {
        Booked { t, day: self.day, group: self.group }
    }

    /// With money left, and not blocked: it makes its customer a customer.
    pub(super) fn is_live_order(&self) -> bool {
        self.is_order() && self.left() > 0 && self.blocked == 0
    }
}

impl Turn<'_> {
    pub(super) fn conversion(&mut self, stated: &Conversion<'_>) -> Result<(), Stop> {
        match stated.kind {
            ConversionKind::Signup | ConversionKind::Purchase | ConversionKind::Renewal => {
                self.order(stated);
                Ok(())
            }
            ConversionKind::Refund | ConversionKind::Chargeback => self.take_back(stated),
            ConversionKind::ChargebackReversed => self.give_back(stated),
        }
    }

    /// Signups too: an order of nothing.
    fn order(&mut self, stated: &Conversion<'_>) {
        let (id, mut record) = self.conversion_record(stated);
        self.keep_settings(stated, &mut record);
        if record.customer == NO_ID {
            // Nobody knows who it was: a customer of its own.
            record.customer = id;
        }
        self.state.conversions.put(&id, record, self.t);
        self.touch_conversion(id);
        self.keep_actor(id, &record, stated);
        self.count_order(&record);
        if record.is_order() {
            self.count_creator(record.booked(self.t), &Counts { orders: 1, ..Counts::default() });
            let moved = Movement { gross: i128::from(record.amount), ..Movement::default() };
            self.book_creator(record.booked(self.t), record.currency, &moved);
        }
        self.enlist(id, &record);
        self.regroup_commissions(id, record.group);
        self.try_credit(id, false);
        self.arrive(id);
    }

    /// What every kind of conversion keeps.
    pub(super) fn conversion_record(&mut self, stated: &Conversion<'_>) -> (Id128, Record) {
        let mut record = Record::zeroed();
        record.t = self.t.0;
        record.amount = stated.amount.unwrap_or(0);
        record.names = self.subject.facts;
        record.original = stated.original_id.map_or(NO_ID, |id| self.id(kind::CONVERSION, id.0));
        record.customer = stated.customer_id.map_or(NO_ID, |id| self.id(kind::CUSTOMER, id.0));
        record.click = stated.click_id.map_or(NO_ID, |id| self.id(kind::CLICK, id.0));
        record.code = stated.referral_code.map_or(NO_ID, |code| self.code_id(code));
        record.coupon = stated.coupon.map_or(NO_ID, |code| self.code_id(code));
        record.creator = self.c;
        record.n = NONE;
        record.click_t = i64::MIN;
        record.currency = self.currency(stated.currency);
        record.kind = number(stated.kind);
        record.credit = Credit::NotApplicable.number();
        record.payment_type = payment_type(stated.payment_type);
        let texts = ConversionTexts {
            id: Text::new(stated.conversion_id.0),
            original_id: Text::new(stated.original_id.map_or("", |id| id.0)),
            customer_id: Text::new(stated.customer_id.map_or("", |id| id.0)),
            click_id: Text::new(stated.click_id.map_or("", |id| id.0)),
            credited_click_id: Text::new(""),
            code: Text::new(stated.referral_code.map_or("", |code| code.0.trim())),
            coupon: Text::new(stated.coupon.map_or("", |code| code.0.trim())),
            plan: Text::new(stated.plan.unwrap_or("")),
        };
        self.state.conversion_texts.put(&self.subject.id, texts, self.t);
        self.touch_name(Named::Conversion(self.t), stated.conversion_id.0.to_owned());
        (self.subject.id, record)
    }

    /// An order keeps the settings under which it came.
    fn keep_settings(&mut self, stated: &Conversion<'_>, record: &mut Record) {
        record.day = self.booked_day(self.t);
        record.group = self.group_of_conversion(stated);
        record.visitor = self.visitor(stated.device_token, stated.ip_token);
        let creator = self.creator();
        let is_signup = stated.kind == ConversionKind::Signup;
        record.window = if is_signup { creator.signup_window } else { creator.purchase_window };
        record.rate_bp = creator.rate_bp;
        record.flat_amount = if record.currency == creator.currency { creator.flat_amount } else { 0 };
        record.hold_days = creator.hold_days;
        record.model = creator.model;
        record.click_first = creator.precedence;
        record.derives = u8::from(creator.source == 1 && creator.earns_on & bit(stated.kind) != 0);
    }

    pub(super) fn touch_conversion(&mut self, id: Id128) {
        self.effects.fast.conversions.insert(id, self.at);
    }

    /// The text of a conversion's id.
    pub(super) fn conversion_name(&self, id: Id128) -> Text {
        self.state.conversion_texts.get(&id, FOR_EVER).map_or_else(Text::zeroed, |texts| texts.id)
    }

    /// Whether `a` is before `b`: by time, then by id.
    pub(super) fn is_before(&self, a: (i64, Id128), b: (i64, Id128)) -> bool {
        a.0 < b.0 || (a.0 == b.0 && self.conversion_name(a.1).as_str() < self.conversion_name(b.1).as_str())
    }

    /// A conversion that is known to be there.
    pub(super) fn conversion_at(&self, id: Id128) -> Record {
        // A damaged read poisons the store: its `tick` drops what was made of this zero.
        self.state.conversions.get(&id, FOR_EVER).unwrap_or_else(Record::zeroed)
    }
}

/// 0 unknown, 1 initial, 2 recurring.
pub(super) const fn payment_type(stated: Option<PaymentType>) -> u8 {
    match stated {
        None => 0,
        Some(PaymentType::Initial) => 1,
        Some(PaymentType::Recurring) => 2,
    }
}
