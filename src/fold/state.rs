//! All that a partition's fold knows.

use super::effects::Tally;
use super::records::{
    ActiveKey, ActiveTally, ActiveWeek, Actor, AdmittedKey, Awaited, Click, ClickJudged, Combo, ComboKey, ComboList,
    ComboSlot, Commission, CommissionMove, CommissionMoveKey, CommissionTexts, Conversion, ConversionTexts, Creator,
    CreatorPageKey, CreatorProfile, CreditPage, CreditPageKey, Customer, Day, DayCell, DefinitionPage, Frozen,
    GroupDay, GroupHead, Head, HourKey, Judged, Listed, LongProfile, Mark, Member, MemberDay, MemberDayKey,
    MemberFraud, MemberKey, MemberPageKey, Name, OrderDays, OrderDaysKey, OrdinalKey, OwnToken, Parked, ParkedPage,
    Partition, Proxies, Purse, PurseKey, RulesHead, Score, ScoreDayKey, ScoreKey, ScoreLink, Seen, SeqKey, ShadowHead,
    ShadowMember, ShadowWindow, Share, ShortList, ShortProfile, Slot, SlotKey, TagPage, Text, Timer, TimerHour, Touch,
    Visitor, Window, WindowKeys, WindowPage, WindowPageKey,
};
use super::time::{ABSURD_AHEAD, LATENESS};
use super::{evidence, kind};
use crate::ids::{Code, ID_BYTES_MAX, Millis};
use crate::keep::{Cold, HashKey, Hot, Id128, Map, Maps, Store};

/// The floor of maps whose entities never expire.
pub const FOR_EVER: Millis = Millis(i64::MIN);

/// The maps of one partition. `State::default()` lives in RAM alone.
#[derive(Default)]
pub struct State {
    pub hash_key: HashKey,
    pub partition: Hot<u32, Partition>,
    pub creator_ids: Hot<Id128, Name>,
    pub creators: Hot<u32, Creator>,
    pub creator_profiles: Hot<u32, CreatorProfile>,
    pub names: Hot<Id128, Name>,
    pub members: Hot<MemberKey, Member>,
    pub profiles: Hot<MemberKey, ShortProfile>,
    pub long_profiles: Cold<MemberKey, LongProfile>,
    /// All-time purses of creators and members.
    pub purses: Hot<PurseKey, Purse>,
    /// Purses of minutes and days.
    pub series_purses: Cold<PurseKey, Purse>,
    /// Closed ones: the newest of each creator stands in `Creator`, of each member in `Member`.
    pub minutes: Cold<SlotKey, Slot>,
    pub quarters: Cold<SlotKey, Slot>,
    pub days: Cold<SlotKey, Day>,
    pub member_days: Cold<MemberDayKey, MemberDay>,
    /// Closed weeks of activity, see `activity`.
    pub active_weeks: Cold<MemberDayKey, ActiveWeek>,
    /// Members active by day, week and month, and by cohort.
    pub active: Cold<ActiveKey, ActiveTally>,
    /// Breakdowns: see `groups`.
    pub group_heads: Hot<u32, GroupHead>,
    pub value_texts: Cold<OrdinalKey, Text>,
    /// Ordinals of values and of combinations.
    pub group_ids: Cold<Id128, Name>,
    pub combos: Cold<OrdinalKey, Combo>,
    pub combo_slots: Cold<ComboKey, ComboSlot>,
    pub combo_lists: Cold<SlotKey, ComboList>,
    pub group_days: Cold<SlotKey, GroupDay>,
    pub admitted: Cold<AdmittedKey, Mark>,
    pub events: Cold<Id128, Seen>,
    pub shares: Cold<Id128, Share>,
    pub clicks: Cold<Id128, Click>,
    pub touches: Cold<SeqKey, Touch>,
    pub visitors: Cold<Id128, Visitor>,
    /// Visitor seen for a member on a creator's day.
    pub visits: Cold<Id128, Mark>,
    pub customers: Cold<Id128, Customer>,
    pub conversions: Cold<Id128, Conversion>,
    pub credit_pages: Cold<CreditPageKey, CreditPage>,
    pub conversion_texts: Cold<Id128, ConversionTexts>,
    pub commissions: Cold<Id128, Commission>,
    pub commission_moves: Cold<CommissionMoveKey, CommissionMove>,
    pub commission_texts: Cold<Id128, CommissionTexts>,
    pub conversion_commissions: Cold<Id128, Head>,
    pub awaited: Hot<Id128, Awaited>,
    pub parked: Hot<SeqKey, Parked>,
    pub parked_pages: Hot<SeqKey, ParkedPage>,
    pub timers: Hot<SeqKey, Timer>,
    pub timer_hours: Hot<HourKey, TimerHour>,
    /// What boards rank by.
    pub scores: Hot<ScoreKey, Score>,
    /// Days of scores that are no longer among their newest three.
    pub score_days: Cold<ScoreDayKey, DayCell>,
    /// First figure with anything on a local day.
    pub score_lists: Hot<SlotKey, ScoreLink>,
    /// What the fraud rules remember; see `evidence`.
    pub windows: Cold<Id128, Window>,
    pub window_pages: Hot<WindowPageKey, WindowPage>,
    pub window_keys: Cold<MemberPageKey, WindowKeys>,
    /// Own tokens one by one, and a member's newest of each kind.
    pub own_tokens: Cold<Id128, OwnToken>,
    pub own_lists: Cold<MemberPageKey, ShortList>,
    pub token_users: Cold<Id128, ShortList>,
    /// Customers that came to a member by one means of payment or device.
    pub customers_by: Cold<Id128, ShortList>,
    pub member_frauds: Cold<MemberKey, MemberFraud>,
    pub order_days: Cold<OrderDaysKey, OrderDays>,
    pub customer_moves: Cold<Id128, ShortList>,
    pub actors: Cold<Id128, Actor>,
    pub tag_pages: Hot<CreatorPageKey, TagPage>,
    pub proxies: Hot<u32, Proxies>,
    /// How subjects were judged; see `judge`.
    pub judged_clicks: Cold<Id128, ClickJudged>,
    pub frozen: Cold<Id128, Frozen>,
    pub judged: Cold<Id128, Judged>,
    pub listed: Cold<Id128, Listed>,
    pub rules: Hot<u32, RulesHead>,
    pub definition_pages: Hot<CreatorPageKey, DefinitionPage>,
    /// Of a candidate that runs beside the rules, by ids of its own: empty where none ever did. See `judge::shadow`.
    pub shadows: Hot<u32, ShadowHead>,
    pub shadow_windows: Cold<Id128, ShadowWindow>,
    pub shadow_clicks: Cold<Id128, ClickJudged>,
    pub shadow_frozen: Cold<Id128, Frozen>,
    pub shadow_judged: Cold<Id128, Judged>,
    pub shadow_members: Cold<Id128, ShadowMember>,
}

impl Maps for State {
    fn visit(&mut self, visitor: &mut dyn FnMut(&'static str, &mut dyn Map)) {
        visitor("partition", &mut self.partition);
        visitor("creator_ids", &mut self.creator_ids);
        visitor("creators", &mut self.creators);
        visitor("creator_profiles", &mut self.creator_profiles);
        visitor("names", &mut self.names);
        visitor("members", &mut self.members);
        visitor("profiles", &mut self.profiles);
        visitor("long_profiles", &mut self.long_profiles);
        visitor("purses", &mut self.purses);
        visitor("series_purses", &mut self.series_purses);
        visitor("minutes", &mut self.minutes);
        visitor("quarters", &mut self.quarters);
        visitor("days", &mut self.days);
        visitor("member_days", &mut self.member_days);
        visitor("active_weeks", &mut self.active_weeks);
        visitor("active", &mut self.active);
        visitor("group_heads", &mut self.group_heads);
        visitor("value_texts", &mut self.value_texts);
        visitor("group_ids", &mut self.group_ids);
        visitor("combos", &mut self.combos);
        visitor("combo_slots", &mut self.combo_slots);
        visitor("combo_lists", &mut self.combo_lists);
        visitor("group_days", &mut self.group_days);
        visitor("admitted", &mut self.admitted);
        visitor("events", &mut self.events);
        visitor("shares", &mut self.shares);
        visitor("clicks", &mut self.clicks);
        visitor("touches", &mut self.touches);
        visitor("visitors", &mut self.visitors);
        visitor("visits", &mut self.visits);
        visitor("customers", &mut self.customers);
        visitor("conversions", &mut self.conversions);
        visitor("credit_pages", &mut self.credit_pages);
        visitor("conversion_texts", &mut self.conversion_texts);
        visitor("commissions", &mut self.commissions);
        visitor("commission_moves", &mut self.commission_moves);
        visitor("commission_texts", &mut self.commission_texts);
        visitor("conversion_commissions", &mut self.conversion_commissions);
        visitor("awaited", &mut self.awaited);
        visitor("parked", &mut self.parked);
        visitor("parked_pages", &mut self.parked_pages);
        visitor("timers", &mut self.timers);
        visitor("timer_hours", &mut self.timer_hours);
        visitor("scores", &mut self.scores);
        visitor("score_days", &mut self.score_days);
        visitor("score_lists", &mut self.score_lists);
        self.visit_fraud(visitor);
    }

    fn set_hash_key(&mut self, key: HashKey) {
        self.hash_key = key;
    }
}

impl State {
    fn visit_fraud(&mut self, visitor: &mut dyn FnMut(&'static str, &mut dyn Map)) {
        visitor("windows", &mut self.windows);
        visitor("window_pages", &mut self.window_pages);
        visitor("window_keys", &mut self.window_keys);
        visitor("own_tokens", &mut self.own_tokens);
        visitor("own_lists", &mut self.own_lists);
        visitor("token_users", &mut self.token_users);
        visitor("customers_by", &mut self.customers_by);
        visitor("member_frauds", &mut self.member_frauds);
        visitor("order_days", &mut self.order_days);
        visitor("customer_moves", &mut self.customer_moves);
        visitor("actors", &mut self.actors);
        visitor("tag_pages", &mut self.tag_pages);
        visitor("proxies", &mut self.proxies);
        visitor("judged_clicks", &mut self.judged_clicks);
        visitor("frozen", &mut self.frozen);
        visitor("judged", &mut self.judged);
        visitor("listed", &mut self.listed);
        visitor("rules", &mut self.rules);
        visitor("definition_pages", &mut self.definition_pages);
        visitor("shadows", &mut self.shadows);
        visitor("shadow_windows", &mut self.shadow_windows);
        visitor("shadow_clicks", &mut self.shadow_clicks);
        visitor("shadow_frozen", &mut self.shadow_frozen);
        visitor("shadow_judged", &mut self.shadow_judged);
        visitor("shadow_members", &mut self.shadow_members);
    }

    /// A referral code or coupon of a creator in its compared form: trimmed, without ASCII case.
    pub(super) fn code_id(&self, creator: u32, code: Code<'_>) -> Id128 {
        let mut folded = [0_u8; ID_BYTES_MAX];
        let trimmed = code.0.trim().as_bytes();
        let folded = folded.get_mut(..trimmed.len()).unwrap_or_default();
        folded.copy_from_slice(trimmed.get(..folded.len()).unwrap_or_default());
        folded.make_ascii_lowercase();
        self.hash_key.id(kind::CODE, creator, folded)
    }

    /// What became of the partition's records, of all time.
    pub fn tally(&self) -> Tally {
        let Some(record) = self.partition.peek(&0, FOR_EVER) else { return Tally::default() };
        let Partition { read, misrouted, applied, duplicate, parked, dead, .. } = *record;
        Tally { read, misrouted, applied, duplicate, parked, dead }
    }

    /// Adds what a batch brought; at the end of a batch, so that it is committed with it.
    pub fn add_tally(&mut self, tally: &Tally) {
        if *tally == Tally::default() {
            return;
        }
        let record = self.partition.entry(&0, Millis(0), FOR_EVER);
        record.read += tally.read;
        record.misrouted += tally.misrouted;
        record.applied += tally.applied;
        record.duplicate += tally.duplicate;
        record.parked += tally.parked;
        record.dead += tally.dead;
    }

    /// Tells the store what no creator can ask for any more.
    pub fn free_expired(&mut self, store: &mut Store) {
        let made = self.partition.peek(&0, FOR_EVER).map_or(0, |record| record.creators);
        let floors = (0..made).filter_map(|creator| Some(self.creators.peek(&creator, FOR_EVER)?.floor));
        let floor = floors.min().unwrap_or(i64::MIN);
        for map in ["visits", "touches", "visitors", "score_days", "judged_clicks", "shadow_clicks"] {
            store.set_floor(self, map, Millis(floor));
        }
        let clocks = (0..made).filter_map(|creator| Some(self.creators.peek(&creator, FOR_EVER)?.clock));
        let watermark = clocks.min().unwrap_or(i64::MIN).saturating_sub(LATENESS);
        for (map, life) in evidence::LIVES {
            store.set_floor(self, map, Millis(watermark.saturating_sub(life)));
        }
        // As `Turn::known_from`.
        for map in ["shares", "clicks"] {
            store.set_floor(self, map, Millis(floor.saturating_sub(ABSURD_AHEAD)));
        }
    }
}
