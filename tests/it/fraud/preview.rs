//! What is asked before it comes: the answer is the decision that follows, and asking changes nothing.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tributary::fold::fraud::{Answer, DecidedBy, Decision, Missing, Mode, Question, Rule, Subject, Verdict};
use tributary::fold::{Preview, Unseen};
use tributary::ids::Millis;
use tributary::keep::Maps;

use crate::fold::world::{Flush, World};

const BEGIN: i64 = 1_767_312_000_000;
const MEMBERS: [&str; 3] = ["ann", "bob", "nobody"];
const AGENTS: [&str; 4] = [
    r#","user_agent":"Mozilla/5.0 (X11) Firefox/125.0""#,
    r#","user_agent":"Googlebot/2.1""#,
    "",
    r#","method":"HEAD""#,
];
const RULES: &str = r#"{\"thresholds\":{\"clicks_device_minute\":3}}"#;

fn world() -> World {
    let mut world = World::alone(Flush::AtTheEnd);
    let head = r#""creator_id":"c","occurred_at":1767225600000"#;
    let records = [
        format!(
            r#"{{"type":"Creator","event_id":"e0",{head},"name":"Club","currency":"EUR","time_zone":"Asia/Tokyo"}}"#
        ),
        format!(r#"{{"type":"Member","event_id":"e1",{head},"member_id":"ann","user_id":"u-ann"}}"#),
        format!(r#"{{"type":"Member","event_id":"e2",{head},"member_id":"bob","referral_code":"BOB"}}"#),
    ];
    records.iter().for_each(|record| world.apply(record, Millis(1_767_225_600_000)));
    world
}

/// One event, as numbers that shrink.
#[derive(Debug, Clone)]
struct Draw {
    kind: u8,
    member: u8,
    ip: u8,
    device: u8,
    agent: u8,
    step: u16,
    late: u8,
}

fn draws(most: usize) -> impl Strategy<Value = Vec<Draw>> {
    let draw = (any::<[u8; 6]>(), any::<u16>());
    let draw = draw.prop_map(|([kind, member, ip, device, agent, late], step)| Draw {
        kind,
        member,
        ip,
        device,
        agent,
        step,
        late,
    });
    prop::collection::vec(draw, 1..most)
}

/// Tokens of a few people and of a place that many share; now and then none.
fn token(name: &str, n: u8) -> String {
    match n % 8 {
        0 => String::new(),
        n @ 1..=3 => format!(r#","{name}":"{n:032x}""#),
        _ => format!(r#","{name}":"{:032x}""#, 9),
    }
}

/// The event, who it is about, and when it comes.
fn event(n: usize, draw: &Draw, now: i64) -> (String, &'static str, i64) {
    let member = MEMBERS[usize::from(draw.member) % if draw.kind == 255 { 3 } else { 2 }];
    // Most on time, some a little late, some below the watermark.
    let t = now - [0, 0, 0, 0, 0, 45_000, 300_000, 1_200_000][usize::from(draw.late) % 8];
    let head = format!(r#""event_id":"x{n}","creator_id":"c","occurred_at":{t}"#);
    let (ip, device) = (token("ip_token", draw.ip), token("device_token", draw.device));
    let agent = AGENTS[usize::from(draw.agent) % AGENTS.len()];
    let text = match draw.kind % 16 {
        0..=9 => {
            let wide = token("ip56_token", draw.ip);
            format!(r#"{{"type":"Click",{head},"click_id":"x{n}","member_id":"{member}"{ip}{wide}{device}{agent}}}"#)
        }
        10 | 11 => format!(r#"{{"type":"Sighting",{head},"member_id":"{member}"{ip}{device}}}"#),
        12..=14 => {
            let customer = draw.agent % 9;
            format!(
                r#"{{"type":"Conversion",{head},"conversion_id":"x{n}","kind":"purchase","amount":1000,"customer_id":"u{customer}","referral_code":"BOB"{ip}{device}}}"#
            )
        }
        _ => {
            let definition =
                if draw.agent.is_multiple_of(2) { format!(r#","definition":"{RULES}""#) } else { String::new() };
            let id = if definition.is_empty() { "seed-v1" } else { "strict" };
            format!(r#"{{"type":"RuleSet",{head},"rule_set_id":"{id}"{definition}}}"#)
        }
    };
    (text, member, now)
}

fn script(draws: &[Draw]) -> Vec<(String, &'static str, i64)> {
    let mut now = BEGIN;
    let event = |(n, draw): (usize, &Draw)| {
        // Mostly seconds, so that windows fill; now and then a day, so that they are over.
        now += if draw.step < 200 { 86_400_000 } else { i64::from(draw.step % 900) * 10 };
        event(n, draw, now)
    };
    draws.iter().enumerate().map(event).collect()
}

/// All that a decision says but for what names the event.
fn said(decision: &Decision) -> String {
    let Decision { subject, verdict, decided_by, action, disposition, bot, assessment, watermark, is_late, .. } =
        decision;
    let (member, rules) = (decision.member.as_str(), decision.rule_set.hash.as_str());
    let told = (event_time(decision), watermark, is_late, decision.is_truncated, member, rules);
    format!("{subject:?} {verdict:?} {decided_by:?} {action:?} {disposition:?} {bot:?} {told:?} {assessment:?}")
}

fn event_time(decision: &Decision) -> i64 {
    decision.event_time.0
}

/// What stands in each map under each key, and its time.
type Knowledge = BTreeMap<(&'static str, Vec<u8>), (i64, Vec<u8>)>;

/// Every entity of a state, by map.
fn knowledge(world: &mut World) -> Knowledge {
    let mut all = BTreeMap::new();
    world.state.visit(&mut |name, map| {
        map.each(&mut |key, time, value| {
            all.insert((name, key.to_vec()), (time.0, value.to_vec()));
        });
    });
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// What is said of a click is what the fold then decides of it: verdict, score, each answer with its evidence, and
    /// how it is counted.
    #[test]
    fn a_click_is_decided_as_it_was_said(draws in draws(400)) {
        let mut world = world();
        for (text, member, now) in script(&draws) {
            let asked = text.contains(r#""Click""#).then(|| world.preview(member, &[&text], Millis(now)));
            let before = world.decisions.len();
            world.apply(&text, Millis(now));
            let Some(Ok(preview)) = asked else { continue };
            prop_assert_eq!(preview.decision.mode, Mode::Preview);
            // One that waits for its member is decided later, a storm is told once a minute.
            let decided = world.decisions[before..].iter().find(|decision| decision.subject == Subject::Click);
            if let Some(decided) = decided {
                prop_assert_eq!(said(&preview.decision), said(decided), "{}", text);
            }
        }
    }

    /// Whatever is asked in between, the same log gives the same rows, decisions and state.
    #[test]
    fn asking_changes_nothing(draws in draws(200)) {
        let script = script(&draws);
        let (mut asked, mut quiet) = (world(), world());
        for (n, (text, member, now)) in script.iter().enumerate() {
            for other in [n, n / 2, script.len() - 1] {
                let (other, _, _) = &script[other];
                if other.contains(r#""Click""#) || other.contains(r#""Conversion""#) {
                    drop(asked.preview(member, &[other], Millis(*now)));
                }
            }
            asked.apply(text, Millis(*now));
            quiet.apply(text, Millis(*now));
        }
        prop_assert_eq!(knowledge(&mut asked), knowledge(&mut quiet));
        asked.flush();
        quiet.flush();
        prop_assert_eq!(&asked.rows, &quiet.rows);
        let decisions = |world: &World| format!("{:?}", world.decisions.iter().map(said).collect::<Vec<_>>());
        prop_assert_eq!(decisions(&asked), decisions(&quiet));
    }
}

fn click(t: i64, fields: &str) -> String {
    format!(
        r#"{{"type":"Click","event_id":"k","click_id":"k","creator_id":"c","occurred_at":{t},"member_id":"ann"{fields}}}"#
    )
}

fn sale(t: i64, fields: &str) -> String {
    format!(
        r#"{{"type":"Conversion","event_id":"p","conversion_id":"p","creator_id":"c","occurred_at":{t},"kind":"purchase","amount":1000{fields}}}"#
    )
}

/// What is not answered with no, a line each.
fn lines(preview: &Preview) -> Vec<String> {
    let told = preview.decision.assessment.findings().filter(|finding| finding.answer != Answer::No);
    told.map(|finding| match finding.answer {
        Answer::No => String::new(),
        Answer::Yes(_) => format!("{} fires", finding.question.code()),
        Answer::Silenced(_, guard) => format!("{} is silenced by {}", finding.question.code(), guard.name()),
        Answer::Unknown(missing) => format!("{}: no {}", finding.question.code(), missing.name()),
    })
    .collect()
}

#[test]
fn of_an_unknown_member_nothing_is_clean_but_what_does_not_concern_it() {
    let world = world();
    let bot = click(BEGIN, r#","ip_token":"00000000000000000000000000000001","user_agent":"Googlebot/2.1""#);
    let preview = world.preview("zoe", &[&bot, &sale(BEGIN, r#","customer_id":"u1""#)], Millis(BEGIN)).unwrap();
    assert!(!preview.is_member_known);
    expect_test::expect![[r#"
        [
            "same_ip: no member",
            "same_device: no member",
            "same_user_id: no member",
            "same_email: no member",
            "same_payout: no member",
            "declared_bot fires",
            "clicks_ip_60s: no member",
            "clicks_ip_1h: no member",
            "clicks_device_60s: no member",
            "clicks_ip56_60s: no member",
            "regular_gaps: no clicks",
            "hasty_conversion: no click",
            "late_click: no click",
            "click_behind_another: no click",
            "member_chargebacks: no member",
            "member_refunds: no member",
            "early_refunds: no member",
            "cluster_accounts: no member",
            "shared_payment: no member",
            "shared_device: no member",
            "made_customers: no member",
            "rushed_customers: no member",
        ]
    "#]]
    .assert_debug_eq(&lines(&preview));
}

#[test]
fn of_a_sale_what_is_missing_is_not_answered_and_a_click_answers_some_of_it() {
    let world = world();
    let bare = world.preview("ann", &[&sale(BEGIN, "")], Millis(BEGIN)).unwrap();
    assert_eq!((bare.decision.subject, bare.decision.verdict), (Subject::Conversion, Verdict::Approve));
    let unanswered = |preview: &Preview, question: Question| {
        let finding = preview.decision.assessment.findings().find(|finding| finding.question == question);
        match finding.unwrap().answer {
            Answer::Unknown(missing) => Some(missing),
            Answer::No | Answer::Yes(_) | Answer::Silenced(..) => None,
        }
    };
    for (question, missing) in [
        (Question::SameIp, Missing::ActorIp),
        (Question::DeclaredBot, Missing::UserAgent),
        (Question::ClicksOfIpInMinute, Missing::Click),
        (Question::HastyConversion, Missing::Click),
        (Question::CustomerChargebacks, Missing::Customer),
    ] {
        assert_eq!(unanswered(&bare, question), Some(missing), "{question:?}");
    }
    let human = click(
        BEGIN,
        r#","ip_token":"00000000000000000000000000000001","user_agent":"Mozilla/5.0 (X11) Firefox/125.0""#,
    );
    let both = world.preview("ann", &[&human, &sale(BEGIN, r#","customer_id":"u1""#)], Millis(BEGIN)).unwrap();
    for question in [Question::DeclaredBot, Question::ClicksOfIpInMinute, Question::CustomerChargebacks] {
        assert_eq!(unanswered(&both, question), None, "{question:?}");
    }
    assert_eq!(unanswered(&both, Question::HastyConversion), Some(Missing::Click), "how long it was is not known");
}

#[test]
fn the_third_customer_with_one_card_is_seen_before_the_sale() {
    let mut world = world();
    let card = r#","payment_token":"0000000000000000000000000000cafe""#;
    for n in 1..=2 {
        let t = BEGIN + n * 3_600_000;
        let fields = format!(r#","customer_id":"u{n}","referral_code":"BOB"{card}"#);
        let text = sale(t, &fields).replace(r#""p""#, &format!(r#""p{n}""#));
        world.apply(&text, Millis(t));
    }
    let t = BEGIN + 4 * 3_600_000;
    let fires = |customer: &str| {
        let text = sale(t, &format!(r#","customer_id":"{customer}"{card}"#));
        world.preview("bob", &[&text], Millis(t)).unwrap().decision.assessment.fired.has(Rule::MultiAccount)
    };
    assert!(fires("u3"), "the third customer");
    assert!(!fires("u2"), "the second once more");
}

#[test]
fn lists_go_before_the_score_of_a_sale_and_say_nothing_of_a_click() {
    let mut world = world();
    let until = BEGIN + 3_600_000;
    let entry = |n: u8, list: &str, key: &str, value: &str| {
        format!(
            r#"{{"type":"ListEntry","event_id":"l{n}","creator_id":"c","occurred_at":{BEGIN},"list":"{list}","key":"{key}","value":"{value}","actor":"ops","expires_at":{until}}}"#
        )
    };
    world.apply(&entry(1, "deny", "member", "ann"), Millis(BEGIN));
    world.apply(&entry(2, "allow", "customer", "u1"), Millis(BEGIN));
    let by = |member: &str, events: &[&str], now: i64| {
        let decision = world.preview(member, events, Millis(now)).unwrap().decision;
        (decision.verdict, decision.decided_by)
    };
    let text = sale(BEGIN + 1, r#","customer_id":"u1""#);
    assert_eq!(by("ann", &[&text], BEGIN + 1), (Verdict::Block, DecidedBy::DenyList));
    assert_eq!(by("bob", &[&text], BEGIN + 1), (Verdict::Approve, DecidedBy::AllowList));
    assert_eq!(by("ann", &[&click(BEGIN + 1, "")], BEGIN + 1), (Verdict::Approve, DecidedBy::Score));
    // By the clock that the sale itself would move.
    let later = until + 11 * 60_000;
    assert_eq!(by("ann", &[&sale(later, "")], later), (Verdict::Approve, DecidedBy::Score));
}

#[test]
fn what_the_fold_would_not_take_is_refused() {
    let mut world = world();
    let unknown = click(BEGIN, "").replace(r#""creator_id":"c""#, r#""creator_id":"d""#);
    assert_eq!(world.preview("ann", &[&unknown], Millis(BEGIN)).unwrap_err(), Unseen::Creator);
    let absurd = world.preview("ann", &[&click(BEGIN, "")], Millis(BEGIN - 2 * 86_400_000)).unwrap_err();
    assert!(matches!(&absurd, Unseen::Refused(why) if why.contains("24 h")), "{absurd:?}");
    world.apply(&click(BEGIN + 90 * 86_400_000, ""), Millis(BEGIN + 90 * 86_400_000));
    let old = world.preview("ann", &[&click(BEGIN, "")], Millis(BEGIN + 90 * 86_400_000)).unwrap_err();
    assert!(matches!(&old, Unseen::Refused(why) if why.contains("horizon")), "{old:?}");
}
