//! Labelled traffic through the fold, under one rule set beside another; what was decided last of each subject.

use std::collections::HashMap;
use std::sync::LazyLock;

use tributary::event::{Body, Bots, Event, ReviewSubject, RuleSet};
use tributary::fold::effects::Effects;
use tributary::fold::fraud::{DecidedBy, Rule, Rules, Subject, Verdict};
use tributary::fold::state::State;
use tributary::fold::{Fold, Origin};
use tributary::ids::{EventId, Millis, Next, Offset};
use tributary::simulate::labelled::{Label, Spec, Traffic};

/// Of all folds: it takes longer to make than all else of one.
static BOTS: LazyLock<Bots> = LazyLock::new(Bots::default);

/// By what is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Lane {
    Guarded,
    Seed,
    /// `guarded-v1` of which no rule has points, so that nothing is held or blocked: which rules fire.
    Watched,
}

impl Lane {
    pub(super) const ALL: [Self; 3] = [Self::Guarded, Self::Seed, Self::Watched];

    fn rule_set(self) -> RuleSet<'static> {
        let (rule_set_id, definition) = match self {
            Self::Guarded => ("guarded-v1", None),
            Self::Seed => ("seed-v1", None),
            Self::Watched => ("watched", Some(NO_POINTS)),
        };
        RuleSet { rule_set_id, version: None, definition, mode: None }
    }
}

const NO_POINTS: &str = r#"{"base": "guarded-v1", "points": {
    "self.same_ip": 0, "self.same_device": 0, "self.same_user": 0, "click.bot": 0, "click.velocity": 0,
    "click.timing": 0, "abuse.chargeback": 0, "abuse.refund": 0, "abuse.multi_account": 0}}"#;

/// The last decision on a subject.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub(super) verdict: Verdict,
    pub(super) by: DecidedBy,
    pub(super) fired: Rules,
}

/// A fold of its own, and what it decided.
pub(super) struct Player {
    lane: Lane,
    state: State,
    fold: Fold,
    effects: Effects,
    read: u64,
    last: HashMap<(Subject, String), Last>,
}

impl Player {
    pub(super) fn new(lane: Lane) -> Self {
        Self {
            lane,
            state: State::default(),
            fold: Fold::with(BOTS.clone()),
            effects: Effects::from(Next(0)),
            read: 0,
            last: HashMap::new(),
        }
    }

    /// Behind a creator's own record comes its rule set.
    pub(super) fn apply(&mut self, event: &Event<'_>, arrival: Millis) {
        self.fold_one(event, arrival);
        if matches!(event.body, Body::Creator(_)) {
            let body = Body::RuleSet(self.lane.rule_set());
            self.fold_one(&Event { event_id: EventId("rules"), body, ..event.clone() }, arrival);
        }
    }

    fn fold_one(&mut self, event: &Event<'_>, timestamp: Millis) {
        let origin = Origin { offset: Offset(self.read), timestamp };
        self.fold.apply(&mut self.state, &mut self.effects, event, origin);
        self.read += 1;
        for told in self.effects.decisions.drain(..) {
            let last = Last { verdict: told.verdict, by: told.decided_by, fired: told.assessment.fired };
            self.last.insert((told.subject, told.subject_id.as_str().to_owned()), last);
        }
        assert!(self.effects.letters.is_empty(), "{:?}", self.effects.letters);
        if self.read.is_multiple_of(4_096) {
            self.effects.take_fast(Next(self.read));
            self.effects.take_slow();
        }
    }

    /// `None`: a click of a storm that was told of already, or a sale that nobody is credited with.
    fn last(&self, label: &Label) -> Option<Last> {
        let subject = match label.subject {
            ReviewSubject::Click => Subject::Click,
            ReviewSubject::Conversion => Subject::Conversion,
            ReviewSubject::Commission => Subject::Commission,
        };
        self.last.get(&(subject, label.subject_id().to_owned())).copied()
    }
}

/// Calls `each` with every subject that could be scored, and what was decided of it last in each lane.
pub(super) fn play(spec: &Spec, lanes: &[Lane], mut each: impl FnMut(&Label, Lane, Option<Last>)) {
    let mut players: Vec<Player> = lanes.iter().map(|lane| Player::new(*lane)).collect();
    let mut labels = Vec::new();
    for labelled in Traffic::new(spec) {
        let event = labelled.event();
        players.iter_mut().for_each(|player| player.apply(&event, labelled.record.arrival));
        // Money that moves is no subject.
        let is_move = matches!(&event.body, Body::Conversion(moved) if !is_scored(moved.kind));
        if !is_move {
            labels.extend(labelled.labels());
        }
    }
    for label in &labels {
        players.iter().for_each(|player| each(label, player.lane, player.last(label)));
    }
}

const fn is_scored(kind: tributary::event::ConversionKind) -> bool {
    use tributary::event::ConversionKind::{Chargeback, ChargebackReversed, Purchase, Refund, Renewal, Signup};
    match kind {
        Signup | Purchase | Renewal => true,
        Refund | Chargeback | ChargebackReversed => false,
    }
}

/// Whether a rule alone would have the subject looked at: it fired, and no list speaks for it.
pub(super) fn would_stop(last: &Last, rule: Rule) -> bool {
    last.fired.has(rule) && last.by == DecidedBy::Score
}
