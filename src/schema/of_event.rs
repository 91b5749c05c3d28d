//! An event as a row. Each function names the fields in the order of their table in `fields`.

use std::borrow::Cow;

use super::row::{Cell, Row};
use crate::event::{
    AttributionModel, AttributionPolicy, Body, Click, Commission, CommissionKind, CommissionPolicy, CommissionSource,
    Conversion, ConversionKind, Creator, Erasure, ErasureSubject, Event, ListEntry, ListKey, ListKind, Member,
    MemberStatus, OnDue, PaymentType, Precedence, Review, ReviewLabel, ReviewPolicy, ReviewSubject, RuleSet,
    RuleSetMode, Share, ShareType, Sighting, Template, Verdict,
};

/// The cells of an event.
pub(crate) fn row<'e>(event: &'e Event<'_>) -> Row<'e> {
    let mut out = Filler { row: Row::new(), slot: 0 };
    out.put(event.event_id.0);
    out.put(event.creator_id.0);
    out.put(event.occurred_at);
    out.put(event.received_at);
    out.row.attributes = Cow::Borrowed(&event.attributes);
    out.skip(1);
    match &event.body {
        Body::Creator(creator) => put_creator(&mut out, creator),
        Body::Member(member) => put_member(&mut out, member),
        Body::Sighting(sighting) => put_sighting(&mut out, sighting),
        Body::Share(share) => put_share(&mut out, share),
        Body::Click(click) => put_click(&mut out, click),
        Body::Conversion(conversion) => put_conversion(&mut out, conversion),
        Body::Commission(commission) => put_commission(&mut out, commission),
        Body::Review(review) => put_review(&mut out, review),
        Body::RuleSet(rules) => put_rule_set(&mut out, rules),
        Body::ListEntry(entry) => put_list_entry(&mut out, entry),
        Body::Template(template) => put_template(&mut out, template),
        Body::Erasure(erasure) => put_erasure(&mut out, erasure),
        Body::Tick => {}
    }
    out.row
}

/// Fills a row slot by slot.
struct Filler<'e> {
    row: Row<'e>,
    slot: usize,
}

impl<'e> Filler<'e> {
    #[inline]
    fn put(&mut self, cell: impl Into<Cell<'e>>) {
        self.row.set(self.slot, cell.into());
        self.slot += 1;
    }

    #[inline]
    fn skip(&mut self, slots: usize) {
        self.slot += slots;
    }

    fn choice<T: PartialEq>(&mut self, all: &[T], value: T) {
        self.maybe_choice(all, Some(value));
    }

    fn maybe_choice<T: PartialEq>(&mut self, all: &[T], value: Option<T>) {
        self.put(value.map_or(Cell::Absent, |value| Cell::Symbol(index(all, &value))));
    }

    fn texts(&mut self, list: usize, texts: impl Iterator<Item = &'e str>) {
        if let Some(place) = self.row.texts_mut(list) {
            place.extend(texts);
        }
        self.slot += 1;
    }
}

fn index<T: PartialEq>(all: &[T], value: &T) -> u8 {
    let index = all.iter().position(|one| one == value).expect("`ALL` lists every choice of the enum");
    u8::try_from(index).expect("no enum has more than 255 choices")
}

fn put_creator<'e>(out: &mut Filler<'e>, creator: &'e Creator<'_>) {
    out.put(creator.name);
    out.put(creator.currency.as_str());
    out.put(creator.time_zone);
    put_attribution(out, creator.attribution.as_ref());
    put_commission_policy(out, creator.commission.as_ref());
    put_review_policy(out, creator.review.as_ref());
    out.texts(0, creator.breakdown_pairs.iter().copied());
    out.put(creator.link_base);
    out.put(creator.landing_url);
    out.put(creator.click_cookie);
    out.texts(1, creator.embed_origins.iter().copied());
}

fn put_attribution(out: &mut Filler<'_>, policy: Option<&AttributionPolicy>) {
    let Some(policy) = policy else { return out.skip(5) };
    out.put(Cell::Present);
    out.maybe_choice(&AttributionModel::ALL, policy.model);
    out.maybe_choice(&Precedence::ALL, policy.precedence);
    out.put(policy.signup_window_ms);
    out.put(policy.purchase_window_ms);
}

fn put_commission_policy(out: &mut Filler<'_>, policy: Option<&CommissionPolicy>) {
    let Some(policy) = policy else { return out.skip(6) };
    out.put(Cell::Present);
    out.maybe_choice(&CommissionSource::ALL, policy.source);
    out.put(policy.rate_bp);
    out.put(policy.flat_amount);
    out.row.choices.extend(policy.on.iter().map(|kind| index(&ConversionKind::ALL, kind)));
    out.skip(1);
    out.put(policy.hold_days);
}

fn put_review_policy(out: &mut Filler<'_>, policy: Option<&ReviewPolicy>) {
    let Some(policy) = policy else { return out.skip(3) };
    out.put(Cell::Present);
    out.put(policy.due_days);
    out.maybe_choice(&OnDue::ALL, policy.on_due);
}

fn put_member<'e>(out: &mut Filler<'e>, member: &'e Member<'_>) {
    out.put(member.member_id.0);
    out.put(member.user_id);
    out.put(member.username);
    out.put(member.referral_code.map(|code| code.0));
    out.texts(0, member.coupons.iter().map(|code| code.0));
    out.put(member.joined_at);
    out.maybe_choice(&MemberStatus::ALL, member.status);
}

fn put_sighting<'e>(out: &mut Filler<'e>, sighting: &'e Sighting<'_>) {
    out.put(sighting.member_id.0);
    out.put(sighting.ip_token);
    out.put(sighting.ip56_token);
    out.put(sighting.device_token);
    out.put(sighting.email_token);
    out.put(sighting.payout_token);
}

fn put_share<'e>(out: &mut Filler<'e>, share: &'e Share<'_>) {
    out.put(share.share_id.0);
    out.put(share.member_id.0);
    out.put(share.platform);
    out.choice(&ShareType::ALL, share.share_type);
    out.put(share.template_id);
    out.put(share.locale);
}

fn put_click<'e>(out: &mut Filler<'e>, click: &'e Click<'_>) {
    out.put(click.click_id.0);
    out.put(click.member_id.map(|id| id.0));
    out.put(click.referral_code.map(|code| code.0));
    out.put(click.share_id.map(|id| id.0));
    out.put(click.platform);
    out.put(click.ip_token);
    out.put(click.ip56_token);
    out.put(click.device_token);
    out.put(click.user_agent);
    out.put(click.method);
    out.put(click.purpose);
    out.put(click.referrer);
    out.put(click.utm_source);
    out.put(click.utm_medium);
    out.put(click.utm_campaign);
    out.put(click.utm_term);
    out.put(click.utm_content);
    out.put(click.country);
    out.put(click.device_class);
}

fn put_conversion<'e>(out: &mut Filler<'e>, conversion: &'e Conversion<'_>) {
    out.put(conversion.conversion_id.0);
    out.choice(&ConversionKind::ALL, conversion.kind);
    out.put(conversion.original_id.map(|id| id.0));
    out.put(conversion.click_id.map(|id| id.0));
    out.put(conversion.referral_code.map(|code| code.0));
    out.put(conversion.coupon.map(|code| code.0));
    out.put(conversion.customer_id.map(|id| id.0));
    out.put(conversion.user_id);
    out.put(conversion.ip_token);
    out.put(conversion.device_token);
    out.put(conversion.email_token);
    out.put(conversion.payment_token);
    out.put(conversion.amount);
    out.put(conversion.currency.as_ref().map(|currency| currency.as_str()));
    out.put(conversion.plan);
    out.maybe_choice(&PaymentType::ALL, conversion.payment_type);
}

fn put_commission<'e>(out: &mut Filler<'e>, commission: &'e Commission<'_>) {
    out.put(commission.commission_id.0);
    out.choice(&CommissionKind::ALL, commission.kind);
    out.put(commission.member_id.0);
    out.put(commission.conversion_id.map(|id| id.0));
    out.put(commission.amount);
    out.put(commission.currency.as_ref().map(|currency| currency.as_str()));
    out.put(commission.sale_amount);
    out.maybe_choice(&PaymentType::ALL, commission.payment_type);
    out.put(commission.paid_at);
}

fn put_review<'e>(out: &mut Filler<'e>, review: &'e Review<'_>) {
    out.choice(&ReviewSubject::ALL, review.subject_type);
    out.put(review.subject_id);
    out.put(review.decision_id);
    out.choice(&Verdict::ALL, review.verdict);
    out.choice(&ReviewLabel::ALL, review.label);
    out.put(review.reason);
    out.put(review.actor);
    out.put(review.expires_at);
}

fn put_rule_set<'e>(out: &mut Filler<'e>, rules: &'e RuleSet<'_>) {
    out.put(rules.rule_set_id);
    out.put(rules.version);
    out.put(rules.definition);
    out.maybe_choice(&RuleSetMode::ALL, rules.mode);
}

fn put_list_entry<'e>(out: &mut Filler<'e>, entry: &'e ListEntry<'_>) {
    out.choice(&ListKind::ALL, entry.list);
    out.choice(&ListKey::ALL, entry.key);
    out.put(entry.value);
    out.put(entry.active);
    out.put(entry.actor);
    out.put(entry.expires_at);
}

fn put_template<'e>(out: &mut Filler<'e>, template: &'e Template<'_>) {
    out.put(template.template_id);
    out.put(template.platform);
    out.put(template.category);
    out.put(template.locale);
    out.put(template.text);
    out.put(template.active);
}

fn put_erasure<'e>(out: &mut Filler<'e>, erasure: &'e Erasure<'_>) {
    out.choice(&ErasureSubject::ALL, erasure.subject_type);
    out.put(erasure.subject_id);
    out.put(erasure.actor);
}
