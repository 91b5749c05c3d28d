//! Clicks of a member by one address, device or network: exact sliding windows.
//!
//! Ascending by time: the newest four stand in the window itself, older ones in pages, as many as the rules look back.
//! A pause of a day begins a window anew. A member has at most 1,024 of them: they are counted, and all but the first of a
//! day listed, by the day on which they were touched last; a list whose day is over is dropped unread.

use std::cmp::Ordering;

use bytemuck::Zeroable;
use hashbrown::HashSet;

use super::{What, known};
use crate::fold::fraud::Gaps;
use crate::fold::reading::Reading;
use crate::fold::records::{
    MemberPageKey, NO_ID, NO_SLOT, ShadowWindow, WINDOW_KEYS, WINDOW_PAGE, WINDOW_RECENT, Window, WindowClick,
    WindowCounts, WindowKeys, WindowPage, WindowPageKey,
};
use crate::fold::state::{FOR_EVER, State};
use crate::fold::time::LATENESS;
use crate::fold::{Turn, kind};
use crate::ids::Millis;
use crate::keep::Id128;

/// A window without a click for so long is forgotten.
pub(in crate::fold) const LIFE: i64 = Millis::DAY;
/// Clicks that a window holds at most, whatever a rule set asks for.
const CLICKS_MAX: u32 = 4_096;
/// A window that was touched last in one of these is over once the next has passed.
const SPAN: i64 = LIFE + LATENESS;
/// Lists of windows are read for no longer.
pub(in crate::fold) const LIST_LIFE: i64 = 3 * LIFE;
/// Windows of a member; once there are so many, an eighth of them gives way.
const WINDOWS_MAX: u32 = 1_024;
const WINDOWS_SPARE: usize = 128;
/// The first of a span are in no list, and never give way: few members ever have more, and most have not one of theirs
/// twice.
const UNLISTED: u16 = 16;
/// Gaps that are compared need one click more.
const GAPS_CLICKS: u32 = Gaps::COUNT + 1;

/// A window as a rule set sees it after the click in hand.
#[derive(Clone, Copy)]
pub(in crate::fold) struct Counted {
    key: Id128,
    window: Window,
    /// The click in hand.
    t: i64,
    /// Its oldest clicks that are kept for another rule set alone.
    skip: u32,
    /// It is not in the window, but would be.
    would: Option<Entering>,
}

/// A click at its place in a window that does not hold it.
#[derive(Clone, Copy)]
struct Entering {
    click: WindowClick,
    /// Before how many others it is not.
    place: u32,
    /// So many of the oldest, itself among them, would give way.
    gone: u32,
}

/// How many clicks a rule set looks back: the newest `clicks`, on an address of many people as many `times` that.
#[derive(Debug, Clone, Copy)]
pub(in crate::fold) struct Keep {
    pub(in crate::fold) clicks: u32,
    pub(in crate::fold) times: u32,
}

/// Which of two rule sets looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fold) enum Whose {
    Live,
    Shadow,
}

/// The page of a place.
const fn page_of(place: u32) -> u32 {
    place / PAGE
}

const PAGE: u32 = 8;
const _: () = assert!(WINDOW_PAGE == 8 && WINDOW_KEYS == 8 && WINDOW_RECENT == 4);

impl Turn<'_> {
    /// Puts the click in hand into a window of the member. As many clicks stay as the live rules need, or a shadow (its
    /// epoch, and what it needs) beside them; each sees what would have stayed for it alone.
    pub(in crate::fold) fn count_click(
        &mut self,
        n: u32,
        (what, token): (What, Id128),
        device: u64,
        (keep, beside): (Keep, Option<(u32, Keep)>),
    ) -> (Counted, Option<Counted>) {
        let key = self.key_of_token(kind::WINDOW, what, n, &token.0);
        let t = self.t;
        let span = span_of(self.creator().clock);
        let floor = self.windows_floor();
        // It is put back below: where it stands in a file, that is read once.
        let mut known = self.state.windows.get_mut(&key, floor).copied();
        // Those that give way to it may include itself.
        if known.is_none_or(|window| window.span != span) && self.list_window(n, key, span) {
            known = self.state.windows.get(&key, floor);
        }
        let mut window = Window { span, ..known.unwrap_or_else(empty) };
        if is_over(&window, t) {
            self.drop_pages(key, &window);
            window = Window { span, ..empty() };
        }
        let click = WindowClick { t: t.0, device };
        let reading = self.reading();
        let mut seen = reading.seen_of(key, len(&window), beside.map(|(epoch, _)| epoch));
        let most = reading.most(keep, seen.live, token);
        seen.live = most.min(seen.live.saturating_add(1));
        let stays = match beside {
            Some((_, keep)) => {
                let of_shadow = reading.most(keep, seen.shadow, token);
                seen.shadow = of_shadow.min(seen.shadow.saturating_add(1));
                most.max(of_shadow)
            }
            // What was there for a shadow goes.
            None => seen.live,
        };
        self.enter_window(key, &mut window, click, stays);
        self.state.windows.put(&key, window, t);
        self.keep_seen(key, seen, beside.is_some());
        let last = |seen: u32| Counted { key, window, t: t.0, skip: len(&window).saturating_sub(seen), would: None };
        (last(seen.live), beside.map(|_| last(seen.shadow)))
    }

    fn keep_seen(&mut self, key: Id128, seen: ShadowWindow, is_running: bool) {
        if is_running {
            self.state.shadow_windows.put(&key, seen, self.t);
        } else if self.creator().shadow != 0 {
            self.state.shadow_windows.remove(&key);
        }
    }

    fn windows_floor(&self) -> Millis {
        self.kept_from(LIFE)
    }

    fn enter_window(&mut self, key: Id128, window: &mut Window, click: WindowClick, keep: u32) {
        let len = usize::from(window.len);
        let place = window.recent.iter().take(len).filter(|known| known.t <= click.t).count();
        if len < WINDOW_RECENT {
            if let Some(tail) = window.recent.get_mut(place..=len) {
                tail.rotate_right(1);
                tail.iter_mut().take(1).for_each(|place| *place = click);
            }
            window.len += 1;
            return;
        }
        let mut oldest = click;
        if let Some(last) = place.checked_sub(1)
            && let Some(head) = window.recent.get_mut(..=last)
        {
            oldest = head.first().copied().unwrap_or(click);
            head.rotate_left(1);
            head.iter_mut().rev().take(1).for_each(|place| *place = click);
        }
        self.spill(key, window, oldest);
        while window.end - window.first > keep.saturating_sub(u32::from(window.len)) {
            window.first += 1;
            if window.first.is_multiple_of(PAGE) {
                let page = page_of(window.first) - 1;
                self.state.window_pages.remove(&WindowPageKey { window: key, page });
            }
        }
    }

    /// To the end of the pages, or where it belongs before that.
    fn spill(&mut self, key: Id128, window: &mut Window, click: WindowClick) {
        if window.end.is_multiple_of(PAGE) {
            let page = WindowPageKey { window: key, page: page_of(window.end) };
            self.state.window_pages.put(&page, WindowPage::zeroed(), self.t);
        }
        let mut place = window.end;
        while place > window.first {
            let before = paged(self.state, key, place - 1);
            if before.t <= click.t {
                break;
            }
            self.write(key, place, before);
            place -= 1;
        }
        self.write(key, place, click);
        window.end += 1;
    }

    fn write(&mut self, key: Id128, place: u32, click: WindowClick) {
        let page = WindowPageKey { window: key, page: page_of(place) };
        let record: &mut WindowPage = self.state.window_pages.entry(&page, self.t, FOR_EVER);
        let slot = usize::try_from(place % PAGE).unwrap_or_default();
        record.clicks.iter_mut().skip(slot).take(1).for_each(|known| *known = click);
    }

    fn drop_pages(&mut self, key: Id128, window: &Window) {
        if window.end == window.first {
            return;
        }
        for page in page_of(window.first)..=page_of(window.end - 1) {
            self.state.window_pages.remove(&WindowPageKey { window: key, page });
        }
    }

    /// Tells a velocity decision once a minute of event time: whether this is the first.
    pub(in crate::fold) fn is_first_of_minute(&mut self, counted: &Counted, whose: Whose) -> bool {
        let minute = i32::try_from(counted.t.div_euclid(Millis::MINUTE)).unwrap_or(i32::MAX);
        let (windows, shadows) = (&mut self.state.windows, &mut self.state.shadow_windows);
        let told = match whose {
            Whose::Live => windows.get_mut(&counted.key, FOR_EVER).map(|window| &mut window.told),
            Whose::Shadow => shadows.get_mut(&counted.key, FOR_EVER).map(|seen| &mut seen.told),
        };
        told.is_none_or(|told| std::mem::replace(told, minute) != minute)
    }

    /// Counts a window that was touched in a new span, and writes it into the list of that; whether windows gave way.
    fn list_window(&mut self, n: u32, key: Id128, span: u8) -> bool {
        let counts = self.window_counts(n, span);
        let is_full = u32::from(counts.now) + u32::from(counts.before) >= WINDOWS_MAX;
        let counts = if is_full { self.tidy_windows(n, span) } else { counts };
        if let Some(place) = counts.now.checked_sub(UNLISTED) {
            let page = self.list_page(n, span, u32::from(place) / PAGE);
            let keys: &mut WindowKeys = self.state.window_keys.entry(&page, self.t, FOR_EVER);
            let slot = usize::from(place) % WINDOW_KEYS;
            keys.windows.iter_mut().skip(slot).take(1).for_each(|place| *place = key);
        }
        self.set_window_counts(n, WindowCounts { now: counts.now + 1, ..counts }, span);
        is_full
    }

    /// How many windows were touched last in this span and in the one before; what is older is over and goes unread.
    fn window_counts(&mut self, n: u32, span: u8) -> WindowCounts {
        let member = self.member(n);
        let (counts, newest) = (member.windows, member.windows_span);
        if newest == span {
            return counts;
        }
        self.drop_list(n, newest.wrapping_sub(1), counts.before);
        if newest == span.wrapping_sub(1) {
            return WindowCounts { now: 0, before: counts.now };
        }
        self.drop_list(n, newest, counts.now);
        WindowCounts { now: 0, before: 0 }
    }

    fn set_window_counts(&mut self, n: u32, counts: WindowCounts, span: u8) {
        let member = self.member_mut(n);
        (member.windows, member.windows_span) = (counts, span);
    }

    fn drop_list(&mut self, n: u32, span: u8, count: u16) {
        for page in 0..u32::from(listed_of(count)).div_ceil(PAGE) {
            let page = self.list_page(n, span, page);
            self.state.window_keys.remove(&page);
        }
    }

    /// Two lists at most: spans take turns.
    fn list_page(&self, n: u32, span: u8, page: u32) -> MemberPageKey {
        MemberPageKey { creator: self.c, n, page: page * 2 + u32::from(span % 2) }
    }

    /// Takes out of the lists what is over or stands in both, and the least recent ones if they are still too long.
    fn tidy_windows(&mut self, n: u32, span: u8) -> WindowCounts {
        let counts = self.window_counts(n, span);
        let (mut seen, mut alive) = (HashSet::new(), Vec::new());
        for (of, count) in [(span.wrapping_sub(1), counts.before), (span, counts.now)] {
            for key in self.take_list(n, of, listed_of(count)) {
                let window = self.state.windows.get(&key, self.windows_floor());
                if let Some(window) = window.filter(|window| window.span == of)
                    && let Some(newest) = newest(&window)
                    && seen.insert(key)
                {
                    alive.push((newest.t, key, of));
                }
            }
        }
        let unlisted = [counts.before, counts.now].map(|count| count - listed_of(count));
        let spare = WINDOWS_SPARE + unlisted.into_iter().map(usize::from).sum::<usize>();
        let most = usize::try_from(WINDOWS_MAX).unwrap_or_default() - spare;
        if alive.len() > most {
            self.evict_windows(n, &mut alive, most);
        }
        let [before, now] = unlisted;
        let before = before + self.write_list(n, span.wrapping_sub(1), &alive);
        let counts = WindowCounts { now: now + self.write_list(n, span, &alive), before };
        self.set_window_counts(n, counts, span);
        counts
    }

    fn take_list(&mut self, n: u32, span: u8, len: u16) -> Vec<Id128> {
        let mut keys = Vec::with_capacity(usize::from(len));
        for page in 0..u32::from(len).div_ceil(PAGE) {
            let page = self.list_page(n, span, page);
            let record = self.state.window_keys.get(&page, FOR_EVER);
            keys.extend(record.iter().flat_map(|record| record.windows));
            self.state.window_keys.remove(&page);
        }
        keys.truncate(usize::from(len));
        keys
    }

    /// Writes those of the span; how many there are.
    fn write_list(&mut self, n: u32, span: u8, alive: &[(i64, Id128, u8)]) -> u16 {
        let keys: Vec<Id128> = alive.iter().filter(|(.., of)| *of == span).map(|(_, key, _)| *key).collect();
        for (page, some) in (0_u32..).zip(keys.chunks(WINDOW_KEYS)) {
            let mut record = WindowKeys { windows: [NO_ID; WINDOW_KEYS] };
            record.windows.iter_mut().zip(some).for_each(|(place, key)| *place = *key);
            self.state.window_keys.put(&self.list_page(n, span, page), record, self.t);
        }
        u16::try_from(keys.len()).unwrap_or(u16::MAX)
    }

    /// The least recent give way, of those of one time the ones that were listed first: what a key's hash is ordered by is
    /// another thing in another store.
    fn evict_windows(&mut self, n: u32, alive: &mut Vec<(i64, Id128, u8)>, most: usize) {
        let mut by_time = alive.clone();
        by_time.sort_by_key(|(t, ..)| *t);
        by_time.truncate(alive.len() - most);
        let gone: HashSet<Id128> = by_time.iter().map(|(_, key, _)| *key).collect();
        for key in &gone {
            if let Some(window) = self.state.windows.get(key, FOR_EVER) {
                self.drop_pages(*key, &window);
            }
            self.state.windows.remove(key);
        }
        alive.retain(|(_, key, _)| !gone.contains(key));
        self.member_mut(n).fraud |= known::TRUNCATED;
    }
}

impl Reading<'_> {
    /// The window as `Turn::count_click` would leave it. That a member's oldest windows may give way is left out.
    pub(in crate::fold) fn would_count(
        &self,
        n: u32,
        (what, token): (What, Id128),
        device: u64,
        keep: Keep,
    ) -> Counted {
        let (key, t) = (self.key_of_token(kind::WINDOW, what, n, &token.0), self.t);
        let window = self.state.windows.get(&key, self.kept_from(LIFE)).unwrap_or_else(empty);
        let window = if is_over(&window, t) { empty() } else { window };
        let seen = self.seen_of(key, len(&window), None).live;
        let counted = Counted { key, window, t: t.0, skip: len(&window).saturating_sub(seen), would: None };
        let most = self.most(keep, seen, token);
        let click = WindowClick { t: t.0, device };
        let place = counted.first_place(self.state, |known| known.t > t.0);
        let gone = (seen + 1).saturating_sub(most);
        Counted { would: Some(Entering { click, place, gone }), ..counted }
    }

    /// So many clicks of a window stay for a rule set that sees `seen` of them.
    fn most(&self, keep: Keep, seen: u32, token: Id128) -> u32 {
        let is_full = seen >= keep.clicks;
        let times = if is_full && keep.times > 1 && self.is_shared_ip(token, self.t) { keep.times } else { 1 };
        keep.clicks.saturating_mul(times).clamp(GAPS_CLICKS, CLICKS_MAX)
    }

    /// What each rule set sees of the `len` clicks of a window; all of them, if there was never a shadow.
    fn seen_of(&self, key: Id128, len: u32, epoch: Option<u32>) -> ShadowWindow {
        let all = ShadowWindow { live: len, shadow: len, told: NO_SLOT, epoch: epoch.unwrap_or_default() };
        if self.head.shadow == 0 || len == 0 {
            return all;
        }
        match self.state.shadow_windows.get(&key, self.kept_from(LIFE)) {
            Some(seen) if epoch == Some(seen.epoch) => seen,
            Some(seen) => ShadowWindow { live: seen.live, ..all },
            None => all,
        }
    }
}

impl Counted {
    pub(in crate::fold) fn len(&self) -> u32 {
        let there = len(&self.window) - self.skip;
        self.would.map_or(there, |would| there + 1 - would.gone)
    }

    /// Clicks within the `span` that ends with the click in hand.
    pub(in crate::fold) fn within(&self, state: &State, span: u64) -> u32 {
        let (from, to) = self.range(state, span);
        to - from
    }

    /// Different devices within it.
    pub(in crate::fold) fn devices(&self, state: &State, span: u64) -> u32 {
        let (from, to) = self.range(state, span);
        let devices: HashSet<u64> = (from..to).map(|place| self.at(state, place).device).filter(|d| *d != 0).collect();
        u32::try_from(devices.len()).unwrap_or(u32::MAX)
    }

    /// Gaps between the newest clicks, if there are enough of them.
    pub(in crate::fold) fn gaps(&self, state: &State) -> Option<Gaps> {
        let last = self.len();
        let first = last.checked_sub(GAPS_CLICKS)?;
        let clicks: Vec<i64> = (first..last).map(|place| self.at(state, place).t).collect();
        let gaps = clicks.windows(2).map(|pair| match pair {
            [a, b] => b.abs_diff(*a),
            _ => 0,
        });
        Some(Gaps::of(gaps))
    }

    /// Places from the first click since `span` before the one in hand up to it.
    fn range(&self, state: &State, span: u64) -> (u32, u32) {
        let since = self.t.saturating_sub_unsigned(span);
        let to = self.first_place(state, |click| click.t > self.t);
        (self.first_place(state, |click| click.t >= since).min(to), to)
    }

    /// The first place at which it is so; of all behind it, it is so too.
    fn first_place(&self, state: &State, is_so: impl Fn(WindowClick) -> bool) -> u32 {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from + (to - from) / 2;
            if is_so(self.at(state, middle)) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        from
    }

    /// Places count from the oldest that is seen.
    fn at(&self, state: &State, place: u32) -> WindowClick {
        let Some(would) = self.would else { return self.there(state, place) };
        let place = place.saturating_add(would.gone);
        match place.cmp(&would.place) {
            Ordering::Less => self.there(state, place),
            Ordering::Equal => would.click,
            Ordering::Greater => self.there(state, place - 1),
        }
    }

    fn there(&self, state: &State, place: u32) -> WindowClick {
        let place = place + self.skip;
        let in_pages = self.window.end - self.window.first;
        match place.checked_sub(in_pages) {
            None => paged(state, self.key, self.window.first + place),
            Some(place) => {
                let place = usize::try_from(place).unwrap_or_default();
                self.window.recent.get(place).copied().unwrap_or_else(WindowClick::zeroed)
            }
        }
    }
}

/// How many windows of so many are in the list of their span.
const fn listed_of(count: u16) -> u16 {
    count.saturating_sub(UNLISTED)
}

/// Which one it is; those far apart may be called alike, which costs a look at what is over.
fn span_of(clock: i64) -> u8 {
    u8::try_from(clock.div_euclid(SPAN).rem_euclid(1 << 8)).unwrap_or_default()
}

/// Clicks that are kept.
fn len(window: &Window) -> u32 {
    window.end - window.first + u32::from(window.len)
}

fn empty() -> Window {
    Window { told: NO_SLOT, ..Window::zeroed() }
}

/// A pause of a day begins it anew.
fn is_over(window: &Window, t: Millis) -> bool {
    let paused = newest(window).is_some_and(|newest| t.0.saturating_sub(newest.t) >= LIFE);
    paused || window.end == u32::MAX
}

fn newest(window: &Window) -> Option<WindowClick> {
    let last = usize::from(window.len).checked_sub(1)?;
    window.recent.get(last).copied()
}

fn paged(state: &State, key: Id128, place: u32) -> WindowClick {
    let page = state.window_pages.peek(&WindowPageKey { window: key, page: page_of(place) }, FOR_EVER);
    let slot = usize::try_from(place % PAGE).unwrap_or_default();
    page.and_then(|page| page.clicks.get(slot).copied()).unwrap_or_else(WindowClick::zeroed)
}

/// How long a page of a window may be needed: twenty gaps of less than a day.
pub(in crate::fold) const PAGE_LIFE: i64 = 21 * Millis::DAY;
