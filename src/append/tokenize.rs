//! Raw fields become tokens, before an event is encoded, remembered or told of.

use crate::decode::json::{Error, Why};
use crate::decode::{Raw, refuse};
use crate::event::{Body, Event};
use crate::tokens::{Keys, Made, RawField};

/// Puts the tokens of `raw` where the event has them. Without keys a raw field is refused with what to set.
pub fn tokenize(event: &mut Event<'_>, raw: Raw<'_>, keys: Option<&Keys>) -> Result<(), Error> {
    let kind = event.body.kind();
    let Some(keys) = keys else { return raw.refuse(kind) };
    for (field, value) in raw.iter() {
        let made = keys.make(field, value).map_err(|_| refuse(kind, field, Why::Address))?;
        put(&mut event.body, field, made);
    }
    Ok(())
}

/// Reading has seen to it that the record has the field.
const fn put(body: &mut Body<'_>, field: RawField, Made { token, wide }: Made) {
    match (body, field) {
        (Body::Click(click), RawField::Ip) => (click.ip_token, click.ip56_token) = (token, wide),
        (Body::Click(click), RawField::Device) => click.device_token = token,
        (Body::Conversion(conversion), RawField::Ip) => conversion.ip_token = token,
        (Body::Conversion(conversion), RawField::Device) => conversion.device_token = token,
        (Body::Conversion(conversion), RawField::Email) => conversion.email_token = token,
        (Body::Conversion(conversion), RawField::PaymentMethod) => conversion.payment_token = token,
        (Body::Sighting(sighting), RawField::Ip) => (sighting.ip_token, sighting.ip56_token) = (token, wide),
        (Body::Sighting(sighting), RawField::Device) => sighting.device_token = token,
        (Body::Sighting(sighting), RawField::Email) => sighting.email_token = token,
        (Body::Sighting(sighting), RawField::PayoutMethod) => sighting.payout_token = token,
        (Body::Click(_), RawField::Email | RawField::PaymentMethod | RawField::PayoutMethod)
        | (Body::Conversion(_), RawField::PayoutMethod)
        | (Body::Sighting(_), RawField::PaymentMethod)
        | (
            Body::Creator(_)
            | Body::Member(_)
            | Body::Share(_)
            | Body::Commission(_)
            | Body::Review(_)
            | Body::RuleSet(_)
            | Body::ListEntry(_)
            | Body::Template(_)
            | Body::Erasure(_)
            | Body::Tick,
            _,
        ) => {}
    }
}
