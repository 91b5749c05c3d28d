//! Whose conversion it is (SEMANTICS §6), each time from all that is known.

use tributary::event::{AttributionModel, ConversionKind};

use super::history::{Awaited, Creator, Credit, DAY, MINUTE};

const VISITOR_CLICKS: usize = 32;

/// The customer's credited conversion that a later one may follow.
struct Owner<'a> {
    t: i64,
    id: &'a str,
    /// Those it was credited to, but for members who are removed by now; the last is the primary.
    members: Vec<usize>,
}

/// A click that may have led to the conversion.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Touch<'a> {
    t: i64,
    id: &'a str,
    member: usize,
}

#[derive(Clone, Copy)]
enum Stage {
    Coupon,
    Click,
    Code,
    Visitor,
    Owner,
}

/// What one stage finds.
enum Found<'a> {
    Nothing,
    Failed(&'static str),
    Wait(Awaited<'a>),
    To(Credit<'a>),
}

/// One conversion, and what is known of it.
struct Case<'m, 'a> {
    creator: &'m Creator<'a>,
    c: usize,
    is_over: bool,
    owner: Option<Owner<'a>>,
}

impl<'a> Creator<'a> {
    /// `is_over`: evidence that is not known is not waited for (any longer).
    pub(crate) fn try_credit(&mut self, c: usize, is_over: bool) {
        let credit = Case { creator: self, c, is_over, owner: self.owner(c) }.decide();
        if matches!(credit, Credit::Waiting(_)) {
            let number = self.next_number();
            let deadline = (self.clock + DAY, number);
            let conversion = &mut self.conversions[c];
            conversion.deadline = conversion.deadline.or(Some(deadline));
            // Tried in vain, it keeps its place among those that wait for the same.
            if conversion.credit != credit {
                conversion.queued = number;
            }
        }
        self.conversions[c].credit = credit;
        if self.conversions[c].credit.members().is_empty() {
            return;
        }
        self.derive(c);
        self.retry_customer(c);
    }

    /// What the customer did later and nobody was credited with may be credited to the owner now.
    fn retry_customer(&mut self, c: usize) {
        let Some(customer) = self.conversions[c].stated.customer_id else { return };
        let is_open = |other: &super::history::Conversion<'a>| {
            other.stated.customer_id == Some(customer) && matches!(other.credit, Credit::Waiting(_) | Credit::Nobody(_))
        };
        let mut later: Vec<usize> = (0..self.conversions.len())
            .filter(|other| is_open(&self.conversions[*other]) && self.conversions[*other].t >= self.conversions[c].t)
            .collect();
        later.sort_by_key(|other| self.conversions[*other].place());
        for other in later {
            if is_open(&self.conversions[other]) {
                let is_settled = matches!(self.conversions[other].credit, Credit::Nobody(_));
                self.try_credit(other, is_settled);
            }
        }
    }

    fn owner(&self, c: usize) -> Option<Owner<'a>> {
        let conversion = &self.conversions[c];
        let is_credited = |other: &usize| *other != c && !self.conversions[*other].credit.members().is_empty();
        let named = conversion.stated.original_id.filter(|_| conversion.kind() == ConversionKind::Renewal);
        let named = named.and_then(|id| self.conversion(id.0)).filter(is_credited);
        let customers = || {
            let customer = conversion.stated.customer_id?;
            let before = (0..self.conversions.len()).filter(is_credited).filter(|other| {
                let other = &self.conversions[*other];
                other.stated.customer_id == Some(customer) && other.t <= conversion.t
            });
            let by_place = |other: &usize| self.conversions[*other].place();
            match conversion.terms.model {
                AttributionModel::First => before.min_by_key(by_place),
                AttributionModel::Last | AttributionModel::Linear => before.max_by_key(by_place),
            }
        };
        let owner = &self.conversions[named.or_else(customers)?];
        let members = owner.credit.members().iter().copied().filter(|m| !self.is_removed(*m)).collect();
        Some(Owner { t: owner.t, id: owner.id(), members })
    }
}

impl<'a> Case<'_, 'a> {
    fn decide(&self) -> Credit<'a> {
        let conversion = &self.creator.conversions[self.c];
        let stages: &[Stage] = if conversion.kind() == ConversionKind::Renewal && self.owner.is_some() {
            &[Stage::Owner]
        } else if conversion.terms.click_first {
            &[Stage::Click, Stage::Coupon, Stage::Code, Stage::Visitor, Stage::Owner]
        } else {
            &[Stage::Coupon, Stage::Click, Stage::Code, Stage::Visitor, Stage::Owner]
        };
        let mut trail = Vec::new();
        for stage in stages {
            match self.look(*stage) {
                Found::Nothing => {}
                Found::Failed(why) => trail.push(why),
                Found::Wait(awaited) => return Credit::Waiting(awaited),
                Found::To(credit) => return credit,
            }
        }
        let expired = trail.iter().find(|why| **why == "window_expired");
        Credit::Nobody(expired.or(trail.last()).copied().unwrap_or("no_touch"))
    }

    fn look(&self, stage: Stage) -> Found<'a> {
        let stated = &self.creator.conversions[self.c].stated;
        match stage {
            Stage::Coupon => {
                let Some(coupon) = stated.coupon else { return Found::Nothing };
                self.creator.holder(coupon.0).map_or(Found::Failed("unknown_coupon"), |m| self.to_holder(m, "coupon"))
            }
            Stage::Code => {
                let Some(code) = stated.referral_code else { return Found::Nothing };
                match self.creator.holder(code.0) {
                    Some(m) => self.to_holder(m, "code"),
                    None if self.is_over => Found::Failed("unknown_code"),
                    None => Found::Wait(Awaited::Code(super::history::compared(code.0))),
                }
            }
            Stage::Click => {
                let Some(id) = stated.click_id else { return Found::Nothing };
                match self.named() {
                    Some(Ok(click)) => self.to_touched("click", Some(click)),
                    Some(Err(why)) => Found::Failed(why),
                    None if self.is_over => Found::Failed("unknown_click"),
                    None => Found::Wait(Awaited::Click(id.0)),
                }
            }
            Stage::Visitor => self.visitor(),
            Stage::Owner => match &self.owner {
                None => Found::Nothing,
                Some(owner) if owner.members.is_empty() => Found::Failed("member_removed"),
                Some(owner) => Found::To(Credit::To { members: self.of_owner(owner), how: "owner", click: None }),
            },
        }
    }

    fn to_holder(&self, m: usize, how: &'static str) -> Found<'a> {
        if self.creator.is_removed(m) {
            return Found::Failed("member_removed");
        }
        Found::To(Credit::To { members: vec![m], how, click: None })
    }

    /// The click that the conversion names, or why it does not count; nothing if it is not known.
    fn named(&self) -> Option<Result<Touch<'a>, &'static str>> {
        let conversion = &self.creator.conversions[self.c];
        let click = self.creator.click(conversion.stated.click_id?.0)?;
        let age = conversion.t - click.t;
        Some(if age > conversion.terms.window {
            Err("window_expired")
        } else if age < -5 * MINUTE {
            Err("click_after")
        } else if self.creator.is_removed(click.member) {
            Err("member_removed")
        } else {
            Ok(Touch { t: click.t, id: click.id, member: click.member })
        })
    }

    /// The latest human clicks of the same visitor that were not after the conversion.
    fn candidates(&self) -> Vec<Touch<'a>> {
        let conversion = &self.creator.conversions[self.c];
        let theirs = self.creator.clicks.iter().filter(|click| {
            click.human
                && conversion.visitor.is_some()
                && click.visitor == conversion.visitor
                && click.t >= self.creator.floor
        });
        let mut kept: Vec<Touch<'a>> =
            theirs.map(|click| Touch { t: click.t, id: click.id, member: click.member }).collect();
        kept.sort();
        kept.drain(..kept.len().saturating_sub(VISITOR_CLICKS));
        kept.retain(|touch| touch.t <= conversion.t);
        kept
    }

    fn is_inside(&self, touch: &Touch<'a>) -> bool {
        let conversion = &self.creator.conversions[self.c];
        conversion.t - touch.t <= conversion.terms.window
    }

    fn eligible(&self) -> Vec<Touch<'a>> {
        let is_eligible = |touch: &Touch<'a>| self.is_inside(touch) && !self.creator.is_removed(touch.member);
        self.candidates().into_iter().filter(is_eligible).collect()
    }

    fn visitor(&self) -> Found<'a> {
        let candidates = self.candidates();
        if !self.eligible().is_empty() {
            self.to_touched("visitor", None)
        } else if candidates.iter().any(|touch| self.is_inside(touch)) {
            Found::Failed("member_removed")
        } else if candidates.is_empty() {
            Found::Nothing
        } else {
            Found::Failed("window_expired")
        }
    }

    fn to_touched(&self, how: &'static str, named: Option<Touch<'a>>) -> Found<'a> {
        let mut touches = self.eligible();
        touches.extend(named.filter(|named| !touches.contains(named)));
        let last = named.or(touches.iter().max().copied()).expect("a stage won by a touch");
        let owner = self.owner.as_ref().filter(|owner| !owner.members.is_empty());
        let (members, click) = match self.creator.conversions[self.c].terms.model {
            AttributionModel::Last => (vec![last.member], Some(last.id)),
            AttributionModel::First => match owner.and_then(|owner| owner.members.last()) {
                Some(primary) => (vec![*primary], None),
                None => touches.iter().min().map(|first| (vec![first.member], Some(first.id))).expect("as above"),
            },
            AttributionModel::Linear => (in_turn(owner, &touches, last.member), Some(last.id)),
        };
        Found::To(Credit::To { members, how, click })
    }

    fn of_owner(&self, owner: &Owner<'a>) -> Vec<usize> {
        match self.creator.conversions[self.c].terms.model {
            AttributionModel::Last | AttributionModel::First => owner.members.last().copied().into_iter().collect(),
            AttributionModel::Linear => owner.members.clone(),
        }
    }
}

/// Each member once, by first touch; the one of the last touch behind the others.
fn in_turn(owner: Option<&Owner<'_>>, touches: &[Touch<'_>], primary: usize) -> Vec<usize> {
    let mut all: Vec<(i64, &str, usize)> = touches.iter().map(|touch| (touch.t, touch.id, touch.member)).collect();
    if let Some(owner) = owner {
        all.extend(owner.members.iter().map(|m| (owner.t, owner.id, *m)));
    }
    // Stable: the members of an owner stay in their order.
    all.sort_by_key(|(t, id, _)| (*t, *id));
    let mut members: Vec<usize> = Vec::new();
    for (_, _, member) in all {
        if !members.contains(&member) {
            members.push(member);
        }
    }
    members.retain(|member| *member != primary);
    members.push(primary);
    members
}
