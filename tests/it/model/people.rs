//! Creators, members, shares, clicks, reviews and erasures (SEMANTICS §4, §5, §12).

use std::sync::LazyLock;

use tributary::event::{self, Bots, ErasureSubject, MemberStatus, ReviewSubject};

use super::history::{Awaited, Click, Creator, Member, Record, Review, Share, Visitor, compared};
use super::record::{Outcome, Stop};

/// Of all models: thousands are made.
static BOTS: LazyLock<Bots> = LazyLock::new(Bots::default);

impl<'a> Creator<'a> {
    pub(crate) fn creator_record(&mut self, record: &Record<'a>, stated: &event::Creator<'a>) -> Outcome<'a> {
        if jiff::tz::TimeZone::get(stated.time_zone).is_err() {
            return Err(Stop::Dead("invalid_time_zone"));
        }
        for _ in stated.breakdown_pairs.iter().filter(|pair| !is_pair_of_dimensions(pair)) {
            self.letters.push((record.offset, "unknown_dimension"));
        }
        self.settings = Some(stated.clone());
        self.arrive(Awaited::Creator);
        Ok(())
    }

    pub(crate) fn member_record(&mut self, record: &Record<'a>, stated: &event::Member<'a>) -> Outcome<'a> {
        let id = stated.member_id.0;
        let today = self.local_day(record.t);
        let m = self.member(id).unwrap_or_else(|| {
            self.arrive(Awaited::Member(id));
            self.members.push(Member {
                id,
                user_id: "",
                username: "",
                code: "",
                status: MemberStatus::Active,
                joined_at: record.t,
                joined_day: today,
            });
            self.members.len() - 1
        });
        let joined = stated.joined_at.map(|at| at.0).filter(|at| *at != self.members[m].joined_at);
        let joined = joined.map(|at| (at, self.local_day(at)));
        let member = &mut self.members[m];
        member.user_id = stated.user_id.unwrap_or(member.user_id);
        member.username = stated.username.unwrap_or(member.username);
        (member.joined_at, member.joined_day) = joined.unwrap_or((member.joined_at, member.joined_day));
        member.status = stated.status.unwrap_or(member.status);
        if let Some(code) = stated.referral_code
            && self.claim_code(m, code.0, record.offset)
        {
            self.members[m].code = code.0.trim();
        }
        for coupon in &stated.coupons {
            self.claim_code(m, coupon.0, record.offset);
        }
        Ok(())
    }

    /// A code once held stays that member's.
    fn claim_code(&mut self, m: usize, code: &str, offset: u64) -> bool {
        match self.holder(code) {
            Some(holder) if holder != m => {
                self.letters.push((offset, "code_taken"));
                false
            }
            Some(_) => true,
            None => {
                self.codes.insert(compared(code), m);
                self.arrive(Awaited::Code(compared(code)));
                true
            }
        }
    }

    fn member_or_park(&self, id: &'a str) -> Result<usize, Stop<'a>> {
        self.member(id).ok_or(Stop::Park(Awaited::Member(id)))
    }

    pub(crate) fn sighting(&self, stated: &event::Sighting<'a>) -> Outcome<'a> {
        self.member_or_park(stated.member_id.0).map(drop)
    }

    pub(crate) fn share(&mut self, record: &Record<'a>, stated: &event::Share<'a>) -> Outcome<'a> {
        let member = self.member_or_park(stated.member_id.0)?;
        let local_day = self.local_day(record.t);
        let (id, platform) = (stated.share_id.0, stated.platform);
        self.shares.push(Share { id, platform, member, t: record.t, local_day });
        Ok(())
    }

    pub(crate) fn click_record(&mut self, record: &Record<'a>, stated: &event::Click<'a>) -> Outcome<'a> {
        let code = stated.referral_code.map(|code| compared(code.0));
        let member = match (stated.member_id, &code) {
            (Some(id), _) => self.member_or_park(id.0)?,
            (None, Some(code)) => self.holder(code).ok_or_else(|| Stop::Park(Awaited::Code(code.clone())))?,
            (None, None) => panic!("a click without member and code is not well formed"),
        };
        let local_day = self.local_day(record.t);
        let human = BOTS.of(stated.user_agent, stated.method, stated.purpose).is_none();
        let visitor = Visitor::of(stated.device_token, stated.ip_token);
        let was_here = self.clicks.iter().any(|other| {
            other.human
                && visitor.is_some()
                && (other.visitor, other.member, other.local_day) == (visitor, member, local_day)
                && other.t >= self.floor
        });
        self.clicks.push(Click {
            id: stated.click_id.0,
            stated: (stated.member_id.map(|id| id.0), code),
            member,
            visitor,
            t: record.t,
            local_day,
            human,
            unique: human && !was_here,
            shared: human && stated.share_id.is_some(),
        });
        self.arrive(Awaited::Click(stated.click_id.0));
        Ok(())
    }

    /// Waits for its subject; a click's verdict changes no figure.
    pub(crate) fn review(&mut self, stated: &event::Review<'a>) -> Outcome<'a> {
        let id = stated.subject_id;
        let awaited = match stated.subject_type {
            ReviewSubject::Click => self.click(id).is_none().then_some(Awaited::Click(id)),
            ReviewSubject::Conversion => self.conversion(id).is_none().then_some(Awaited::Conversion(id)),
            ReviewSubject::Commission => self.commission(id).is_none().then(|| Awaited::Commission(id.to_owned())),
        };
        if let Some(awaited) = awaited {
            return Err(Stop::Park(awaited));
        }
        if stated.subject_type != ReviewSubject::Click {
            self.reviews.push(Review {
                is_conversion: stated.subject_type == ReviewSubject::Conversion,
                subject: id.to_owned(),
                verdict: stated.verdict,
                expires_at: stated.expires_at.map(|at| at.0),
            });
        }
        Ok(())
    }

    pub(crate) fn erase(&mut self, stated: &event::Erasure<'a>) -> Outcome<'a> {
        let id = stated.subject_id;
        match stated.subject_type {
            ErasureSubject::Member => {
                let m = self.member(id).ok_or(Stop::Dead("unknown_subject"))?;
                (self.members[m].user_id, self.members[m].username) = ("", "");
            }
            ErasureSubject::Customer => {
                // Who is known by a refund alone never converted: no customer.
                let theirs = self.conversions.iter_mut().filter(|conversion| {
                    conversion.is_sale() && conversion.stated.customer_id.is_some_and(|customer| customer.0 == id)
                });
                let erased = theirs.map(|conversion| conversion.visitor = None).count();
                if erased == 0 {
                    return Err(Stop::Dead("unknown_subject"));
                }
            }
        }
        Ok(())
    }
}

/// Two different dimensions, as `platform,country`.
fn is_pair_of_dimensions(pair: &str) -> bool {
    const UTM: [&str; 5] = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];
    const OTHERS: [&str; 8] =
        ["platform", "country", "device", "referrer", "share_type", "template", "plan", "payment_type"];
    let is_dimension = |name: &str| UTM.contains(&name) || OTHERS.contains(&name);
    let Some((a, b)) = pair.split_once(',').map(|(a, b)| (a.trim(), b.trim())) else { return false };
    a != b && is_dimension(a) && is_dimension(b)
}
