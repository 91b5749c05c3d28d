//! The snapshot store: a folder that all workers reach, or a bucket of S3; and the place of each partition in it.

use std::{fs, path::Path, path::PathBuf, sync::Arc, time::Duration};

use object_store::{
    Error as StoreError, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig, aws::AmazonS3Builder,
    local::LocalFileSystem, path::Path as Object,
};

use super::{
    Error, Identity,
    error::Naming,
    export::{self, Hashes, Sent, Wanted},
    key, restored,
};
use crate::ids::{Millis, Next};

/// A list or a small object is not waited for any longer.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// The transfer of a snapshot is broken off after this. What was sent by then need not be sent again.
const TRANSFER_MAX: Duration = Duration::from_secs(600);
/// Tries of one request, and the time in which they are begun.
const REQUEST_TRIES_MAX: usize = 3;
const REQUEST_TRIES_WITHIN: Duration = Duration::from_secs(20);
/// Written once a start: who may not write finds out before anything depends on it.
const PROBE: &str = "tributary";

/// Where snapshots go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Folder(PathBuf),
    Bucket { name: String, prefix: Object },
}

impl Place {
    /// Reads `file:///folder` or `s3://bucket/prefix`, literally.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let refused = |what| Error::SnapshotsUrl { url: url.to_owned(), what };
        if let Some(folder) = url.strip_prefix("file://") {
            let is_folder = folder.starts_with('/') && !folder.trim_matches('/').is_empty();
            return if is_folder { Ok(Self::Folder(folder.into())) } else { Err(refused("names no folder from / on")) };
        }
        let Some(rest) = url.strip_prefix("s3://") else { return Err(refused("is neither file:// nor s3://")) };
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if name.is_empty() {
            return Err(refused("names no bucket"));
        }
        if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte)) {
            return Err(refused("names no bucket that can be: a-z, 0-9, - and . alone"));
        }
        let prefix = Object::parse(prefix.trim_end_matches('/')).map_err(|_| refused("has a prefix that cannot be"))?;
        Ok(Self::Bucket { name: name.to_owned(), prefix })
    }
}

/// An open snapshot store. Clones share it. Every wait in it has an end.
#[derive(Debug, Clone)]
pub struct Archive {
    store: Arc<dyn ObjectStore>,
    root: Object,
    is_folder: bool,
}

impl Archive {
    /// A folder is made; a bucket is not asked yet. Who may use it, and where it is, say the variables `AWS_…`.
    pub fn open(place: &Place) -> Result<Self, Error> {
        match place {
            Place::Folder(dir) => {
                fs::create_dir_all(dir).naming("create", dir)?;
                let object = dir.display().to_string();
                let folder = LocalFileSystem::new_with_prefix(dir);
                let folder = folder.map_err(|source| Error::Snapshots { verb: "open", object, source })?;
                Ok(Self { store: Arc::new(folder.with_fsync(true)), root: Object::default(), is_folder: true })
            }
            Place::Bucket { name, prefix } => {
                let retry = RetryConfig {
                    max_retries: REQUEST_TRIES_MAX,
                    retry_timeout: REQUEST_TRIES_WITHIN,
                    ..RetryConfig::default()
                };
                let bucket = AmazonS3Builder::from_env().with_bucket_name(name).with_retry(retry).build();
                let object = format!("bucket {name}");
                let bucket = bucket.map_err(|source| Error::Snapshots { verb: "open", object, source })?;
                Ok(Self { store: Arc::new(bucket), root: prefix.clone(), is_folder: false })
            }
        }
    }

    /// Whether it can be written.
    pub async fn check(&self) -> Result<(), Error> {
        let object = self.root.clone().join(PROBE);
        let put =
            self.store.put(&object, PutPayload::from_static(b"Snapshots of Tributary's state lie beside this.\n"));
        let put = within(ANSWER_MAX, async { Ok(put.await) }).await?;
        put.map(drop).map_err(|source| Error::Snapshots { verb: "write", object: object.to_string(), source })
    }

    /// Whether a setting is to blame for what [`Archive::check`] found, so that trying again is of no use.
    pub fn blames_settings(&self, error: &Error) -> bool {
        let Error::Snapshots { source, .. } = error else { return false };
        let is_refused = matches!(
            source,
            StoreError::NotFound { .. }
                | StoreError::PermissionDenied { .. }
                | StoreError::Unauthenticated { .. }
                | StoreError::NotSupported { .. }
                | StoreError::NotImplemented { .. }
        );
        self.is_folder || is_refused
    }

    /// Sends the hard links in `dir`: those that are not there yet.
    pub async fn send(&self, identity: &Identity, dir: &Path, known: &mut Hashes) -> Result<Sent, Error> {
        within(TRANSFER_MAX, export::upload(&*self.store, &self.of(identity), dir, known)).await
    }

    /// Takes away what no newer snapshot needs; how many objects.
    pub async fn prune(&self, identity: &Identity, now: Millis) -> Result<usize, Error> {
        within(TRANSFER_MAX, export::prune(&*self.store, &self.of(identity), now)).await
    }

    /// The position of the newest snapshot that will do.
    pub async fn newest(&self, wanted: &Wanted) -> Result<Option<Next>, Error> {
        within(ANSWER_MAX, export::newest(&*self.store, &self.of(&wanted.identity), wanted)).await
    }

    /// Fetches the newest whole snapshot that will do into the folder of a state, whoever has that open: at the next
    /// opening it takes the state's place. Its position.
    pub async fn fetch(&self, wanted: &Wanted, dir: &Path) -> Result<Option<Next>, Error> {
        let waiting = restored::waiting(dir);
        within(TRANSFER_MAX, export::restore(&*self.store, &self.of(&wanted.identity), wanted, &waiting)).await
    }

    /// Takes away all snapshots of a generation, which nobody folds any more; how many objects.
    pub async fn forget(&self, topic: [u8; 16], generation: u32) -> Result<usize, Error> {
        let mut folders = vec![self.of_generation(topic, generation)];
        let mut removed = 0;
        while let Some(folder) = folders.pop() {
            let (below, found) = within(ANSWER_MAX, export::look_into(&*self.store, &folder)).await?;
            folders.extend(below);
            for object in found {
                within(ANSWER_MAX, export::remove(&*self.store, &object)).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn of_generation(&self, topic: [u8; 16], generation: u32) -> Object {
        let topic = format!("{:032x}", u128::from_be_bytes(topic));
        self.root.clone().join(topic).join(format!("g{generation}"))
    }

    /// Where the snapshots of one state are: those of another topic, generation, fold or partition are elsewhere.
    pub fn of(&self, identity: &Identity) -> Object {
        let Identity { topic, partition, generation, fingerprint } = identity;
        let root = self.of_generation(*topic, *generation);
        root.join(format!("f{fingerprint:016x}")).join(format!("p{}", partition.0))
    }
}

/// Empties the folder of a state that was restored and cannot be opened: it begins at 0.
pub fn empty(dir: &Path) -> Result<(), Error> {
    let _lock = key::lock(dir)?;
    restored::remove_state(dir)
}

async fn within<A>(wait: Duration, asked: impl Future<Output = Result<A, Error>>) -> Result<A, Error> {
    tokio::time::timeout(wait, asked).await.unwrap_or(Err(Error::SnapshotsSilent { waited: wait }))
}
