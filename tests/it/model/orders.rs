//! Conversions: sales, and what takes their money back or restores it (SEMANTICS §7).

use tributary::event::{self, ConversionKind};

use super::history::{Awaited, Conversion, Creator, Credit, Record, Visitor};
use super::record::{Outcome, Stop};

impl<'a> Creator<'a> {
    pub(crate) fn conversion_record(&mut self, record: &Record<'a>, stated: &event::Conversion<'a>) -> Outcome<'a> {
        match stated.kind {
            ConversionKind::Signup | ConversionKind::Purchase | ConversionKind::Renewal => {
                self.sale(record, stated);
                Ok(())
            }
            ConversionKind::Refund | ConversionKind::Chargeback => self.take_back(record, stated),
            ConversionKind::ChargebackReversed => self.give_back(record, stated),
        }
    }

    /// Never parked: revenue at once, credit when it is known.
    fn sale(&mut self, record: &Record<'a>, stated: &event::Conversion<'a>) {
        let c = self.add_conversion(record, stated);
        self.try_credit(c, false);
        self.arrive(Awaited::Conversion(stated.conversion_id.0));
    }

    fn add_conversion(&mut self, record: &Record<'a>, stated: &event::Conversion<'a>) -> usize {
        let currency = stated.currency.unwrap_or(self.settings().currency);
        let order = self.next_order();
        let conversion = Conversion {
            stated: stated.clone(),
            order,
            t: record.t,
            local_day: self.local_day(record.t),
            amount: stated.amount.unwrap_or(0),
            currency,
            terms: self.terms(stated.kind, currency),
            visitor: Visitor::of(stated.device_token, stated.ip_token),
            credit: Credit::NotApplicable,
            deadline: None,
            queued: 0,
            moves: None,
            is_undone: false,
        };
        self.conversions.push(conversion);
        self.conversions.len() - 1
    }

    fn original(&self, stated: &event::Conversion<'a>) -> Result<usize, Stop<'a>> {
        let id = stated.original_id.expect("well formed: a refund names its order").0;
        self.conversion(id).ok_or(Stop::Park(Awaited::Conversion(id)))
    }

    fn take_back(&mut self, record: &Record<'a>, stated: &event::Conversion<'a>) -> Outcome<'a> {
        let order = self.original(stated)?;
        let (is_order, currency) = (self.conversions[order].is_order(), self.conversions[order].currency);
        if !is_order {
            return Err(Stop::Dead("not_refundable"));
        }
        if stated.currency.is_some_and(|stated| stated != currency) {
            return Err(Stop::Dead("currency_mismatch"));
        }
        let left = self.left(order);
        if left == 0 {
            return Err(Stop::Dead("over_refund"));
        }
        // The sign is ignored; nothing stated is all that is left.
        let asked = stated.amount.map_or(left, i64::abs);
        if asked > left {
            self.letters.push((record.offset, "over_refund"));
        }
        if stated.kind == ConversionKind::Chargeback {
            self.arrive(Awaited::ChargebackOf(self.conversions[order].id()));
        }
        self.add_move(record, stated, order, asked.min(left));
        Ok(())
    }

    /// Restores what a chargeback took: the one named, or the latest open one of the order named.
    fn give_back(&mut self, record: &Record<'a>, stated: &event::Conversion<'a>) -> Outcome<'a> {
        let original = self.original(stated)?;
        let chargeback = match self.conversions[original].kind() {
            ConversionKind::Chargeback => original,
            ConversionKind::Purchase | ConversionKind::Renewal => {
                let of = |c: &usize| {
                    let conversion = &self.conversions[*c];
                    conversion.moves == Some(original)
                        && conversion.kind() == ConversionKind::Chargeback
                        && !conversion.is_undone
                };
                let open = (0..self.conversions.len()).filter(of);
                let latest = open.max_by_key(|c| self.conversions[*c].place());
                latest.ok_or(Stop::Park(Awaited::ChargebackOf(self.conversions[original].id())))?
            }
            ConversionKind::Signup | ConversionKind::Refund | ConversionKind::ChargebackReversed => {
                return Err(Stop::Dead("not_refundable"));
            }
        };
        if self.conversions[chargeback].is_undone {
            return Err(Stop::Dead("not_refundable"));
        }
        self.conversions[chargeback].is_undone = true;
        let order = self.conversions[chargeback].moves.expect("a chargeback is of an order");
        self.add_move(record, stated, order, self.conversions[chargeback].amount);
        Ok(())
    }

    fn add_move(&mut self, record: &Record<'a>, stated: &event::Conversion<'a>, order: usize, amount: i64) {
        let c = self.add_conversion(record, stated);
        let currency = self.conversions[order].currency;
        let conversion = &mut self.conversions[c];
        (conversion.amount, conversion.currency, conversion.moves) = (amount, currency, Some(order));
        self.arrive(Awaited::Conversion(stated.conversion_id.0));
    }
}
