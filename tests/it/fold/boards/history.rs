//! A random history of one programme, told to the fold and to the oracle.

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tributary::fold::boards::{Metric, TOP, Window};
use tributary::ids::Millis;

use super::super::world::{Flush, World};
use super::oracle::{Booking, Oracle, is_in};
use super::rows::{Reader, day};

const ZONE: &str = "Europe/Berlin";

#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    pub flushes: u64,
    pub members: u32,
    /// Members who join on the way.
    pub later: u32,
    pub events: u32,
    pub days: i64,
}

struct Order {
    n: u32,
    day: i32,
    t: i64,
    left: i64,
    credited: bool,
}

pub struct History {
    plan: Plan,
    random: ChaCha8Rng,
    /// Where rows are flushed: nothing else may depend on it.
    flushes: ChaCha8Rng,
    world: World,
    oracle: Oracle,
    zone: jiff::tz::TimeZone,
    /// Until then rows of a former owner may be ahead of what is told.
    trusted: u32,
    now: i64,
    clock: i64,
    members: u32,
    removed: BTreeMap<u32, bool>,
    orders: Vec<Order>,
    earned: Vec<(u32, i32, i64)>,
    ids: u64,
    /// Most pages of a board that was compared.
    pub pages: usize,
}

pub fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// About so many in a history, whatever its length.
const FLUSHES: u64 = 100;
const RESTARTS: u64 = 20;

pub fn below(random: &mut ChaCha8Rng, end: u64) -> u64 {
    random.next_u64() % end
}

pub fn chance(random: &mut ChaCha8Rng, permille: u64) -> bool {
    below(random, 1_000) < permille
}

/// Below `end`, small ones far more often.
pub fn skewed(random: &mut ChaCha8Rng, end: i64) -> i64 {
    let bits = below(random, u64::from(end.ilog2()) + 1);
    i64::try_from(below(random, 1 << bits)).unwrap()
}

impl History {
    pub fn new(plan: Plan) -> Self {
        let start = i64::from(day("02-20")) * Millis::DAY + 12 * Millis::HOUR;
        let mut history = Self {
            plan,
            random: random(plan.seed),
            flushes: random(plan.flushes),
            world: World::alone(Flush::AtTheEnd),
            oracle: Oracle::default(),
            zone: jiff::tz::db().get(ZONE).unwrap(),
            trusted: 0,
            now: start,
            clock: start,
            members: 0,
            removed: BTreeMap::new(),
            orders: Vec::new(),
            earned: Vec::new(),
            ids: 0,
            pages: 0,
        };
        history.send("Creator", start, json!({"name": "Club", "currency": "EUR", "time_zone": ZONE}));
        for _ in 0..plan.members {
            history.join();
        }
        history
    }

    /// Tells it all; the boards are compared so many times on the way.
    pub fn check(mut self, times: u32) -> Self {
        self.tell(self.plan.events, times);
        self
    }

    /// Another owner wrote rows up to `lost` and went; the one after it began before that, flushes elsewhere, and its
    /// rows stand beside those of the former.
    pub fn check_taken_over(plan: Plan, times: u32, lost: u32) -> Self {
        let mut former = Self::new(Plan { flushes: plan.flushes + 1_000, ..plan });
        former.tell(lost, times);
        former.world.flush();
        let mut owner = Self::new(plan);
        owner.world.absorb(former.world);
        owner.trusted = lost;
        owner.tell(plan.events, times);
        owner
    }

    fn tell(&mut self, events: u32, times: u32) {
        let (every, step) = (self.plan.events / times, self.plan.days * Millis::DAY / i64::from(self.plan.events));
        for turn in 1..=events {
            self.now += i64::try_from(below(&mut self.random, u64::try_from(2 * step).unwrap())).unwrap();
            if self.plan.later > 0 && turn % (self.plan.events / self.plan.later) == 0 {
                self.join();
            }
            self.step();
            if below(&mut self.flushes, self.plan.events.into()) < FLUSHES {
                self.world.flush();
            }
            if below(&mut self.flushes, self.plan.events.into()) < RESTARTS {
                self.world.forget_caches();
            }
            if turn % every == 0 {
                self.tick();
                self.world.flush();
                if turn > self.trusted {
                    self.compare();
                }
            }
        }
    }

    fn send(&mut self, kind: &str, t: i64, fields: Value) {
        let event_id = format!("e{}", self.ids);
        self.ids += 1;
        let mut event = json!({"type": kind, "event_id": event_id, "creator_id": "c", "occurred_at": t});
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.world.apply(&event.to_string(), Millis(self.now));
        self.clock = self.clock.max(t);
    }

    fn day(&self, t: i64) -> i32 {
        let at = jiff::Timestamp::from_millisecond(t).unwrap();
        let date = self.zone.to_datetime(at).date();
        (date - jiff::civil::date(1970, 1, 1)).get_days()
    }

    fn join(&mut self) {
        let n = self.members;
        self.send("Member", self.now, json!({"member_id": format!("m{n}"), "referral_code": format!("R{n}")}));
        self.members += 1;
    }

    fn someone(&mut self) -> u32 {
        let all = u64::from(self.members);
        let (a, b) = (below(&mut self.random, all), below(&mut self.random, all));
        u32::try_from(a * b / all).unwrap()
    }

    /// Mostly now; some come late, by minutes, days or weeks.
    fn time(&mut self) -> i64 {
        let late = match below(&mut self.random, 20) {
            0 => below(&mut self.random, 40 * 86_400_000),
            1..=2 => below(&mut self.random, 3 * 86_400_000),
            3..=5 => below(&mut self.random, 3_600_000),
            _ => 0,
        };
        self.now - i64::try_from(late).unwrap()
    }

    fn book(&mut self, n: u32, metric: Metric, (day, by, t): (i32, i64, i64)) {
        self.oracle.book(Booking { n, metric, day, by, t });
    }

    fn step(&mut self) {
        let (n, t, id) = (self.someone(), self.time(), self.ids);
        let day = self.day(t);
        match below(&mut self.random, 100) {
            0..45 => {
                self.send("Click", t, json!({"click_id": format!("k{id}"), "member_id": format!("m{n}")}));
                self.book(n, Metric::Clicks, (day, 1, t));
            }
            45..55 => {
                let share = json!({"share_id": format!("s{id}"), "member_id": format!("m{n}"), "platform": "x", "share_type": "link"});
                self.send("Share", t, share);
                self.book(n, Metric::Shares, (day, 1, t));
            }
            55..68 => self.purchase(n, t),
            68..76 => self.refund(),
            76..94 => self.earn(n, t),
            94..97 => self.reverse(),
            _ => self.change_status(n),
        }
    }

    fn purchase(&mut self, n: u32, t: i64) {
        let (id, day, amount) = (self.orders.len(), self.day(t), skewed(&mut self.random, 1 << 20) + 1);
        let order = json!({"conversion_id": format!("p{id}"), "kind": "purchase", "referral_code": format!("R{n}"),
                           "customer_id": format!("u{id}"), "amount": amount});
        self.send("Conversion", t, order);
        let credited = !self.removed.get(&n).copied().unwrap_or_default();
        self.orders.push(Order { n, day, t, left: amount, credited });
        if credited {
            self.book(n, Metric::Revenue, (day, amount, t));
            self.book(n, Metric::Referrals, (day, 1, t));
            self.book(n, Metric::Customers, (day, 1, t));
        }
    }

    fn refund(&mut self) {
        if self.orders.is_empty() {
            return;
        }
        let (place, now, id) = (below(&mut self.random, self.orders.len() as u64) as usize, self.now, self.ids);
        let all = chance(&mut self.random, 500);
        let order = &mut self.orders[place];
        if order.left == 0 {
            return;
        }
        let amount = if all { order.left } else { order.left.div_euclid(3).max(1) };
        order.left -= amount;
        let (n, day, t, gone, credited) = (order.n, order.day, order.t, order.left == 0, order.credited);
        let refund = json!({"conversion_id": format!("r{id}"), "kind": "refund", "original_id": format!("p{place}"), "amount": amount});
        self.send("Conversion", now, refund);
        if credited {
            self.book(n, Metric::Revenue, (day, -amount, now));
            if gone {
                self.book(n, Metric::Customers, (day, -1, t));
            }
        }
    }

    fn earn(&mut self, n: u32, t: i64) {
        // All different, mostly: that fills pages.
        let amount = i64::try_from(below(&mut self.random, 1 << 24)).unwrap() + 1;
        let (id, day) = (self.earned.len(), self.day(t));
        let bonus = json!({"commission_id": format!("b{id}"), "kind": "earned", "member_id": format!("m{n}"), "amount": amount});
        self.send("Commission", t, bonus);
        self.earned.push((n, day, amount));
        self.book(n, Metric::Earnings, (day, amount, t));
    }

    fn reverse(&mut self) {
        if self.earned.is_empty() {
            return;
        }
        let place = below(&mut self.random, self.earned.len() as u64) as usize;
        let (n, day, left) = self.earned[place];
        let amount = left.div_euclid(2);
        if amount == 0 {
            return;
        }
        self.earned[place].2 -= amount;
        let taken = json!({"commission_id": format!("b{place}"), "kind": "reversed", "member_id": format!("m{n}"), "amount": amount});
        self.send("Commission", self.now, taken);
        self.book(n, Metric::Earnings, (day, -amount, self.now));
    }

    fn change_status(&mut self, n: u32) {
        let status = ["active", "active", "suspended", "removed"][below(&mut self.random, 4) as usize];
        self.send("Member", self.now, json!({"member_id": format!("m{n}"), "status": status}));
        self.oracle.off.insert(n, status != "active");
        self.removed.insert(n, status == "removed");
    }

    /// What a large programme has still to sweep.
    fn tick(&mut self) {
        for _ in 0..20 {
            self.send("Tick", self.now, json!({}));
        }
    }

    /// Every board that can be asked for, as its rows say and as sorting says.
    fn compare(&mut self) {
        assert_eq!(self.world.letters, [], "the oracle knows nothing of refusals");
        let today = self.day(self.clock);
        let reader = Reader::new(&self.world, "c");
        assert_eq!(reader.rolled_to(), Some(today));
        let mut pages = 0;
        for metric in Metric::ALL {
            for window in Window::ALL {
                for back in 0..=i32::from(window.is_calendar()) {
                    let days: BTreeSet<i32> =
                        (today - 120..=today).filter(|day| is_in(window, today, back, *day)).collect();
                    let expected = self.oracle.board(metric, |day| window == Window::All || days.contains(&day));
                    let period = window.period(today) - back;
                    let found = reader.board(metric, window, period);
                    let shown: Vec<_> = found.iter().map(|one| (one.value, one.reached_at, one.n)).collect();
                    assert_eq!(shown, expected, "{metric:?} {window:?} {back}");
                    if !reader.is_large() {
                        continue;
                    }
                    let counts = reader.counts(metric, window, period);
                    pages = pages.max(counts.pages());
                    let mut values: BTreeMap<i64, u32> = BTreeMap::new();
                    found.iter().for_each(|one| *values.entry(one.value).or_default() += 1);
                    assert_eq!(counts.values(), values, "{metric:?} {window:?} {back}");
                    for one in found.iter().step_by(97) {
                        let tied = values[&one.value] as usize;
                        assert_eq!(counts.place(one.value), (one.rank, tied), "{metric:?} {window:?} {back}");
                    }
                    let top: Vec<_> = shown.into_iter().take(TOP).collect();
                    assert_eq!(reader.top(metric, window, period), top, "{metric:?} {window:?} {back}");
                }
            }
        }
        self.pages = self.pages.max(pages);
    }
}
