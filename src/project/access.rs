//! The value of a `key` row: what an API key may do. It is no projection: nothing in the log makes it, no replay
//! touches it, so it has no `at`. It is changed conditionally, and never the text of a key.

use bytes::Bytes;

use super::codec::{Malformed, Reader, Writer};
use crate::ids::Millis;

/// `key`: an API key, hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// What its owner calls it.
    pub name: String,
    /// SHA-256 of the key's text.
    pub hash: [u8; 32],
    /// Words, in the order in which they are shown.
    pub scopes: Vec<String>,
    /// `None`: all creators, those to come included.
    pub creators: Option<Vec<String>>,
    pub created_at: Millis,
    /// It opens nothing from then on.
    pub expires_at: Option<Millis>,
    pub revoked_at: Option<Millis>,
    /// Requests a second, and at once; `None`: as the settings say.
    pub rate_per_s: Option<u32>,
    pub burst: Option<u32>,
}

impl KeyRow {
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::default();
        writer.text(&self.name).blob(&self.hash).blob(&texts(&self.scopes));
        match &self.creators {
            Some(creators) => writer.blob(&texts(creators)),
            None => writer.null(),
        };
        writer.int(self.created_at.0);
        writer.optional_int(self.expires_at.map(|at| at.0)).optional_int(self.revoked_at.map(|at| at.0));
        writer.optional_int(self.rate_per_s.map(i64::from)).optional_int(self.burst.map(i64::from));
        writer.finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let name = reader.text()?;
        let hash = reader.field()?.unwrap_or_default().try_into().map_err(|_| Malformed { field: 2 })?;
        let scopes = list(reader.field()?.unwrap_or_default())?;
        let creators = reader.field()?.map(list).transpose()?;
        let created_at = reader.millis()?;
        let expires_at = reader.optional_int()?.map(Millis);
        let revoked_at = reader.optional_int()?.map(Millis);
        let small = |value: Option<i64>, field| {
            value.map(|value| u32::try_from(value).map_err(|_| Malformed { field })).transpose()
        };
        let rate_per_s = small(reader.optional_int()?, 8)?;
        let burst = small(reader.optional_int()?, 9)?;
        Ok(Self { name, hash, scopes, creators, created_at, expires_at, revoked_at, rate_per_s, burst })
    }
}

/// CQL `list<text>`, each text with its length before it.
fn texts(list: &[String]) -> Bytes {
    let mut writer = Writer::default();
    for text in list {
        writer.text(text);
    }
    writer.finish()
}

fn list(bytes: &[u8]) -> Result<Vec<String>, Malformed> {
    let (mut reader, mut found) = (Reader::new(bytes), Vec::new());
    while let Some(text) = reader.field()? {
        found.push(std::str::from_utf8(text).map_err(|_| Malformed { field: found.len() })?.to_owned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(creators: Option<Vec<String>>) -> KeyRow {
        KeyRow {
            name: "shop".to_owned(),
            hash: [7; 32],
            scopes: vec!["read".to_owned(), "write".to_owned()],
            creators,
            created_at: Millis(5),
            expires_at: None,
            revoked_at: Some(Millis(9)),
            rate_per_s: Some(3),
            burst: None,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for creators in [None, Some(vec!["acme".to_owned(), "é".to_owned()])] {
            let row = row(creators);
            assert_eq!(KeyRow::decode(&row.encode()), Ok(row));
        }
    }

    #[test]
    fn no_creator_is_not_all_creators() {
        let none = row(Some(Vec::new()));
        assert_eq!(KeyRow::decode(&none.encode()).unwrap().creators, Some(Vec::new()));
    }

    #[test]
    fn a_hash_of_another_length_is_no_key() {
        let cut = row(None).encode();
        assert!(KeyRow::decode(&cut[..20]).is_err());
        assert!(KeyRow::decode(&[]).is_err());
    }
}
