//! The creators and their members, and how both come into being.

use super::market::{self, FIRST_WORDS, MARKETS, PEOPLE, SECOND_WORDS};
use super::random::{Random, Zipf};
use super::record::{CreatorCard, MemberCard, SightingCard};
use super::{Content, Name, Plan, Simulation, Spec};
use crate::event::{
    AttributionModel, AttributionPolicy, CommissionPolicy, CommissionSource, ConversionKind, MemberStatus, Precedence,
};
use crate::ids::{Currency, Millis};

#[derive(Debug)]
pub(super) struct World {
    pub(super) creators: Vec<Programme>,
    pub(super) popularity: Zipf,
}

/// One creator's programme.
#[derive(Debug)]
pub(super) struct Programme {
    pub(super) id: Name,
    pub(super) currency: Currency,
    /// Minor units in a unit of the currency.
    pub(super) factor: i64,
    pub(super) derived: bool,
    pub(super) hold_days: i64,
    /// From UTC to the creator's clock, at the start: shapes the traffic only.
    offset_ms: i64,
    card: CreatorCard,
    pub(super) popularity: Zipf,
    pub(super) joined: Vec<bool>,
    /// Number of the newest share of each member; 0: none yet.
    pub(super) shares: Vec<u64>,
    /// Visitors who may come back, with the member they came through.
    pub(super) visitors: Vec<(u64, usize)>,
}

impl World {
    pub(super) fn new(spec: &Spec, random: &mut Random) -> Self {
        let creators = usize::try_from(spec.creators.max(1)).unwrap_or(1);
        let popularity = Zipf::new(creators);
        let mut sizes = vec![1_usize; creators];
        for _ in creators..usize::try_from(spec.members).unwrap_or_default() {
            if let Some(size) = sizes.get_mut(popularity.draw(random)) {
                *size += 1;
            }
        }
        let creators = sizes.into_iter().enumerate().map(|(at, size)| Programme::new(at, size, spec.start)).collect();
        Self { creators, popularity }
    }

    pub(super) fn creator(&self, at: usize) -> &Programme {
        self.creators.get(at).expect("creators are numbered from 0")
    }

    pub(super) fn creator_mut(&mut self, at: usize) -> &mut Programme {
        self.creators.get_mut(at).expect("creators are numbered from 0")
    }

    /// How busy the creator's members are, in percent of the busiest hour.
    pub(super) fn weight(&self, creator: usize, at: Millis) -> u64 {
        busy_percent(at.0 + self.creator(creator).offset_ms)
    }
}

/// How busy people are at a time of their own clock, in percent of the busiest hour.
pub(super) fn busy_percent(local_ms: i64) -> u64 {
    const HOURS: [u64; 24] =
        [22, 12, 8, 6, 6, 10, 22, 40, 55, 65, 70, 74, 80, 76, 70, 70, 74, 80, 88, 96, 100, 94, 70, 42];
    const DAYS: [u64; 7] = [92, 96, 98, 100, 90, 70, 78];
    let (day, hour) = day_and_hour(local_ms);
    HOURS.get(hour).unwrap_or(&50) * DAYS.get(day).unwrap_or(&100) / 100
}

/// The day of the week, from Monday = 0, and the hour.
pub(super) fn day_and_hour(local_ms: i64) -> (usize, usize) {
    // The first of January 1970 was a Thursday.
    let day = usize::try_from((local_ms.div_euclid(Millis::DAY) + 3).rem_euclid(7)).unwrap_or_default();
    let hour = usize::try_from(local_ms.rem_euclid(Millis::DAY) / Millis::HOUR).unwrap_or_default();
    (day, hour)
}

impl Programme {
    fn new(at: usize, members: usize, start: Millis) -> Self {
        let number = u64::try_from(at).unwrap_or_default();
        let turn = |len: usize| at % len;
        let (code, factor, time_zone) = *MARKETS.get(turn(MARKETS.len())).expect("within the table");
        let first = FIRST_WORDS.get(turn(FIRST_WORDS.len())).expect("within the table");
        let second = SECOND_WORDS.get(turn(SECOND_WORDS.len())).expect("within the table");
        let commission = policy(number, factor);
        let hold_days = commission.as_ref().and_then(|policy| policy.hold_days).unwrap_or_default();
        let card = CreatorCard {
            name: format!("{first} {second}"),
            currency: market::currency(code),
            time_zone,
            attribution: attribution(number),
            commission,
        };
        Self {
            id: Name::new(format_args!("creator-{at:04}")),
            currency: card.currency,
            factor,
            derived: is_derived(number),
            hold_days,
            offset_ms: offset_ms(time_zone, start),
            card,
            popularity: Zipf::new(members),
            joined: vec![false; members],
            shares: vec![0; members],
            visitors: Vec::new(),
        }
    }
}

const fn is_derived(number: u64) -> bool {
    number % 2 == 1
}

/// From UTC to the clocks of a zone.
pub(super) fn offset_ms(time_zone: &str, at: Millis) -> i64 {
    let zone = jiff::tz::TimeZone::get(time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    i64::from(zone.to_offset(at).seconds()) * Millis::SECOND
}

/// Every second creator has its commissions derived; among them all settings occur.
fn policy(number: u64, factor: i64) -> Option<CommissionPolicy> {
    if !is_derived(number) {
        let named = number.is_multiple_of(4);
        let on = Vec::new();
        let source = Some(CommissionSource::Producer);
        return named.then_some(CommissionPolicy { source, rate_bp: None, flat_amount: None, on, hold_days: None });
    }
    let turn = number / 2;
    let rates = [1_000, 1_250, 3_333, 2_000, 0];
    let holds = [0, 7, 14, 30];
    let on = match turn % 3 {
        0 => Vec::new(),
        1 => vec![ConversionKind::Purchase],
        _ => vec![ConversionKind::Signup, ConversionKind::Purchase, ConversionKind::Renewal],
    };
    let at = |len: u64| usize::try_from(turn % len).unwrap_or_default();
    Some(CommissionPolicy {
        source: Some(CommissionSource::Derived),
        rate_bp: rates.get(at(5)).copied(),
        flat_amount: (turn % 3 == 2 || turn % 5 == 4).then_some(factor * 3 / 2),
        on,
        hold_days: holds.get(at(4)).copied(),
    })
}

fn attribution(number: u64) -> Option<AttributionPolicy> {
    let precedence = (number % 4 == 3).then_some(Precedence::ClickFirst);
    match number % 5 {
        0 | 1 if precedence.is_none() => None,
        2 => Some(AttributionPolicy {
            model: None,
            precedence,
            signup_window_ms: Some(2 * Millis::DAY),
            purchase_window_ms: Some(7 * Millis::DAY),
        }),
        3 => Some(AttributionPolicy {
            model: Some(AttributionModel::Last),
            precedence,
            signup_window_ms: None,
            purchase_window_ms: Some(45 * Millis::DAY),
        }),
        _ => Some(AttributionPolicy {
            model: Some(AttributionModel::Last),
            precedence,
            signup_window_ms: None,
            purchase_window_ms: None,
        }),
    }
}

pub(super) fn member_id(member: usize) -> Name {
    Name::numbered("m-", u64::try_from(member).unwrap_or_default())
}

pub(super) fn code_of(member: usize) -> Name {
    let person = PEOPLE.get(member % PEOPLE.len()).expect("within the table");
    Name::new(format_args!("{person}{member}"))
}

/// Every eighth member has a coupon to give away.
pub(super) fn coupon_of(member: usize) -> Option<Name> {
    (member % 8 == 3).then(|| Name::new(format_args!("SAVE-{member}")))
}

impl Simulation {
    /// The creators and those members who are there from the start; the others join on the way.
    pub(super) fn found(&mut self) {
        for creator in 0..self.world.creators.len() {
            let content = Content::Creator(Box::new(self.world.creator(creator).card.clone()));
            // Of some programmes a few members are known before the settings are: they wait.
            let late = if creator % 7 == 6 { 10 * Millis::SECOND } else { 0 };
            self.publish_after(creator, self.start, late, content);
        }
        let mut order = 0;
        for creator in 0..self.world.creators.len() {
            for member in 0..self.world.creator(creator).joined.len() {
                order += 1;
                let at = self.joins_at(member, order);
                self.schedule(at, Plan::Join { creator, member });
            }
        }
    }

    fn joins_at(&mut self, member: usize, order: i64) -> Millis {
        let founder = member < 3 || self.traffic.permille(700);
        let after = if founder { Millis::SECOND + order / 20 } else { self.delay(20 * Millis::DAY) };
        Millis(self.start.0 + after)
    }

    pub(super) fn join(&mut self, creator: usize, member: usize, at: Millis) {
        if let Some(joined) = self.world.creator_mut(creator).joined.get_mut(member) {
            *joined = true;
        }
        let mut card = self.member_card(creator, member, at);
        // Now and then somebody claims a code that is taken already.
        if member > 0 && self.faults.permille(20) {
            card.coupons.push(code_of(member - 1));
        }
        self.publish(creator, at, Content::Member(Box::new(card)));
        if self.traffic.permille(400) {
            self.sight(creator, member, at);
        }
        if self.traffic.permille(15) {
            let after = self.delay(10 * Millis::DAY);
            self.schedule(Millis(at.0 + after), Plan::Standing { creator, member, step: 0 });
        }
    }

    fn member_card(&self, creator: usize, member: usize, at: Millis) -> MemberCard {
        let scope = self.world.creator(creator).id;
        MemberCard {
            member_id: member_id(member),
            user_id: Some(Name::new(format_args!("u-{}-{member}", scope.as_str()))),
            username: Some(code_of(member)),
            code: Some(code_of(member)),
            coupons: coupon_of(member).into_iter().collect(),
            joined_at: Some(at),
            status: (member.is_multiple_of(2)).then_some(MemberStatus::Active),
        }
    }

    fn sight(&mut self, creator: usize, member: usize, at: Millis) {
        let number = u64::try_from(creator << 32 | member).unwrap_or_default();
        let card = SightingCard {
            member_id: member_id(member),
            ip: Some(market::token(3, number)),
            ip56: None,
            device: Some(market::token(4, number)),
            email: None,
            payout: None,
        };
        self.publish(creator, Millis(at.0 + Millis::MINUTE / self.tempo.scale), Content::Sighting(card));
    }

    /// Some members are suspended, most of them for a while; some are removed; a few take a new code.
    pub(super) fn change_standing(&mut self, creator: usize, member: usize, step: u8, at: Millis) {
        let (status, code) = match (step, self.traffic.below(10)) {
            (0, 0..=4) => (Some(MemberStatus::Suspended), None),
            (0, 5 | 6) => (Some(MemberStatus::Removed), None),
            (0, _) => (None, Some(Name::new(format_args!("{}-new", code_of(member).as_str())))),
            (_, _) => (Some(MemberStatus::Active), None),
        };
        let card = MemberCard {
            member_id: member_id(member),
            user_id: None,
            username: None,
            code,
            coupons: Vec::new(),
            joined_at: None,
            status,
        };
        self.publish(creator, at, Content::Member(Box::new(card)));
        if step == 0 && status == Some(MemberStatus::Suspended) && self.traffic.permille(700) {
            let after = self.delay(5 * Millis::DAY);
            self.schedule(Millis(at.0 + after), Plan::Standing { creator, member, step: 1 });
        }
    }
}
