//! Fields as an event. Each function takes the fields in the order of their table in `schema::fields`, wherever they
//! come from: a row, or the bytes of a record whose schema is ours.

use crate::event::{
    AttributionModel, AttributionPolicy, Body, Click, Commission, CommissionKind, CommissionPolicy, CommissionSource,
    Conversion, ConversionKind, Creator, Erasure, ErasureSubject, Event, Kind, ListEntry, ListKey, ListKind, Member,
    MemberStatus, OnDue, PaymentType, Precedence, Review, ReviewLabel, ReviewPolicy, ReviewSubject, RuleSet,
    RuleSetMode, Share, ShareType, Sighting, Template, Verdict,
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
    Missing {
        slot: usize,
    },
    /// `currency`, the one field of the kind, is none.
    Currency,
}

/// The event of a row, which is spent; its attributes are sorted by key: a map has
/// no order, and a resend may bring another one.
pub(crate) fn event<'a>(kind: Kind, row: &mut Row<'a>) -> Result<Event<'a>, Wrong> {
    let mut event = Event::default();
    of_fields(kind, &mut Taker(Cells { row, slot: 0 }), creator, &mut event)?;
    Ok(event)
}

/// Makes `event` the one whose fields come one after the other; `creator` makes one of the fields that only creators
/// have. In place, because an event is large: handing it on by value costs as much as reading it.
#[inline]
pub(super) fn of_fields<'a, F: Fields<'a>>(
    kind: Kind,
    take: &mut Taker<F>,
    creator: impl FnOnce(&mut Taker<F>) -> Result<Creator<'a>, F::Error>,
    event: &mut Event<'a>,
) -> Result<(), F::Error> {
    event.event_id = EventId(take.text()?);
    event.creator_id = CreatorId(take.text()?);
    event.occurred_at = Millis(take.long()?);
    event.received_at = take.maybe_long()?.map(Millis);
    event.attributes = take.0.notes()?;
    event.attributes.sort_unstable();
    event.body = match kind {
        Kind::Creator => Body::Creator(creator(take)?),
        Kind::Member => Body::Member(member(take)?),
        Kind::Sighting => Body::Sighting(sighting(take)?),
        Kind::Share => Body::Share(share(take)?),
        Kind::Click => Body::Click(click(take)?),
        Kind::Conversion => Body::Conversion(conversion(take)?),
        Kind::Commission => Body::Commission(commission(take)?),
        Kind::Review => Body::Review(review(take)?),
        Kind::RuleSet => Body::RuleSet(rule_set(take)?),
        Kind::ListEntry => Body::ListEntry(list_entry(take)?),
        Kind::Template => Body::Template(template(take)?),
        Kind::Erasure => Body::Erasure(erasure(take)?),
        Kind::Tick => Body::Tick,
    };
    Ok(())
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

/// Where fields come from: in the order of their table, each taken once.
pub(super) trait Fields<'a> {
    type Error: From<Wrong>;
    /// Whether the coming field, an optional one, is there; if not, it is passed over.
    fn is_there(&mut self) -> Result<bool, Self::Error>;
    fn text(&mut self) -> Result<&'a str, Self::Error>;
    fn token(&mut self) -> Result<Token, Self::Error>;
    fn number(&mut self, form: Form) -> Result<i64, Self::Error>;
    fn notes(&mut self) -> Result<Vec<(&'a str, &'a str)>, Self::Error>;
    /// The list with this number.
    fn texts(&mut self, list: usize) -> Result<Vec<&'a str>, Self::Error>;
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Long,
    /// The index of a symbol.
    Symbol,
    /// 0 or 1.
    Flag,
}

/// Takes fields as the types that events have.
pub(super) struct Taker<F>(pub(super) F);

impl<'a, F: Fields<'a>> Taker<F> {
    #[inline]
    fn text(&mut self) -> Result<&'a str, F::Error> {
        self.0.text()
    }

    #[inline]
    fn maybe_text(&mut self) -> Result<Option<&'a str>, F::Error> {
        if self.0.is_there()? { self.0.text().map(Some) } else { Ok(None) }
    }

    #[inline]
    fn maybe_token(&mut self) -> Result<Option<Token>, F::Error> {
        if self.0.is_there()? { self.0.token().map(Some) } else { Ok(None) }
    }

    #[inline]
    fn long(&mut self) -> Result<i64, F::Error> {
        self.0.number(Form::Long)
    }

    #[inline]
    fn maybe_long(&mut self) -> Result<Option<i64>, F::Error> {
        if self.0.is_there()? { self.long().map(Some) } else { Ok(None) }
    }

    /// A field with the default `true`.
    #[inline]
    fn flag(&mut self) -> Result<bool, F::Error> {
        Ok(self.0.number(Form::Flag)? == 1)
    }

    #[inline]
    fn maybe_flag(&mut self) -> Result<Option<bool>, F::Error> {
        if self.0.is_there()? { self.flag().map(Some) } else { Ok(None) }
    }

    /// One of `all`, which are as many as the schema has symbols.
    #[inline]
    fn choice<T: Copy>(&mut self, all: &[T]) -> Result<T, F::Error> {
        let index = self.0.number(Form::Symbol)?;
        let choice = usize::try_from(index).ok().and_then(|index| all.get(index));
        choice.copied().ok_or_else(|| Wrong::Missing { slot: 0 }.into())
    }

    #[inline]
    fn maybe_choice<T: Copy>(&mut self, all: &[T]) -> Result<Option<T>, F::Error> {
        if self.0.is_there()? { self.choice(all).map(Some) } else { Ok(None) }
    }

    #[inline]
    fn currency(&mut self) -> Result<Currency, F::Error> {
        Currency::parse(self.text()?).ok_or_else(|| Wrong::Currency.into())
    }

    #[inline]
    fn maybe_currency(&mut self) -> Result<Option<Currency>, F::Error> {
        if self.0.is_there()? { self.currency().map(Some) } else { Ok(None) }
    }
}

/// Takes a row apart slot by slot.
pub(super) struct Cells<'r, 'a> {
    row: &'r mut Row<'a>,
    slot: usize,
}

impl<'a> Cells<'_, 'a> {
    fn next(&mut self) -> Cell<'a> {
        let cell = self.row.get(self.slot);
        self.slot += 1;
        cell
    }

    /// The slot last taken was empty, or is of another type.
    const fn missing(&self) -> Wrong {
        Wrong::Missing { slot: self.slot - 1 }
    }

    /// Whether the nested record is there, whose fields follow.
    fn record(&mut self) -> bool {
        self.next() == Cell::Present
    }

    fn choices<T: Copy>(&mut self, all: &[T]) -> Vec<T> {
        self.slot += 1;
        self.row.choices.iter().filter_map(|index| all.get(usize::from(*index)).copied()).collect()
    }
}

impl<'a> Fields<'a> for Cells<'_, 'a> {
    type Error = Wrong;

    fn is_there(&mut self) -> Result<bool, Wrong> {
        let is_there = self.row.get(self.slot) != Cell::Absent;
        self.slot += usize::from(!is_there);
        Ok(is_there)
    }

    fn text(&mut self) -> Result<&'a str, Wrong> {
        if let Cell::Text(text) = self.next() { Ok(text) } else { Err(self.missing()) }
    }

    fn token(&mut self) -> Result<Token, Wrong> {
        if let Cell::Token(token) = self.next() { Ok(token) } else { Err(self.missing()) }
    }

    fn number(&mut self, form: Form) -> Result<i64, Wrong> {
        match (self.next(), form) {
            (Cell::Long(number), Form::Long) => Ok(number),
            (Cell::Symbol(index), Form::Symbol) => Ok(i64::from(index)),
            (Cell::Flag(flag), Form::Flag) => Ok(i64::from(flag)),
            // Of the schema's default.
            (Cell::Absent, Form::Flag) => Ok(1),
            (_, _) => Err(self.missing()),
        }
    }

    fn notes(&mut self) -> Result<Vec<(&'a str, &'a str)>, Wrong> {
        self.slot += 1;
        Ok(std::mem::take(&mut self.row.attributes).into_owned())
    }

    fn texts(&mut self, list: usize) -> Result<Vec<&'a str>, Wrong> {
        self.slot += 1;
        Ok(self.row.texts_mut(list).map(std::mem::take).unwrap_or_default())
    }
}

fn creator<'a>(take: &mut Taker<Cells<'_, 'a>>) -> Result<Creator<'a>, Wrong> {
    Ok(Creator {
        name: take.text()?,
        currency: take.currency()?,
        time_zone: take.text()?,
        attribution: attribution(take)?,
        commission: commission_policy(take)?,
        review: review_policy(take)?,
        breakdown_pairs: take.0.texts(0)?,
        link_base: take.maybe_text()?,
        landing_url: take.maybe_text()?,
        click_cookie: take.maybe_flag()?,
        embed_origins: take.0.texts(1)?,
    })
}

fn attribution(take: &mut Taker<Cells<'_, '_>>) -> Result<Option<AttributionPolicy>, Wrong> {
    let there = take.0.record();
    let policy = AttributionPolicy {
        model: take.maybe_choice(&AttributionModel::ALL)?,
        precedence: take.maybe_choice(&Precedence::ALL)?,
        signup_window_ms: take.maybe_long()?,
        purchase_window_ms: take.maybe_long()?,
    };
    Ok(there.then_some(policy))
}

fn commission_policy(take: &mut Taker<Cells<'_, '_>>) -> Result<Option<CommissionPolicy>, Wrong> {
    let there = take.0.record();
    let policy = CommissionPolicy {
        source: take.maybe_choice(&CommissionSource::ALL)?,
        rate_bp: take.maybe_long()?,
        flat_amount: take.maybe_long()?,
        on: take.0.choices(&ConversionKind::ALL),
        hold_days: take.maybe_long()?,
    };
    Ok(there.then_some(policy))
}

fn review_policy(take: &mut Taker<Cells<'_, '_>>) -> Result<Option<ReviewPolicy>, Wrong> {
    let there = take.0.record();
    let policy = ReviewPolicy { due_days: take.maybe_long()?, on_due: take.maybe_choice(&OnDue::ALL)? };
    Ok(there.then_some(policy))
}

fn member<'a, F: Fields<'a>>(take: &mut Taker<F>) -> Result<Member<'a>, F::Error> {
    Ok(Member {
        member_id: MemberId(take.text()?),
        user_id: take.maybe_text()?,
        username: take.maybe_text()?,
        referral_code: take.maybe_text()?.map(Code),
        coupons: take.0.texts(0)?.into_iter().map(Code).collect(),
        joined_at: take.maybe_long()?.map(Millis),
        status: take.maybe_choice(&MemberStatus::ALL)?,
    })
}

fn sighting<'a, F: Fields<'a>>(take: &mut Taker<F>) -> Result<Sighting<'a>, F::Error> {
    Ok(Sighting {
        member_id: MemberId(take.text()?),
        ip_token: take.maybe_token()?,
        ip56_token: take.maybe_token()?,
        device_token: take.maybe_token()?,
        email_token: take.maybe_token()?,
        payout_token: take.maybe_token()?,
    })
}

fn share<'a, F: Fields<'a>>(take: &mut Taker<F>) -> Result<Share<'a>, F::Error> {
    Ok(Share {
        share_id: ShareId(take.text()?),
        member_id: MemberId(take.text()?),
        platform: take.text()?,
        share_type: take.choice(&ShareType::ALL)?,
        template_id: take.maybe_text()?,
        locale: take.maybe_text()?,
    })
}

fn click<'a, F: Fields<'a>>(take: &mut Taker<F>) -> Result<Click<'a>, F::Error> {
    Ok(Click {
        click_id: ClickId(take.text()?),
        member_id: take.maybe_text()?.map(MemberId),
        referral_code: take.maybe_text()?.map(Code),
        share_id: take.maybe_text()?.map(ShareId),
        platform: take.maybe_text()?,
        ip_token: take.maybe_token()?,
        ip56_token: take.maybe_token()?,
        device_token: take.maybe_token()?,
        user_agent: take.maybe_text()?,
        method: take.maybe_text()?,
        purpose: take.maybe_text()?,
        referrer: take.maybe_text()?,
        utm_source: take.maybe_text()?,
        utm_medium: take.maybe_text()?,
        utm_campaign: take.maybe_text()?,
        utm_term: take.maybe_text()?,
        utm_content: take.maybe_text()?,
        country: take.maybe_text()?,
        device_class: take.maybe_text()?,
    })
}

fn conversion<'a, F: Fields<'a>>(take: &mut Taker<F>) -> Result<Conversion<'a>, F::Error> {
    Ok(Conversion {
        conversion_id: ConversionId(take.text()?),
        kind: take.choice(&ConversionKind::ALL)?,
        original_id: take.maybe_text()?.map(ConversionId),
        click_id: take.maybe_text()?.map(ClickId),
        referral_code: take.maybe_text()?.map(Code),
        coupon: take.maybe_text()?.map(Code),
        customer_id: take.maybe_text()?.map(CustomerId),
        user_id: take.maybe_text()?,
        ip_token: take.maybe_token()?,
        device_token: take.maybe_token()?,
        email_token: take.maybe_token()?,
        payment_token: take.maybe_token()?,
        amount: take.maybe_long()?,
        currency: take.maybe_currency()?,
        plan: take.maybe_text()?,
        payment_type: take.maybe_choice(&PaymentType::ALL)?,
    })
}

fn commission<'a, F: Fields<'a>>(take: &mut Taker<F>) -> Result<Commission<'a>, F::Error> {
    Ok(Commission {
        commission_id: CommissionId(take.text()?),
        kind: take.choice(&CommissionKind::ALL)?,
        member_id: MemberId(take.text()?),
        conversion_id: take.maybe_text()?.map(ConversionId),
        amount: take.maybe_long()?,
        currency: take.maybe_currency()?,
        sale_amount: take.maybe_long()?,
        payment_type: take.maybe_choice(&PaymentType::ALL)?,
        paid_at: take.maybe_long()?.map(Millis),
    })
}

fn review<'a, F: Fields<'a>>(take: &mut Taker<F>) -> Result<Review<'a>, F::Error> {
    Ok(Review {
        subject_type: take.choice(&ReviewSubject::ALL)?,
        subject_id: take.text()?,
        decision_id: take.maybe_text()?,
        verdict: take.choice(&Verdict::ALL)?,
        label: take.choice(&ReviewLabel::ALL)?,
        reason: take.text()?,
        actor: take.text()?,
        expires_at: take.maybe_long()?.map(Millis),
    })
}

fn rule_set<'a, F: Fields<'a>>(take: &mut Taker<F>) -> Result<RuleSet<'a>, F::Error> {
    Ok(RuleSet {
        rule_set_id: take.text()?,
        version: take.maybe_text()?,
        definition: take.maybe_text()?,
        mode: take.maybe_choice(&RuleSetMode::ALL)?,
    })
}

fn list_entry<'a, F: Fields<'a>>(take: &mut Taker<F>) -> Result<ListEntry<'a>, F::Error> {
    Ok(ListEntry {
        list: take.choice(&ListKind::ALL)?,
        key: take.choice(&ListKey::ALL)?,
        value: take.text()?,
        active: take.flag()?,
        actor: take.maybe_text()?,
        expires_at: take.maybe_long()?.map(Millis),
    })
}

fn template<'a, F: Fields<'a>>(take: &mut Taker<F>) -> Result<Template<'a>, F::Error> {
    Ok(Template {
        template_id: take.text()?,
        platform: take.text()?,
        category: take.text()?,
        locale: take.maybe_text()?,
        text: take.text()?,
        active: take.flag()?,
    })
}

fn erasure<'a, F: Fields<'a>>(take: &mut Taker<F>) -> Result<Erasure<'a>, F::Error> {
    Ok(Erasure { subject_type: take.choice(&ErasureSubject::ALL)?, subject_id: take.text()?, actor: take.text()? })
}
