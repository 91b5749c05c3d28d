//! Simulated records: owned, small, and lent as events.

use std::fmt;

use crate::event::{
    AttributionPolicy, Body, Click, Commission, CommissionKind, CommissionPolicy, Conversion, ConversionKind, Creator,
    Event, ListEntry, ListKey, ListKind, Member, MemberStatus, PaymentType, Share, ShareType, Sighting,
};
use crate::ids::{
    ClickId, Code, CommissionId, ConversionId, CreatorId, Currency, CustomerId, EventId, MemberId, Millis, ShareId,
    Token,
};

/// An id of at most 46 bytes, kept in place: making and copying one asks for no memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    bytes: [u8; 46],
    len: u8,
}

impl Name {
    pub(super) fn new(text: fmt::Arguments<'_>) -> Self {
        let mut name = Self { bytes: [0; 46], len: 0 };
        fmt::Write::write_fmt(&mut name, text).expect("names of the simulation are short");
        name
    }

    /// `prefix` and a number: most ids.
    pub(super) fn numbered(prefix: &str, mut number: u64) -> Self {
        let mut digits = [0_u8; 20];
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
            used += 1;
            if number == 0 {
                break;
            }
        }
        let mut name = Self { bytes: [0; 46], len: 0 };
        name.append(prefix.as_bytes()).expect("prefixes are short");
        name.append(digits.get(digits.len() - used..).unwrap_or_default()).expect("20 digits fit");
        name
    }

    /// `prefix` and sixteen hexadecimal digits: ids that tell nothing of when and by whom they were made.
    pub(super) fn hex(prefix: &str, mut number: u64) -> Self {
        let mut digits = [b'0'; 16];
        for digit in digits.iter_mut().rev() {
            *digit = *b"0123456789abcdef".get(usize::try_from(number & 15).unwrap_or_default()).unwrap_or(&b'0');
            number >>= 4;
        }
        let mut name = Self { bytes: [0; 46], len: 0 };
        name.append(prefix.as_bytes()).expect("prefixes are short");
        name.append(&digits).expect("16 digits fit");
        name
    }

    fn append(&mut self, bytes: &[u8]) -> fmt::Result {
        let from = usize::from(self.len);
        let to = from + bytes.len();
        self.bytes.get_mut(from..to).ok_or(fmt::Error)?.copy_from_slice(bytes);
        self.len = u8::try_from(to).map_err(|_| fmt::Error)?;
        Ok(())
    }

    pub(super) fn as_str(&self) -> &str {
        let used = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(used).expect("a name is made of text")
    }
}

impl fmt::Write for Name {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.append(text.as_bytes())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One record on its way into the log.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// When the log takes it in; records come in this order.
    pub arrival: Millis,
    pub(super) event_id: Name,
    pub(super) creator_id: Name,
    pub(super) occurred_at: Millis,
    /// A few producers write to the log themselves: no intake has stamped theirs.
    pub(super) stamped: bool,
    pub(super) body: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Creator(Box<CreatorCard>),
    Member(Box<MemberCard>),
    Sighting(SightingCard),
    Share(ShareCard),
    Click(ClickCard),
    Conversion(ConversionCard),
    Commission(CommissionCard),
    ListEntry(ListCard),
}

#[derive(Debug, Clone)]
pub(super) struct CreatorCard {
    pub(super) name: String,
    pub(super) currency: Currency,
    pub(super) time_zone: &'static str,
    pub(super) attribution: Option<AttributionPolicy>,
    pub(super) commission: Option<CommissionPolicy>,
}

#[derive(Debug, Clone)]
pub(super) struct MemberCard {
    pub(super) member_id: Name,
    pub(super) user_id: Option<Name>,
    pub(super) username: Option<Name>,
    pub(super) code: Option<Name>,
    pub(super) coupons: Vec<Name>,
    pub(super) joined_at: Option<Millis>,
    pub(super) status: Option<MemberStatus>,
}

#[derive(Debug, Clone)]
pub(super) struct SightingCard {
    pub(super) member_id: Name,
    pub(super) ip: Option<Token>,
    pub(super) ip56: Option<Token>,
    pub(super) device: Option<Token>,
    pub(super) email: Option<Token>,
    pub(super) payout: Option<Token>,
}

#[derive(Debug, Clone)]
pub(super) struct ShareCard {
    pub(super) share_id: Name,
    pub(super) member_id: Name,
    pub(super) platform: &'static str,
    pub(super) share_type: ShareType,
}

#[derive(Debug, Clone)]
pub(super) struct ClickCard {
    pub(super) click_id: Name,
    pub(super) member_id: Option<Name>,
    pub(super) code: Option<Name>,
    pub(super) share_id: Option<Name>,
    pub(super) platform: Option<&'static str>,
    pub(super) ip: Option<Token>,
    pub(super) ip56: Option<Token>,
    pub(super) device: Option<Token>,
    pub(super) user_agent: Option<&'static str>,
    pub(super) method: Option<&'static str>,
    pub(super) purpose: Option<&'static str>,
    pub(super) referrer: Option<&'static str>,
    pub(super) utm_source: Option<&'static str>,
    pub(super) utm_campaign: Option<&'static str>,
    pub(super) country: Option<&'static str>,
    pub(super) device_class: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub(super) struct ConversionCard {
    pub(super) conversion_id: Name,
    pub(super) kind: ConversionKind,
    pub(super) original_id: Option<Name>,
    pub(super) click_id: Option<Name>,
    pub(super) code: Option<Name>,
    pub(super) coupon: Option<Name>,
    pub(super) customer_id: Option<Name>,
    pub(super) user_id: Option<Name>,
    pub(super) ip: Option<Token>,
    pub(super) device: Option<Token>,
    pub(super) email: Option<Token>,
    pub(super) payment: Option<Token>,
    pub(super) amount: Option<i64>,
    pub(super) currency: Option<Currency>,
    pub(super) plan: Option<&'static str>,
    pub(super) payment_type: Option<PaymentType>,
}

#[derive(Debug, Clone)]
pub(super) struct CommissionCard {
    pub(super) commission_id: Name,
    pub(super) kind: CommissionKind,
    pub(super) member_id: Name,
    pub(super) conversion_id: Option<Name>,
    pub(super) amount: Option<i64>,
    pub(super) currency: Option<Currency>,
    pub(super) paid_at: Option<Millis>,
}

/// A member who may always, or never.
#[derive(Debug, Clone)]
pub(super) struct ListCard {
    pub(super) list: ListKind,
    pub(super) member_id: Name,
}

impl Simulated {
    /// The record as the rest of the program knows events.
    pub fn event(&self) -> Event<'_> {
        Event {
            event_id: EventId(self.event_id.as_str()),
            creator_id: CreatorId(self.creator_id.as_str()),
            occurred_at: self.occurred_at,
            received_at: self.stamped.then_some(self.arrival),
            attributes: Vec::new(),
            body: self.body.lend(),
        }
    }
}

impl Content {
    fn lend(&self) -> Body<'_> {
        match self {
            Self::Creator(card) => Body::Creator(card.lend()),
            Self::Member(card) => Body::Member(card.lend()),
            Self::Sighting(card) => Body::Sighting(card.lend()),
            Self::Share(card) => Body::Share(card.lend()),
            Self::Click(card) => Body::Click(card.lend()),
            Self::Conversion(card) => Body::Conversion(card.lend()),
            Self::Commission(card) => Body::Commission(card.lend()),
            Self::ListEntry(card) => Body::ListEntry(card.lend()),
        }
    }
}

fn code(name: Option<&Name>) -> Option<Code<'_>> {
    name.map(|name| Code(name.as_str()))
}

impl CreatorCard {
    fn lend(&self) -> Creator<'_> {
        Creator {
            name: &self.name,
            currency: self.currency,
            time_zone: self.time_zone,
            attribution: self.attribution,
            commission: self.commission.clone(),
            review: None,
            breakdown_pairs: Vec::new(),
            link_base: None,
            landing_url: None,
            click_cookie: None,
            embed_origins: Vec::new(),
        }
    }
}

impl MemberCard {
    fn lend(&self) -> Member<'_> {
        Member {
            member_id: MemberId(self.member_id.as_str()),
            user_id: self.user_id.as_ref().map(Name::as_str),
            username: self.username.as_ref().map(Name::as_str),
            referral_code: code(self.code.as_ref()),
            coupons: self.coupons.iter().map(|name| Code(name.as_str())).collect(),
            joined_at: self.joined_at,
            status: self.status,
        }
    }
}

impl SightingCard {
    fn lend(&self) -> Sighting<'_> {
        Sighting {
            member_id: MemberId(self.member_id.as_str()),
            ip_token: self.ip,
            ip56_token: self.ip56,
            device_token: self.device,
            email_token: self.email,
            payout_token: self.payout,
        }
    }
}

impl ShareCard {
    fn lend(&self) -> Share<'_> {
        Share {
            share_id: ShareId(self.share_id.as_str()),
            member_id: MemberId(self.member_id.as_str()),
            platform: self.platform,
            share_type: self.share_type,
            template_id: None,
            locale: None,
        }
    }
}

impl ClickCard {
    fn lend(&self) -> Click<'_> {
        Click {
            click_id: ClickId(self.click_id.as_str()),
            member_id: self.member_id.as_ref().map(|name| MemberId(name.as_str())),
            referral_code: code(self.code.as_ref()),
            share_id: self.share_id.as_ref().map(|name| ShareId(name.as_str())),
            platform: self.platform,
            ip_token: self.ip,
            ip56_token: self.ip56,
            device_token: self.device,
            user_agent: self.user_agent,
            method: self.method,
            purpose: self.purpose,
            referrer: self.referrer,
            utm_source: self.utm_source,
            utm_medium: None,
            utm_campaign: self.utm_campaign,
            utm_term: None,
            utm_content: None,
            country: self.country,
            device_class: self.device_class,
        }
    }
}

impl ConversionCard {
    /// A refund or a chargeback: of an order, and of nobody once more.
    pub(super) fn taken_back(
        conversion_id: Name,
        kind: ConversionKind,
        original: Name,
        (amount, currency): (Option<i64>, Option<Currency>),
    ) -> Self {
        Self {
            conversion_id,
            kind,
            original_id: Some(original),
            click_id: None,
            code: None,
            coupon: None,
            customer_id: None,
            user_id: None,
            ip: None,
            device: None,
            email: None,
            payment: None,
            amount,
            currency,
            plan: None,
            payment_type: None,
        }
    }

    fn lend(&self) -> Conversion<'_> {
        Conversion {
            conversion_id: ConversionId(self.conversion_id.as_str()),
            kind: self.kind,
            original_id: self.original_id.as_ref().map(|name| ConversionId(name.as_str())),
            click_id: self.click_id.as_ref().map(|name| ClickId(name.as_str())),
            referral_code: code(self.code.as_ref()),
            coupon: code(self.coupon.as_ref()),
            customer_id: self.customer_id.as_ref().map(|name| CustomerId(name.as_str())),
            user_id: self.user_id.as_ref().map(Name::as_str),
            ip_token: self.ip,
            device_token: self.device,
            email_token: self.email,
            payment_token: self.payment,
            amount: self.amount,
            currency: self.currency,
            plan: self.plan,
            payment_type: self.payment_type,
        }
    }
}

impl ListCard {
    fn lend(&self) -> ListEntry<'_> {
        ListEntry {
            list: self.list,
            key: ListKey::Member,
            value: self.member_id.as_str(),
            active: true,
            actor: None,
            expires_at: None,
        }
    }
}

impl CommissionCard {
    fn lend(&self) -> Commission<'_> {
        Commission {
            commission_id: CommissionId(self.commission_id.as_str()),
            kind: self.kind,
            member_id: MemberId(self.member_id.as_str()),
            conversion_id: self.conversion_id.as_ref().map(|name| ConversionId(name.as_str())),
            amount: self.amount,
            currency: self.currency,
            sale_amount: None,
            payment_type: None,
            paid_at: self.paid_at,
        }
    }
}
