//! Texts and currency codes in records.

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::Currency;

/// A text of at most 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Pod, Zeroable)]
#[repr(C)]
pub struct Text {
    len: u8,
    bytes: [u8; 64],
}

impl Text {
    /// Longer texts are cut at a character's edge; ids and codes never are.
    pub fn new(text: &str) -> Self {
        let mut end = text.len().min(64);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut bytes = [0; 64];
        let kept = text.get(..end).unwrap_or_default().as_bytes();
        if let Some(place) = bytes.get_mut(..end) {
            place.copy_from_slice(kept);
        }
        Self { len: u8::try_from(end).unwrap_or_default(), bytes }
    }

    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// Commission ids: those the fold derives are longer than those producers choose.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LongText {
    len: u8,
    bytes: [u8; 135],
}

impl LongText {
    pub fn new(text: &str) -> Self {
        let mut bytes = [0; 135];
        let end = text.len().min(135);
        if let (Some(place), Some(kept)) = (bytes.get_mut(..end), text.as_bytes().get(..end)) {
            place.copy_from_slice(kept);
        }
        Self { len: u8::try_from(end).unwrap_or_default(), bytes }
    }

    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&str>::deserialize(deserializer).map(Self::new)
    }
}

impl Serialize for LongText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for LongText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&str>::deserialize(deserializer).map(Self::new)
    }
}

/// A currency code and a zero byte.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
#[repr(C)]
pub struct CurrencyCode(pub [u8; 4]);

impl From<Currency> for CurrencyCode {
    fn from(currency: Currency) -> Self {
        let [a, b, c] = currency.0;
        Self([a, b, c, 0])
    }
}

impl CurrencyCode {
    pub const NONE: Self = Self([0; 4]);
}

impl From<CurrencyCode> for Currency {
    fn from(code: CurrencyCode) -> Self {
        let [a, b, c, _] = code.0;
        Self([a, b, c])
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_str().fmt(f)
    }
}

impl std::fmt::Debug for LongText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_str().fmt(f)
    }
}
