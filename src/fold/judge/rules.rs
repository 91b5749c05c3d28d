//! Which rule set a creator is scored by, and which one runs beside it.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::event::RuleSetMode;
use crate::fold::fraud::{DecisionIds, RuleSet, RuleSetName};
use crate::fold::records::{CreatorPageKey, DEFINITION_PAGE, DefinitionPage, RulesHead, ShadowHead, Text};
use crate::fold::state::{FOR_EVER, State};
use crate::fold::{Stop, Turn, refuse};

/// Creators' own rule sets that are kept at hand; beyond, they are read anew.
const OWN_MAX: usize = 4_096;
/// The first page of a shadow's definition: behind all that a definition can have.
const SHADOW_PAGES: u32 = 1 << 16;

/// `Creator::rules` in the record.
mod chosen {
    pub(super) const GUARDED: u8 = 0;
    pub(super) const SEED: u8 = 1;
    pub(super) const OWN: u8 = 2;
}

/// `Creator::shadow` in the record; 0: there was none.
mod shadow {
    pub(super) const RUNS: u16 = 1;
    pub(super) const ENDED: u16 = 2;
}

/// A rule set at work.
#[derive(Debug)]
pub(in crate::fold) struct Scoring {
    pub(super) set: RuleSet,
    pub(super) name: RuleSetName,
    pub(super) ids: DecisionIds,
    /// The epoch of one that runs beside the live rules.
    pub(super) shadow: Option<u32>,
}

impl Scoring {
    fn new(set: RuleSet, shadow: Option<u32>) -> Arc<Self> {
        let name = RuleSetName::new(&set.id, &set.version);
        Arc::new(Self { ids: DecisionIds::of(&name), set, name, shadow })
    }
}

/// A cache: what stands in state, ready to be used.
#[derive(Debug)]
pub(in crate::fold) struct RuleSets {
    guarded: Arc<Scoring>,
    seed: Arc<Scoring>,
    own: HashMap<u32, Arc<Scoring>>,
    shadows: HashMap<u32, Arc<Scoring>>,
    /// In a trial: scores everything, whatever was chosen.
    forced: Option<Arc<Scoring>>,
    is_trial: bool,
}

impl Default for RuleSets {
    fn default() -> Self {
        Self {
            guarded: Scoring::new(RuleSet::guarded_v1(), None),
            seed: Scoring::new(RuleSet::seed_v1(), None),
            own: HashMap::new(),
            shadows: HashMap::new(),
            forced: None,
            is_trial: false,
        }
    }
}

impl RuleSets {
    /// Every decision is told, storms too, and nothing runs beside the rules, which are `forced` if one is.
    pub(in crate::fold) fn trial(forced: Option<RuleSet>) -> Self {
        Self { forced: forced.map(|set| Scoring::new(set, None)), is_trial: true, ..Self::default() }
    }

    pub(in crate::fold) const fn is_trial(&self) -> bool {
        self.is_trial
    }
}

impl Turn<'_> {
    /// What is scored from here on is scored by these; or beside them, or no longer beside them.
    pub(in crate::fold) fn rule_set(&mut self, stated: &crate::event::RuleSet<'_>) -> Result<(), Stop> {
        match stated.mode.unwrap_or(RuleSetMode::Live) {
            RuleSetMode::Live => self.choose_rules(stated),
            RuleSetMode::Shadow => self.begin_shadow(stated),
            RuleSetMode::Off => self.end_shadow(stated.rule_set_id),
        }
    }

    fn choose_rules(&mut self, stated: &crate::event::RuleSet<'_>) -> Result<(), Stop> {
        let (chosen, set) = read(stated)?;
        if chosen == chosen::OWN {
            let head = self.keep_definition(&set, stated.definition.unwrap_or_default(), 0);
            self.state.rules.put(&self.c, head, self.t);
        }
        self.fold.rule_sets.own.remove(&self.c);
        self.creator_mut().rules = chosen;
        // It has nothing more to say than the live one, and would say it by the same ids.
        if self.creator().shadow == shadow::RUNS && self.shadow_is(&RuleSetName::new(&set.id, &set.version)) {
            self.creator_mut().shadow = shadow::ENDED;
        }
        Ok(())
    }

    fn begin_shadow(&mut self, stated: &crate::event::RuleSet<'_>) -> Result<(), Stop> {
        let (chosen, set) = read(stated)?;
        if self.chosen_rules().name.hash == RuleSetName::new(&set.id, &set.version).hash {
            let message = format!(
                "{:?}, version {:?}, decides already: a candidate needs a name or a version of its own",
                set.id, set.version
            );
            return Err(refuse("invalid_rule_set", message));
        }
        let rules = self.keep_definition(&set, stated.definition.unwrap_or_default(), SHADOW_PAGES);
        let before = self.state.shadows.get(&self.c, FOR_EVER).map_or(0, |head| head.epoch);
        let head = ShadowHead { rules, chosen: chosen.into(), epoch: before.wrapping_add(1) };
        self.state.shadows.put(&self.c, head, self.t);
        self.fold.rule_sets.shadows.remove(&self.c);
        self.creator_mut().shadow = shadow::RUNS;
        Ok(())
    }

    /// The one that is named, or whichever runs.
    fn end_shadow(&mut self, id: &str) -> Result<(), Stop> {
        if self.creator().shadow != shadow::RUNS {
            return Ok(());
        }
        let head = self.state.shadows.get(&self.c, FOR_EVER);
        if let Some(runs) = head.filter(|head| !id.is_empty() && head.rules.id.as_str() != id) {
            let message = format!("{:?} runs beside the rules, and not {id:?}", runs.rules.id.as_str());
            return Err(refuse("invalid_rule_set", message));
        }
        self.creator_mut().shadow = shadow::ENDED;
        Ok(())
    }

    fn shadow_is(&self, name: &RuleSetName) -> bool {
        let head = self.state.shadows.get(&self.c, FOR_EVER);
        head.is_some_and(|head| RuleSetName::new(head.rules.id.as_str(), head.rules.version.as_str()).hash == name.hash)
    }

    /// The definition in pages from `first` on; of a shipped set there is none.
    fn keep_definition(&mut self, set: &RuleSet, definition: &str, first: u32) -> RulesHead {
        for (page, part) in (first..).zip(definition.as_bytes().chunks(DEFINITION_PAGE)) {
            let mut bytes = [0; DEFINITION_PAGE];
            bytes.iter_mut().zip(part).for_each(|(place, byte)| *place = *byte);
            self.state.definition_pages.put(
                &CreatorPageKey { creator: self.c, page },
                DefinitionPage { bytes },
                self.t,
            );
        }
        let len = u32::try_from(definition.len()).unwrap_or(u32::MAX);
        RulesHead { id: Text::new(&set.id), version: Text::new(&set.version), pad: [0; 2], len }
    }

    /// By which the creator is scored.
    pub(super) fn rules(&mut self) -> Arc<Scoring> {
        match &self.fold.rule_sets.forced {
            Some(forced) => Arc::clone(forced),
            None => self.chosen_rules(),
        }
    }

    fn chosen_rules(&mut self) -> Arc<Scoring> {
        let sets = &mut self.fold.rule_sets;
        match self.head.rules {
            chosen::SEED => Arc::clone(&sets.seed),
            chosen::OWN => {
                let (state, c) = (&*self.state, self.c);
                at_hand(&mut sets.own, c, || {
                    let head = state.rules.get(&c, FOR_EVER);
                    Scoring::new(head.and_then(|head| kept(state, c, &head, 0)).unwrap_or_default(), None)
                })
            }
            _ => Arc::clone(&sets.guarded),
        }
    }

    /// The candidate that runs beside the creator's rules, if one does.
    pub(super) fn shadow(&mut self) -> Option<Arc<Scoring>> {
        let sets = &mut self.fold.rule_sets;
        if self.head.shadow != shadow::RUNS || sets.is_trial {
            return None;
        }
        let (state, c) = (&*self.state, self.c);
        Some(at_hand(&mut sets.shadows, c, || {
            let head = state.shadows.get(&c, FOR_EVER);
            let ShadowHead { rules, chosen, epoch } = head.expect("it is kept before it runs");
            let shipped = RuleSet::shipped(rules.id.as_str()).filter(|_| chosen != u32::from(chosen::OWN));
            let set = shipped.or_else(|| kept(state, c, &rules, SHADOW_PAGES));
            Scoring::new(set.unwrap_or_default(), Some(epoch))
        }))
    }
}

impl RuleSets {
    /// The same as `Turn::rules`, for who may keep nothing at hand.
    pub(super) fn of(&self, state: &State, creator: u32, number: u8) -> Arc<Scoring> {
        match number {
            chosen::SEED => Arc::clone(&self.seed),
            chosen::OWN => {
                let own = self.own.get(&creator).map(Arc::clone);
                let read = || state.rules.get(&creator, FOR_EVER).and_then(|head| kept(state, creator, &head, 0));
                own.unwrap_or_else(|| Scoring::new(read().unwrap_or_default(), None))
            }
            _ => Arc::clone(&self.guarded),
        }
    }
}

/// The set that a record states, and its number in `Creator::rules`.
fn read(stated: &crate::event::RuleSet<'_>) -> Result<(u8, RuleSet), Stop> {
    let shipped = match stated.rule_set_id {
        "guarded-v1" => Some((chosen::GUARDED, RuleSet::guarded_v1())),
        "seed-v1" => Some((chosen::SEED, RuleSet::seed_v1())),
        _ => None,
    };
    match (shipped, stated.definition) {
        (Some(_), Some(_)) => {
            let message = format!("{:?} is shipped: choose another id for a definition", stated.rule_set_id);
            Err(refuse("invalid_rule_set", message))
        }
        (Some(shipped), None) => Ok(shipped),
        (None, None) => {
            let message = format!("{:?} is not shipped, so it needs a definition", stated.rule_set_id);
            Err(refuse("invalid_rule_set", message))
        }
        (None, Some(definition)) => RuleSet::parse(stated.rule_set_id, stated.version.unwrap_or("1"), definition)
            .map(|set| (chosen::OWN, set))
            .map_err(|error| refuse("invalid_rule_set", error.to_string())),
    }
}

/// One of a few that are kept at hand, made if it is not there.
fn at_hand(known: &mut HashMap<u32, Arc<Scoring>>, creator: u32, make: impl FnOnce() -> Arc<Scoring>) -> Arc<Scoring> {
    if let Some(scoring) = known.get(&creator) {
        return Arc::clone(scoring);
    }
    if known.len() >= OWN_MAX {
        known.clear();
    }
    let scoring = make();
    known.insert(creator, Arc::clone(&scoring));
    scoring
}

/// It was read once before it was kept.
fn kept(state: &State, creator: u32, head: &RulesHead, first: u32) -> Option<RuleSet> {
    let len = usize::try_from(head.len).ok()?;
    let mut bytes = Vec::with_capacity(len);
    for page in (first..).take(len.div_ceil(DEFINITION_PAGE)) {
        bytes.extend(state.definition_pages.get(&CreatorPageKey { creator, page }, FOR_EVER)?.bytes);
    }
    bytes.truncate(len);
    let definition = String::from_utf8(bytes).ok()?;
    RuleSet::parse(head.id.as_str(), head.version.as_str(), &definition).ok()
}
