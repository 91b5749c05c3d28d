//! Decisions as they stand in their topic, read by another implementation.

use apache_avro::Schema;
use apache_avro::types::Value as Avro;
use expect_test::{expect, expect_file};
use serde_json::Value;
use tributary::event::ReviewSubject;
use tributary::ids::{Millis, Offset, Partition};
use tributary::schema;
use tributary::schema::decision::{
    Action, Answer, Band, Checks, Decision, Disposition, Evidence, Mode, Outcome, Previous, RuleSet, Trigger, Verdict,
};

use super::golden::hex;
use crate::decode::apache;

/// Head of the single-object encoding.
const HEAD: usize = 10;

/// All of a decision's bytes but those of its last field, which says when it was written. Other bytes stay as they are.
pub(crate) fn without_time(bytes: &[u8]) -> &[u8] {
    if !bytes.starts_with(&schema::SINGLE_OBJECT) {
        return bytes;
    }
    // A flag stands before it, so what has the high bit belongs to it.
    let (_, rest) = bytes.split_last().unwrap();
    let len = rest.iter().rposition(|byte| *byte < 0x80).unwrap() + 1;
    &rest[..len]
}

/// As JSON, without the names of union branches.
pub(crate) fn read(bytes: &[u8]) -> Value {
    let current = schema::current().find(|schema| schema.name() == "Decision").unwrap();
    assert_eq!(bytes[2..HEAD], current.fingerprint.to_le_bytes());
    let schema = Schema::parse_str(current.json).unwrap();
    let mut rest = &bytes[HEAD..];
    let value: Avro = apache::read(&schema, None, &mut rest).unwrap();
    assert!(rest.is_empty(), "{} bytes left", rest.len());
    Value::try_from(value).unwrap()
}

const SEEN: Evidence<'_> =
    Evidence { observed: 61, threshold: 60, window_ms: 3_600_000, match_kind: Some("http_library") };

const ANSWERS: [Answer<'_>; 4] = [
    Answer { rule_id: "self.same_ip", code: "same_ip", outcome: Outcome::NotEvaluated { missing: "actor_ip" } },
    Answer {
        rule_id: "click.velocity",
        code: "clicks_ip_60s",
        outcome: Outcome::Reason { points: 25, points_applied: 25, evidence: SEEN },
    },
    Answer {
        rule_id: "click.velocity",
        code: "clicks_ip_1h",
        outcome: Outcome::Reason {
            points: 25,
            points_applied: 0,
            evidence: Evidence { observed: u64::MAX, threshold: 0, window_ms: 0, match_kind: None },
        },
    },
    Answer {
        rule_id: "self.same_device",
        code: "same_device",
        outcome: Outcome::Suppressed { guard: "crowded_device", evidence: SEEN },
    },
];

fn full() -> Decision<'static> {
    Decision {
        decision_id: [0x0f, 0xa1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff],
        creator_id: "ada",
        subject_type: ReviewSubject::Commission,
        subject_id: "auto:order-1:m1",
        revision: 2,
        member_id: "m1",
        customer_id: "customer",
        click_id: "click",
        conversion_id: "order-1",
        verdict: Verdict::Block,
        band: Band::High,
        score: 100,
        raw_score: 145,
        disposition: Some(Disposition::ExcludedBot),
        action: Action::SuspendForReview,
        answers: &ANSWERS,
        checks: Checks {
            self_referral: Some(0),
            click_fraud: Some(25),
            commission_abuse: Some(165),
            multiple_accounts: Some(45),
        },
        rule_set: RuleSet { id: "guarded-v1", version: "1", hash: "00ff", bot_lists: Some("cua-1+isbot-5+1") },
        trigger: Trigger { event_id: "e1", kind: "Conversion", partition: Partition(3), offset: Offset(1 << 40) },
        event_time: Millis(1_760_000_000_000),
        watermark: Millis(1_759_999_400_000),
        is_late: true,
        mode: Mode::Manual,
        overridden_by: Some("review"),
        previous: Some(Previous {
            decision_id: Some([0xab; 16]),
            cause: "review",
            verdict: Verdict::Approve,
            band: Band::Low,
            score: 30,
        }),
        matures_at: Some(Millis(1_762_592_000_000)),
        is_truncated: true,
        processing_time: Millis(1_760_000_001_000),
    }
}

fn minimal() -> Decision<'static> {
    Decision {
        decision_id: [0; 16],
        subject_type: ReviewSubject::Click,
        subject_id: "click",
        revision: 1,
        member_id: "",
        customer_id: "",
        click_id: "",
        conversion_id: "",
        verdict: Verdict::Approve,
        band: Band::Low,
        score: 0,
        raw_score: 0,
        disposition: None,
        action: Action::None,
        rule_set: RuleSet { bot_lists: None, ..full().rule_set },
        answers: &[],
        checks: Checks::default(),
        is_late: false,
        mode: Mode::Live,
        overridden_by: None,
        previous: None,
        matures_at: None,
        is_truncated: false,
        ..full()
    }
}

fn encoded(decision: &Decision<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    decision.encode(&mut bytes);
    bytes
}

#[test]
fn a_decision_is_read_by_another_implementation_as_it_was_written() {
    let text = serde_json::to_string_pretty(&read(&encoded(&full()))).unwrap();
    expect_file!["../../../schemas/golden/v1/Decision.json"].assert_eq(&format!("{text}\n"));
    let minimal = read(&encoded(&minimal()));
    let fields = minimal.as_object().unwrap();
    let absent: Vec<&str> = fields.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.as_str()).collect();
    expect!["click_id conversion_id customer_id disposition matures_at member_id override previous supersedes"]
        .assert_eq(&absent.join(" "));
    assert_eq!(minimal["reasons"].as_array().map(Vec::len), Some(0));
}

#[test]
fn golden_bytes_of_a_decision_are_what_is_written() {
    let lines = [full(), minimal()].map(|decision| hex(&encoded(&decision)) + "\n");
    expect_file!["../../../schemas/golden/v1/Decision.hex"].assert_eq(&lines.concat());
}

#[test]
fn the_time_of_writing_is_all_that_its_last_bytes_say() {
    for time in [0, 63, 64, 1_760_000_000_000, i64::MAX] {
        let late = Decision { processing_time: Millis(time), ..full() };
        assert_eq!(without_time(&encoded(&late)), without_time(&encoded(&full())), "{time}");
    }
    assert_eq!(encoded(&full()).len(), without_time(&encoded(&full())).len() + 6);
}

#[test]
fn every_symbol_is_the_one_that_is_meant() {
    let word = |decision: Decision<'_>, field: &str| read(&encoded(&decision))[field].as_str().unwrap().to_owned();
    let verdicts = [Verdict::Approve, Verdict::Review, Verdict::Block];
    let verdicts = verdicts.map(|verdict| word(Decision { verdict, ..full() }, "verdict"));
    assert_eq!(verdicts, ["approve", "review", "block"]);
    let bands = [Band::Low, Band::Medium, Band::High].map(|band| word(Decision { band, ..full() }, "band"));
    assert_eq!(bands, ["low", "medium", "high"]);
    let all = [Disposition::Countable, Disposition::ExcludedBot, Disposition::ExcludedDuplicate];
    let all = all.map(|it| word(Decision { disposition: Some(it), ..full() }, "disposition"));
    assert_eq!(all, ["countable", "excluded_bot", "excluded_duplicate"]);
    let modes = [Mode::Live, Mode::Shadow, Mode::Backtest, Mode::Preview, Mode::Manual];
    let modes = modes.map(|mode| word(Decision { mode, ..full() }, "mode"));
    assert_eq!(modes, ["live", "shadow", "backtest", "preview", "manual"]);
    let actions = [
        (Action::None, "none"),
        (Action::ExcludeClick, "exclude_click"),
        (Action::Hold, "hold"),
        (Action::Release, "release"),
        (Action::Reverse, "reverse"),
        (Action::Clawback, "clawback"),
        (Action::SuspendForReview, "suspend_for_review"),
    ];
    for (action, name) in actions {
        assert_eq!(word(Decision { action, ..full() }, "recommended_action"), name);
    }
    let subjects = [ReviewSubject::Click, ReviewSubject::Conversion, ReviewSubject::Commission];
    let subjects = subjects.map(|subject_type| read(&encoded(&Decision { subject_type, ..full() }))["subject"].clone());
    assert_eq!(subjects.map(|subject| subject["type"].clone()), ["click", "conversion", "commission"]);
}
