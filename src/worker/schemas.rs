//! Writer schemas that a registry has: fetched before the first record that needs one is read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::consume::Batch;
use crate::consume::registry::Registry;
use crate::decode::Decoder;
use crate::schema::CONFLUENT;
use crate::telemetry::with_causes;

/// Between two tries of a registry that does not answer, or not us.
const AGAIN: Duration = Duration::from_secs(1);
/// So long what the registry did not know counts as unknown: it may be registered a little later, or be restored.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);

/// What a worker reads with: the program's schemas, and those that the registry told.
#[derive(Debug, Clone)]
pub struct Schemas {
    pub(super) decoder: Arc<Decoder>,
    registry: Option<Registry>,
    /// Ids that the registry did not know, and when it said so: for a while their records are judged without it.
    unknown: BTreeMap<u32, Duration>,
    clock: Clock,
}

impl Schemas {
    pub fn new(registry: Option<Registry>, clock: Clock) -> Self {
        Self::with(Arc::new(Decoder::new()), registry, clock)
    }

    /// The program's schemas are compiled already.
    pub fn with(decoder: Arc<Decoder>, registry: Option<Registry>, clock: Clock) -> Self {
        Self { decoder, registry, unknown: BTreeMap::new(), clock }
    }

    /// As of what is known now.
    pub(crate) fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// The first id that records of a batch name, and that nobody has been asked for lately.
    pub(super) fn missing(&self, batch: &Batch) -> Option<u32> {
        self.missing_at(batch, self.clock.monotonic())
    }

    fn missing_at(&self, batch: &Batch, now: Duration) -> Option<u32> {
        self.registry.as_ref()?;
        let is_unknown = |id: &u32| self.unknown.get(id).is_some_and(|asked| now < *asked + UNKNOWN_FOR);
        let is_missing = |id: &u32| !self.decoder.knows(*id) && !is_unknown(id);
        batch.iter().filter_map(|record| id_of(record.value)).find(is_missing)
    }

    /// Fetches what the records of a batch name. It waits for the registry until `goes_on` says no; then what is missing
    /// stays missing, and the batch must not be read. `false`: so it is.
    pub(crate) async fn learn(&mut self, batch: &Batch, mut goes_on: impl FnMut() -> bool) -> bool {
        // As of the beginning: however long it takes, each id is asked for once.
        let now = self.clock.monotonic();
        while let Some((id, registry)) = self.missing_at(batch, now).zip(self.registry.clone()) {
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
                    self.miss(id);
                    return true;
                }
                Err(error) if error.is_transient() => {
                    tracing::warn!(id, error = %error, "a schema is not there yet");
                    if !goes_on() {
                        return false;
                    }
                    tokio::time::sleep(AGAIN).await;
                }
                Err(error) => {
                    tracing::error!(id, error = %with_causes(&error), "no schema");
                    self.miss(id);
                    return true;
                }
            }
        }
    }

    fn miss(&mut self, id: u32) {
        let now = self.clock.monotonic();
        self.unknown.retain(|_, asked| now < *asked + UNKNOWN_FOR);
        self.unknown.insert(id, now);
    }
}

/// The id in Confluent's framing.
fn id_of(value: &[u8]) -> Option<u32> {
    let rest = value.strip_prefix(&[CONFLUENT])?;
    rest.first_chunk().map(|id| u32::from_be_bytes(*id))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::Schemas;
    use crate::clock::Clock;
    use crate::consume::registry::Registry;
    use crate::consume::{Batch, Record};
    use crate::ids::{Millis, Offset, Partition};

    /// A registry that answers so, one after the other, and then no more.
    fn registry(answers: Vec<&'static str>) -> Registry {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for (stream, status) in listener.incoming().zip(answers) {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
                assert!(lines.take_while(|line| !line.is_empty()).count() > 0);
                let body = r#"{"schema":"\"string\""}"#;
                let len = body.len();
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{body}")
                    .unwrap();
            }
        });
        Registry::new(&url, None).unwrap()
    }

    /// One record, framed with the id 7.
    fn batch() -> Batch {
        let mut batch = Batch::default();
        let value = &[0, 0, 0, 0, 7, 1];
        batch.push(Record { partition: Partition(0), offset: Offset(0), timestamp: Millis(0), key: &[], value });
        batch
    }

    #[tokio::test]
    async fn what_the_registry_did_not_know_is_asked_for_again_after_a_while_and_not_before() {
        let elapsed = Arc::new(AtomicU32::new(0));
        let clock = Clock::moved_by(Millis(0), Arc::clone(&elapsed));
        let mut schemas = Schemas::new(Some(registry(vec!["404 Not Found", "404 Not Found", "200 OK"])), clock);
        let batch = batch();
        for at in [0, 60_000, 120_000] {
            elapsed.store(at, Ordering::Relaxed);
            assert_eq!(schemas.missing(&batch), Some(7), "at {at}");
            assert!(schemas.learn(&batch, || true).await);
            assert_eq!(schemas.missing(&batch), None);
            elapsed.store(at + 59_999, Ordering::Relaxed);
            assert_eq!(schemas.missing(&batch), None);
        }
        assert!(schemas.decoder().knows(7));
        elapsed.store(600_000, Ordering::Relaxed);
        assert_eq!(schemas.missing(&batch), None, "an id never changes its meaning");
    }

    #[tokio::test]
    async fn a_registry_that_refuses_who_asks_says_nothing_of_the_schema() {
        let refusals =
            ["401 Unauthorized", "403 Forbidden", "408 Request Timeout", "429 Too Many Requests", "503 Full"];
        for refusal in refusals {
            let mut schemas = Schemas::new(Some(registry(vec![refusal])), Clock::fixed(Millis(0)));
            let batch = batch();
            assert!(!schemas.learn(&batch, || false).await, "{refusal}");
            assert_eq!(schemas.missing(&batch), Some(7), "{refusal}");
        }
    }
}
