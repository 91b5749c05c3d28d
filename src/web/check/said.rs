//! What is asked: the body, and the events that would tell of the same.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::invalid;
use crate::append::Sink;
use crate::append::intake::{Intake, Scratch};
use crate::fold::Asked;
use crate::ids::{Code, ID_BYTES_MAX, MemberId, Millis, Token};
use crate::web::problem::Problem;

/// The body; never shown, for raw fields may stand in it. What is beside `click` is of the sale or signup, named as in its event; nothing of it: the member alone.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    creator_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_id: Option<String>,
    /// Or a coupon of the member's.
    #[serde(skip_serializing_if = "Option::is_none")]
    referral_code: Option<String>,
    /// Milliseconds or RFC 3339; by default now.
    #[serde(skip_serializing_if = "Option::is_none")]
    occurred_at: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    click: Option<Click>,
    /// signup, purchase, renewal; by default a purchase if there is an amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
}

/// A click, named as in its event.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Click {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip56_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_token: Option<String>,
}

/// The events as JSON, each with what its errors are told of.
pub(super) struct Events(Vec<(&'static str, String)>);

const KINDS: [&str; 3] = ["signup", "purchase", "renewal"];

impl Said {
    /// The events that would tell of it: of the click, and of the sale, or of nobody's signup if neither is asked about.
    pub(super) fn events(&self, now: Millis) -> Result<Events, Problem> {
        match (&self.member_id, &self.referral_code) {
            (Some(_), Some(_)) => {
                return Err(invalid("name the member by `member_id` or by `referral_code`, not by both"));
            }
            (None, None) => {
                return Err(invalid("name the member: by `member_id`, or by a `referral_code` or coupon of its own"));
            }
            (Some(id), None) if !(1..=ID_BYTES_MAX).contains(&id.len()) => {
                return Err(invalid(format!("`member_id` must be 1 to {ID_BYTES_MAX} bytes")));
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
        if self.kind.as_deref().is_some_and(|kind| !KINDS.contains(&kind)) {
            return Err(invalid(format!("`kind` must be one of {}", KINDS.join(", "))));
        }
        let mut events = Vec::with_capacity(2);
        if let Some(click) = &self.click {
            let own = json!({"type": "Click", "click_id": "check", "member_id": self.member_id,
                "referral_code": self.referral_code});
            events.push(("click", self.event(now, own, fields_of(click))));
        }
        if self.click.is_none() || self.is_of_sale() {
            let kind = if self.amount.is_some() { "purchase" } else { "signup" };
            let own = json!({"type": "Conversion", "conversion_id": "check", "kind": kind,
                "referral_code": self.referral_code});
            let mut sale = fields_of(self);
            for not_of_it in ["creator_id", "member_id", "referral_code", "occurred_at", "click"] {
                sale.remove(not_of_it);
            }
            events.push(("", self.event(now, own, sale)));
        }
        Ok(Events(events))
    }

    fn event(&self, now: Millis, own: Value, more: Map<String, Value>) -> String {
        let occurred_at = self.occurred_at.clone().unwrap_or_else(|| now.0.into());
        let common = json!({"event_id": "check", "creator_id": self.creator_id, "occurred_at": occurred_at});
        let all = [fields_of(&common), fields_of(&own), more];
        let fields: Map<String, Value> = all.into_iter().flatten().filter(|(_, value)| !value.is_null()).collect();
        Value::Object(fields).to_string()
    }

    /// Something is said of a sale or signup.
    fn is_of_sale(&self) -> bool {
        let texts = [
            &self.kind,
            &self.customer_id,
            &self.user_id,
            &self.ip,
            &self.ip_token,
            &self.device,
            &self.device_token,
            &self.email,
            &self.email_token,
            &self.payment_method,
            &self.payment_token,
            &self.currency,
        ];
        self.amount.is_some() || texts.into_iter().any(Option::is_some)
    }

    /// The same as others may see it: with tokens in the place of raw fields, and with its time.
    pub(super) fn with_tokens(&self, asked: &Asked<'_>) -> Self {
        let mut said = Self { occurred_at: Some(asked.t.0.into()), ..self.clone() };
        if let Some((said, click)) = said.click.as_mut().zip(asked.click.as_ref()) {
            (said.ip, said.device) = (None, None);
            said.ip_token = click.ip_token.map(digits);
            said.ip56_token = click.ip56_token.map(digits);
            said.device_token = click.device_token.map(digits);
        }
        if let Some(sale) = &asked.conversion {
            (said.ip, said.device, said.email, said.payment_method) = (None, None, None, None);
            said.ip_token = sale.ip_token.map(digits);
            said.device_token = sale.device_token.map(digits);
            said.email_token = sale.email_token.map(digits);
            said.payment_token = sale.payment_token.map(digits);
        }
        said
    }
}

/// How events become a question.
pub(super) struct Read<'s, K> {
    pub(super) intake: &'s Intake<K>,
    pub(super) now: Millis,
}

impl<K: Sink> Read<'_, K> {
    /// Read as the intake reads them: what it would refuse is refused in the same words.
    pub(super) fn asked<'a>(
        &self,
        said: &'a Said,
        events: &'a Events,
        (first, second): (&'a mut Scratch, &'a mut Scratch),
    ) -> Result<Asked<'a>, Problem> {
        let mut read = Vec::with_capacity(2);
        for ((place, json), scratch) in events.0.iter().zip([first, second]) {
            let event = self.intake.peek(json.as_bytes(), scratch);
            read.push(event.map_err(|why| invalid(if place.is_empty() { why } else { format!("`{place}`: {why}") }))?);
        }
        let member = (said.member_id.as_deref().map(MemberId), said.referral_code.as_deref().map(Code));
        Asked::of(member, &read, self.now).map_err(invalid)
    }
}

fn fields_of(what: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(what) {
        Ok(Value::Object(fields)) => fields,
        // Only objects of texts and numbers are given.
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) | Err(_) => Map::new(),
    }
}

fn digits(Token(bytes): Token) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
