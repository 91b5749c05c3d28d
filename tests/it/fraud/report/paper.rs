//! The figures as a text: integers only, so that it is the same on every machine.

use std::fmt::Write as _;

use tributary::fold::fraud::Rule;
use tributary::simulate::labelled::{Cohort, Family, Group, Strength};

use super::count::{Counts, Key, Part, Sum};
use super::play::Lane;
use super::sample::{HELD_OUT, HELD_OUT_SEEDS, TUNING_SEEDS, held_out};

/// Tenths of a percent, half up; nothing of nothing.
fn percent(some: u64, all: u64) -> String {
    if all == 0 {
        return "–".to_owned();
    }
    let tenths = (some * 2_000 + all) / (2 * all);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Hundredths, for what is to be below half a percent.
fn fine(some: u64, all: u64) -> String {
    if all == 0 {
        return "–".to_owned();
    }
    let hundredths = (some * 20_000 + all) / (2 * all);
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

fn fraud(counts: &Counts, lane: Lane, part: Part, is_meant: impl Fn(Family, Strength) -> bool) -> Sum {
    counts.sum(|key| {
        let Group::Fraud(family) = key.group else { return false };
        (key.lane, key.part) == (lane, part) && key.cheat.is_some_and(|cheat| is_meant(family, cheat))
    })
}

fn honest(counts: &Counts, lane: Lane, part: Part, is_meant: impl Fn(&Key) -> bool) -> Sum {
    counts.sum(|key| !key.group.is_fraud() && (key.lane, key.part) == (lane, part) && is_meant(key))
}

const ALL: fn(Family, Strength) -> bool = |_, _| true;

pub(super) fn report(tuned: &Counts, unseen: &Counts) -> String {
    let mut text = INTRODUCTION.to_owned();
    let spec = held_out(0);
    let names = |families: &[Family]| families.iter().map(|family| family.name()).collect::<Vec<_>>().join(", ");
    let (last_tuned, last_held) = (TUNING_SEEDS.end - 1, HELD_OUT_SEEDS.end - 1);
    _ = writeln!(
        text,
        "To be looked at while guards are fitted: seeds {} to {last_tuned}, without {}. Held out: seeds {} to {last_held}, with all \
         families. Each seed: {} programmes, {} agents, {} days.\n",
        TUNING_SEEDS.start,
        names(&HELD_OUT),
        HELD_OUT_SEEDS.start,
        spec.creators,
        spec.agents,
        spec.days
    );
    text.push_str(&goals(unseen));
    text.push_str(NOT_REACHED);
    _ = writeln!(text, "\n# Held-out seeds\n\n{}", tables(unseen));
    _ = writeln!(text, "# What it was fitted to\n\nThe same of the tuning seeds.\n\n{}", tables(tuned));
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

const INTRODUCTION: &str = "\
# How much fraud the rules find, and whom they hit

Written by `make fraud-report`; the same tree gives the same file. The traffic is that of
[LABELLED-TRAFFIC.md](LABELLED-TRAFFIC.md): agents do what they are after, and each click, conversion and commission is labelled by
that. All of it goes through the fold itself, in RAM; what counts is the last decision on a subject, by its revision.

- Counted are conversions (signups, orders, renewals) and commissions: what money hangs on. Clicks stand apart, at the end.
- A subject is stopped at `review` or worse. Nobody reviews anything here, and no list speaks but for resellers.
- Precision: of what is stopped (blocked), the part that is fraud. Recall: of fraud, the part that is stopped (blocked).
- A single rule rarely stops anything by its own points (`click.bot`, `click.velocity` and `click.timing` never), so of
  each rule it is counted where it fires, its guards on, in a rule set in which nothing has points.
- A cheat's own audience is honest: real visitors who came by his link. What is found out about him (his accounts, his
  customers, his chargebacks) holds their commissions too, for they are his. They are a line of their own, and count as honest in precision.

How it was kept apart: the families held out are every third of the list, written down with the seeds in
`tests/it/fraud/report/sample.rs` before anything was measured. Guards were fitted in two rounds to decisions on tuning seeds alone, without
those families: first on seeds 0 and 1, then, when this report of the first round was known, on seeds 0 to 5. After each they were frozen, all
seeds were run once, and nothing was changed. Whoever fitted them had read the generator, held-out families included: what was held out is
their figures. Points are those of the contract, and the traffic was not changed for the rules.

";

const NOT_REACHED: &str = "
What goes free:

- Cookie stuffing in small numbers, or with patience: shopper, device and card are honest, and by itself it shows in `click.timing` (20) alone.
  A member is held for it once too many of his customers decide within two minutes of his click (`rushed_customers`).
- What a cheat does first. A member is found out by his eighth made customer or his fifth hurried one; then his newest sixteen conversions are
  looked at again, and all commissions that are not paid.
- `low_and_slow` has another name, device, network and card each time: no rule asks for what it shows.
- A second account in the member's own home is a family's or a cheat's. `guarded-v1` believes the family until it is a habit.
- A ring whose members share neither device nor means of payout, nor what they pay with.
";

/// The three that are aimed at, and what is reached.
fn goals(counts: &Counts) -> String {
    let (lane, part) = (Lane::Guarded, Part::Money);
    let (bad, good) = (fraud(counts, lane, part, ALL), honest(counts, lane, part, |_| true));
    let unseen = fraud(counts, lane, part, |family, _| HELD_OUT.contains(&family));
    let mut text = "# Goals of `guarded-v1`\n\n| goal, on held-out seeds | reached | |\n|---|---|---|\n".to_owned();
    let reached = |is_reached: bool| if is_reached { "yes" } else { "no" };
    let blocked = bad.blocked + good.blocked;
    let is_precise = bad.blocked * 100 >= blocked * 95;
    _ = writeln!(
        text,
        "| precision at block at least 95 % | {} | {} |",
        percent(bad.blocked, blocked),
        reached(is_precise)
    );
    for (what, sum) in [("all families", &bad), ("held-out families alone", &unseen)] {
        let is_found = sum.stopped * 100 >= sum.all * 80;
        let found = percent(sum.stopped, sum.all);
        _ = writeln!(text, "| recall at review at least 80 %, {what} | {found} | {} |", reached(is_found));
    }
    let above: Vec<String> = Cohort::ALL
        .into_iter()
        .filter_map(|cohort| {
            let sum = honest(counts, lane, part, |key| key.group == Group::Honest(cohort) && key.cheat.is_none());
            (sum.stopped * 200 > sum.all).then(|| format!("{} {}", cohort.name(), fine(sum.stopped, sum.all)))
        })
        .collect();
    let told = if above.is_empty() { "all".to_owned() } else { format!("all but {}", above.join(", ")) };
    _ = writeln!(text, "| each honest cohort at most 0.5 % at review | {told} | {} |", reached(above.is_empty()));
    text
}

/// What is known of one set of seeds.
pub(super) fn tables(counts: &Counts) -> String {
    [rule_sets(counts), families(counts), cohorts(counts), clicks(counts)].join("\n")
}

fn rule_sets(counts: &Counts) -> String {
    let mut text =
        "## Rule sets\n\n| rules | precision at review | recall at review | precision at block | recall at block |\n\
                    |---|---|---|---|---|\n| approve all | – | 0.0 % | – | 0.0 % |\n"
            .to_owned();
    for (name, lane) in [("`seed-v1`", Lane::Seed), ("`guarded-v1`", Lane::Guarded)] {
        let (bad, good) = (fraud(counts, lane, Part::Money, ALL), honest(counts, lane, Part::Money, |_| true));
        let part = |bad: u64, good: u64, all: u64| format!("{} | {}", percent(bad, bad + good), percent(bad, all));
        let (review, block) = (part(bad.stopped, good.stopped, bad.all), part(bad.blocked, good.blocked, bad.all));
        _ = writeln!(text, "| {name} | {review} | {block} |");
    }
    let lane = Lane::Watched;
    let (bad, good) = (fraud(counts, lane, Part::Money, ALL), honest(counts, lane, Part::Money, |_| true));
    for ((rule, bad_fired), good_fired) in Rule::ALL.into_iter().zip(bad.by_rule).zip(good.by_rule) {
        let (precision, recall) = (percent(bad_fired, bad_fired + good_fired), percent(bad_fired, bad.all));
        _ = writeln!(text, "| `{}` fires | {precision} | {recall} | | |", rule.id());
    }
    _ = writeln!(text, "\n{} subjects are fraud, {} are honest.", bad.all, good.all);
    text
}

/// How careful, from careless to careful.
const BANDS: [(&str, u8, u8); 3] = [("0–3", 0, 3), ("4–6", 4, 6), ("7–10", 7, 10)];

fn families(counts: &Counts) -> String {
    let mut text = "## Attacks\n\nRecall at review or worse, of all and by how careful the cheat is; * held out.\n\n\
                    | family | subjects | `guarded-v1` | "
        .to_owned();
    BANDS.iter().for_each(|(name, ..)| _ = write!(text, "{name} | "));
    text.push_str("at block | `seed-v1` |\n|---|---|---|---|---|---|---|---|\n");
    for family in Family::ALL {
        let of = |lane, from: u8, to: u8| {
            let is_within = |cheat: Strength| (from..=to).filter_map(Strength::new).any(|strength| strength == cheat);
            fraud(counts, lane, Part::Money, |of, cheat| of == family && is_within(cheat))
        };
        let (guarded, seed) = (of(Lane::Guarded, 0, 10), of(Lane::Seed, 0, 10));
        if guarded.all == 0 {
            continue;
        }
        let star = if HELD_OUT.contains(&family) { " *" } else { "" };
        _ = write!(
            text,
            "| `{}`{star} | {} | {} | ",
            family.name(),
            guarded.all,
            percent(guarded.stopped, guarded.all)
        );
        for (_, from, to) in BANDS {
            let band = of(Lane::Guarded, from, to);
            _ = write!(text, "{} | ", percent(band.stopped, band.all));
        }
        let (blocked, by_seed) = (percent(guarded.blocked, guarded.all), percent(seed.stopped, seed.all));
        _ = writeln!(text, "{blocked} | {by_seed} |");
    }
    text
}

fn cohorts(counts: &Counts) -> String {
    let mut text = "## The honest\n\nThe part that is stopped or blocked though it is honest.\n\n\
                    | cohort | subjects | `guarded-v1` at review | at block | `seed-v1` at review | at block |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    let mut line = |name: &str, is_meant: &dyn Fn(&Key) -> bool| {
        let [guarded, seed] = [Lane::Guarded, Lane::Seed].map(|lane| honest(counts, lane, Part::Money, is_meant));
        let part = |sum: Sum| format!("{} | {}", fine(sum.stopped, sum.all), fine(sum.blocked, sum.all));
        _ = writeln!(text, "| {name} | {} | {} | {} |", guarded.all, part(guarded), part(seed));
    };
    for cohort in Cohort::ALL {
        let is_meant = |key: &Key| key.group == Group::Honest(cohort) && key.cheat.is_none();
        line(&format!("`{}`", cohort.name()), &is_meant);
    }
    line("a cheat's audience", &|key| key.cheat.is_some());
    text
}

fn clicks(counts: &Counts) -> String {
    let mut text = "## Clicks\n\nWhat is thought of a click alone; those of a storm that was told of already are not told \
                    again.\n\n| | clicks | `guarded-v1` at review | `seed-v1` at review | not told |\n|---|---|---|---|---|\n"
        .to_owned();
    let mut line = |name: &str, sums: [Sum; 2]| {
        let [guarded, seed] = sums;
        let (by_guarded, by_seed) = (fine(guarded.stopped, guarded.all), fine(seed.stopped, seed.all));
        let untold = fine(guarded.undecided, guarded.all);
        _ = writeln!(text, "| {name} | {} | {by_guarded} | {by_seed} | {untold} |", guarded.all);
    };
    let lanes = [Lane::Guarded, Lane::Seed];
    for family in Family::ALL {
        let sums = lanes.map(|lane| fraud(counts, lane, Part::Clicks, |of, _| of == family));
        if sums.iter().any(|sum| sum.all > 0) {
            line(&format!("`{}`", family.name()), sums);
        }
    }
    line("the honest", lanes.map(|lane| honest(counts, lane, Part::Clicks, |_| true)));
    text
}
