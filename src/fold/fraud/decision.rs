//! A decision: what was decided of a click, a conversion or a commission, by what, and why.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Assessment;
use super::rule::Rules;
use super::score::{Band, Points, Verdict};
use crate::event::{BotKind, Kind};
use crate::fold::records::{LongText, Text};
use crate::fold::touches::Disposition;
use crate::ids::{Millis, Next, Offset};

/// One revision; a change of mind is another one, never a removal.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Decision {
    /// The same on every replay; see [`DecisionIds::id`].
    pub id: DecisionId,
    pub subject: Subject,
    pub subject_id: LongText,
    /// From 1.
    pub revision: u32,
    pub creator: Text,
    pub member: Text,
    /// Empty, like the ids after it: none, or not known.
    pub customer: Text,
    pub click: Text,
    pub order: Text,
    pub verdict: Verdict,
    pub decided_by: DecidedBy,
    pub action: Action,
    /// How a click is counted, whatever is thought of it.
    pub disposition: Option<Disposition>,
    /// Of a click: what it is, if a bot's, by the lists of [`Bots::VERSION`](crate::event::Bots::VERSION).
    pub bot: Option<BotKind>,
    /// Of a click: [`Bots::VERSION`](crate::event::Bots::VERSION), by whose lists it was asked.
    #[serde(skip)]
    pub bot_lists: Option<&'static str>,
    pub assessment: Assessment,
    /// What each rule counts in this rule set.
    pub points: Points,
    pub rule_set: RuleSetName,
    pub trigger: Trigger,
    /// Of the subject.
    pub event_time: Millis,
    pub watermark: Millis,
    /// The trigger was below the watermark: it entered no window.
    pub is_late: bool,
    pub mode: Mode,
    pub previous: Option<Previous>,
    /// When a commission may be paid, if it is approved by then.
    pub matures_at: Option<Millis>,
    /// Something of what is remembered of the member had to give way.
    pub is_truncated: bool,
    /// One past the record that the shell applied.
    pub at: Next,
}

/// The first 16 bytes of a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DecisionId(pub [u8; 16]);

impl std::fmt::Display for DecisionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    Click,
    Conversion,
    Commission,
}

impl Subject {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Conversion => "conversion",
            Self::Commission => "commission",
        }
    }
}

/// What made the verdict, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DecidedBy {
    Review,
    DenyList,
    AllowList,
    /// The creator's policy for reviews that nobody made in time.
    DueDate,
    Score,
}

impl DecidedBy {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::DenyList => "deny_list",
            Self::AllowList => "allow_list",
            Self::DueDate => "due_date",
            Self::Score => "score",
        }
    }

    pub(in crate::fold) const fn number(self) -> u8 {
        match self {
            Self::Score => 0,
            Self::DueDate => 1,
            Self::AllowList => 2,
            Self::DenyList => 3,
            Self::Review => 4,
        }
    }
}

/// What whoever pays should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    None,
    ExcludeClick,
    Hold,
    Release,
    Reverse,
    /// It was paid already.
    Clawback,
    /// It was paid already, and now is in doubt.
    SuspendForReview,
}

impl Action {
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ExcludeClick => "exclude_click",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Reverse => "reverse",
            Self::Clawback => "clawback",
            Self::SuspendForReview => "suspend_for_review",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    Live,
    /// Of a rule set that runs beside the live one.
    Shadow,
    /// Of what has not come: it changes nothing.
    Preview,
    /// Somebody decided it.
    Manual,
}

impl Mode {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Shadow => "shadow",
            Self::Preview => "preview",
            Self::Manual => "manual",
        }
    }
}

/// The event by which it was decided.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Trigger {
    pub event_id: Text,
    pub kind: Kind,
    pub offset: Offset,
}

/// The revision before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    pub id: DecisionId,
    pub verdict: Verdict,
    pub band: Band,
    pub score: u32,
    /// Rules that fired.
    pub fired: Rules,
    /// Why there is a new one.
    pub cause: Cause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// Other rules fire.
    Evidence,
    /// Nobody reviewed it in time.
    DueDate,
    Review,
    List,
}

impl Cause {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::DueDate => "due_date",
            Self::Review => "review",
            Self::List => "list",
        }
    }
}

/// Which rule set, and a hash of its name.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct RuleSetName {
    pub id: Text,
    pub version: Text,
    pub hash: RuleSetHash,
}

/// SHA-256 of `{"id":…,"version":…}`, in hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RuleSetHash([u8; 64]);

impl Serialize for RuleSetHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RuleSetHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut digits = [0; 64];
        let text = <&str>::deserialize(deserializer)?;
        digits.iter_mut().zip(text.bytes()).for_each(|(place, digit)| *place = digit);
        Ok(Self(digits))
    }
}

impl RuleSetHash {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl RuleSetName {
    pub fn new(id: &str, version: &str) -> Self {
        #[derive(serde::Serialize)]
        struct Name<'a> {
            id: &'a str,
            version: &'a str,
        }
        let json = serde_json::to_vec(&Name { id, version }).expect("two texts are JSON");
        let mut hash = [0_u8; 64];
        let digits = Sha256::digest(json).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
        hash.iter_mut().zip(digits).for_each(|(place, digit)| *place = hex_digit(digit));
        Self { id: Text::new(id), version: Text::new(version), hash: RuleSetHash(hash) }
    }
}

/// Makes the ids of one rule set's decisions: what all of them begin with is hashed once.
#[derive(Debug, Clone)]
pub struct DecisionIds(Sha256);

impl DecisionIds {
    pub fn of(rule_set: &RuleSetName) -> Self {
        Self(Sha256::new_with_prefix(rule_set.hash.0))
    }

    /// First half of the SHA-256 over the rule set's hash, creator, subject type, subject, trigger and revision, joined by
    /// 0x1F.
    pub fn id(
        &self,
        creator: &str,
        (subject, subject_id): (Subject, &str),
        (trigger, revision): (&str, u32),
    ) -> DecisionId {
        const BETWEEN: [u8; 1] = [0x1F];
        let mut hasher = self.0.clone();
        for part in [creator, subject.name(), subject_id, trigger] {
            hasher.update(BETWEEN);
            hasher.update(part);
        }
        hasher.update(BETWEEN);
        if revision == 1 {
            // Nearly all of them.
            hasher.update("1");
        } else {
            hasher.update(revision.to_string());
        }
        let whole: [u8; 32] = hasher.finalize().into();
        let mut half = [0; 16];
        half.iter_mut().zip(whole).for_each(|(place, byte)| *place = byte);
        DecisionId(half)
    }
}

const fn hex_digit(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
}
