//! A rule set of one's own, as JSON: what differs from a shipped one.
//!
//! `{"base": "guarded-v1", "points": {"click.bot": 20}, "thresholds": {"clicks_ip_minute": 20}, "guards": {"proxy": false}}`

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rule_set::{Limits, RuleSet};

/// Why a definition is none.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    #[error("the definition is no JSON object: {0}")]
    Json(#[from] serde_json::Error),
    #[error("`base` is {0:?}; shipped rule sets are \"guarded-v1\" and \"seed-v1\"")]
    Base(String),
    #[error("in `{part}`: {error}")]
    Part { part: &'static str, error: serde_json::Error },
    #[error("`{0}` is out of range: {1} at most")]
    Range(&'static str, u64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    base: Option<String>,
    #[serde(default)]
    points: Map<String, Value>,
    #[serde(default)]
    thresholds: Map<String, Value>,
    #[serde(default)]
    guards: Map<String, Value>,
}

/// Points of a rule.
const POINTS_MAX: u32 = 1_000;
/// Clicks in a window: so many are kept.
const CLICKS_MAX: u32 = 200;

impl RuleSet {
    /// Reads a definition. What it does not name is as in its base.
    pub fn parse(id: &str, version: &str, definition: &str) -> Result<Self, Malformed> {
        let stated: Definition = serde_json::from_str(definition)?;
        let base = stated.base.as_deref().unwrap_or("guarded-v1");
        let base = Self::shipped(base).ok_or_else(|| Malformed::Base(base.to_owned()))?;
        let set = Self {
            id: id.to_owned(),
            version: version.to_owned(),
            points: changed("points", &base.points, stated.points)?,
            limits: changed("thresholds", &base.limits, stated.thresholds)?,
            guards: changed("guards", &base.guards, stated.guards)?,
        };
        set.check()
    }

    fn check(self) -> Result<Self, Malformed> {
        if super::rule::Rule::ALL.iter().any(|rule| self.points.of(*rule) > POINTS_MAX) {
            return Err(Malformed::Range("points", POINTS_MAX.into()));
        }
        let Limits { clicks_ip_minute, clicks_ip_hour, clicks_device_minute, clicks_network_minute, .. } = self.limits;
        let clicks = [clicks_ip_minute, clicks_ip_hour, clicks_device_minute, clicks_network_minute];
        if clicks.iter().any(|clicks| *clicks > CLICKS_MAX) {
            return Err(Malformed::Range("clicks", CLICKS_MAX.into()));
        }
        Ok(self)
    }
}

/// `base` with the fields that are stated.
fn changed<T>(part: &'static str, base: &T, stated: Map<String, Value>) -> Result<T, Malformed>
where
    T: Serialize + for<'de> Deserialize<'de>,
{
    let wrong = |error| Malformed::Part { part, error };
    let mut whole = serde_json::to_value(base).map_err(wrong)?;
    if let Value::Object(fields) = &mut whole {
        fields.extend(stated);
    }
    serde_json::from_value(whole).map_err(wrong)
}
