//! A row as an event. Each function names the fields in the order of their table in `schema::fields`.

use crate::event::{
    AttributionModel, AttributionPolicy, Body, Click, Commission, CommissionKind, CommissionPolicy, CommissionSource,
    Conversion, ConversionKind, Creator, Erasure, ErasureSubject, Event, Kind, ListEntry, ListKey, ListKind, Member,
    MemberStatus, OnDue, PaymentType, Precedence, Review, ReviewLabel, ReviewPolicy, ReviewSubject, RuleSet, Share,
    ShareType, Sighting, Template, Verdict,
};
use crate::ids::{
    ClickId, Code, CommissionId, ConversionId, CreatorId, Currency, CustomerId, EventId, MemberId, Millis, Offset,
    Partition, ShareId, Token,
};
use crate::schema::DeadLetter;
use crate::schema::row::{Cell, Row};

/// Why a row is not an event; the slot says which field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    Missing { slot: usize },
    Currency { slot: usize },
}

/// The event of a row, which is spent; its attributes are sorted by key: a map has
/// no order, and a resend may bring another one.
pub(crate) fn event<'a>(kind: Kind, row: &mut Row<'a>) -> Result<Event<'a>, Wrong> {
    let mut take = Taker { row, slot: 0 };
    let event_id = EventId(take.text()?);
    let creator_id = CreatorId(take.text()?);
    let occurred_at = take.time()?;
    let received_at = take.maybe_time();
    let mut attributes = std::mem::take(&mut take.row.attributes).into_owned();
    attributes.sort_unstable();
    take.skip(1);
    let body = match kind {
        Kind::Creator => Body::Creator(creator(&mut take)?),
        Kind::Member => Body::Member(member(&mut take)?),
        Kind::Sighting => Body::Sighting(sighting(&mut take)?),
        Kind::Share => Body::Share(share(&mut take)?),
        Kind::Click => Body::Click(click(&mut take)?),
        Kind::Conversion => Body::Conversion(conversion(&mut take)?),
        Kind::Commission => Body::Commission(commission(&mut take)?),
        Kind::Review => Body::Review(review(&mut take)?),
        Kind::RuleSet => Body::RuleSet(rule_set(&mut take)?),
        Kind::ListEntry => Body::ListEntry(list_entry(&mut take)?),
        Kind::Template => Body::Template(template(&mut take)?),
        Kind::Erasure => Body::Erasure(erasure(&mut take)?),
        Kind::Tick => Body::Tick,
    };
    Ok(Event { event_id, creator_id, occurred_at, received_at, attributes, body })
}

/// The dead letter of a row.
pub(crate) fn dead_letter<'a>(row: &Row<'a>) -> Result<DeadLetter<'a>, Wrong> {
    let text = |slot| if let Cell::Text(text) = row.get(slot) { Ok(text) } else { Err(Wrong::Missing { slot }) };
    let long = |slot| if let Cell::Long(number) = row.get(slot) { Ok(number) } else { Err(Wrong::Missing { slot }) };
    let bytes = |slot| if let Cell::Bytes(bytes) = row.get(slot) { Ok(bytes) } else { Err(Wrong::Missing { slot }) };
    Ok(DeadLetter {
        topic: text(0)?,
        partition: Partition(u32::try_from(long(1)?).map_err(|_| Wrong::Missing { slot: 1 })?),
        offset: Offset(u64::try_from(long(2)?).map_err(|_| Wrong::Missing { slot: 2 })?),
        timestamp: Millis(long(3)?),
        class: text(4)?,
        message: text(5)?,
        key: bytes(6)?,
        value: bytes(7)?,
    })
}

/// Takes a row apart slot by slot.
struct Taker<'r, 'a> {
    row: &'r mut Row<'a>,
    slot: usize,
}

impl<'a> Taker<'_, 'a> {
    #[inline]
    fn next(&mut self) -> Cell<'a> {
        let cell = self.row.get(self.slot);
        self.slot += 1;
        cell
    }

    const fn skip(&mut self, slots: usize) {
        self.slot += slots;
    }

    /// The slot last taken was empty.
    const fn missing(&self) -> Wrong {
        Wrong::Missing { slot: self.slot - 1 }
    }

    #[inline]
    fn maybe_text(&mut self) -> Option<&'a str> {
        if let Cell::Text(text) = self.next() { Some(text) } else { None }
    }

    #[inline]
    fn text(&mut self) -> Result<&'a str, Wrong> {
        self.maybe_text().ok_or(self.missing())
    }

    #[inline]
    fn maybe_long(&mut self) -> Option<i64> {
        if let Cell::Long(number) = self.next() { Some(number) } else { None }
    }

    fn maybe_time(&mut self) -> Option<Millis> {
        self.maybe_long().map(Millis)
    }

    fn time(&mut self) -> Result<Millis, Wrong> {
        self.maybe_time().ok_or(self.missing())
    }

    fn maybe_flag(&mut self) -> Option<bool> {
        if let Cell::Flag(flag) = self.next() { Some(flag) } else { None }
    }

    #[inline]
    fn maybe_token(&mut self) -> Option<Token> {
        if let Cell::Token(token) = self.next() { Some(token) } else { None }
    }

    fn maybe_choice<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let Cell::Symbol(index) = self.next() else { return None };
        all.get(usize::from(index)).copied()
    }

    fn choice<T: Copy>(&mut self, all: &[T]) -> Result<T, Wrong> {
        self.maybe_choice(all).ok_or(self.missing())
    }

    fn maybe_currency(&mut self) -> Result<Option<Currency>, Wrong> {
        let Some(text) = self.maybe_text() else { return Ok(None) };
        Currency::parse(text).map(Some).ok_or(Wrong::Currency { slot: self.slot - 1 })
    }

    fn currency(&mut self) -> Result<Currency, Wrong> {
        self.maybe_currency()?.ok_or(self.missing())
    }

    fn texts(&mut self, list: usize) -> Vec<&'a str> {
        self.slot += 1;
        self.row.texts_mut(list).map(std::mem::take).unwrap_or_default()
    }
}

fn creator<'a>(take: &mut Taker<'_, 'a>) -> Result<Creator<'a>, Wrong> {
    Ok(Creator {
        name: take.text()?,
        currency: take.currency()?,
        time_zone: take.text()?,
        attribution: attribution(take),
        commission: commission_policy(take),
        review: review_policy(take),
        breakdown_pairs: take.texts(0),
        link_base: take.maybe_text(),
        landing_url: take.maybe_text(),
        click_cookie: take.maybe_flag(),
        embed_origins: take.texts(1),
    })
}

fn attribution(take: &mut Taker<'_, '_>) -> Option<AttributionPolicy> {
    let there = take.next() == Cell::Present;
    let policy = AttributionPolicy {
        model: take.maybe_choice(&AttributionModel::ALL),
        precedence: take.maybe_choice(&Precedence::ALL),
        signup_window_ms: take.maybe_long(),
        purchase_window_ms: take.maybe_long(),
    };
    there.then_some(policy)
}

fn commission_policy(take: &mut Taker<'_, '_>) -> Option<CommissionPolicy> {
    let there = take.next() == Cell::Present;
    let policy = CommissionPolicy {
        source: take.maybe_choice(&CommissionSource::ALL),
        rate_bp: take.maybe_long(),
        flat_amount: take.maybe_long(),
        on: conversion_kinds(take),
        hold_days: take.maybe_long(),
    };
    there.then_some(policy)
}

fn conversion_kinds(take: &mut Taker<'_, '_>) -> Vec<ConversionKind> {
    take.skip(1);
    take.row.choices.iter().filter_map(|index| ConversionKind::ALL.get(usize::from(*index)).copied()).collect()
}

fn review_policy(take: &mut Taker<'_, '_>) -> Option<ReviewPolicy> {
    let there = take.next() == Cell::Present;
    let policy = ReviewPolicy { due_days: take.maybe_long(), on_due: take.maybe_choice(&OnDue::ALL) };
    there.then_some(policy)
}

fn member<'a>(take: &mut Taker<'_, 'a>) -> Result<Member<'a>, Wrong> {
    Ok(Member {
        member_id: MemberId(take.text()?),
        user_id: take.maybe_text(),
        username: take.maybe_text(),
        referral_code: take.maybe_text().map(Code),
        coupons: take.texts(0).into_iter().map(Code).collect(),
        joined_at: take.maybe_time(),
        status: take.maybe_choice(&MemberStatus::ALL),
    })
}

fn sighting<'a>(take: &mut Taker<'_, 'a>) -> Result<Sighting<'a>, Wrong> {
    Ok(Sighting {
        member_id: MemberId(take.text()?),
        ip_token: take.maybe_token(),
        ip56_token: take.maybe_token(),
        device_token: take.maybe_token(),
        email_token: take.maybe_token(),
        payout_token: take.maybe_token(),
    })
}

fn share<'a>(take: &mut Taker<'_, 'a>) -> Result<Share<'a>, Wrong> {
    Ok(Share {
        share_id: ShareId(take.text()?),
        member_id: MemberId(take.text()?),
        platform: take.text()?,
        share_type: take.choice(&ShareType::ALL)?,
        template_id: take.maybe_text(),
        locale: take.maybe_text(),
    })
}

fn click<'a>(take: &mut Taker<'_, 'a>) -> Result<Click<'a>, Wrong> {
    Ok(Click {
        click_id: ClickId(take.text()?),
        member_id: take.maybe_text().map(MemberId),
        referral_code: take.maybe_text().map(Code),
        share_id: take.maybe_text().map(ShareId),
        platform: take.maybe_text(),
        ip_token: take.maybe_token(),
        ip56_token: take.maybe_token(),
        device_token: take.maybe_token(),
        user_agent: take.maybe_text(),
        method: take.maybe_text(),
        purpose: take.maybe_text(),
        referrer: take.maybe_text(),
        utm_source: take.maybe_text(),
        utm_medium: take.maybe_text(),
        utm_campaign: take.maybe_text(),
        utm_term: take.maybe_text(),
        utm_content: take.maybe_text(),
        country: take.maybe_text(),
        device_class: take.maybe_text(),
    })
}

fn conversion<'a>(take: &mut Taker<'_, 'a>) -> Result<Conversion<'a>, Wrong> {
    Ok(Conversion {
        conversion_id: ConversionId(take.text()?),
        kind: take.choice(&ConversionKind::ALL)?,
        original_id: take.maybe_text().map(ConversionId),
        click_id: take.maybe_text().map(ClickId),
        referral_code: take.maybe_text().map(Code),
        coupon: take.maybe_text().map(Code),
        customer_id: take.maybe_text().map(CustomerId),
        user_id: take.maybe_text(),
        ip_token: take.maybe_token(),
        device_token: take.maybe_token(),
        email_token: take.maybe_token(),
        payment_token: take.maybe_token(),
        amount: take.maybe_long(),
        currency: take.maybe_currency()?,
        plan: take.maybe_text(),
        payment_type: take.maybe_choice(&PaymentType::ALL),
    })
}

fn commission<'a>(take: &mut Taker<'_, 'a>) -> Result<Commission<'a>, Wrong> {
    Ok(Commission {
        commission_id: CommissionId(take.text()?),
        kind: take.choice(&CommissionKind::ALL)?,
        member_id: MemberId(take.text()?),
        conversion_id: take.maybe_text().map(ConversionId),
        amount: take.maybe_long(),
        currency: take.maybe_currency()?,
        sale_amount: take.maybe_long(),
        payment_type: take.maybe_choice(&PaymentType::ALL),
        paid_at: take.maybe_time(),
    })
}

fn review<'a>(take: &mut Taker<'_, 'a>) -> Result<Review<'a>, Wrong> {
    Ok(Review {
        subject_type: take.choice(&ReviewSubject::ALL)?,
        subject_id: take.text()?,
        decision_id: take.maybe_text(),
        verdict: take.choice(&Verdict::ALL)?,
        label: take.choice(&ReviewLabel::ALL)?,
        reason: take.text()?,
        actor: take.text()?,
        expires_at: take.maybe_time(),
    })
}

fn rule_set<'a>(take: &mut Taker<'_, 'a>) -> Result<RuleSet<'a>, Wrong> {
    Ok(RuleSet { rule_set_id: take.text()?, version: take.maybe_text(), definition: take.maybe_text() })
}

fn list_entry<'a>(take: &mut Taker<'_, 'a>) -> Result<ListEntry<'a>, Wrong> {
    Ok(ListEntry {
        list: take.choice(&ListKind::ALL)?,
        key: take.choice(&ListKey::ALL)?,
        value: take.text()?,
        active: take.maybe_flag().unwrap_or(true),
        actor: take.maybe_text(),
        expires_at: take.maybe_time(),
    })
}

fn template<'a>(take: &mut Taker<'_, 'a>) -> Result<Template<'a>, Wrong> {
    Ok(Template {
        template_id: take.text()?,
        platform: take.text()?,
        category: take.text()?,
        locale: take.maybe_text(),
        text: take.text()?,
        active: take.maybe_flag().unwrap_or(true),
    })
}

fn erasure<'a>(take: &mut Taker<'_, 'a>) -> Result<Erasure<'a>, Wrong> {
    Ok(Erasure { subject_type: take.choice(&ErasureSubject::ALL)?, subject_id: take.text()?, actor: take.text()? })
}
