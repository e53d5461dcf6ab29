"""After the faults: compares what was promised with what is in the log, the archive and on JetStream."""
import collections
import hashlib

from crash_ledger import ACKED
from json_cut import members
from nats_client import NATS
from psql import PostgreSQL
from quiet import BACKBONE_STREAM, stream
from redis_client import Redis


class Check:
    """One promise: how many were looked at, and what breaks it."""

    def __init__(self, promise):
        self.promise = promise
        self.count = 0
        self.violations = []

    def hold(self, condition, example):
        self.count += 1
        if not condition:
            self.violations.append(example() if callable(example) else example)


class Checks:
    def __init__(self, stack, ledger):
        self.stack = stack
        self.sent = [sent for sent in ledger.sent if sent]
        self.done = []
        self.read_log()

    def check(self, promise):
        self.done.append(Check(promise))
        return self.done[-1]

    def run(self):
        self.acknowledged()
        self.once()
        self.rejected()
        self.verdicts()
        self.deliveries()
        self.archive()
        self.backbone()
        return self.done

    # The log

    def read_log(self):
        redis = Redis(self.stack.ports["redis"], timeout=60)
        self.log = {}
        self.by_uuid = collections.defaultdict(list)
        self.by_digest = collections.defaultdict(list)
        for identifier, fields in redis.entries(stream("messages")):
            position = f"0-{identifier}"
            uuid, digest = fields["message_uuid"].decode(), hashlib.md5(fields["message_data"]).hexdigest()
            self.log[position] = (uuid, digest)
            self.by_uuid[uuid].append(position)
            self.by_digest[digest].append(position)
        self.verdict_log = {f"0-{identifier}": fields["message_uuid"].decode() for identifier, fields in redis.entries(stream("verdicts"))}
        self.delivery_log = {identifier: fields for identifier, fields in redis.entries(stream("deliveries"))}
        self.rejected_log = [fields for _, fields in redis.entries(stream("rejected"))]

    def acknowledged(self):
        placed = self.check("an acknowledged position holds exactly this id and payload")
        named = self.check("the id in an acknowledgement stands at its position, also when a repeat by Idempotency-Key is answered")
        present = self.check("every acknowledged message is in the log (NDJSON, or pushed to the list or to JetStream)")
        for sent in self.sent:
            if sent.state != ACKED or sent.bad:
                continue
            if sent.position:
                found = self.log.get(sent.position)
                # An unnamed message that was acknowledged by a repeat only: the id of the first attempt is not known here.
                uuid = sent.uuid or (sent.named if sent.attempts == 1 else found and found[0])
                placed.hold(found == (uuid, sent.digest), lambda: f"{sent}: there stands {found}")
                if sent.named and sent.uuid is None:
                    named.hold(found is not None and found[0] == sent.named, lambda: f"{sent}: acknowledged as {sent.named}, there stands {found}")
            else:
                found = [self.log[position] for position in self.by_digest[sent.digest]]
                present.hold(any(sent.uuid in (None, uuid) for uuid, _ in found), lambda: f"{sent}: with this payload there is {found}")

    def once(self):
        ids = self.check("every id is in the log at most once")
        for uuid, positions in self.by_uuid.items():
            ids.hold(len(positions) == 1, lambda: f"{uuid} stands at {positions}")
        known = {sent.digest: sent for sent in self.sent}
        payloads = self.check("every payload is in the log at most once, also without an id of the client's")
        ours = self.check("nothing is in the log that nobody sent")
        for digest, positions in self.by_digest.items():
            sent = known.get(digest)
            ours.hold(sent is not None, lambda: f"payload {digest} at {positions}")
            # A JetStream publish without an id and without an answer is not repeated by this client, so it may be there once too.
            payloads.hold(len(positions) == 1, lambda: f"{sent} stands at {positions}")

    def rejected(self):
        bad = {sent.digest: sent for sent in self.sent if sent.bad}
        counts = collections.Counter()
        only = self.check("only what is no message was rejected")
        for fields in self.rejected_log:
            digest = fields["sha256"].decode()
            counts[digest] += 1
            only.hold(digest in bad, lambda: f"by {fields['door'].decode()}: {fields['reason'].decode()[:200]}; {fields['bytes'][:200]!r}")
        kept = self.check("what is no message was kept in rejected; by the list exactly as often as it was pushed")
        for digest, sent in bad.items():
            if sent.state != ACKED:
                continue
            exact = sent.door == "list" and sent.attempts == sent.pushes
            kept.hold(counts[digest] == sent.pushes if exact else counts[digest] >= 1, lambda: f"{sent}: {counts[digest]} times in rejected")

    # Behind it

    def verdicts(self):
        check = self.check("verdicts and messages are one to one")
        for position, (uuid, _) in self.log.items():
            check.hold(self.verdict_log.get(position) == uuid, lambda: f"{position}: message {uuid}, verdict {self.verdict_log.get(position)}")
        for position in self.verdict_log.keys() - self.log.keys():
            check.hold(False, f"{position}: a verdict without a message")

    def deliveries(self):
        stored = collections.Counter()
        failed = {}
        for fields in self.delivery_log.values():
            position = fields["position"].decode()
            stored[position] += fields["outcome"] == b"stored"
            if fields["outcome"] != b"stored":
                failed[position] = f"{fields['outcome'].decode()} {fields['reason'].decode()}"
        check = self.check("every message has a delivery that says where JetStream stored it")
        for position in self.log:
            check.hold(stored[position] >= 1, lambda: f"{position}: {failed.get(position, 'no delivery')}")
        twice = self.check("every message has one delivery")
        for position, count in stored.items():
            twice.hold(count == 1 and position in self.log, lambda: f"{position}: {count} deliveries")

    def archive(self):
        archive = PostgreSQL(self.stack.postgresql_url)
        place = "partition || '-' || entry_ms || '-' || entry_seq"
        self.rows(
            "archive message_exchange = log: every position once, its id, its payload's digest", self.log,
            archive.rows(f"SELECT {place}, message_uuid, md5(coalesce(convert_to(message_data::text, 'UTF8'), message_bytes)) FROM message_exchange"))
        self.rows(
            "archive verdict = log: every position once, its id", {position: (uuid,) for position, uuid in self.verdict_log.items()},
            archive.rows(f"SELECT {place}, message_uuid FROM verdict"))
        self.rows(
            "archive delivery = log: every entry of deliveries once", {
                identifier: (fields["position"].decode(), fields["message_uuid"].decode()) for identifier, fields in self.delivery_log.items()},
            archive.rows(f"SELECT delivery_ms || '-' || delivery_seq, {place}, message_uuid FROM delivery"))

    def rows(self, promise, expected, rows):
        check = self.check(promise)
        seen = set()
        for key, *values in rows:
            check.hold(key not in seen, f"{key} is there twice")
            check.hold(expected.get(key) == tuple(values), lambda: f"{key}: {values}, in the log {expected.get(key)}")
            seen.add(key)
        for key in (key for key in expected if key not in seen):
            check.hold(False, f"{key} is missing: {expected[key]}")
        check.count = len(expected)

    def backbone(self):
        check = self.check(f"every message is in JetStream's {BACKBONE_STREAM} exactly once, its id, its payload byte for byte")
        seen = {}
        for sequence, message in NATS(self.stack.ports["nats"]).stored(BACKBONE_STREAM):
            position = message.headers.get("Meshlog-Position")
            if position in seen:
                check.hold(False, f"{position} has sequences {seen[position]} and {sequence}")
                continue
            seen[position] = sequence
            digest = hashlib.md5(members(message.payload).get("data", b"")).hexdigest()
            found = (message.headers.get("Meshlog-Message-Uuid"), digest)
            check.hold(self.log.get(position) == found, lambda: f"{position} (sequence {sequence}): {found}, in the log {self.log.get(position)}")
        for position in (position for position in self.log if position not in seen):
            check.hold(False, f"{position} is missing: {self.log[position]}")
        check.count = len(self.log)
