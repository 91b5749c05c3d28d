//! Sums over subjects.

use std::collections::BTreeMap;

use tributary::event::ReviewSubject;
use tributary::fold::fraud::{Rule, Verdict};
use tributary::simulate::labelled::{Group, Label, Spec, Strength};

use super::play::{Lane, Last, play, would_stop};

/// What money hangs on is counted apart from clicks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Conversions and commissions.
    Money,
    Clicks,
}

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) lane: Lane,
    pub(super) part: Part,
    pub(super) group: Group,
    /// Of the cheat through whose link it came.
    pub(super) cheat: Option<Strength>,
}

/// So many subjects, and of so many of them the last decision is that.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) all: u64,
    /// At review or worse.
    pub(super) stopped: u64,
    pub(super) blocked: u64,
    pub(super) undecided: u64,
    pub(super) by_rule: [u64; 9],
}

#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<Key, Sum>);

impl Counts {
    /// Of all these together.
    pub(super) fn of(specs: impl IntoIterator<Item = Spec>, lanes: &[Lane]) -> Self {
        let mut counts = Self::default();
        for spec in specs {
            play(&spec, lanes, |label, lane, last| counts.count(label, lane, last));
        }
        counts
    }

    fn count(&mut self, label: &Label, lane: Lane, last: Option<Last>) {
        let part = if label.subject == ReviewSubject::Click { Part::Clicks } else { Part::Money };
        let sum = self.0.entry(Key { lane, part, group: label.group, cheat: label.cheat }).or_default();
        sum.all += 1;
        let Some(last) = last else {
            sum.undecided += 1;
            return;
        };
        sum.stopped += u64::from(last.verdict >= Verdict::Review);
        sum.blocked += u64::from(last.verdict == Verdict::Block);
        for (place, rule) in sum.by_rule.iter_mut().zip(Rule::ALL) {
            *place += u64::from(would_stop(&last, rule));
        }
    }

    pub(super) fn sum(&self, is_meant: impl Fn(&Key) -> bool) -> Sum {
        let mut sum = Sum::default();
        for (_, some) in self.0.iter().filter(|(key, _)| is_meant(key)) {
            sum.all += some.all;
            sum.stopped += some.stopped;
            sum.blocked += some.blocked;
            sum.undecided += some.undecided;
            sum.by_rule.iter_mut().zip(some.by_rule).for_each(|(sum, some)| *sum += some);
        }
        sum
    }
}
