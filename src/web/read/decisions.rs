//! What was decided, and what waits for somebody to decide it.

use serde::Serialize;

use super::{At, Page, Stamp, scan};
use crate::fold::fraud::Subject;
use crate::ids::Millis;
use crate::project::codec::Malformed;
use crate::project::decisions::{DecisionRow, Told};
use crate::project::key::Part;
use crate::project::tables::{self, subject_number};
use crate::store::{Bound, Col, Cols, Range, Row, Store};
use crate::web::problem::Problem;
use crate::web::query::{Query, cursor, malformed_cursor, read_cursor};
use crate::web::reply::{self, Reply};

/// Rows that one page may look at: where few are what is asked for, a page is short.
const LOOKED_AT_MAX: usize = 10_000;
/// Most rows read at once.
const CHUNK_MAX: usize = 1_000;
/// Revisions of one subject that are told at most, the first ones.
const REVISIONS_MAX: usize = 1_000;
const VERDICTS: [&str; 3] = ["approve", "review", "block"];
/// The place of `evidence` in the row.
pub(super) const EVIDENCE: usize = 32;

/// One revision.
#[derive(Debug, Serialize)]
pub(super) struct Decision {
    decision_id: String,
    subject_type: String,
    subject_id: String,
    revision: i64,
    member_id: Option<String>,
    customer_id: Option<String>,
    click_id: Option<String>,
    conversion_id: Option<String>,
    pub(super) verdict: String,
    band: String,
    score: i64,
    raw_score: i64,
    disposition: Option<String>,
    recommended_action: String,
    /// score, review, deny_list, allow_list, due_date.
    pub(super) decided_by: String,
    mode: String,
    #[serde(flatten)]
    told: Told,
    rule_set: RuleSet,
    trigger: Trigger,
    event_time: Stamp,
    watermark: Stamp,
    late: bool,
    /// Null in a first revision, as what follows.
    cause: Option<String>,
    previous: Option<Previous>,
    matures_at: Option<Stamp>,
    state_truncated: bool,
}

#[derive(Debug, Serialize)]
struct RuleSet {
    id: String,
    version: String,
    /// Of a click.
    bot_lists: Option<String>,
}

#[derive(Debug, Serialize)]
struct Trigger {
    event_id: String,
    r#type: String,
    offset: i64,
}

#[derive(Debug, Serialize)]
struct Previous {
    decision_id: Option<String>,
    verdict: String,
    score: Option<i64>,
}

/// An open review, and what it is about.
#[derive(Debug, Serialize)]
struct Open {
    /// Null: it waits for as long as it takes.
    due_at: Option<Stamp>,
    #[serde(flatten)]
    decision: Decision,
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl TryFrom<DecisionRow> for Decision {
    type Error = Malformed;

    fn try_from(row: DecisionRow) -> Result<Self, Malformed> {
        let told = serde_json::from_str(&row.evidence).map_err(|_| Malformed { field: EVIDENCE })?;
        let decision_id = given(row.previous_id);
        let previous = given(row.previous_verdict);
        let previous = previous.map(|verdict| Previous { decision_id, verdict, score: row.previous_score });
        Ok(Self {
            decision_id: row.decision_id,
            subject_type: row.subject_type,
            subject_id: row.subject_id,
            revision: row.revision,
            member_id: given(row.member_id),
            customer_id: given(row.customer_id),
            click_id: given(row.click_id),
            conversion_id: given(row.conversion_id),
            verdict: row.verdict,
            band: row.band,
            score: row.score,
            raw_score: row.raw_score,
            disposition: given(row.disposition),
            recommended_action: row.action,
            decided_by: row.decided_by,
            mode: row.mode,
            told,
            rule_set: RuleSet { id: row.rule_set_id, version: row.rule_set_version, bot_lists: given(row.bot_lists) },
            trigger: Trigger { event_id: row.trigger_event_id, r#type: row.trigger_type, offset: row.trigger_offset },
            event_time: Stamp(row.event_time),
            watermark: Stamp(row.watermark),
            late: row.is_late,
            cause: given(row.cause),
            previous,
            matures_at: row.matures_at.map(Stamp),
            state_truncated: row.is_truncated,
        })
    }
}

/// What of the rows is asked for.
struct Wanted<'q> {
    subject: Option<Subject>,
    subject_id: Option<&'q str>,
    verdict: Option<&'q str>,
    member: Option<&'q str>,
}

impl<'q> Wanted<'q> {
    fn of(query: &'q Query) -> Result<Self, Problem> {
        let subject = query.get("subject_type").map(|name| {
            subject(name).ok_or_else(|| {
                Problem::parameter("subject_type", "`subject_type` must be click, conversion or commission")
            })
        });
        let subject = subject.transpose()?;
        let subject_id = query.get("subject_id");
        if subject_id.is_some() && subject.is_none() {
            let detail =
                "say by `subject_type` what the subject is: ids of clicks, conversions and commissions may be the same";
            return Err(Problem::parameter("subject_id", detail));
        }
        let verdict = query.get("verdict");
        if verdict.is_some_and(|verdict| !VERDICTS.contains(&verdict)) {
            return Err(Problem::parameter("verdict", format!("`verdict` must be one of {}", VERDICTS.join(", "))));
        }
        Ok(Self { subject, subject_id, verdict, member: query.get("member") })
    }

    fn has(&self, row: &DecisionRow) -> bool {
        self.verdict.is_none_or(|verdict| row.verdict == verdict)
            && self.member.is_none_or(|member| row.member_id == member)
            && self.subject.is_none_or(|subject| row.subject_type == subject.name())
    }
}

/// A kind of subject by its name.
pub(in crate::web) fn subject(name: &str) -> Option<Subject> {
    [Subject::Click, Subject::Conversion, Subject::Commission].into_iter().find(|subject| subject.name() == name)
}

/// By subject, its revisions in their order.
pub(in crate::web) async fn decisions<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    const LIST: &str = "decisions";
    let wanted = Wanted::of(query)?;
    let mut all = vec![Col::Text(at.id.clone())];
    all.extend(wanted.subject.map(|subject| Col::Int(subject_number(subject))));
    all.extend(wanted.subject_id.map(|id| Col::Text(id.to_owned())));
    let after = match read_cursor::<3>(query, LIST)? {
        None => None,
        Some([revision, subject, id]) => Some(vec![
            Col::Text(at.id.clone()),
            Col::Int(number(&subject)?),
            Col::Text(id),
            Col::Int(number(&revision)?),
        ]),
    };
    let range = range(tables::decision_part(at.p, &at.id), all, after);
    let limit = query.limit(50, 1_000)?;
    let Looked { found, next } = look(at, range, limit, |row| wanted.has(row)).await?;
    let next = next.and_then(|cols| match cols.0.as_slice() {
        [_, Col::Int(subject), Col::Text(id), Col::Int(revision)] => {
            Some(cursor(LIST, &[&revision.to_string(), &subject.to_string(), id]))
        }
        _ => None,
    });
    let found = found.into_iter().map(|(_, row)| Decision::try_from(row));
    Ok(reply::json(&Page { data: found.collect::<Result<Vec<_>, _>>()?, next, meta: at.meta() }))
}

/// Open ones, what is due first first.
pub(in crate::web) async fn reviews<S: Store>(at: &At<'_, S>, query: &Query) -> Result<Reply, Problem> {
    const LIST: &str = "reviews";
    let wanted = Wanted::of(query)?;
    let after = match read_cursor::<4>(query, LIST)? {
        None => None,
        Some([due, since, subject, id]) => Some(vec![
            Col::Text(at.id.clone()),
            Col::Int(number(&due)?),
            Col::Int(number(&since)?),
            Col::Int(number(&subject)?),
            Col::Text(id),
        ]),
    };
    let range = range(tables::review_part(at.p, &at.id), vec![Col::Text(at.id.clone())], after);
    let limit = query.limit(50, 1_000)?;
    let Looked { found, next } = look(at, range, limit, |row| wanted.has(row)).await?;
    let next = next.and_then(|cols| match cols.0.as_slice() {
        [_, Col::Int(due), Col::Int(since), Col::Int(subject), Col::Text(id)] => {
            Some(cursor(LIST, &[&due.to_string(), &since.to_string(), &subject.to_string(), id]))
        }
        _ => None,
    });
    let mut data = Vec::with_capacity(found.len());
    for (row, decision) in found {
        let due_at = due_of(&row).map(Stamp);
        data.push(Open { due_at, decision: decision.try_into()? });
    }
    Ok(reply::json(&Page { data, next, meta: at.meta() }))
}

/// The subject of the open review of which this is the newest decision.
pub(in crate::web) async fn open_review<S: Store>(
    at: &At<'_, S>,
    decision_id: &str,
) -> Result<Option<(Subject, String)>, Problem> {
    let range = range(tables::review_part(at.p, &at.id), vec![Col::Text(at.id.clone())], None);
    let Looked { found, .. } = look(at, range, 1, |row| row.decision_id == decision_id).await?;
    Ok(found.into_iter().next().and_then(|(_, row)| Some((subject(&row.subject_type)?, row.subject_id))))
}

/// All that was decided of a subject, in order.
pub(super) async fn revisions<S: Store>(
    at: &At<'_, S>,
    subject: Subject,
    id: &str,
) -> Result<Vec<DecisionRow>, Problem> {
    let cols = vec![Col::Text(at.id.clone()), Col::Int(subject_number(subject)), Col::Text(id.to_owned())];
    let range = range(tables::decision_part(at.p, &at.id), cols, None);
    let rows = at.scan(range, REVISIONS_MAX).await?;
    let rows = rows.into_iter().filter_map(|row| row.value).map(|value| DecisionRow::decode(&value));
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What begins with `all`, behind `after`.
fn range(part: Part, all: Vec<Col>, after: Option<Vec<Col>>) -> Range {
    let all = Bound::Included(Cols(all));
    let from = after.map_or_else(|| all.clone(), |after| Bound::Excluded(Cols(after)));
    Range { part, from, to: all, reverse: false, limit: 0 }
}

/// What was found, and behind which row to go on.
struct Looked {
    found: Vec<(Row, DecisionRow)>,
    next: Option<Cols>,
}

/// Those of the range that are `wanted`, `limit` of them at most.
async fn look<S: Store>(
    at: &At<'_, S>,
    mut range: Range,
    limit: usize,
    is_wanted: impl Fn(&DecisionRow) -> bool,
) -> Result<Looked, Problem> {
    let watermark = at.row.watermark();
    let (mut found, mut looked_at): (Vec<(Row, DecisionRow)>, usize) = (Vec::new(), 0);
    loop {
        let rows = scan(&*at.store, range.clone(), CHUNK_MAX).await?;
        looked_at += rows.len();
        let last = rows.last().filter(|_| rows.len() == CHUNK_MAX).map(|row| row.key.cols.clone());
        for row in rows.into_iter().filter(|row| row.expires.is_none_or(|expires| expires > watermark)) {
            let Some(value) = row.value.as_deref() else { continue };
            let decision = DecisionRow::decode(value)?;
            if !is_wanted(&decision) {
                continue;
            }
            if found.len() == limit {
                let next = found.last().map(|(row, _)| row.key.cols.clone());
                return Ok(Looked { found, next });
            }
            found.push((row, decision));
        }
        let Some(last) = last else { return Ok(Looked { found, next: None }) };
        if looked_at >= LOOKED_AT_MAX {
            return Ok(Looked { found, next: Some(last) });
        }
        range.from = Bound::Excluded(last);
    }
}

fn due_of(row: &Row) -> Option<Millis> {
    match row.key.cols.0.get(1) {
        Some(Col::Int(due)) if *due < i64::MAX => Some(Millis(*due)),
        Some(Col::Int(_) | Col::IntDesc(_) | Col::Text(_)) | None => None,
    }
}

fn number(text: &str) -> Result<i64, Problem> {
    text.parse().map_err(|_| malformed_cursor())
}
