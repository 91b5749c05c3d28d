//! Clicks of a member by one address, device or network: exact sliding windows.
//!
//! Ascending by time: the newest four stand in the window itself, older ones in pages, as many as the rules look back.
//! A pause of a day begins a window anew. A member has at most 1,024 of them.

use bytemuck::Zeroable;
use hashbrown::HashSet;

use super::{What, known};
use crate::fold::fraud::Gaps;
use crate::fold::records::{
    MemberPageKey, NO_ID, NO_SLOT, ShadowWindow, WINDOW_KEYS, WINDOW_PAGE, WINDOW_RECENT, Window, WindowClick,
    WindowKeys, WindowPage, WindowPageKey,
};
use crate::fold::state::{FOR_EVER, State};
use crate::fold::timers::Due;
use crate::fold::{Turn, kind};
use crate::ids::Millis;
use crate::keep::Id128;

/// A window without a click for so long is forgotten.
pub(in crate::fold) const LIFE: i64 = Millis::DAY;
/// Clicks that a window holds at most, whatever a rule set asks for.
const CLICKS_MAX: u32 = 4_096;
/// Windows of a member; once there are so many, an eighth of them gives way.
const WINDOWS_MAX: u32 = 1_024;
const WINDOWS_SPARE: usize = 128;
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
        let is_new = !self.state.windows.contains(&key, self.windows_floor());
        if is_new {
            self.list_window(n, key);
        }
        let mut window = self.state.windows.get(&key, self.windows_floor()).unwrap_or_else(empty);
        let paused = newest(&window).is_some_and(|newest| t.0.saturating_sub(newest.t) >= LIFE);
        if paused || window.end == u32::MAX {
            self.drop_pages(key, &window);
            window = empty();
        }
        let click = WindowClick { t: t.0, device };
        let mut seen = self.seen_of(key, len(&window), beside.map(|(epoch, _)| epoch));
        let most = self.most(keep, seen.live, token);
        seen.live = most.min(seen.live.saturating_add(1));
        let stays = match beside {
            Some((_, keep)) => {
                let of_shadow = self.most(keep, seen.shadow, token);
                seen.shadow = of_shadow.min(seen.shadow.saturating_add(1));
                most.max(of_shadow)
            }
            // What was there for a shadow goes.
            None => seen.live,
        };
        self.enter_window(key, &mut window, click, stays);
        self.state.windows.put(&key, window, t);
        self.keep_seen(key, seen, beside.is_some());
        let last = |seen: u32| Counted { key, window, t: t.0, skip: len(&window).saturating_sub(seen) };
        (last(seen.live), beside.map(|_| last(seen.shadow)))
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
        if self.creator().shadow == 0 || len == 0 {
            return all;
        }
        match self.state.shadow_windows.get(&key, self.windows_floor()) {
            Some(seen) if epoch == Some(seen.epoch) => seen,
            Some(seen) => ShadowWindow { live: seen.live, ..all },
            None => all,
        }
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
        let len = usize::try_from(window.len).unwrap_or(WINDOW_RECENT);
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
        while window.end - window.first > keep.saturating_sub(window.len) {
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

    /// The member has one window more.
    fn list_window(&mut self, n: u32, key: Id128) {
        let mut count = self.member(n).windows;
        if count >= WINDOWS_MAX {
            count = self.tidy_windows(n);
        }
        if count == 0 {
            self.set_timer(Millis(self.creator().clock.saturating_add(LIFE)), Due::Windows, super::own::member_user(n));
        }
        let page = MemberPageKey { creator: self.c, n, page: count / PAGE };
        let keys: &mut WindowKeys = self.state.window_keys.entry(&page, self.t, FOR_EVER);
        let slot = usize::try_from(count % PAGE).unwrap_or_default();
        keys.windows.iter_mut().skip(slot).take(1).for_each(|place| *place = key);
        self.member_mut(n).windows = count + 1;
    }

    /// A day after it was last done: what is over leaves the list.
    pub(in crate::fold) fn windows_due(&mut self, subject: Id128) {
        let Some(n) = super::own::member_of_user(subject) else { return };
        if self.tidy_windows(n) > 0 {
            self.set_timer(Millis(self.creator().clock.saturating_add(LIFE)), Due::Windows, subject);
        }
    }

    /// Takes out of the list what is over, and the least recent ones if it is still too long; how many are left.
    fn tidy_windows(&mut self, n: u32) -> u32 {
        let listed = self.take_window_keys(n);
        let (mut seen, mut alive) = (HashSet::new(), Vec::new());
        for key in listed {
            let window = self.state.windows.get(&key, self.windows_floor());
            if let Some(newest) = window.as_ref().and_then(newest)
                && seen.insert(key)
            {
                alive.push((newest.t, key));
            }
        }
        let most = usize::try_from(WINDOWS_MAX).unwrap_or_default() - WINDOWS_SPARE;
        if alive.len() > most {
            self.evict_windows(n, &mut alive, most);
        }
        let left = u32::try_from(alive.len()).unwrap_or(WINDOWS_MAX);
        for (page, keys) in (0_u32..).zip(alive.chunks(WINDOW_KEYS)) {
            let mut record = WindowKeys { windows: [NO_ID; WINDOW_KEYS] };
            record.windows.iter_mut().zip(keys).for_each(|(place, (_, key))| *place = *key);
            self.state.window_keys.put(&MemberPageKey { creator: self.c, n, page }, record, self.t);
        }
        self.member_mut(n).windows = left;
        left
    }

    fn take_window_keys(&mut self, n: u32) -> Vec<Id128> {
        let count = self.member(n).windows;
        let mut listed = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
        for page in 0..count.div_ceil(PAGE) {
            let key = MemberPageKey { creator: self.c, n, page };
            let keys = self.state.window_keys.get(&key, FOR_EVER);
            listed.extend(keys.iter().flat_map(|keys| keys.windows));
            self.state.window_keys.remove(&key);
        }
        listed.truncate(usize::try_from(count).unwrap_or_default());
        listed
    }

    /// The smallest by (time, key) give way.
    fn evict_windows(&mut self, n: u32, alive: &mut Vec<(i64, Id128)>, most: usize) {
        let mut by_time = alive.clone();
        by_time.sort_unstable_by_key(|(t, key)| (*t, key.0));
        by_time.truncate(alive.len() - most);
        let gone: HashSet<Id128> = by_time.iter().map(|(_, key)| *key).collect();
        for key in &gone {
            if let Some(window) = self.state.windows.get(key, FOR_EVER) {
                self.drop_pages(*key, &window);
            }
            self.state.windows.remove(key);
        }
        alive.retain(|(_, key)| !gone.contains(key));
        self.member_mut(n).fraud |= known::TRUNCATED;
    }
}

impl Counted {
    pub(in crate::fold) const fn len(&self) -> u32 {
        len(&self.window) - self.skip
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

/// Clicks that are kept.
const fn len(window: &Window) -> u32 {
    window.end - window.first + window.len
}

fn empty() -> Window {
    Window { told: NO_SLOT, ..Window::zeroed() }
}

fn newest(window: &Window) -> Option<WindowClick> {
    let last = usize::try_from(window.len).unwrap_or_default().checked_sub(1)?;
    window.recent.get(last).copied()
}

fn paged(state: &State, key: Id128, place: u32) -> WindowClick {
    let page = state.window_pages.peek(&WindowPageKey { window: key, page: page_of(place) }, FOR_EVER);
    let slot = usize::try_from(place % PAGE).unwrap_or_default();
    page.and_then(|page| page.clicks.get(slot).copied()).unwrap_or_else(WindowClick::zeroed)
}

/// How long a page of a window may be needed: twenty gaps of less than a day.
pub(in crate::fold) const PAGE_LIFE: i64 = 21 * Millis::DAY;
