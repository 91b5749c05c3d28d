"""Holds and releases payouts by what Tributary decides of commissions.

    python3 payouts.py --state payouts.db --brokers 127.0.0.1:29092
    python3 payouts.py --state payouts.db --file ../decisions.ndjson

Reads `tributary.decisions` from Kafka, or decisions from a file, a line of JSON each. What is to be done is printed, a line each, and
stands in the table `payment` of the state: take it from there to whoever moves money, with its key, so that it is done once.

What it keeps to, whatever comes twice, late or out of order:
  - a `decision_id` counts once, and a revision only if it is the newest of its subject;
  - a commission is paid once: when its newest decision says `approve` and it has matured;
  - what is said, what is to be done and how far the topic was read are one transaction.
"""

import argparse
import json
import pathlib
import sqlite3
import sys
import time

TOPIC = "tributary.decisions"
SCHEMA = pathlib.Path(__file__).resolve().parents[3] / "schemas" / "avro" / "Decision.avsc"
TABLES = """
create table if not exists seen (decision_id text primary key) without rowid;
create table if not exists commission (
  creator text, id text, revision integer, verdict text, matures_at integer, state text, primary key (creator, id)
) without rowid;
create table if not exists payment (key integer primary key, creator text, commission text, move text);
create table if not exists place (partition integer primary key, next integer);
"""
# What is to be done when a commission that is in a state gets a verdict, and the state after that. `due` waits for its day.
MOVES = {
    ("new", "approve"): (None, "due"),
    ("new", "review"): ("hold", "held"),
    ("new", "block"): ("cancel", "cancelled"),
    ("due", "review"): ("hold", "held"),
    ("due", "block"): ("cancel", "cancelled"),
    ("held", "approve"): (None, "due"),
    ("held", "block"): ("cancel", "cancelled"),
    ("cancelled", "approve"): (None, "due"),
    ("cancelled", "review"): ("hold", "held"),
    # It was paid: the money is out, and only its fate changes. It never is paid a second time.
    ("paid", "review"): ("suspend", "suspended"),
    ("paid", "block"): ("claw_back", "owed_back"),
    ("suspended", "approve"): ("settle", "paid"),
    ("suspended", "block"): ("claw_back", "owed_back"),
    ("owed_back", "approve"): ("settle", "paid"),
    ("owed_back", "review"): ("suspend", "suspended"),
}


class Payouts:
    """What is known of each commission, and what is to be done of it."""

    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript(TABLES)

    def decided(self, decision, now, place=None):
        """Takes a decision in, and how far the topic was read with it; gives what is to be done now."""
        with self.transaction():
            if place is not None:
                self.db.execute("insert or replace into place values (?, ?)", place)
            if self.is_new(decision):
                self.change(decision)
            return self.pay(now)

    def is_new(self, decision):
        # A shadow or a preview decides nothing; of clicks and conversions only commissions speak.
        if decision["mode"] not in ("live", "manual") or decision["subject"]["type"] != "commission":
            return False
        new = self.db.execute("insert or ignore into seen values (?)", (decision["decision_id"],))
        return new.rowcount == 1

    def change(self, decision):
        key = (decision["creator_id"], decision["subject"]["id"])
        known = self.db.execute("select revision, state from commission where creator = ? and id = ?", key).fetchone()
        revision, state = known or (0, "new")
        if decision["revision"] <= revision:
            return
        verdict, matures_at = decision["verdict"], decision.get("matures_at")
        move, state = MOVES.get((state, verdict), (None, state))
        row = (*key, decision["revision"], verdict, matures_at, state)
        self.db.execute("insert or replace into commission values (?, ?, ?, ?, ?, ?)", row)
        if move is not None:
            self.note(*key, move)

    def pay(self, now):
        """What is approved and has matured; and all moves that were not told yet."""
        due = "select creator, id from commission where state = 'due' and coalesce(matures_at, 0) <= ? order by creator, id"
        for creator, commission in self.db.execute(due, (now,)).fetchall():
            self.db.execute("update commission set state = 'paid' where creator = ? and id = ?", (creator, commission))
            self.note(creator, commission, "pay")
        moves, self.moves = self.moves, []
        return moves

    def note(self, creator, commission, move):
        row = self.db.execute("insert into payment (creator, commission, move) values (?, ?, ?)", (creator, commission, move))
        self.moves.append({"key": row.lastrowid, "move": move, "creator_id": creator, "commission_id": commission})

    def places(self):
        return dict(self.db.execute("select partition, next from place").fetchall())

    def transaction(self):
        self.moves = []
        return Transaction(self.db)


class Transaction:
    """All of it or nothing, and on the disk when it ends."""

    def __init__(self, db):
        self.db = db

    def __enter__(self):
        self.db.execute("begin immediate")

    def __exit__(self, kind, error, trace):
        self.db.execute("commit" if kind is None else "rollback")


def tell(moves):
    for move in moves:
        print(json.dumps(move), flush=True)


def from_file(payouts, path, now):
    with path.open() as lines:
        for line in lines:
            tell(payouts.decided(json.loads(line), now))


def from_kafka(payouts, brokers):
    import io

    import fastavro
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    schema = fastavro.parse_schema(json.loads(SCHEMA.read_text()))
    # Aborted outputs are nobody's. Where to go on is in the state, beside what was done: the group's offsets are not asked.
    settings = {"isolation.level": "read_committed", "enable.auto.commit": False, "auto.offset.reset": "earliest"}
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "payouts", **settings})
    partitions = consumer.list_topics(TOPIC, timeout=30).topics[TOPIC].partitions
    places = payouts.places()
    consumer.assign([TopicPartition(TOPIC, p, places.get(p, OFFSET_BEGINNING)) for p in partitions])
    while True:
        message = consumer.poll(1)
        now = int(time.time() * 1000)
        if message is None:
            with payouts.transaction():
                moves = payouts.pay(now)
            tell(moves)
        elif message.error():
            sys.exit(str(message.error()))
        else:
            # C3 01 and the fingerprint of the writer's schema; a newer one would be asked for by it.
            decision = fastavro.schemaless_reader(io.BytesIO(message.value()[10:]), schema)
            if decision["matures_at"] is not None:
                decision["matures_at"] = int(decision["matures_at"].timestamp() * 1000)
            tell(payouts.decided(decision, now, (message.partition(), message.offset() + 1)))


def main():
    parser = argparse.ArgumentParser(description="Holds and releases payouts by what Tributary decides of commissions.")
    parser.add_argument("--state", required=True, help="an SQLite file; it is made where there is none")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--brokers")
    source.add_argument("--file", type=pathlib.Path, help="decisions as lines of JSON")
    parser.add_argument("--now", type=int, help="with --file: the time in milliseconds, instead of the clock's")
    options = parser.parse_args()
    payouts = Payouts(options.state)
    if options.brokers:
        from_kafka(payouts, options.brokers)
    else:
        now = int(time.time() * 1000) if options.now is None else options.now
        from_file(payouts, options.file, now)


if __name__ == "__main__":
    main()
