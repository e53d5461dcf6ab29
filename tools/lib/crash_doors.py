"""Clients of every door that keep sending while servers die, and repeat what has an unknown outcome, as real clients do."""
import collections
import json
import threading
import time

from crash_ledger import ACKED, OPEN, Pace, generator
from http_client import HTTP
from nats_client import NATS, NATSError
from redis_client import Redis, RedisError
from websocket_client import WebSocket

ANSWER_WITHIN = 10.0
REQUEST_WITHIN = 3.0
RETRY_AFTER = 0.25
WINDOW = 32


class Door(threading.Thread):
    """Connects, sends new messages at its pace and open ones again, and begins anew after every failure."""

    title = ""

    def __init__(self, ledger, ports, rate, number=0):
        super().__init__(name=f"{self.title}-{number}", daemon=True)
        self.ledger = ledger
        self.ports = ports
        self.pace = Pace(rate)
        self.random = generator(ledger.seed, self.name)
        # Messages with an unknown outcome, to be sent again.
        self.again = collections.deque()
        self.pausing_until = 0.0
        self.stopping = threading.Event()
        self.dropping = threading.Event()

    def run(self):
        while not self.is_done():
            connection = None
            try:
                connection = self.connect()
                while not self.is_done():
                    self.work(connection)
                self.settle(connection)
            except (OSError, RedisError, NATSError, ValueError, KeyError, IndexError) as error:
                self.ledger.outage(self.title, error)
                time.sleep(RETRY_AFTER)
            finally:
                self.recollect()
                if connection:
                    connection.close()

    def is_done(self):
        return self.dropping.is_set() or self.stopping.is_set() and not self.again and not self.outstanding()

    def finish(self, until):
        """Lets it have its open messages answered, at most until the time `until`; how many are left."""
        self.join(max(0.0, until - time.monotonic()))
        self.dropping.set()
        self.join(ANSWER_WITHIN + 5)
        return len(self.again) + self.outstanding()

    # For each door

    def connect(self):
        raise NotImplementedError

    def work(self, connection):
        """One bounded piece of work."""
        raise NotImplementedError

    def outstanding(self):
        return 0

    def recollect(self):
        """After a failure: puts what was on its way back into `again`."""

    def settle(self, connection):
        """Before a connection is closed in good order."""

    # Messages

    def make(self):
        return self.ledger.make(self.title, self.random)

    def next(self):
        """The next message to send; None when none is due."""
        if time.monotonic() < self.pausing_until:
            return None
        if self.again:
            return self.again.popleft()
        if self.stopping.is_set() or self.pace.due() > 0:
            return None
        return self.make()

    def sending(self, sent):
        sent.attempts += 1
        sent.sent_at = time.monotonic()
        return sent

    def unknown(self, sent):
        """Sends it again later, if that cannot double it."""
        if sent.state != OPEN:
            return
        if sent.repeatable:
            self.again.append(sent)
        else:
            self.ledger.give_up(sent)

    def answered(self, sent, answer):
        """Takes an acknowledgement, or a problem document; False, and a pause in sending, when it is no acknowledgement."""
        if "position" in answer and "status" not in answer:
            self.ledger.ack(sent, answer["position"], answer["message_uuid"], answer["duplicate"])
            return True
        self.unknown(sent)
        self.pause()
        if answer.get("status") != 503:
            self.ledger.violate("a good message is not refused", f"{sent}: {json.dumps(answer)[:400]}")
        return False

    def pause(self, seconds=RETRY_AFTER):
        """Sends nothing for a while; what is on its way is still answered."""
        self.pausing_until = time.monotonic() + seconds


class Singles(Door):
    """One post at a time on a connection that is kept alive: named, unnamed, with an idempotency key, and knowing repeats."""

    title = "http"

    def connect(self):
        return HTTP(self.ports["http"], ANSWER_WITHIN)

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.current = None
        self.done = collections.deque(maxlen=50)

    def make(self):
        kind = self.random.random()
        return self.ledger.make(self.title, self.random, named=kind < 0.7, keyed=kind >= 0.85)

    def outstanding(self):
        return self.current is not None

    def recollect(self):
        if self.current:
            self.unknown(self.current)
            self.current = None

    def work(self, http):
        sent = self.next()
        if sent is None:
            time.sleep(0.005)
            return
        self.post(http, sent)
        if self.done and self.random.random() < 0.05:
            # What was acknowledged is known for good, whatever was killed since.
            self.post(http, self.random.choice(self.done))

    def post(self, http, sent):
        self.current = self.sending(sent)
        answer = http.post("/v1/messages", sent.body, headers=[("Idempotency-Key", f'"{sent.key}"')] if sent.key else [])
        self.current = None
        repeat = sent.state == ACKED
        if self.answered(sent, answer.json()):
            if repeat and not answer.json()["duplicate"]:
                self.ledger.violate("a repeat of an acknowledged message is a duplicate", f"{sent}: {answer.body!r}")
            if sent.repeatable and not repeat:
                self.done.append(sent)
        else:
            self.pause(min(1.0, float(answer.headers.get("retry-after", RETRY_AFTER))))


class Lines(Door):
    """NDJSON bodies that arrive in pieces; the whole body again unless every line is in the log."""

    title = "ndjson"
    lines = 40

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.batch = []

    def connect(self):
        return HTTP(self.ports["http"], ANSWER_WITHIN)

    def outstanding(self):
        return len(self.batch)

    def recollect(self):
        for sent in self.batch:
            self.unknown(sent)
        self.batch = []

    def work(self, http):
        while len(self.batch) < self.lines and (sent := self.next()):
            self.batch.append(sent)
        if len(self.batch) < self.lines and not (self.batch and self.stopping.is_set()):
            time.sleep(0.02)
            return
        first = [self.sending(sent).attempts == 1 for sent in self.batch]
        body = [sent.body + b"\n" for sent in self.batch]
        # Cuts at places that are no line ends.
        text = b"".join(body)
        size = max(1, len(text) // 7)
        answer = http.post("/v1/messages", [text[at:at + size] for at in range(0, len(text), size)], "application/x-ndjson")
        tally = answer.json()
        batch, self.batch = self.batch, []
        if answer.status == 200 and tally["accepted"] + tally["duplicates"] == len(batch) == tally["lines"]:
            if tally["duplicates"] and all(first):
                self.ledger.violate("a first arrival is no duplicate", f"{tally['duplicates']} of {len(batch)} new NDJSON lines")
            for sent in batch:
                self.ledger.ack(sent)
            return
        for sent in batch:
            self.unknown(sent)
        if answer.status != 503:
            self.ledger.violate("a good message is not refused", f"NDJSON: {answer.status} {answer.body[:400]!r}")
        self.pause()


class Frames(Door):
    """WebSocket frames with a window of unanswered ones; answers must come in order."""

    title = "websocket"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.waiting = collections.deque()

    def connect(self):
        return WebSocket(self.ports["http"], "/v1/messages", ANSWER_WITHIN)

    def outstanding(self):
        return len(self.waiting)

    def recollect(self):
        while self.waiting:
            self.unknown(self.waiting.popleft())

    def work(self, socket):
        while len(self.waiting) < WINDOW and (sent := self.next()):
            self.waiting.append(self.sending(sent))
            socket.send_text(sent.body)
        if not socket.readable(0.01):
            if self.waiting and time.monotonic() - self.waiting[0].sent_at > ANSWER_WITHIN:
                raise TimeoutError("a frame was not answered")
            return
        answer = json.loads(socket.receive())
        sent = self.waiting.popleft()
        named = answer.get("message_uuid", sent.uuid)
        if named != sent.uuid:
            self.ledger.violate("WebSocket answers come in the order of the messages", f"{sent}: the answer is for {named}")
            raise ValueError("out of order")
        self.answered(sent, answer)


class Pushes(Door):
    """RPUSH of one or a few elements; once in a while one that is no message and must be found in `rejected`."""

    title = "list"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.batch = []

    def connect(self):
        return Redis(self.ports["redis"], ANSWER_WITHIN)

    def make(self):
        return self.ledger.make(self.title, self.random, bad=self.random.random() < 0.01)

    def outstanding(self):
        return len(self.batch)

    def recollect(self):
        for sent in self.batch:
            self.unknown(sent)
        self.batch = []

    def work(self, redis):
        most = self.random.randint(1, 5)
        while len(self.batch) < most and (sent := self.next()):
            self.batch.append(self.sending(sent))
        if not self.batch:
            time.sleep(0.005)
            return
        redis.run("RPUSH", "MESSAGES", *(sent.body for sent in self.batch))
        for sent in self.batch:
            sent.pushes += 1
            self.ledger.ack(sent)
        self.batch = []


class Asking(Door):
    """Publishes with a reply subject, several at a time; what is not answered in time is sent again."""

    subject = ""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.waiting = {}

    def connect(self):
        return NATS(self.ports["nats"], ANSWER_WITHIN)

    def outstanding(self):
        return len(self.waiting)

    def recollect(self):
        for sent in self.waiting.values():
            self.unknown(sent)
        self.waiting = {}

    def work(self, nats):
        while len(self.waiting) < WINDOW // 2 and (sent := self.next()):
            inbox = nats.new_inbox()
            self.waiting[inbox] = self.sending(sent)
            nats.publish(self.subject, sent.body, inbox)
        message = nats.next(0.01)
        if message is None:
            late = [inbox for inbox, sent in self.waiting.items() if time.monotonic() - sent.sent_at > REQUEST_WITHIN]
            for inbox in late:
                self.unknown(self.waiting.pop(inbox))
            return
        sent = self.waiting.pop(message.subject, None)
        # An answer may come after its request was given up and sent again.
        if sent is not None:
            self.take(sent, message)

    def take(self, sent, message):
        raise NotImplementedError


class Requests(Asking):
    title = "nats"
    subject = "MESSAGES"

    def work(self, nats):
        super().work(nats)
        if not self.stopping.is_set() and self.random.random() < 0.001:
            # Without a reply subject nobody promises anything; at most once all the same.
            sent = self.sending(self.ledger.make(self.title, self.random))
            nats.publish(self.subject, sent.body)
            self.ledger.give_up(sent)

    def take(self, sent, message):
        if message.status:
            # 503: no responders, Meshlog does not listen.
            self.unknown(sent)
            self.pause()
            return
        self.answered(sent, json.loads(message.payload))


class Durable(Asking):
    """JetStream publishes; without a uuid, Meshlog knows a redelivery by its place in the stream."""

    title = "jetstream"
    subject = "MESSAGES.durable"

    def make(self):
        return self.ledger.make(self.title, self.random, named=self.random.random() < 0.75, bad=self.random.random() < 0.01)

    def take(self, sent, message):
        answer = json.loads(message.payload) if message.payload and not message.status else {}
        if "seq" not in answer or "error" in answer:
            self.unknown(sent)
            self.pause()
            return
        sent.pushes += 1
        self.ledger.ack(sent)


ALL = (Singles, Singles, Lines, Frames, Pushes, Requests, Durable)
TITLES = tuple(dict.fromkeys(door.title for door in ALL))


def start(ledger, ports, rate):
    """Starts a client for every door; each title sends `rate` messages a second."""
    doors = []
    for number, kind in enumerate(ALL):
        doors.append(kind(ledger, ports, rate / ALL.count(kind), number))
        doors[-1].start()
    return doors
