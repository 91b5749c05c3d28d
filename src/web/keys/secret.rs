//! The text of a key: `trb_`, its id, `_`, its secret, a checksum.
//!
//! The prefix and the checksum let a scanner find a key that leaked, and let a mistyped one be refused at once; the id
//! says which key it is without telling it; letters, digits and `_` are taken by one double click.

use std::fmt;
use std::io;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Bytes that nobody can guess; from the operating system.
pub type Random = Arc<dyn Fn() -> io::Result<[u8; 64]> + Send + Sync>;

const PREFIX: &str = "trb_";
const ID_LEN: usize = 10;
/// 43 of 62 letters are 256 bits.
const SECRET_LEN: usize = 43;
/// 62^6 is more than a CRC-32 can be.
const CHECK_LEN: usize = 6;
const LEN: usize = PREFIX.len() + ID_LEN + 1 + SECRET_LEN + CHECK_LEN;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Bytes from here on are drawn again: below it every letter comes from equally many.
const FAIR: u8 = 248;

/// The text of a key. Whoever prints it does so on purpose.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}…)", self.id())
    }
}

/// SHA-256 of a key's text.
#[derive(Clone, Copy)]
pub(super) struct Hash(pub(super) [u8; 32]);

impl Hash {
    /// In a time that tells nothing of where they differ.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Secret {
    /// A new one.
    pub(super) fn draw(random: &Random) -> io::Result<Self> {
        let mut letters = String::with_capacity(ID_LEN + SECRET_LEN);
        while letters.len() < ID_LEN + SECRET_LEN {
            let fair = random()?.into_iter().filter(|byte| *byte < FAIR);
            letters.extend(fair.filter_map(|byte| letter(u32::from(byte))).take(ID_LEN + SECRET_LEN - letters.len()));
        }
        let (id, secret) = letters.split_at(ID_LEN);
        let mut text = format!("{PREFIX}{id}_{secret}");
        text.push_str(&checksum(&text));
        Ok(Self(text))
    }

    /// `None` unless it has the shape and the checksum of a key.
    pub fn parse(text: &str) -> Option<Self> {
        let letters = text.strip_prefix(PREFIX)?;
        if text.len() != LEN || !letters.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
            return None;
        }
        let (id, rest) = letters.split_at_checked(ID_LEN)?;
        let secret = rest.strip_prefix('_')?;
        let (signed, check) = text.split_at_checked(LEN - CHECK_LEN)?;
        let is_plain = !id.contains('_') && !secret.contains('_');
        (is_plain && checksum(signed) == check).then(|| Self(text.to_owned()))
    }

    /// Which key it is. No secret.
    pub fn id(&self) -> &str {
        self.0.get(PREFIX.len()..PREFIX.len() + ID_LEN).unwrap_or_default()
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(super) fn hash(&self) -> Hash {
        Hash(Sha256::digest(self.0.as_bytes()).into())
    }
}

/// Whether `id` could be the id of a key.
pub(super) fn is_id(id: &str) -> bool {
    id.len() == ID_LEN && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn letter(number: u32) -> Option<char> {
    let place = usize::try_from(number % 62).ok()?;
    LETTERS.get(place).copied().map(char::from)
}

/// CRC-32 of what stands before it, in base 62, most significant first.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut letters = Vec::with_capacity(CHECK_LEN);
    for _ in 0..CHECK_LEN {
        letters.extend(letter(rest));
        rest /= 62;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Never the same bytes twice, the unfair ones among them.
    fn random() -> Random {
        let next = std::sync::atomic::AtomicU64::new(1);
        Arc::new(move || {
            let start = next.fetch_add(64, std::sync::atomic::Ordering::Relaxed);
            let bytes: Vec<u8> = (start..start + 64).map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()[0]).collect();
            Ok(bytes.try_into().unwrap())
        })
    }

    #[test]
    fn a_key_reads_as_itself_and_no_two_are_alike() {
        let random = random();
        let (one, other) = (Secret::draw(&random).unwrap(), Secret::draw(&random).unwrap());
        assert_eq!(one.reveal().len(), LEN);
        assert_eq!(Secret::parse(one.reveal()), Some(one.clone()));
        assert_ne!(one.reveal(), other.reveal());
        assert!(is_id(one.id()));
        assert!(one.hash().is(&one.hash()) && !one.hash().is(&other.hash()));
    }

    #[test]
    fn every_mistyped_letter_is_noticed() {
        let key = Secret::draw(&random()).unwrap();
        for at in 0..LEN {
            for wrong in ['x', 'y', '_', '-'] {
                let typed: String =
                    key.reveal().chars().enumerate().map(|(i, c)| if i == at { wrong } else { c }).collect();
                assert!(typed == key.reveal() || Secret::parse(&typed).is_none(), "{typed}");
            }
        }
        for text in ["", "trb_", "trb_ééééé_", &key.reveal()[1..], &format!("{}0", key.reveal())] {
            assert_eq!(Secret::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_checksum_is_the_one_that_scanners_work_out() {
        // Worked out apart, with zlib's crc32 and a base 62 of digits, capitals, small letters.
        assert_eq!(checksum("trb_"), "18uA3d");
        assert_eq!(checksum(&format!("trb_0000000000_{}", "0".repeat(43))), "0ZpUyd");
    }

    #[test]
    fn the_text_is_not_shown_by_accident() {
        let key = Secret::draw(&random()).unwrap();
        let shown = format!("{key:?}");
        assert!(shown.contains(key.id()) && !shown.contains(&key.reveal()[15..25]), "{shown}");
    }
}
