//! What stands for an address, a device, an e-mail or a means of payment wherever events are kept: 128 bits, made with a
//! secret. `docs/TOKENS.md` is the recipe.
//!
//! Promise: equal values of one purpose have equal tokens as long as the secret and its epoch stay, in any language that
//! follows the recipe; without the secret nobody can tell, or try out, what a token stands for. Pure: constant memory,
//! no clock, no file. Nothing here shows a value or a secret, errors and `Debug` included.

mod address;
mod field;
mod mac;
mod secret;
mod vectors;

pub use address::Address;
pub use field::{Purpose, RawField};
pub use secret::{Error, Secret, Secrets, Text};
pub use vectors::{Vector, vectors};

use std::fmt;

use crate::ids::Token;
use mac::Mac;

/// Stands at the head of everything that keys are made from; another recipe will have another.
const RECIPE: &str = "tributary/v1";

/// The keys of one epoch, one a purpose.
#[derive(Clone)]
pub struct Keys {
    epoch: u32,
    check: [u8; 4],
    ip: Mac,
    device: Mac,
    email: Mac,
    payment: Mac,
}

/// The tokens of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Made {
    /// `None` where there is nothing that tells one from others: an address of nobody in particular, an empty text.
    pub token: Option<Token>,
    /// Of an IPv6 address: of the /56 around it.
    pub wide: Option<Token>,
}

/// The text is no IP address. It is not told what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no IP address; one is given alone, without a port, brackets or others behind it")]
pub struct NoAddress;

impl Keys {
    pub fn new(secret: &Secret) -> Self {
        let (epoch, root) = (secret.epoch(), Mac::new(secret.text().reveal().as_bytes()));
        let derived = |name: &str| root.of(format!("{RECIPE}/{name}/{epoch}").as_bytes());
        let key = |purpose: Purpose| Mac::new(&derived(purpose.name()));
        let [a, b, c, d, ..] = derived("check");
        Self {
            epoch,
            check: [a, b, c, d],
            ip: key(Purpose::Ip),
            device: key(Purpose::Device),
            email: key(Purpose::Email),
            payment: key(Purpose::Payment),
        }
    }

    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Eight hex digits that tell two secrets, or two epochs, apart and neither of them: for people to compare.
    pub fn check(&self) -> String {
        hex(&self.check)
    }

    /// The tokens of a value as it came in.
    pub fn make(&self, field: RawField, value: &str) -> Result<Made, NoAddress> {
        let value = value.trim_ascii();
        if value.is_empty() {
            return Ok(Made::default());
        }
        let mac = self.of(field.purpose());
        match field.purpose() {
            Purpose::Ip => {
                let address = Address::parse(value).ok_or(NoAddress)?;
                let identity = address.identity().map(|identity| token(mac, identity.bytes()));
                Ok(Made { token: identity, wide: address.wide().map(|wide| token(mac, &wide)) })
            }
            Purpose::Email => Ok(Made { token: Some(token(mac, value.to_ascii_lowercase().as_bytes())), wide: None }),
            Purpose::Device | Purpose::Payment => Ok(Made { token: Some(token(mac, value.as_bytes())), wide: None }),
        }
    }

    const fn of(&self, purpose: Purpose) -> &Mac {
        match purpose {
            Purpose::Ip => &self.ip,
            Purpose::Device => &self.device,
            Purpose::Email => &self.email,
            Purpose::Payment => &self.payment,
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys(epoch {})", self.epoch)
    }
}

/// The first half of the sum: 128 bits.
fn token(mac: &Mac, message: &[u8]) -> Token {
    let sum = mac.of(message);
    Token(*sum.first_chunk().expect("16 of 32 bytes"))
}

/// As tokens are written in JSON.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
