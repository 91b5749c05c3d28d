//! Writer schemas that a registry has: fetched before the first record that needs one is read.

use std::sync::Arc;
use std::time::Duration;

use crate::consume::Batch;
use crate::consume::registry::{Error, Registry};
use crate::decode::Decoder;
use crate::schema::CONFLUENT;
use crate::telemetry::with_causes;

/// Between two tries of a registry that does not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// What a worker reads with: the program's schemas, and those that the registry told.
#[derive(Debug, Clone)]
pub struct Schemas {
    pub(super) decoder: Arc<Decoder>,
    registry: Option<Registry>,
    /// Ids that the registry does not know: their records are judged without it.
    unknown: Vec<u32>,
}

impl Schemas {
    pub fn new(registry: Option<Registry>) -> Self {
        Self::with(Arc::new(Decoder::new()), registry)
    }

    /// The program's schemas are compiled already.
    pub fn with(decoder: Arc<Decoder>, registry: Option<Registry>) -> Self {
        Self { decoder, registry, unknown: Vec::new() }
    }

    /// As of what is known now.
    pub(crate) fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// The first id that records of a batch name, and that nobody has been asked for.
    pub(super) fn missing(&self, batch: &Batch) -> Option<u32> {
        self.registry.as_ref()?;
        let is_missing = |id: &u32| !self.decoder.knows(*id) && !self.unknown.contains(id);
        batch.iter().filter_map(|record| id_of(record.value)).find(is_missing)
    }

    /// Fetches what the records of a batch name. It waits for the registry until `goes_on` says no; then what is missing
    /// stays missing, and the batch must not be read. `false`: so it is.
    pub(crate) async fn learn(&mut self, batch: &Batch, mut goes_on: impl FnMut() -> bool) -> bool {
        while let Some((id, registry)) = self.missing(batch).zip(self.registry.clone()) {
            if !self.fetch(&registry, id, &mut goes_on).await {
                return false;
            }
        }
        true
    }

    async fn fetch(&mut self, registry: &Registry, id: u32, goes_on: &mut impl FnMut() -> bool) -> bool {
        loop {
            match registry.schema(id).await {
                Ok(Some(schema)) => {
                    if let Err(why) = Arc::make_mut(&mut self.decoder).register(id, &schema) {
                        tracing::warn!(id, why = %why, "a producer's schema cannot become ours: its records are dead letters");
                    }
                    return true;
                }
                Ok(None) => {
                    self.unknown.push(id);
                    return true;
                }
                Err(error @ (Error::Refused { .. } | Error::Malformed { .. } | Error::Address { .. })) => {
                    tracing::error!(id, error = %with_causes(&error), "no schema");
                    self.unknown.push(id);
                    return true;
                }
                Err(error @ Error::Unavailable { .. }) => {
                    if !goes_on() {
                        return false;
                    }
                    tracing::warn!(id, error = %error, "a schema is waited for");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }
}

/// The id in Confluent's framing.
fn id_of(value: &[u8]) -> Option<u32> {
    let rest = value.strip_prefix(&[CONFLUENT])?;
    rest.first_chunk().map(|id| u32::from_be_bytes(*id))
}
