"""What was sent and what was promised in return: the truth that the checks of tools/crash compare with."""
import hashlib
import json
import random
import threading
import time
import uuid

OPEN, ACKED, LOST = "open", "acked", "lost"


class Sent:
    """One message a client wants in the log.

    `uuid` is None when the client left naming to Meshlog; then only `digest` (of the unique payload) tells where it is.
    """

    __slots__ = ("door", "uuid", "digest", "body", "key", "state", "position", "named", "attempts", "pushes", "sent_at", "bad")

    def __init__(self, door, uuid_text, digest, body, key, bad):
        self.door = door
        self.uuid = uuid_text
        self.digest = digest
        self.body = body
        self.key = key
        self.bad = bad
        self.state = OPEN
        self.position = None
        # The id that Meshlog gave in the acknowledgement.
        self.named = None
        self.attempts = 0
        # Times that Redis or JetStream said they have it.
        self.pushes = 0
        self.sent_at = 0.0

    @property
    def repeatable(self):
        """Whether sending it again cannot double it."""
        return self.uuid is not None or self.key is not None

    def __str__(self):
        return f"{self.door} message {self.uuid or 'without id'} (payload {self.digest}, {self.attempts} attempts, {self.pushes} pushes, at {self.position})"


class Ledger:
    def __init__(self, seed):
        self.seed = seed
        self.lock = threading.Lock()
        self.sent = []
        self.violations = []
        self.acked = 0
        # Per door: when the last acknowledgement came, by the time its message was sent.
        self.acks = {}
        self.outages = {}

    def make(self, door, generator, named=True, keyed=False, bad=False, size=None):
        """A new message of a random size with a payload that exists once."""
        with self.lock:
            serial = len(self.sent)
            self.sent.append(None)
        if size is None:
            size = generator.choice((0, 50, 200, 200, 1000, 1000, 4000, 20000))
        filler = "".join(generator.choices("abcdefghij \\\"\u00e9\u4e2d\U0001F600", k=min(size, 60))) * (size // 60)
        # Spacing and escapes that a re-encoding would change.
        payload = b'{ "serial" :%d,"door":"%b", "text":%b}' % (
            serial, door.encode(), json.dumps(filler, ensure_ascii=generator.random() < 0.5).encode())
        digest = hashlib.md5(payload).hexdigest()
        identifier = str(uuid.UUID(int=generator.getrandbits(128), version=4)) if named else None
        # Now and then a first token that JetStream's stream does not store yet.
        topic = f"crash{serial // 2000}.{door}.new" if serial % 500 == 0 else f"crash.{door}.{serial % 7}"
        body = b'{"topic":"%b",' % topic.encode()
        if identifier:
            body += b'"message_uuid":"%b",' % identifier.encode()
        body += b'"source_subject_id":"crash","data":%b}' % payload
        if bad:
            body = body[:-1]
            digest = hashlib.sha256(body).hexdigest()
        sent = Sent(door, identifier, digest, body, f"crash-{self.seed}-{serial}" if keyed else None, bad)
        with self.lock:
            self.sent[serial] = sent
        return sent

    # What came back

    def ack(self, sent, position=None, named=None, duplicate=False):
        """The door promised that it is in the log (or, for the list and JetStream, that it will be)."""
        if sent.position and position and sent.position != position:
            self.violate("a repeat is answered with the first position", f"{sent} was now acknowledged at {position}")
        if duplicate and sent.attempts == 1:
            self.violate("a first arrival is no duplicate", f"{sent} acknowledged at {position}")
        if named and sent.uuid and named != sent.uuid:
            self.violate("an acknowledgement names its message", f"{sent} was acknowledged as {named}")
        if named and sent.named and named != sent.named:
            self.violate("a repeat by Idempotency-Key is answered with the message_uuid that stands in the log",
                         f"{sent} was first acknowledged as {sent.named}, then as {named}")
        with self.lock:
            self.acked += sent.state != ACKED
            sent.state = ACKED
            sent.position = sent.position or position
            sent.named = sent.named or named
            self.acks[sent.door] = max(self.acks.get(sent.door, 0.0), sent.sent_at)

    def give_up(self, sent):
        """The outcome is unknown and a repeat could double it."""
        sent.state = LOST

    def violate(self, promise, example):
        with self.lock:
            self.violations.append((promise, example))

    def outage(self, door, error):
        with self.lock:
            self.outages[door] = self.outages.get(door, 0) + 1


class Pace:
    """Spreads work evenly; what was missed while a server was away is not made up for."""

    def __init__(self, per_second):
        self.step = 1.0 / per_second
        self.next = time.monotonic()

    def due(self):
        """Seconds until the next piece of work; 0 when it is due now, which takes it."""
        now = time.monotonic()
        if now < self.next:
            return self.next - now
        self.next = max(self.next + self.step, now - 0.1)
        return 0.0


def generator(seed, name):
    return random.Random(f"{seed}/{name}")
