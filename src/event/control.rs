//! What reviewers, operators and creators decide: reviews, rule sets, lists, templates, erasures.

use serde::{Deserialize, Serialize};

use crate::ids::Millis;

/// A reviewer's verdict on a click, a conversion or a commission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review<'a> {
    pub subject_type: ReviewSubject,
    #[serde(borrow)]
    pub subject_id: &'a str,
    pub decision_id: Option<&'a str>,
    pub verdict: Verdict,
    pub label: ReviewLabel,
    pub reason: &'a str,
    pub actor: &'a str,
    pub expires_at: Option<Millis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReviewSubject {
    Click,
    Conversion,
    Commission,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    Approve,
    Block,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReviewLabel {
    Fraud,
    NotFraud,
    Unsure,
}

/// Chooses the creator's fraud rules; `definition` (JSON) is needed for an id we do not ship.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSet<'a> {
    /// May be empty where `mode` is `off`.
    #[serde(borrow)]
    pub rule_set_id: &'a str,
    pub version: Option<&'a str>,
    pub definition: Option<&'a str>,
    /// Absent: live.
    pub mode: Option<RuleSetMode>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RuleSetMode {
    /// It decides.
    Live,
    /// It says beside the live one what it would decide.
    Shadow,
    /// Nothing runs beside the live one any more.
    Off,
}

/// A member or customer to deny or allow always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListEntry<'a> {
    pub list: ListKind,
    pub key: ListKey,
    #[serde(borrow)]
    pub value: &'a str,
    /// `false` takes the entry off the list.
    pub active: bool,
    pub actor: Option<&'a str>,
    pub expires_at: Option<Millis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListKind {
    Deny,
    Allow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListKey {
    Member,
    Customer,
}

/// A message to share, with variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template<'a> {
    #[serde(borrow)]
    pub template_id: &'a str,
    pub platform: &'a str,
    pub category: &'a str,
    pub locale: Option<&'a str>,
    pub text: &'a str,
    pub active: bool,
}

/// Removes a person's tokens, user id and name; ids, counts and money stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure<'a> {
    pub subject_type: ErasureSubject,
    #[serde(borrow)]
    pub subject_id: &'a str,
    pub actor: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErasureSubject {
    Member,
    Customer,
}
