//! The file `KEY`: whose state a folder holds, and the secret of its hashes. Also the lock on the folder.

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::Path,
};

use xxhash_rust::xxh3::xxh3_64;

use super::{Error, HashKey, Identity, bytes::Bytes, error::Naming};
use crate::ids::Partition;

const MAGIC: [u8; 8] = *b"TrKEY_01";
pub(super) const NAME: &str = "KEY";
pub(super) const LOCK: &str = "LOCK";

pub(super) struct Key {
    pub(super) hash_key: HashKey,
    /// Records of a Cold file, fixed when the store is made.
    pub(super) file_records: u64,
}

/// Held as long as the store is open; goes with the process.
pub(super) fn lock(dir: &Path) -> Result<File, Error> {
    fs::create_dir_all(dir).naming("create", dir)?;
    let path = dir.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path).naming("open", &path)?;
    match crate::disk::lock::within_a_second(&file).naming("lock", &path)? {
        true => Ok(file),
        false => Err(Error::InUse { dir: dir.to_owned() }),
    }
}

/// `None`: there is none yet.
pub(super) fn read(dir: &Path, identity: &Identity) -> Result<Option<Key>, Error> {
    let path = dir.join(NAME);
    let bytes = match fs::read(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.naming("read", &path)?,
    };
    let other = |what, has: String, wanted: String| Error::OtherOwner {
        dir: dir.to_owned(),
        partition: identity.partition,
        what,
        has,
        wanted,
    };
    let hex = |id: [u8; 16]| format!("{:032x}", u128::from_be_bytes(id));
    match decode(&bytes) {
        None => Err(Error::Damaged { file: path, at: 0, what: "the checksum is wrong" }),
        Some((_, found)) if found.topic != identity.topic => Err(other("topic", hex(found.topic), hex(identity.topic))),
        Some((_, found)) if found.partition != identity.partition => {
            Err(other("partition", found.partition.0.to_string(), identity.partition.0.to_string()))
        }
        Some((_, found)) if found.generation != identity.generation => {
            Err(other("generation", found.generation.to_string(), identity.generation.to_string()))
        }
        Some((key, _)) => Ok(Some(key)),
    }
}

/// A new secret, on disk when it returns.
pub(super) fn create(dir: &Path, identity: &Identity, file_records: u64) -> Result<Key, Error> {
    let random = Path::new("/dev/urandom");
    let mut secret = [0; 16];
    File::open(random).and_then(|mut f| f.read_exact(&mut secret)).naming("read", random)?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&secret);
    bytes.extend_from_slice(&identity.topic);
    bytes.extend_from_slice(&identity.partition.0.to_le_bytes());
    bytes.extend_from_slice(&identity.generation.to_le_bytes());
    bytes.extend_from_slice(&file_records.to_le_bytes());
    bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
    write_whole(dir, NAME, &bytes)?;
    Ok(Key { hash_key: HashKey::new(secret), file_records })
}

/// Writes a small file so that it is there whole or not at all.
pub(super) fn write_whole(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let (path, new) = (dir.join(name), dir.join(format!("{name}.new")));
    let mut file = File::create(&new).naming("create", &new)?;
    file.write_all(bytes).naming("write", &new)?;
    file.sync_all().naming("sync", &new)?;
    fs::rename(&new, &path).naming("rename", &new)?;
    sync_dir(dir)
}

pub(super) fn sync_dir(dir: &Path) -> Result<(), Error> {
    File::open(dir).and_then(|d| d.sync_all()).naming("sync", dir)
}

fn decode(bytes: &[u8]) -> Option<(Key, Identity)> {
    let (content, hash) = bytes.split_last_chunk()?;
    if u64::from_le_bytes(*hash) != xxh3_64(content) {
        return None;
    }
    let mut content = Bytes(content);
    if content.take(MAGIC.len())? != MAGIC {
        return None;
    }
    let hash_key = HashKey::new(content.pod()?);
    let (topic, partition, generation) = (content.pod()?, Partition(content.pod()?), content.pod()?);
    let key = Key { hash_key, file_records: content.pod()? };
    (content.is_empty() && key.file_records > 0)
        .then_some((key, Identity { topic, partition, generation, fingerprint: 0 }))
}
