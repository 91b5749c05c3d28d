//! Holds and releases payouts by what Tributary decides of commissions.
//!
//!     cargo run --example payouts -- STATE.json 127.0.0.1:29092
//!     cargo run --example payouts -- STATE.json deploy/examples/decisions.ndjson
//!
//! Reads `tributary.decisions` from Kafka, or decisions from a file, a line of JSON each; prints what is to be done.

mod payouts;

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use payouts::{Decision, Payouts};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

const TOPIC: &str = "tributary.decisions";
const SCHEMA: &str = include_str!("../../../schemas/avro/Decision.avsc");
/// C3 01 and the fingerprint of the writer's schema; a newer one would be asked for by it.
const HEAD: usize = 10;
const PATIENCE: Duration = Duration::from_secs(30);

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let (Some(state), Some(from)) = (arguments.next(), arguments.next()) else {
        return Err("say where the state is kept, and brokers or a file".into());
    };
    let state = Path::new(&state);
    if Path::new(&from).exists() { from_file(state, Path::new(&from)) } else { from_kafka(state, &from) }
}

fn from_file(state: &Path, file: &Path) -> Outcome {
    let mut payouts = load(state)?;
    for line in std::fs::read_to_string(file)?.lines() {
        payouts.decided(&serde_json::from_str(line)?, now());
        tell(state, &mut payouts)?;
    }
    Ok(())
}

fn from_kafka(state: &Path, brokers: &str) -> Outcome {
    let mut payouts = load(state)?;
    let schema = Schema::parse_str(SCHEMA)?;
    let reader = GenericDatumReader::builder(&schema).build()?;
    let mut config = ClientConfig::new();
    // Aborted outputs are nobody's. Where to go on stands in the state: the group's offsets are not asked.
    config.set("bootstrap.servers", brokers).set("group.id", "payouts").set("isolation.level", "read_committed");
    let consumer: BaseConsumer = config.set("enable.auto.commit", "false").create()?;
    let metadata = consumer.fetch_metadata(Some(TOPIC), PATIENCE)?;
    let mut places = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
        let next = payouts.places.get(&partition.id()).map_or(Offset::Beginning, |next| Offset::Offset(*next));
        places.add_partition_offset(TOPIC, partition.id(), next)?;
    }
    consumer.assign(&places)?;
    loop {
        match consumer.poll(Duration::from_secs(1)) {
            None => payouts.due(now()),
            Some(record) => {
                let record = record?;
                let mut bytes = record.payload().and_then(|value| value.get(HEAD..)).ok_or("a record is cut")?;
                let decision: Decision = read(&reader, &mut bytes)?;
                payouts.places.insert(record.partition(), record.offset() + 1);
                payouts.decided(&decision, now());
            }
        }
        tell(state, &mut payouts)?;
    }
}

fn read(reader: &GenericDatumReader<'_>, bytes: &mut &[u8]) -> Result<Decision, Box<dyn Error>> {
    let value = reader.read_value(bytes)?;
    Ok(serde_json::from_value(serde_json::Value::try_from(value)?)?)
}

fn load(state: &Path) -> Result<Payouts, Box<dyn Error>> {
    if state.exists() { Ok(serde_json::from_slice(&std::fs::read(state)?)?) } else { Ok(Payouts::default()) }
}

/// Whole, or as it was.
fn keep(state: &Path, payouts: &Payouts) -> Outcome {
    let beside = state.with_extension("new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(&serde_json::to_vec(payouts)?)?;
    file.sync_all()?;
    Ok(std::fs::rename(&beside, state)?)
}

/// First it is known, then it is told: killed between the two it tells the same orders again, with the same keys.
fn tell(state: &Path, payouts: &mut Payouts) -> Outcome {
    keep(state, payouts)?;
    let mut out = std::io::stdout().lock();
    for order in payouts.orders.drain(..) {
        writeln!(out, "{}", serde_json::to_string(&order)?)?;
    }
    Ok(out.flush()?)
}

#[expect(clippy::disallowed_methods, reason = "a program of its own has the machine's clock")]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
