//! What two folds say of a subject, before and after a record.

use bytemuck::{Pod, Zeroable};

use crate::fold::fraud::{Decision, Subject, Verdict};
use crate::keep::{HashKey, Id128};

/// Verdicts by number; 0: nothing was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Pair {
    today: u8,
    candidate: u8,
}

impl Pair {
    pub(super) const fn today(self) -> Option<Verdict> {
        of_number(self.today)
    }

    pub(super) const fn candidate(self) -> Option<Verdict> {
        of_number(self.candidate)
    }

    pub(super) const fn differs(self) -> bool {
        self.today != self.candidate
    }
}

const fn number(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Approve => 1,
        Verdict::Review => 2,
        Verdict::Block => 3,
    }
}

const fn of_number(number: u8) -> Option<Verdict> {
    match number {
        0 => None,
        1 => Some(Verdict::Approve),
        2 => Some(Verdict::Review),
        _ => Some(Verdict::Block),
    }
}

/// What each side says by one record: what it said before, and what it says now; nothing, if it decided nothing new.
#[derive(Debug, Default)]
pub(super) struct Said {
    today: Option<(u8, u8)>,
    candidate: Option<(u8, u8)>,
}

impl Said {
    /// What both said before and say now. Who is silent says what it said: that is kept if the two differed, and is
    /// what the other one said if they did not. What begins has no before: its id may be that of a click that is
    /// forgotten, and that was another one.
    pub(super) fn pairs(&self, known: Option<Pair>) -> (Pair, Pair) {
        let begins = |said: Option<(u8, u8)>| said.is_some_and(|(before, _)| before == 0);
        let alike = self.today.or(self.candidate).map_or(0, |(before, _)| before);
        let known = known.filter(|_| !begins(self.today) && !begins(self.candidate));
        let before = known.unwrap_or(Pair { today: alike, candidate: alike });
        let now = Pair {
            today: self.today.map_or(before.today, |(_, now)| now),
            candidate: self.candidate.map_or(before.candidate, |(_, now)| now),
        };
        (before, now)
    }
}

/// The subjects of which either side decided something, each with one of its decisions.
pub(super) fn by_subject<'d>(today: &'d [Decision], candidate: &'d [Decision]) -> Vec<(Said, &'d Decision)> {
    let mut subjects: Vec<(Said, &Decision)> = Vec::new();
    let both = today.iter().map(|decision| (true, decision));
    for (is_today, decision) in both.chain(candidate.iter().map(|decision| (false, decision))) {
        let is_it = |(_, of): &&mut (Said, &Decision)| {
            (of.subject, of.subject_id.as_str()) == (decision.subject, decision.subject_id.as_str())
        };
        let now = number(decision.verdict);
        let before = decision.previous.map_or(0, |previous| number(previous.verdict));
        let mut fresh = None;
        let said = match subjects.iter_mut().find(is_it) {
            Some((said, _)) => said,
            None => fresh.insert(Said::default()),
        };
        let place = if is_today { &mut said.today } else { &mut said.candidate };
        *place = Some((place.map_or(before, |(before, _)| before), now));
        if let Some(said) = fresh {
            subjects.push((said, decision));
        }
    }
    subjects
}

/// Under which a subject is kept.
pub(super) fn key(hash_key: &HashKey, decision: &Decision) -> Id128 {
    let kind = match decision.subject {
        Subject::Click => 1,
        Subject::Conversion => 2,
        Subject::Commission => 3,
    };
    let text = [decision.creator.as_str(), decision.subject_id.as_str()].join("\u{1F}");
    hash_key.id(kind, 0, text.as_bytes())
}
