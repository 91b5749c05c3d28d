//! The golden table: what any of the rules together come to.

use tributary::fold::fraud::{Band, Points, Rule, RuleSet, Rules, Score, Verdict};

use super::{assess, honest, make_fire};

fn subsets() -> impl Iterator<Item = Vec<Rule>> {
    (0_u32..512).map(|bits| {
        Rule::ALL.into_iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, rule)| rule).collect()
    })
}

fn score(rules: &[Rule]) -> Score {
    Score::of(rules.iter().copied().collect(), &Points::SEED)
}

/// Facts that make just these rules fire.
fn of_facts(rules: &[Rule], set: &RuleSet) -> (Vec<Rule>, Score) {
    let mut facts = honest();
    rules.iter().for_each(|rule| make_fire(&mut facts, *rule));
    let assessment = assess(&facts, set);
    (assessment.fired.iter().collect(), assessment.score)
}

#[test]
fn of_all_512_subsets_4_are_low_16_medium_and_492_high() {
    let mut counts = [0; 3];
    for rules in subsets() {
        let (fired, score) = of_facts(&rules, &RuleSet::seed_v1());
        assert_eq!((fired.as_slice(), score), (rules.as_slice(), self::score(&rules)));
        assert_eq!(score.raw, rules.iter().map(|rule| Points::SEED.of(*rule)).sum::<u32>());
        assert_eq!(score.score, score.raw.min(100));
        counts[score.band as usize] += 1;
    }
    assert_eq!(counts, [4, 16, 492]);
}

#[test]
fn both_shipped_sets_count_alike_where_no_guard_holds() {
    for rules in subsets() {
        assert_eq!(of_facts(&rules, &RuleSet::guarded_v1()), of_facts(&rules, &RuleSet::seed_v1()));
    }
}

#[test]
fn of_the_36_pairs_26_block_and_no_single_rule_does() {
    let blocks = |rules: &Vec<Rule>| score(rules).verdict() == Verdict::Block;
    assert_eq!(subsets().filter(|rules| rules.len() == 2).count(), 36);
    assert_eq!(subsets().filter(|rules| rules.len() == 2).filter(blocks).count(), 26);
    assert_eq!(subsets().filter(|rules| rules.len() == 1).filter(blocks).count(), 0);
}

#[test]
fn a_declared_bot_alone_scores_30_and_nothing_else_does() {
    let thirty: Vec<_> = subsets().filter(|rules| score(rules).score == 30).collect();
    assert_eq!(thirty, [[Rule::Bot]]);
    assert_eq!(score(&[Rule::Bot]).verdict(), Verdict::Approve);
}

#[test]
fn seventy_is_scored_by_five_subsets_and_31_and_71_by_none() {
    let of = |wanted: u32| subsets().filter(move |rules| score(rules).score == wanted).collect::<Vec<_>>();
    let mut seventy = of(70);
    seventy.sort();
    let mut expected = vec![
        vec![Rule::Chargeback],
        vec![Rule::SameIp, Rule::Bot],
        vec![Rule::SameDevice, Rule::Timing],
        vec![Rule::Velocity, Rule::MultiAccount],
        vec![Rule::Timing, Rule::Refund],
    ];
    expected.sort();
    assert_eq!(seventy, expected);
    assert!(of(31).is_empty() && of(71).is_empty());
}

#[test]
fn bands_begin_at_31_and_at_71() {
    for (points, band, verdict) in [
        (0, Band::Low, Verdict::Approve),
        (30, Band::Low, Verdict::Approve),
        (31, Band::Medium, Verdict::Review),
        (70, Band::Medium, Verdict::Review),
        (71, Band::High, Verdict::Block),
        (100, Band::High, Verdict::Block),
        (250, Band::High, Verdict::Block),
    ] {
        let synthetic = Points { bot: points, ..Points::SEED };
        let score = Score::of(Rules::default().with(Rule::Bot), &synthetic);
        assert_eq!((score.raw, score.score, score.band, score.verdict()), (points, points.min(100), band, verdict));
    }
}

#[test]
fn a_rule_that_two_functions_reach_counts_once() {
    let mut facts = honest();
    make_fire(&mut facts, Rule::MultiAccount);
    let assessment = assess(&facts, &RuleSet::seed_v1());
    let by = |findings: &[tributary::fold::fraud::Finding]| findings.iter().filter_map(|one| one.fired()).count();
    assert_eq!((by(&assessment.commission.unwrap()), by(&assessment.accounts.unwrap())), (1, 1));
    assert_eq!(assessment.score.raw, 45);
}

#[test]
fn ids_name_rules() {
    for rule in Rule::ALL {
        assert_eq!(Rule::of_id(rule.id()), Some(rule));
    }
    assert_eq!(Rule::of_id("self.same"), None);
}
