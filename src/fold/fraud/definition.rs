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
    #[error("`{part}.{field}`: {error}")]
    Field { part: &'static str, field: String, error: serde_json::Error },
    #[error("`{part}.{field}` is {is}; at most {most} is allowed")]
    Range { part: &'static str, field: &'static str, is: u32, most: u32 },
    #[error("`{0}` must be there, and not empty")]
    Nameless(&'static str),
    #[error("{0:?} is shipped: choose another `id` for what differs from it")]
    Shipped(String),
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
        Self::of_parts(id, version, serde_json::from_str(definition)?)
    }

    /// Reads a rule set that says its own `id` and, beside what a definition has, perhaps its `version`.
    pub fn parse_named(stated: Value) -> Result<Self, Malformed> {
        #[derive(Deserialize)]
        struct Named {
            #[serde(default)]
            id: String,
            version: Option<String>,
            #[serde(flatten)]
            definition: Map<String, Value>,
        }
        let Named { id, version, definition } = serde_json::from_value(stated)?;
        if id.is_empty() {
            return Err(Malformed::Nameless("id"));
        }
        if let Some(shipped) = Self::shipped(&id) {
            return if definition.is_empty() { Ok(shipped) } else { Err(Malformed::Shipped(id)) };
        }
        let version = version.unwrap_or_else(|| "1".to_owned());
        if version.is_empty() {
            return Err(Malformed::Nameless("version"));
        }
        Self::of_parts(&id, &version, serde_json::from_value(Value::Object(definition))?)
    }

    fn of_parts(id: &str, version: &str, stated: Definition) -> Result<Self, Malformed> {
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
        for rule in super::rule::Rule::ALL {
            let is = self.points.of(rule);
            if is > POINTS_MAX {
                return Err(Malformed::Range { part: "points", field: rule.id(), is, most: POINTS_MAX });
            }
        }
        let Limits { clicks_ip_minute, clicks_ip_hour, clicks_device_minute, clicks_network_minute, .. } = self.limits;
        for (field, is) in [
            ("clicks_ip_minute", clicks_ip_minute),
            ("clicks_ip_hour", clicks_ip_hour),
            ("clicks_device_minute", clicks_device_minute),
            ("clicks_network_minute", clicks_network_minute),
        ] {
            if is > CLICKS_MAX {
                return Err(Malformed::Range { part: "thresholds", field, is, most: CLICKS_MAX });
            }
        }
        Ok(self)
    }
}

/// `base` with the fields that are stated, each by itself, so that a wrong one is named.
fn changed<T>(part: &'static str, base: &T, stated: Map<String, Value>) -> Result<T, Malformed>
where
    T: Serialize + for<'de> Deserialize<'de>,
{
    let mut whole = serde_json::to_value(base)?;
    for (field, value) in stated {
        if let Value::Object(fields) = &mut whole {
            fields.insert(field.clone(), value);
        }
        T::deserialize(&whole).map_err(|error| Malformed::Field { part, field, error })?;
    }
    Ok(T::deserialize(&whole)?)
}
