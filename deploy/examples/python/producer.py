"""Sends events from an NDJSON file to Tributary's log on Kafka.

    python3 producer.py --brokers 127.0.0.1:29092 ../events.ndjson
    python3 producer.py --brokers 127.0.0.1:29092 --registry http://127.0.0.1:28081/apis/ccompat/v7 ../events.ndjson

Each line is an event as `POST /v1/events` takes it: `type` and its fields. Without a registry a record carries the fingerprint of
its schema (Avro's single-object encoding), with one the number that the registry gave it (Confluent's framing).
"""

import argparse
import io
import json
import pathlib
import sys

import fastavro
from confluent_kafka import Producer
from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form

SCHEMAS = pathlib.Path(__file__).resolve().parents[3] / "schemas" / "avro"
# Keyed by creator with the partitioner of Java's clients: what a creator does stays in one order, whoever sends it.
# Acknowledged by all copies, and sent again without being doubled.
SETTINGS = {"partitioner": "murmur2_random", "acks": "all", "enable.idempotence": True, "linger.ms": 5}


class Records:
    """Turns events into Avro records, by the schemas of schemas/avro."""

    def __init__(self, folder=SCHEMAS):
        self.texts = {path.stem: path.read_text() for path in folder.glob("*.avsc")}
        self.schemas = {name: parse_schema(json.loads(text)) for name, text in self.texts.items()}

    def of(self, event):
        """The type and the record; whatever is no field is refused, not lost."""
        event = dict(event)
        kind = event.pop("type")
        if kind not in self.schemas:
            raise ValueError(f"no schema for a {kind}")
        fields = {field["name"]: field["type"] for field in self.schemas[kind]["fields"]}
        unknown = event.keys() - fields.keys()
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))}: no field of a {kind}")
        for name, value in event.items():
            if name.endswith("_token") and value is not None:
                event[name] = bytes.fromhex(value)
        return kind, event


def single_object(records):
    """C3 01, the schema's fingerprint, the record."""
    canonical = {kind: to_parsing_canonical_form(json.loads(text)) for kind, text in records.texts.items()}
    # Their bytes come in the order in which they are sent.
    marks = {kind: b"\xc3\x01" + bytes.fromhex(fingerprint(form, "CRC-64-AVRO")) for kind, form in canonical.items()}

    def encode(kind, record):
        body = io.BytesIO()
        fastavro.schemaless_writer(body, records.schemas[kind], record, strict_allow_default=True)
        return marks[kind] + body.getvalue()

    return encode


def confluent(records, url, topic):
    """00, the number of the schema in the registry, the record. One subject a type, since the topic holds them all."""
    from confluent_kafka.schema_registry import SchemaRegistryClient, topic_record_subject_name_strategy
    from confluent_kafka.schema_registry.avro import AvroSerializer
    from confluent_kafka.serialization import MessageField, SerializationContext

    client = SchemaRegistryClient({"url": url})
    settings = {"subject.name.strategy": topic_record_subject_name_strategy}
    context = SerializationContext(topic, MessageField.VALUE)
    serializers = {kind: AvroSerializer(client, text, conf=settings) for kind, text in records.texts.items()}
    return lambda kind, record: serializers[kind](record, context)


def main():
    parser = argparse.ArgumentParser(description="Sends events from an NDJSON file to Tributary's log on Kafka.")
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--topic", default="tributary.events")
    parser.add_argument("--registry", help="the address of a schema registry: Confluent's framing")
    options = parser.parse_args()

    records = Records()
    encode = confluent(records, options.registry, options.topic) if options.registry else single_object(records)
    producer = Producer({"bootstrap.servers": options.brokers, **SETTINGS})
    failed = []

    def told(error, message):
        if error is not None:
            failed.append(f"{message.key().decode()}: {error}")

    sent = 0
    with options.file.open() as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                event = json.loads(line)
                kind, record = records.of(event)
                value = encode(kind, record)
            except (KeyError, TypeError, ValueError) as error:
                failed.append(f"line {number}: {error}; those before it were sent")
                break
            while True:
                try:
                    producer.produce(options.topic, key=event["creator_id"], value=value, on_delivery=told)
                    break
                except BufferError:  # the queue is full: let it empty
                    producer.poll(0.1)
            producer.poll(0)
            sent += 1
    if producer.flush(60):
        failed.append("not everything was acknowledged within 60 s")
    if failed:
        sys.exit("\n".join(failed))
    print(f"{sent} acknowledged")


if __name__ == "__main__":
    main()
