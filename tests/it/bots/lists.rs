//! The lists against the agents that they were made from, against real browsers, and against what the README says of them.

use std::fmt::Write;

use expect_test::expect;
use sha2::{Digest, Sha256};
use tributary::event::Bots;

use super::kind_of;

const CRAWLERS: &str = include_str!("agents/crawler-user-agents.txt");
const ISBOT: &str = include_str!("agents/isbot.txt");
const BROWSERS: &str = include_str!("agents/user-agents.tsv");
const IN_HAND: &str = include_str!("agents/in_hand.txt");

/// How many of the agents are bots, and that in hundred.
fn recall(agents: &str) -> (usize, usize) {
    let found = agents.lines().filter(|agent| kind_of(agent).is_some()).count();
    (found, agents.lines().count())
}

fn assert_recall((found, of): (usize, usize), expected: (usize, usize)) {
    assert_eq!((found, of), expected);
    assert!(found * 100 >= of * 95, "{found} of {of} are less than 95 %");
}

#[test]
fn at_least_95_in_100_of_the_bots_that_the_lists_are_tested_with_are_found() {
    assert_recall(recall(CRAWLERS), (2_115, 2_118));
    assert_recall(recall(ISBOT), (2_648, 2_775));
}

/// One of them works for a scraper, says the list; but it is what a phone says inside Instagram. The others are browsers
/// inside an app, too.
#[test]
fn what_people_hold_in_their_hands_is_no_bot_though_a_list_has_it() {
    let people: Vec<&str> = CRAWLERS.lines().filter(|agent| kind_of(agent).is_none()).collect();
    expect![[r#"
        [
            "Mozilla/5.0 (Linux; Android 15; CPH2557 Build/AP3A.240617.008; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.7444.142 Mobile Safari/537.36 Instagram 406.0.0.58.159 Android (35/15; 480dpi; 1080x2400; OPPO; CPH2557; OP573DL1; mt6833; en_MY; 822918295; IABMV/1) NV/1",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Code/1.115.0 Chrome/142.0.7444.265 Electron/39.8.5 Safari/537.36",
            "Mozilla/5.0 (Linux; Android 16; Pixel 10 Pro XL Build/CP1A.260305.018; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/146.0.7680.174 Mobile Safari/537.36 MetaIAB Facebook",
        ]
    "#]]
    .assert_debug_eq(&people);
}

#[test]
fn at_most_5_in_10_000_real_browsers_are_taken_for_bots() {
    let (mut records, mut wrong) = (0, 0);
    for (count, agent) in BROWSERS.lines().map(|line| line.split_once('\t').unwrap()) {
        let count: usize = count.parse().unwrap();
        records += count;
        wrong += if kind_of(agent).is_some() { count } else { 0 };
    }
    assert_eq!((records, wrong), (10_000, 0));
}

#[test]
fn browsers_inside_apps_and_phones_that_are_called_bots_are_people() {
    let bots: Vec<_> = IN_HAND.lines().filter_map(|agent| Some((kind_of(agent)?, agent))).collect();
    assert_eq!(bots, []);
}

#[test]
fn the_lists_are_those_that_the_readme_says_and_the_version_names_theirs() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/event/bots/");
    let readme = std::fs::read_to_string(format!("{folder}README.md")).unwrap();
    for name in ["crawler-user-agents.tsv", "isbot.txt", "ours.tsv", "exceptions.txt"] {
        let sum = Sha256::digest(std::fs::read(format!("{folder}{name}")).unwrap());
        let line = sum.iter().fold(format!("| `{name}` | `"), |mut line, byte| {
            write!(line, "{byte:02x}").unwrap();
            line
        });
        assert!(readme.contains(&line), "{line}: raise VERSION with what changed in {name}");
    }
    let [crawlers, isbot, ours] = Bots::VERSION.split('+').collect::<Vec<_>>()[..] else { panic!("three parts") };
    assert!(readme.contains(&format!("npm `crawler-user-agents` {}:", crawlers.strip_prefix("cua-").unwrap())));
    assert!(readme.contains(&format!("npm `isbot` {}:", isbot.strip_prefix("isbot-").unwrap())));
    assert_eq!(ours.parse::<u32>(), Ok(1));
}
