//! The secret: one line of text, and the one before it.
//!
//! ```text
//! # Tributary: what tokens are made with. Whoever has it can tell what they stand for.
//! 2 6f1d…
//! 1 90ab…
//! ```
//!
//! A line is an epoch and its secret; the greatest epoch is in force. A file with nothing but a secret means epoch 1.

use std::fmt;

use super::hex;

/// Letters of a secret: 32 of hex digits are 128 bits.
const LEN_MIN: usize = 32;
const LEN_MAX: usize = 256;
/// The one in force and the one before it.
const LINES_MAX: usize = 2;
/// Everybody has read it here: for test vectors alone.
const PUBLISHED: &str = "published-test-secret-never-make-real-tokens-with-it";
const HEAD: &str = "# Tributary: what tokens are made with. Whoever has it can tell what they stand for.";

/// Text that nobody may see by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. Whoever prints it does so on purpose.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(…)")
    }
}

/// A secret and its epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    epoch: u32,
    text: Text,
}

impl Secret {
    /// The published one, for test vectors.
    pub fn published() -> Self {
        Self { epoch: 1, text: Text(PUBLISHED.to_owned()) }
    }

    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    pub const fn text(&self) -> &Text {
        &self.text
    }
}

/// The secret in force, and the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    current: Secret,
    previous: Option<Secret>,
}

/// Why a text is no secret. It says nothing of what the text is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("there is none in it")]
    Empty,
    #[error("there are more than {LINES_MAX}: the one in force and the one before it are kept")]
    TooMany,
    #[error("line {line} must be an epoch, which is a whole number from 1, a blank and the secret")]
    Epoch { line: usize },
    #[error("line {line} has the epoch of another line")]
    Twice { line: usize },
    #[error("line {line} must have a secret of {LEN_MIN} to {LEN_MAX} letters, digits and signs of ASCII, no blanks")]
    Letters { line: usize },
    #[error("line {line} has the published test secret, which everybody knows; take one of your own")]
    Published { line: usize },
    #[error("the epoch is the last that there is")]
    LastEpoch,
}

impl Secrets {
    /// Of 32 bytes that nobody can guess.
    pub fn first(random: &[u8; 32]) -> Self {
        Self { current: Secret { epoch: 1, text: Text(hex(random)) }, previous: None }
    }

    /// Reads what [`Secrets::render`] writes, or a secret alone.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let lines: Vec<(usize, &str)> =
            (1..).zip(text.lines().map(str::trim_ascii)).filter(|(_, l)| is_told(l)).collect();
        let is_alone = lines.len() == 1;
        if lines.len() > LINES_MAX {
            return Err(Error::TooMany);
        }
        let mut found = Vec::new();
        for (line, text) in lines {
            let secret = parse_line(line, text, is_alone)?;
            if found.iter().any(|other: &Secret| other.epoch == secret.epoch) {
                return Err(Error::Twice { line });
            }
            found.push(secret);
        }
        found.sort_by_key(|secret| std::cmp::Reverse(secret.epoch));
        let mut found = found.into_iter();
        let current = found.next().ok_or(Error::Empty)?;
        Ok(Self { current, previous: found.next() })
    }

    /// As a file holds it.
    pub fn render(&self) -> Text {
        let lines = std::iter::once(&self.current).chain(&self.previous);
        let lines: String = lines.map(|secret| format!("{} {}\n", secret.epoch, secret.text.0)).collect();
        Text(format!("{HEAD}\n{lines}"))
    }

    /// A new one in force, made of 32 bytes that nobody can guess; the one before the present is forgotten.
    pub fn rotated(&self, random: &[u8; 32]) -> Result<Self, Error> {
        let epoch = self.current.epoch.checked_add(1).ok_or(Error::LastEpoch)?;
        Ok(Self { current: Secret { epoch, text: Text(hex(random)) }, previous: Some(self.current.clone()) })
    }

    pub const fn current(&self) -> &Secret {
        &self.current
    }

    pub const fn previous(&self) -> Option<&Secret> {
        self.previous.as_ref()
    }

    /// The one of an epoch, if it is kept.
    pub fn of(&self, epoch: u32) -> Option<&Secret> {
        std::iter::once(&self.current).chain(&self.previous).find(|secret| secret.epoch == epoch)
    }
}

fn is_told(line: &str) -> bool {
    !line.is_empty() && !line.starts_with('#')
}

fn parse_line(line: usize, text: &str, is_alone: bool) -> Result<Secret, Error> {
    let (epoch, text) = match text.split_once([' ', '\t']) {
        None if is_alone => (1, text),
        None => return Err(Error::Epoch { line }),
        Some((epoch, text)) => (epoch.parse().map_err(|_| Error::Epoch { line })?, text.trim_ascii_start()),
    };
    if epoch == 0 {
        return Err(Error::Epoch { line });
    }
    if text == PUBLISHED {
        return Err(Error::Published { line });
    }
    if !(LEN_MIN..=LEN_MAX).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::Letters { line });
    }
    Ok(Secret { epoch, text: Text(text.to_owned()) })
}
