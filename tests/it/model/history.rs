//! What a creator's log has said so far, as plain lists in the order in which it was applied.

use std::collections::BTreeMap;

use tributary::event::{
    AttributionModel, CommissionKind, CommissionSource, ConversionKind, Creator as Settings, Event, Kind, MemberStatus,
    PaymentType, Precedence, Verdict,
};
use tributary::fold::fraud;
use tributary::ids::{Currency, Token};

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const DAY: i64 = 24 * 60 * MINUTE;
/// Before any time.
pub(crate) const NEVER: i64 = i64::MIN;

/// A record of the log.
#[derive(Clone, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) event: Event<'a>,
    pub(crate) offset: u64,
    /// Its own time, clamped.
    pub(crate) t: i64,
}

/// What a record, or credit, waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Awaited<'a> {
    Creator,
    Member(&'a str),
    /// In its compared form.
    Code(String),
    Click(&'a str),
    Conversion(&'a str),
    ChargebackOf(&'a str),
    Commission(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Parked<'a> {
    pub(crate) record: Record<'a>,
    pub(crate) awaited: Awaited<'a>,
    /// The clock when it first began to wait.
    pub(crate) since: i64,
    /// What parks later has a greater number; so have timers.
    pub(crate) number: u64,
    /// Money waits for ever.
    pub(crate) due: Option<i64>,
}

/// The event id of an applied record, and all it said.
#[derive(Clone, Debug)]
pub(crate) struct Claim<'a> {
    pub(crate) event: Event<'a>,
    pub(crate) kind: Kind,
    pub(crate) t: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) id: &'a str,
    pub(crate) user_id: &'a str,
    pub(crate) username: &'a str,
    pub(crate) code: &'a str,
    pub(crate) status: MemberStatus,
    pub(crate) joined_at: i64,
    /// The creator's day of that, by the zone in force when it was said.
    pub(crate) joined_day: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Share<'a> {
    pub(crate) id: &'a str,
    pub(crate) platform: &'a str,
    pub(crate) member: usize,
    pub(crate) t: i64,
    pub(crate) local_day: i64,
}

/// Device tokens and address tokens are different visitors even where they look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visitor {
    Device(Token),
    Address(Token),
}

impl Visitor {
    pub(crate) fn of(device: Option<Token>, address: Option<Token>) -> Option<Self> {
        device.map(Self::Device).or(address.map(Self::Address))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Click<'a> {
    pub(crate) id: &'a str,
    /// As stated, for telling a duplicate from a conflict.
    pub(crate) stated: (Option<&'a str>, Option<String>),
    pub(crate) member: usize,
    pub(crate) visitor: Option<Visitor>,
    pub(crate) t: i64,
    pub(crate) local_day: i64,
    pub(crate) human: bool,
    pub(crate) unique: bool,
    pub(crate) shared: bool,
}

/// Whose a conversion is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credit<'a> {
    /// Refunds and the like belong to their order.
    NotApplicable,
    Waiting(Awaited<'a>),
    Nobody(&'static str),
    To {
        /// The last is the primary.
        members: Vec<usize>,
        how: &'static str,
        click: Option<&'a str>,
    },
}

impl Credit<'_> {
    pub(crate) fn members(&self) -> &[usize] {
        match self {
            Self::To { members, .. } => members,
            Self::NotApplicable | Self::Waiting(_) | Self::Nobody(_) => &[],
        }
    }

    pub(crate) fn primary(&self) -> Option<usize> {
        self.members().last().copied()
    }
}

/// The settings an order keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) window: i64,
    pub(crate) model: AttributionModel,
    pub(crate) click_first: bool,
    /// Whether it earns a derived commission.
    pub(crate) derives: bool,
    pub(crate) rate_bp: i64,
    /// 0 in another currency than the creator's.
    pub(crate) flat: i64,
    pub(crate) hold_days: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Conversion<'a> {
    pub(crate) stated: tributary::event::Conversion<'a>,
    /// Its place among all that changed money, in the order in which it was applied.
    pub(crate) order: usize,
    pub(crate) t: i64,
    pub(crate) local_day: i64,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) terms: Terms,
    pub(crate) visitor: Option<Visitor>,
    pub(crate) credit: Credit<'a>,
    /// When waiting ends, and the number of that timer, once it began.
    pub(crate) deadline: Option<(i64, u64)>,
    /// The number with which it began to wait for what it waits for.
    pub(crate) queued: u64,
    /// Of a refund, chargeback or its reversal: the order whose money moved.
    pub(crate) moves: Option<usize>,
    /// Of a chargeback: it was won.
    pub(crate) is_undone: bool,
}

impl<'a> Conversion<'a> {
    pub(crate) const fn id(&self) -> &'a str {
        self.stated.conversion_id.0
    }

    pub(crate) const fn kind(&self) -> ConversionKind {
        self.stated.kind
    }

    pub(crate) const fn is_order(&self) -> bool {
        matches!(self.stated.kind, ConversionKind::Purchase | ConversionKind::Renewal)
    }

    /// Of any of the three kinds that can be credited.
    pub(crate) const fn is_sale(&self) -> bool {
        self.is_order() || matches!(self.stated.kind, ConversionKind::Signup)
    }

    /// What it took of its order's money; negative: gave back.
    pub(crate) const fn taken(&self) -> i64 {
        if matches!(self.stated.kind, ConversionKind::ChargebackReversed) { -self.amount } else { self.amount }
    }

    pub(crate) const fn place(&self) -> (i64, &'a str) {
        (self.t, self.id())
    }
}

/// Something that was said of a commission.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    Earned(i128),
    Adjusted(i128),
    Reversed(i128),
    Paid(Option<i64>),
}

#[derive(Clone, Debug)]
pub(crate) struct Commission<'a> {
    pub(crate) id: String,
    pub(crate) member: usize,
    pub(crate) conversion_id: Option<&'a str>,
    pub(crate) t: i64,
    pub(crate) currency: Currency,
    pub(crate) payment_type: Option<PaymentType>,
    /// For a derived one: when it may be paid.
    pub(crate) matures_at: Option<i64>,
    pub(crate) paid_at: Option<i64>,
    pub(crate) is_approved: bool,
    /// In order: the place among all that changed money, the record's own time, and what it said.
    pub(crate) said: Vec<(usize, i64, Said)>,
    /// As stated first by each kind that comes once, for telling a duplicate from a conflict.
    pub(crate) stated: Vec<(CommissionKind, Statement<'a>)>,
}

pub(crate) type Statement<'a> = (&'a str, Option<i64>, Option<Currency>);

#[derive(Clone, Debug)]
pub(crate) struct Review {
    pub(crate) is_conversion: bool,
    pub(crate) subject: String,
    pub(crate) verdict: Verdict,
    pub(crate) expires_at: Option<i64>,
}

/// One creator: nothing of another is in here.
#[derive(Clone, Debug)]
pub(crate) struct Creator<'a> {
    pub(crate) clock: i64,
    pub(crate) floor: i64,
    pub(crate) settings: Option<Settings<'a>>,
    pub(crate) members: Vec<Member<'a>>,
    /// In their compared form; a code once held stays.
    pub(crate) codes: BTreeMap<String, usize>,
    pub(crate) shares: Vec<Share<'a>>,
    pub(crate) clicks: Vec<Click<'a>>,
    pub(crate) conversions: Vec<Conversion<'a>>,
    pub(crate) commissions: Vec<Commission<'a>>,
    pub(crate) reviews: Vec<Review>,
    /// What was decided last of conversions (`true`) and commissions: the model knows no rules of fraud.
    pub(crate) decided: BTreeMap<(bool, String), fraud::Verdict>,
    pub(crate) claims: Vec<Claim<'a>>,
    pub(crate) parked: Vec<Parked<'a>>,
    pub(crate) arrived: Vec<(Awaited<'a>, u64)>,
    /// Of the next that parks, waits or is set as a timer.
    pub(crate) number: u64,
    /// Of the next that changes money.
    pub(crate) order: usize,
    pub(crate) letters: Vec<(u64, &'static str)>,
    /// Offsets, in the order in which they were applied.
    pub(crate) applied: Vec<u64>,
    pub(crate) duplicate: i64,
    pub(crate) dead: i64,
}

impl Default for Creator<'_> {
    fn default() -> Self {
        Self {
            clock: NEVER,
            floor: NEVER,
            settings: None,
            members: Vec::new(),
            codes: BTreeMap::new(),
            shares: Vec::new(),
            clicks: Vec::new(),
            conversions: Vec::new(),
            commissions: Vec::new(),
            reviews: Vec::new(),
            decided: BTreeMap::new(),
            claims: Vec::new(),
            parked: Vec::new(),
            arrived: Vec::new(),
            number: 0,
            order: 0,
            letters: Vec::new(),
            applied: Vec::new(),
            duplicate: 0,
            dead: 0,
        }
    }
}

/// Codes are compared trimmed and without ASCII case.
pub(crate) fn compared(code: &str) -> String {
    code.trim().to_ascii_lowercase()
}

impl<'a> Creator<'a> {
    /// Ten minutes before the clock.
    pub(crate) const fn watermark(&self) -> i64 {
        self.clock.saturating_sub(10 * MINUTE)
    }

    pub(crate) fn settings(&self) -> &Settings<'a> {
        self.settings.as_ref().expect("nothing is applied before the creator's own record")
    }

    /// (signup, purchase)
    pub(crate) fn windows(&self) -> (i64, i64) {
        let policy = self.settings.as_ref().and_then(|settings| settings.attribution);
        let or_30_days = |window: Option<i64>| window.unwrap_or(30 * DAY);
        (
            or_30_days(policy.and_then(|policy| policy.signup_window_ms)),
            or_30_days(policy.and_then(|policy| policy.purchase_window_ms)),
        )
    }

    pub(crate) fn is_derived(&self) -> bool {
        let policy = self.settings().commission.as_ref();
        policy.and_then(|policy| policy.source) == Some(CommissionSource::Derived)
    }

    /// What a conversion of this kind and currency that comes now will keep.
    pub(crate) fn terms(&self, kind: ConversionKind, currency: Currency) -> Terms {
        let settings = self.settings();
        let (signup, purchase) = self.windows();
        let attribution = settings.attribution;
        let commission = settings.commission.as_ref();
        let on = commission.map_or(&[][..], |policy| policy.on.as_slice());
        let on = if on.is_empty() { &[ConversionKind::Purchase, ConversionKind::Renewal] } else { on };
        let flat = commission.and_then(|policy| policy.flat_amount).unwrap_or(0);
        Terms {
            window: if kind == ConversionKind::Signup { signup } else { purchase },
            model: attribution.and_then(|policy| policy.model).unwrap_or(AttributionModel::Last),
            click_first: attribution.and_then(|policy| policy.precedence) == Some(Precedence::ClickFirst),
            derives: self.is_derived() && on.contains(&kind),
            rate_bp: commission.and_then(|policy| policy.rate_bp).unwrap_or(0),
            flat: if currency == settings.currency { flat } else { 0 },
            hold_days: commission.and_then(|policy| policy.hold_days).unwrap_or(0),
        }
    }

    /// Days since 1970 in the creator's zone of now.
    pub(crate) fn local_day(&self, t: i64) -> i64 {
        let zone = jiff::tz::TimeZone::get(self.settings().time_zone).expect("checked when the creator came");
        let at = jiff::Timestamp::from_millisecond(t).expect("a time between 2000 and 2100");
        let date = zone.to_datetime(at).date();
        let midnight = jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).expect("a date near that time");
        midnight.as_millisecond() / DAY
    }

    pub(crate) fn member(&self, id: &str) -> Option<usize> {
        self.members.iter().position(|member| member.id == id)
    }

    pub(crate) fn holder(&self, code: &str) -> Option<usize> {
        self.codes.get(&compared(code)).copied()
    }

    pub(crate) fn is_removed(&self, member: usize) -> bool {
        self.members[member].status == MemberStatus::Removed
    }

    /// Clicks from before the floor are forgotten.
    pub(crate) fn click(&self, id: &str) -> Option<&Click<'a>> {
        self.clicks.iter().find(|click| click.id == id && click.t >= self.floor)
    }

    pub(crate) fn conversion(&self, id: &str) -> Option<usize> {
        self.conversions.iter().position(|conversion| conversion.id() == id)
    }

    pub(crate) fn commission(&self, id: &str) -> Option<usize> {
        self.commissions.iter().position(|commission| commission.id == id)
    }

    pub(crate) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    pub(crate) fn next_order(&mut self) -> usize {
        self.order += 1;
        self.order
    }

    /// What took or gave back money of an order, in the order of application.
    pub(crate) fn moves_of(&self, order: usize) -> impl Iterator<Item = &Conversion<'a>> {
        self.conversions.iter().filter(move |conversion| conversion.moves == Some(order))
    }

    pub(crate) fn refunded(&self, order: usize) -> i64 {
        self.moves_of(order).map(Conversion::taken).sum()
    }

    /// `left = max(0, amount − Σ moves)`.
    pub(crate) fn left(&self, order: usize) -> i64 {
        self.conversions[order].amount.saturating_sub(self.refunded(order)).max(0)
    }

    /// The latest review decides, unless it has lapsed.
    pub(crate) fn verdict(&self, is_conversion: bool, subject: &str) -> Option<Verdict> {
        let of = |review: &&Review| review.is_conversion == is_conversion && review.subject == subject;
        let latest = self.reviews.iter().rev().find(of)?;
        let is_lapsed = latest.expires_at.is_some_and(|at| at <= self.watermark());
        (!is_lapsed).then_some(latest.verdict)
    }

    /// A refund has no credit that could be withheld: a verdict on one changes nothing, of its commissions neither.
    fn verdict_on_sale(&self, conversion: &str) -> Option<Verdict> {
        self.conversion(conversion).filter(|c| self.conversions[*c].is_sale())?;
        self.verdict(true, conversion)
    }

    pub(crate) fn is_blocked(&self, conversion: &str) -> bool {
        match self.verdict_on_sale(conversion) {
            Some(verdict) => verdict == Verdict::Block,
            None => self.decided(true, conversion) == Some(fraud::Verdict::Block),
        }
    }

    /// By a review of its own, else by that of its conversion.
    pub(crate) fn is_commission_blocked(&self, commission: &Commission<'a>) -> bool {
        match self.verdict(false, &commission.id) {
            Some(own) => own == Verdict::Block,
            None => {
                let of_conversion = commission.conversion_id.and_then(|id| self.verdict_on_sale(id));
                let is_decided = self.decided(false, &commission.id) == Some(fraud::Verdict::Block);
                commission.conversion_id.is_some_and(|id| self.is_blocked(id)) || of_conversion.is_none() && is_decided
            }
        }
    }

    /// Until somebody has looked it is held.
    pub(crate) fn is_in_review(&self, commission: &Commission<'a>) -> bool {
        let of_conversion = commission.conversion_id.and_then(|id| self.verdict_on_sale(id));
        let is_reviewed = self.verdict(false, &commission.id).or(of_conversion).is_some();
        !is_reviewed && self.decided(false, &commission.id) == Some(fraud::Verdict::Review)
    }

    fn decided(&self, is_conversion: bool, subject: &str) -> Option<fraud::Verdict> {
        self.decided.get(&(is_conversion, subject.to_owned())).copied()
    }
}
