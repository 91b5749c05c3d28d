//! Snapshots in an object store: for a worker that takes a partition over, and for a lost disk.
//!
//! `files/<name>-<length>-<hash>` and `manifests/<next>` under a prefix of the partition's own. Files are sent once: a
//! full file is the same in every later snapshot. The manifest comes last, and only if there is none.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use object_store::{
    Error as StoreError, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload, path::Path as Object,
};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::{
    Error, Identity,
    bytes::{count64, size},
    error::Naming,
    key::{self, sync_dir, write_whole},
    snapshot::{Entry, Manifest},
};
use crate::ids::{Millis, Next};

/// Manifests that are kept, with their files.
const MANIFESTS_KEPT: usize = 3;
/// Ends the name of a folder that is being fetched.
pub(super) const UNFINISHED: &str = "restoring";
/// Bytes of the checksum behind a manifest's JSON.
const SUM_BYTES: usize = 8;

/// Snapshots that are tried before it is given up: who made so many damaged ones has no whole one either.
const TRIES_MAX: usize = 5;

/// Hashes of files that were sent, by name and length. Good for as long as one store is open: what it has written it does
/// not write again.
#[derive(Debug, Default)]
pub struct Hashes(BTreeMap<(String, u64), String>);

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The position of the snapshot.
    pub next: Next,
    /// Of the files that were not there yet.
    pub bytes: u64,
}

/// Which snapshot will do.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Whose state it must be.
    pub identity: Identity,
    /// An older one is no use.
    pub above: Next,
    /// A newer one must not be taken.
    pub at_most: Next,
}

/// Sends the snapshot in `dir`. May be repeated.
pub async fn upload(store: &dyn ObjectStore, prefix: &Object, dir: &Path, known: &mut Hashes) -> Result<Sent, Error> {
    let mut manifest = Manifest::read(dir)?;
    let there: BTreeSet<Object> = list(store, &files(prefix)).await?.into_iter().map(|o| o.location).collect();
    let (mut hashes, mut sent) = (Hashes::default(), 0);
    for entry in &mut manifest.files {
        let place = (entry.name.clone(), entry.length);
        entry.hash = known.0.get(&place).cloned().unwrap_or_default();
        if !there.contains(&object(prefix, entry)) {
            let bytes = read(&dir.join(&entry.name), entry.length).await?;
            entry.hash = format!("{:032x}", xxh3_128(&bytes));
            let object = object(prefix, entry);
            if !there.contains(&object) {
                sent += entry.length;
                store.put(&object, PutPayload::from(bytes)).await.map_err(failed("write", &object))?;
            }
        }
        hashes.0.insert(place, entry.hash.clone());
    }
    *known = hashes;
    let mut bytes = serde_json::to_vec_pretty(&manifest).expect("names and numbers are JSON");
    bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
    let object = manifests(prefix).join(format!("{:020}", manifest.next.0));
    match store.put_opts(&object, PutPayload::from(bytes), PutMode::Create.into()).await {
        // Somebody has put a snapshot of this position already: as good as ours.
        Ok(_) | Err(StoreError::AlreadyExists { .. }) => Ok(Sent { next: manifest.next, bytes: sent }),
        Err(source) => Err(failed("write", &object)(source)),
    }
}

/// The position of the newest snapshot that will do, by its name.
pub async fn newest(store: &dyn ObjectStore, prefix: &Object, wanted: &Wanted) -> Result<Option<Next>, Error> {
    Ok(that_will_do(store, prefix, wanted).await?.first().map(|(next, _)| *next))
}

/// Fetches the newest whole snapshot that will do into `dir`, which must not exist or be empty; its position. `None`:
/// there is none. One with a file missing or wrong, or of another state, is passed over for the one before.
pub async fn restore(
    store: &dyn ObjectStore,
    prefix: &Object,
    wanted: &Wanted,
    dir: &Path,
) -> Result<Option<Next>, Error> {
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::NotEmpty { dir: dir.to_owned() });
    }
    let part = dir.with_extension(UNFINISHED);
    for (next, found) in that_will_do(store, prefix, wanted).await?.into_iter().take(TRIES_MAX) {
        if part.exists() {
            fs::remove_dir_all(&part).naming("remove", &part)?;
        }
        fs::create_dir_all(&part).naming("create", &part)?;
        let error = match fetch(store, prefix, (&found, next), &part).await {
            Ok(()) => match key::read(&part, &wanted.identity) {
                Ok(Some(_)) => {
                    if dir.exists() {
                        fs::remove_dir(dir).naming("remove", dir)?;
                    }
                    fs::rename(&part, dir).naming("rename", &part)?;
                    dir.parent().map_or(Ok(()), sync_dir)?;
                    return Ok(Some(next));
                }
                Ok(None) => Error::SnapshotDamaged { object: found.to_string() },
                Err(error) => error,
            },
            Err(error) => error,
        };
        if !is_passed_over(&error) {
            return Err(error);
        }
        let partition = wanted.identity.partition.0;
        tracing::warn!(partition, snapshot = next.0, %error, "a snapshot is passed over");
    }
    Ok(None)
}

fn is_passed_over(error: &Error) -> bool {
    let is_gone = matches!(error, Error::Snapshots { source: StoreError::NotFound { .. }, .. });
    is_gone || matches!(error, Error::SnapshotDamaged { .. } | Error::OtherOwner { .. } | Error::Damaged { .. })
}

/// Newest first.
async fn that_will_do(store: &dyn ObjectStore, prefix: &Object, wanted: &Wanted) -> Result<Vec<(Next, Object)>, Error> {
    let named = |found: ObjectMeta| Some((Next(found.location.filename()?.parse().ok()?), found.location));
    let found = newest_first(store, prefix).await?.into_iter().filter_map(named);
    Ok(found.filter(|(next, _)| *next > wanted.above && *next <= wanted.at_most).collect())
}

/// Removes what the last three manifests do not name, unless it is younger than a day at `now`; how many objects. An
/// owner of the past may do so too.
pub async fn prune(store: &dyn ObjectStore, prefix: &Object, now: Millis) -> Result<usize, Error> {
    let manifests = newest_first(store, prefix).await?;
    let mut named = BTreeSet::new();
    for found in manifests.iter().take(MANIFESTS_KEPT) {
        match manifest(store, &found.location).await {
            Ok(manifest) => named.extend(manifest.files.iter().map(|entry| object(prefix, entry))),
            Err(Error::SnapshotDamaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    // Manifests first: none may name a file that is gone.
    let old_manifests = manifests.into_iter().skip(MANIFESTS_KEPT);
    let unnamed = list(store, &files(prefix)).await?.into_iter().filter(|o| !named.contains(&o.location));
    let mut removed = 0;
    for found in old_manifests.chain(unnamed) {
        if now.0 - found.last_modified.timestamp_millis() >= Millis::DAY {
            remove(store, &found.location).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

async fn fetch(
    store: &dyn ObjectStore,
    prefix: &Object,
    (from, next): (&Object, Next),
    dir: &Path,
) -> Result<(), Error> {
    let manifest = manifest(store, from).await?;
    if manifest.next != next {
        return Err(Error::SnapshotDamaged { object: from.to_string() });
    }
    for entry in &manifest.files {
        let object = object(prefix, entry);
        let bytes = get(store, &object).await?;
        let plain = Path::new(&entry.name).file_name().is_some_and(|n| n.to_str() == Some(&entry.name));
        if !plain || count64(bytes.len()) != entry.length || format!("{:032x}", xxh3_128(&bytes)) != entry.hash {
            return Err(Error::SnapshotDamaged { object: object.to_string() });
        }
        write_whole(dir, &entry.name, &bytes)?;
    }
    Ok(())
}

async fn manifest(store: &dyn ObjectStore, object: &Object) -> Result<Manifest, Error> {
    let bytes = get(store, object).await?;
    let whole = bytes.split_last_chunk::<SUM_BYTES>().filter(|(json, sum)| sum == &&xxh3_64(json).to_le_bytes());
    let manifest = whole.and_then(|(json, _)| serde_json::from_slice(json).ok());
    manifest.ok_or_else(|| Error::SnapshotDamaged { object: object.to_string() })
}

async fn newest_first(store: &dyn ObjectStore, prefix: &Object) -> Result<Vec<ObjectMeta>, Error> {
    let mut found = list(store, &manifests(prefix)).await?;
    found.sort_by(|a, b| b.location.cmp(&a.location));
    Ok(found)
}

async fn list(store: &dyn ObjectStore, folder: &Object) -> Result<Vec<ObjectMeta>, Error> {
    match store.list_with_delimiter(Some(folder)).await {
        Ok(listed) => Ok(listed.objects),
        Err(StoreError::NotFound { .. }) => Ok(Vec::new()),
        Err(source) => Err(failed("list", folder)(source)),
    }
}

/// The folders below one, and the objects in it.
pub(super) async fn look_into(store: &dyn ObjectStore, folder: &Object) -> Result<(Vec<Object>, Vec<Object>), Error> {
    match store.list_with_delimiter(Some(folder)).await {
        Ok(found) => Ok((found.common_prefixes, found.objects.into_iter().map(|object| object.location).collect())),
        Err(StoreError::NotFound { .. }) => Ok(Default::default()),
        Err(source) => Err(failed("list", folder)(source)),
    }
}

/// What is gone already is gone.
pub(super) async fn remove(store: &dyn ObjectStore, object: &Object) -> Result<(), Error> {
    match store.delete(object).await {
        Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
        Err(source) => Err(failed("delete", object)(source)),
    }
}

async fn get(store: &dyn ObjectStore, object: &Object) -> Result<bytes::Bytes, Error> {
    let got = store.get(object).await.map_err(failed("read", object))?;
    got.bytes().await.map_err(failed("read", object))
}

/// The first `length` bytes of a file that may be growing.
async fn read(path: &Path, length: u64) -> Result<Vec<u8>, Error> {
    let (path, owned) = (path.to_owned(), path.to_owned());
    let reading = move || {
        use std::os::unix::fs::FileExt;
        let mut bytes = vec![0; size(length)];
        fs::File::open(&owned).and_then(|f| f.read_exact_at(&mut bytes, 0)).map(|()| bytes)
    };
    let read = tokio::task::spawn_blocking(reading).await;
    read.unwrap_or_else(|e| Err(std::io::Error::other(e))).naming("read", &path)
}

fn failed(verb: &'static str, object: &Object) -> impl FnOnce(StoreError) -> Error {
    let object = object.to_string();
    move |source| Error::Snapshots { verb, object, source }
}

fn files(prefix: &Object) -> Object {
    prefix.clone().join("files")
}

fn manifests(prefix: &Object) -> Object {
    prefix.clone().join("manifests")
}

fn object(prefix: &Object, entry: &Entry) -> Object {
    files(prefix).join(format!("{}-{}-{}", entry.name, entry.length, entry.hash))
}
