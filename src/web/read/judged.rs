//! The ordered checks of a decision: who had a say in it, and what follows.

use serde::Serialize;

use super::decisions::Decision;
use super::explain::Check;
use crate::project::codec::Malformed;
use crate::project::decisions::{DecisionRow, Told};

/// What stands behind a verdict.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    /// approve, review, block.
    verdict: String,
    /// In the order in which they decide: the first that applies makes the verdict. Then what is held, and why.
    checks: Vec<Check>,
    /// All that was decided, in order, with the evidence of each.
    revisions: Vec<Decision>,
}

impl Judged {
    /// `None`: nothing was decided.
    pub(super) fn of(revisions: Vec<DecisionRow>) -> Result<Option<Self>, Malformed> {
        let Some(newest) = revisions.last() else { return Ok(None) };
        let (verdict, checks) = (newest.verdict.clone(), checks(newest)?);
        let revisions = revisions.into_iter().map(Decision::try_from).collect::<Result<_, _>>()?;
        Ok(Some(Self { verdict, checks, revisions }))
    }
}

/// Who may decide, the strongest first, and what it is if it has nothing to say.
const VOICES: [(&str, &str); 5] = [
    ("review", "nobody has reviewed it"),
    ("deny_list", "neither member nor customer is on the deny list"),
    ("allow_list", "neither member nor customer is on the allow list"),
    ("due_date", "no due date has decided it"),
    ("score", ""),
];

fn checks(row: &DecisionRow) -> Result<Vec<Check>, Malformed> {
    let told: Told =
        serde_json::from_str(&row.evidence).map_err(|_| Malformed { field: super::decisions::EVIDENCE })?;
    let mut checks = Vec::with_capacity(VOICES.len() + 1);
    let mut is_over = false;
    for (voice, silent) in VOICES {
        let decides = row.decided_by == voice;
        let outcome = match (decides, is_over) {
            (true, _) => "applied",
            (false, true) => "not_reached",
            (false, false) => "not_applied",
        };
        is_over |= decides;
        let text = match voice {
            "score" => scored(row, &told),
            _ if decides => format!("it says {}", row.verdict),
            _ if is_over => "something stronger decided".to_owned(),
            _ => silent.to_owned(),
        };
        checks.push(Check { check: voice, outcome, reason: None, text });
    }
    let (outcome, text) = held(row);
    checks.push(Check { check: "held", outcome, reason: None, text });
    Ok(checks)
}

/// `75, high: click.velocity 25 (…), …`.
fn scored(row: &DecisionRow, told: &Told) -> String {
    let reason = |reason: &crate::project::decisions::Reason| {
        let seen = &reason.evidence;
        format!("{} {} ({}: {} of {})", reason.rule_id, reason.points_applied, seen.code, seen.observed, seen.threshold)
    };
    let mut reasons: Vec<String> = told.reasons.iter().map(reason).collect();
    reasons.extend(told.suppressed.iter().map(|it| format!("{} 0 (explained by {})", it.rule_id, it.guard)));
    let reasons = if reasons.is_empty() { "no rule fires".to_owned() } else { reasons.join(", ") };
    let unanswered = match told.not_evaluated.len() {
        0 => String::new(),
        count => format!("; {count} questions could not be answered"),
    };
    format!("{}, {}: {reasons}{unanswered}", row.score, row.band)
}

fn held(row: &DecisionRow) -> (&'static str, String) {
    match row.verdict.as_str() {
        "approve" => ("not_applied", "nothing is held because of it".to_owned()),
        "review" => ("applied", "what it earns is held until somebody has looked, or a due date decides".to_owned()),
        _ => ("applied", "it counts for nobody, and nothing is paid for it".to_owned()),
    }
}
