//! The partition state alone: look-ups, edits, commits; `cargo bench --bench keep`.
//!
//! `cargo bench --bench keep -- big [clicks in millions]` folds a programme of a million members: speed, memory, restart.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures")]

use std::{hint::black_box, path::Path, time::Instant};

use bytemuck::{Pod, Zeroable};
use criterion::Criterion;
use tributary::{
    ids::{Millis, Next, Partition},
    keep::{Cold, HashKey, Hot, Id128, Identity, Limits, Map, Maps, Store},
};

const FOR_EVER: Millis = Millis(i64::MIN);
const MEMBERS: u64 = 1_000_000;
const IDENTITY: Identity = Identity { topic: [1; 16], partition: Partition(0), generation: 1, fingerprint: 1 };

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Member([u64; 24]);
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Day([u64; 8]);
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Click([u64; 8]);

#[derive(Default)]
struct State {
    key: HashKey,
    members: Hot<Id128, Member>,
    codes: Hot<Id128, u64>,
    days: Hot<u64, Day>,
    clicks: Cold<Id128, Click>,
    visitors: Cold<Id128, Click>,
    seen: Cold<Id128, u64>,
}

impl Maps for State {
    fn visit(&mut self, visitor: &mut dyn FnMut(&'static str, &mut dyn Map)) {
        visitor("members", &mut self.members);
        visitor("codes", &mut self.codes);
        visitor("days", &mut self.days);
        visitor("clicks", &mut self.clicks);
        visitor("visitors", &mut self.visitors);
        visitor("seen", &mut self.seen);
    }

    fn set_hash_key(&mut self, key: HashKey) {
        self.key = key;
    }
}

const fn draw(at: u64, what: u64) -> u64 {
    let mut x = at.wrapping_add(what.wrapping_mul(0x9E37_79B9_7F4A_7C15)) ^ 0x5851_F42D_4C95_7F2D;
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

fn id(key: &HashKey, kind: u8, n: u64) -> Id128 {
    let mut text = *b"id-000000000000000000";
    let mut left = n;
    for digit in text[3..].iter_mut().rev() {
        *digit = b'0' + u8::try_from(left % 10).unwrap();
        left /= 10;
    }
    key.id(kind, 1, &text)
}

/// Eight map operations, as a click costs them: three ids looked for, three kept, two figures moved.
fn click(state: &mut State, at: u64) {
    let t = Millis(i64::try_from(at).unwrap() * 259);
    let floor = Millis(t.0 - 45 * Millis::DAY);
    // The square of a uniform number: some members are clicked far more often.
    let skew = draw(at, 1) % MEMBERS;
    let member = skew * skew / MEMBERS;
    let code = state.codes.get(&id(&state.key, 1, member), FOR_EVER).unwrap_or(member);
    let click = id(&state.key, 2, at);
    let new = state.clicks.insert_new(&click, Click([code; 8]), t, floor);
    let visitor = id(&state.key, 3, draw(at, 2) % (MEMBERS * 4));
    let unique = state.seen.insert_new(&id(&state.key, 4, draw(at, 2) ^ member), at, t, floor);
    let touches = state.visitors.entry(&visitor, t, floor);
    touches.0[usize::try_from(at % 8).unwrap()] = at;
    let figures = state.members.entry(&id(&state.key, 5, member), t, FOR_EVER);
    figures.0[0] += u64::from(new);
    figures.0[1] += u64::from(unique);
    state.days.entry(&(at / 300_000), t, FOR_EVER).0[0] += 1;
    black_box(state.codes.contains(&id(&state.key, 6, at), FOR_EVER));
}

fn join(state: &mut State, n: u64) {
    let code = id(&state.key, 1, n);
    state.codes.insert_new(&code, n, Millis(0), FOR_EVER);
    let member = id(&state.key, 5, n);
    state.members.insert_new(&member, Member([0; 24]), Millis(0), FOR_EVER);
}

/// From `/proc`, in MiB; 0 where there is none.
fn rss(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Seconds that this thread was on a processor: what counts on a busy machine.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

fn big(clicks: u64, disk: bool) {
    let dir = tempfile::tempdir_in(".").unwrap();
    let mut state = State::default();
    let mut store = disk.then(|| Store::open(dir.path(), IDENTITY, Limits::default(), &mut state).unwrap().0);
    let (mut pauses, begun) = (Vec::new(), Instant::now());
    let mut step = |state: &mut State, next: u64, store: &mut Option<Store>| {
        let Some(store) = store else { return };
        store.tick(state).unwrap();
        if store.due() {
            let begun = Instant::now();
            store.release(Next(next.saturating_sub(50_000)));
            store.commit(state, Next(next)).unwrap();
            pauses.push(begun.elapsed());
        }
    };
    for n in 0..MEMBERS {
        join(&mut state, n);
        if n % 4_096 == 0 {
            step(&mut state, n, &mut store);
        }
    }
    println!("{MEMBERS} members in {:?}, RSS {} MiB", begun.elapsed(), rss("VmRSS"));
    let (begun, cpu_before) = (Instant::now(), cpu());
    for at in 0..clicks {
        click(&mut state, at);
        if at % 4_096 == 0 {
            step(&mut state, MEMBERS + at, &mut store);
        }
    }
    let took = begun.elapsed().as_secs_f64();
    let busy = cpu() - cpu_before;
    println!("{clicks} clicks: {:.0} a second of the fold thread", clicks as f64 / busy);
    println!("{clicks} clicks: {:.0} a second, RSS {} MiB, peak {}", clicks as f64 / took, rss("VmRSS"), rss("VmHWM"));
    pauses.sort();
    let pause = |of: usize| pauses.get(pauses.len() * of / 1_000).copied().unwrap_or_default();
    println!("{} commits, pause p50 {:?} p99 {:?} max {:?}", pauses.len(), pause(500), pause(990), pause(999));
    if let Some(mut store) = store {
        store.commit(&mut state, Next(MEMBERS + clicks)).unwrap();
        store.release(Next(MEMBERS + clicks));
        store.flush().unwrap();
        drop((store, state));
        restart(dir.path());
    }
}

fn restart(dir: &Path) {
    let (begun, cpu_before) = (Instant::now(), cpu());
    let mut state = State::default();
    let (_store, next) = Store::open(dir, IDENTITY, Limits::default(), &mut state).unwrap();
    let (took, busy) = (begun.elapsed(), cpu() - cpu_before);
    println!("restart at {next:?} in {took:?}, {busy:.2} s of a processor, RSS {} MiB", rss("VmRSS"));
    let bytes: u64 = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
    println!("{} MiB on disk", bytes >> 20);
}

fn small(c: &mut Criterion) {
    let mut state = State::default();
    for n in 0..MEMBERS {
        join(&mut state, n);
    }
    let ids: Vec<Id128> = (0..MEMBERS).map(|n| id(&state.key, 5, draw(n, 3) % MEMBERS)).collect();
    let mut at = 0;
    c.bench_function("id of a text", |b| b.iter(|| id(&state.key, 5, black_box(77))));
    c.bench_function("hot get, 1 M entities", |b| {
        b.iter(|| {
            at = (at + 1) % ids.len();
            state.members.peek(&ids[at], FOR_EVER).map(|m| m.0[0])
        });
    });
    c.bench_function("hot get, absent", |b| {
        b.iter(|| {
            at = (at + 1) % ids.len();
            state.codes.contains(&ids[at], FOR_EVER)
        });
    });
    cold(c);
}

fn cold(c: &mut Criterion) {
    let dir = tempfile::tempdir_in(".").unwrap();
    let mut state = State::default();
    let (mut store, _) = Store::open(dir.path(), IDENTITY, Limits::default(), &mut state).unwrap();
    for at in 0..MEMBERS {
        click(&mut state, at);
        if at % 4_096 == 0 {
            store.tick(&mut state).unwrap();
            if store.due() {
                store.release(Next(at));
                store.commit(&mut state, Next(at)).unwrap();
            }
        }
    }
    store.commit(&mut state, Next(MEMBERS)).unwrap();
    store.flush().unwrap();
    store.tick(&mut state).unwrap();
    let ids: Vec<Id128> = (0..MEMBERS).map(|n| id(&state.key, 2, draw(n, 3) % MEMBERS)).collect();
    let mut at = 0;
    c.bench_function("cold get, in a file", |b| {
        b.iter(|| {
            at = (at + 1) % ids.len();
            state.clicks.get(&ids[at], FOR_EVER).map(|m| m.0[0])
        });
    });
    c.bench_function("cold get, absent", |b| {
        b.iter(|| {
            at = (at + 1) % ids.len();
            state.visitors.contains(&ids[at], FOR_EVER)
        });
    });
    let mut next = MEMBERS;
    c.bench_function("4,096 clicks and their commit", |b| {
        b.iter(|| {
            for at in next..next + 4_096 {
                click(&mut state, at);
            }
            next += 4_096;
            store.tick(&mut state).unwrap();
            store.release(Next(next));
            store.commit(&mut state, Next(next)).unwrap();
        });
    });
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|a| a == "big" || a == "big-ram") {
        let millions = arguments.get(1).and_then(|n| n.parse().ok()).unwrap_or(10);
        return big(millions * 1_000_000, arguments[0] == "big");
    }
    let mut c = Criterion::default().configure_from_args().sample_size(20);
    small(&mut c);
    c.final_summary();
}
