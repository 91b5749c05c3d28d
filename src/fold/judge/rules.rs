//! Which rule set a creator is scored by.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::fold::fraud::{RuleSet, RuleSetName};
use crate::fold::records::{CreatorPageKey, DEFINITION_PAGE, DefinitionPage, RulesHead, Text};
use crate::fold::state::{FOR_EVER, State};
use crate::fold::{Stop, Turn, refuse};

/// Creators' own rule sets that are kept at hand; beyond, they are read anew.
const OWN_MAX: usize = 4_096;

/// `Creator::rules` in the record.
mod chosen {
    pub(super) const GUARDED: u8 = 0;
    pub(super) const SEED: u8 = 1;
    pub(super) const OWN: u8 = 2;
}

/// A rule set at work.
#[derive(Debug)]
pub(in crate::fold) struct Scoring {
    pub(super) set: RuleSet,
    pub(super) name: RuleSetName,
}

impl Scoring {
    fn new(set: RuleSet) -> Arc<Self> {
        let name = RuleSetName::new(&set.id, &set.version);
        Arc::new(Self { set, name })
    }
}

/// A cache: what stands in state, ready to be used.
#[derive(Debug)]
pub(in crate::fold) struct RuleSets {
    guarded: Arc<Scoring>,
    seed: Arc<Scoring>,
    own: HashMap<u32, Arc<Scoring>>,
}

impl Default for RuleSets {
    fn default() -> Self {
        Self {
            guarded: Scoring::new(RuleSet::guarded_v1()),
            seed: Scoring::new(RuleSet::seed_v1()),
            own: HashMap::new(),
        }
    }
}

impl Turn<'_> {
    /// What is scored from here on is scored by these.
    pub(in crate::fold) fn rule_set(&mut self, stated: &crate::event::RuleSet<'_>) -> Result<(), Stop> {
        let shipped = match stated.rule_set_id {
            "guarded-v1" => Some(chosen::GUARDED),
            "seed-v1" => Some(chosen::SEED),
            _ => None,
        };
        let chosen = match (shipped, stated.definition) {
            (Some(_), Some(_)) => {
                let message = format!("{:?} is shipped: choose another id for a definition", stated.rule_set_id);
                return Err(refuse("invalid_rule_set", message));
            }
            (Some(shipped), None) => shipped,
            (None, None) => {
                let message = format!("{:?} is not shipped, so it needs a definition", stated.rule_set_id);
                return Err(refuse("invalid_rule_set", message));
            }
            (None, Some(definition)) => {
                let set = RuleSet::parse(stated.rule_set_id, stated.version.unwrap_or("1"), definition)
                    .map_err(|error| refuse("invalid_rule_set", error.to_string()))?;
                self.keep_definition(&set, definition);
                chosen::OWN
            }
        };
        self.fold.rule_sets.own.remove(&self.c);
        self.creator_mut().rules = chosen;
        Ok(())
    }

    fn keep_definition(&mut self, set: &RuleSet, definition: &str) {
        let len = u32::try_from(definition.len()).unwrap_or(u32::MAX);
        let head = RulesHead { id: Text::new(&set.id), version: Text::new(&set.version), pad: [0; 2], len };
        self.state.rules.put(&self.c, head, self.t);
        for (page, part) in (0_u32..).zip(definition.as_bytes().chunks(DEFINITION_PAGE)) {
            let mut bytes = [0; DEFINITION_PAGE];
            bytes.iter_mut().zip(part).for_each(|(place, byte)| *place = *byte);
            self.state.definition_pages.put(
                &CreatorPageKey { creator: self.c, page },
                DefinitionPage { bytes },
                self.t,
            );
        }
    }

    pub(super) fn rules(&mut self) -> Arc<Scoring> {
        let sets = &mut self.fold.rule_sets;
        match self.head.rules {
            chosen::SEED => Arc::clone(&sets.seed),
            chosen::OWN => {
                if let Some(own) = sets.own.get(&self.c) {
                    return Arc::clone(own);
                }
                if sets.own.len() >= OWN_MAX {
                    sets.own.clear();
                }
                // It was read once before it was kept.
                let scoring = Scoring::new(kept(self.state, self.c).unwrap_or_default());
                let sets = &mut self.fold.rule_sets;
                sets.own.insert(self.c, Arc::clone(&scoring));
                scoring
            }
            _ => Arc::clone(&sets.guarded),
        }
    }
}

impl RuleSets {
    /// The same as `Turn::rules`, for who may keep nothing at hand.
    pub(super) fn of(&self, state: &State, creator: u32, number: u8) -> Arc<Scoring> {
        match number {
            chosen::SEED => Arc::clone(&self.seed),
            chosen::OWN => {
                let own = self.own.get(&creator).map(Arc::clone);
                own.unwrap_or_else(|| Scoring::new(kept(state, creator).unwrap_or_default()))
            }
            _ => Arc::clone(&self.guarded),
        }
    }
}

fn kept(state: &State, creator: u32) -> Option<RuleSet> {
    let head = state.rules.get(&creator, FOR_EVER)?;
    let len = usize::try_from(head.len).ok()?;
    let mut bytes = Vec::with_capacity(len);
    for page in (0_u32..).take(len.div_ceil(DEFINITION_PAGE)) {
        bytes.extend(state.definition_pages.get(&CreatorPageKey { creator, page }, FOR_EVER)?.bytes);
    }
    bytes.truncate(len);
    let definition = String::from_utf8(bytes).ok()?;
    RuleSet::parse(head.id.as_str(), head.version.as_str(), &definition).ok()
}
