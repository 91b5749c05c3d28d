//! Values and what becomes of them, for whoever makes tokens in another language.

use super::{Keys, Made, RawField};

/// A value, and its tokens under some keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vector {
    pub field: RawField,
    pub value: &'static str,
    pub made: Made,
}

/// Each step of the recipe is seen in one of them.
const VALUES: [(RawField, &str); 18] = [
    (RawField::Ip, "81.2.69.142"),
    (RawField::Ip, "::ffff:81.2.69.142"),
    (RawField::Ip, "2a02:cf40:1234:5678:9abc:def0:1234:5678"),
    (RawField::Ip, "2A02:CF40:1234:5678::1"),
    (RawField::Ip, "2a02:cf40:1234:5601::1"),
    (RawField::Ip, "192.168.0.10"),
    (RawField::Ip, "100.64.0.1"),
    (RawField::Ip, "203.0.113.7"),
    (RawField::Ip, "fd00::1"),
    (RawField::Ip, "::1"),
    (RawField::Device, "fp-7c1b9e"),
    (RawField::Device, " fp-7c1b9e\t"),
    (RawField::Email, "Ann.Lee+shop@Example.com"),
    (RawField::Email, " ann.lee+shop@example.com "),
    (RawField::Email, "ÄNN@example.com"),
    (RawField::PaymentMethod, "DE89370400440532013000"),
    (RawField::PayoutMethod, "DE89370400440532013000"),
    (RawField::PayoutMethod, "81.2.69.142"),
];

/// All of them under `keys`.
pub fn vectors(keys: &Keys) -> Vec<Vector> {
    let vector = |(field, value): (RawField, &'static str)| {
        let made = keys.make(field, value).expect("the addresses among them are addresses");
        Vector { field, value, made }
    };
    VALUES.into_iter().map(vector).collect()
}
