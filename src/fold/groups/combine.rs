//! From what a record states to the ordinal of its combination.

use bytemuck::Zeroable;
use hashbrown::HashMap;

use super::dimension::{Axis, DIMENSIONS, Dimension};
use super::{NO_GROUP, NONE, OTHER, values};
use crate::event::{Click, Conversion, Share};
use crate::fold::records::{Combo, GroupHead, Name, OrdinalKey, PAIRS, Share as ShareRecord, Text};
use crate::fold::state::FOR_EVER;
use crate::fold::{Refusal, Turn, kind};
use crate::ids::Millis;
use crate::keep::Id128;

/// Combinations remembered at once; beyond, the cache starts anew.
const COMBOS_MAX: usize = 262_144;

/// Combinations of the texts seen last. A cache: it decides nothing.
#[derive(Debug, Default)]
pub(in crate::fold) struct Combos {
    by_texts: HashMap<Id128, u32>,
    /// Ordinals of single texts.
    of_value: HashMap<Id128, u32>,
    /// By creator and ordinal.
    values: HashMap<(u32, u32), Combo>,
}

/// The texts of a record, in the order of `Dimension::ALL`; empty where it says nothing.
type Stated<'a> = [&'a str; DIMENSIONS];

/// The groups of a creator from its `breakdown_pairs`.
impl Turn<'_> {
    /// Pairs are in force for the UTC days whose first figure comes from here on. A pair of what is no dimension, or
    /// of one with itself, is left out.
    pub(in crate::fold) fn keep_pairs(&mut self, stated: &[&str]) {
        let mut parts = [0; PAIRS];
        let mut kept: Vec<Axis> = Vec::new();
        for text in stated {
            match Axis::parse(text).filter(|axis| axis.b.is_some()) {
                Some(axis) if !kept.contains(&axis) => kept.push(axis),
                Some(_) => {}
                None => self.letter(Refusal {
                    class: "unknown_dimension",
                    message: format!("breakdown_pairs names {text:?}, which is no pair of dimensions: left out"),
                }),
            }
        }
        if stated.is_empty() {
            kept.extend(Axis::PAIRS);
        }
        for (place, axis) in parts.iter_mut().zip(kept) {
            *place = axis.part();
        }
        self.group_head().pairs = parts;
    }

    fn group_head(&mut self) -> &mut GroupHead {
        let head = self.state.group_heads.entry(&self.c, Millis(0), FOR_EVER);
        head.values = head.values.max(OTHER + 1);
        head.combos = head.combos.max(NO_GROUP + 1);
        head
    }
}

/// The groups of records.
impl Turn<'_> {
    pub(in crate::fold) fn group_of_share(&mut self, share: &Share<'_>) -> u32 {
        let mut stated = [""; DIMENSIONS];
        let [platform, _, _, _, _, _, _, _, _, share_type, template, _, _] = &mut stated;
        *platform = share.platform.trim();
        *share_type = values::share_type(share.share_type);
        *template = share.template_id.unwrap_or_default();
        self.group_of(&stated, NO_GROUP)
    }

    /// What a click does not say of itself, its share may.
    pub(in crate::fold) fn group_of_click(&mut self, click: &Click<'_>, share: Option<ShareRecord>) -> u32 {
        let stated = [
            click.platform.map(str::trim),
            click.country.map(str::trim),
            click.device_class.map(str::trim),
            click.referrer.map(values::host),
            click.utm_source,
            click.utm_medium,
            click.utm_campaign,
            click.utm_term,
            click.utm_content,
            None,
            None,
            None,
            None,
        ];
        let share = share.map_or(NO_GROUP, |share| share.group);
        self.group_of(&stated.map(Option::unwrap_or_default), share)
    }

    /// A conversion's own dimensions (plan, payment type); those of its click come with `group_with_click`.
    pub(in crate::fold) fn group_of_conversion(&mut self, stated: &Conversion<'_>) -> u32 {
        let mut texts = [""; DIMENSIONS];
        let [.., plan, payment_type] = &mut texts;
        *plan = stated.plan.unwrap_or_default();
        *payment_type = values::payment_type(stated.payment_type);
        self.group_of(&texts, NO_GROUP)
    }

    /// The combination of `order`, with the dimensions of the click in `click`.
    pub(in crate::fold) fn group_with_click(&mut self, order: u32, click: u32) -> u32 {
        if click == NO_GROUP {
            return order;
        }
        let own = self.state.combo(self.c, order);
        let combo = filled(own, self.state.combo(self.c, click));
        self.combo_ordinal(&combo)
    }

    /// The combination of what is stated, filled up with `other`'s values.
    fn group_of(&mut self, stated: &Stated<'_>, other: u32) -> u32 {
        if other == NO_GROUP && stated.iter().all(|text| text.is_empty()) {
            return NO_GROUP;
        }
        let id = self.id_of_texts(stated, other);
        if let Some(combo) = self.fold.combos.by_texts.get(&id) {
            return *combo;
        }
        let combo = self.learn_texts(id, stated, other);
        let cache = &mut self.fold.combos.by_texts;
        if cache.len() >= COMBOS_MAX {
            cache.clear();
        }
        cache.insert(id, combo);
        combo
    }

    /// The values of a combination.
    pub(in crate::fold) fn combo_values(&mut self, combo: u32) -> Combo {
        let cache = &mut self.fold.combos.values;
        if cache.len() >= COMBOS_MAX {
            cache.clear();
        }
        let (creator, state) = (self.c, &*self.state);
        *cache.entry((creator, combo)).or_insert_with(|| state.combo(creator, combo))
    }

    fn id_of_texts(&mut self, stated: &Stated<'_>, other: u32) -> Id128 {
        let mut scratch = std::mem::take(&mut self.fold.scratch);
        scratch.clear();
        scratch.extend_from_slice(&other.to_le_bytes());
        for text in stated {
            let text = values::cut(text);
            scratch.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
            scratch.extend_from_slice(text.as_bytes());
        }
        let id = self.state.hash_key.id(kind::TEXTS, self.c, &scratch);
        self.fold.scratch = scratch;
        id
    }

    fn learn_texts(&mut self, id: Id128, stated: &Stated<'_>, other: u32) -> u32 {
        if let Some(known) = self.state.group_ids.get(&id, FOR_EVER) {
            return known.n;
        }
        let mut own = Combo::zeroed();
        for ((value, text), dimension) in own.values.iter_mut().zip(stated).zip(Dimension::ALL) {
            *value = self.value(&values::canonical(dimension, text));
        }
        let combo = if other == NO_GROUP { own } else { filled(own, self.state.combo(self.c, other)) };
        let n = self.combo_ordinal(&combo);
        self.state.group_ids.put(&id, Name { n }, Millis(0));
        n
    }

    /// The ordinal of a text; the words that stand for none and other are those.
    fn value(&mut self, text: &str) -> u32 {
        match text {
            "" | "(none)" => return NONE,
            "(other)" => return OTHER,
            _ => {}
        }
        let id = self.id(kind::VALUE, text);
        if let Some(known) = self.fold.combos.of_value.get(&id) {
            return *known;
        }
        let n = match self.state.group_ids.get(&id, FOR_EVER) {
            Some(known) => known.n,
            None => self.new_value(id, text),
        };
        let cache = &mut self.fold.combos.of_value;
        if cache.len() >= COMBOS_MAX {
            cache.clear();
        }
        cache.insert(id, n);
        n
    }

    fn new_value(&mut self, id: Id128, text: &str) -> u32 {
        let head = self.group_head();
        let n = head.values;
        head.values += 1;
        self.state.group_ids.put(&id, Name { n }, Millis(0));
        self.state.value_texts.put(&OrdinalKey { creator: self.c, n }, Text::new(text), Millis(0));
        n
    }

    fn combo_ordinal(&mut self, combo: &Combo) -> u32 {
        if *combo == Combo::zeroed() {
            return NO_GROUP;
        }
        let id = self.state.hash_key.id(kind::COMBO, self.c, bytemuck::bytes_of(combo));
        if let Some(known) = self.state.group_ids.get(&id, FOR_EVER) {
            return known.n;
        }
        let head = self.group_head();
        let n = head.combos;
        head.combos += 1;
        self.state.group_ids.put(&id, Name { n }, Millis(0));
        self.state.combos.put(&OrdinalKey { creator: self.c, n }, *combo, Millis(0));
        n
    }
}

/// `own`, and where that has none, the values of `other`.
fn filled(mut own: Combo, other: Combo) -> Combo {
    for (value, spare) in own.values.iter_mut().zip(other.values) {
        if *value == NONE {
            *value = spare;
        }
    }
    own
}
