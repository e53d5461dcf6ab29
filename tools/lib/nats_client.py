"""NATS: the core protocol over one socket, and as much of the JetStream API as the tools need."""
import itertools
import json
import secrets
import time

from wire import Wire


class NATSError(Exception):
    pass


class Message:
    __slots__ = ("subject", "reply", "headers", "status", "payload")

    def __init__(self, subject, reply, head, payload):
        self.subject = subject
        self.reply = reply
        self.payload = payload
        self.headers = {}
        self.status = ""
        if head:
            lines = head.decode().split("\r\n")
            self.status = lines[0][len("NATS/1.0"):].strip()
            for line in lines[1:]:
                name, colon, value = line.partition(":")
                if colon:
                    self.headers[name] = value.strip()


class NATS:
    def __init__(self, port, timeout=10.0):
        self.wire = Wire(port, timeout)
        self.info = json.loads(self.wire.read_line()[len(b"INFO "):])
        self.sids = itertools.count(1)
        self.inbox = f"_INBOX.{secrets.token_hex(8)}"
        self.tokens = itertools.count(1)
        options = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True, "lang": "meshlog-tools", "version": "1"}
        self.wire.send(b"CONNECT %b\r\nPING\r\n" % json.dumps(options).encode())
        while (line := self.wire.read_line()) != b"PONG":
            if line.startswith(b"-ERR"):
                raise NATSError(line.decode())
        self.subscribe(self.inbox + ".*")

    def subscribe(self, subject):
        self.wire.send(b"SUB %b %d\r\n" % (subject.encode(), next(self.sids)))

    def new_inbox(self):
        return f"{self.inbox}.{next(self.tokens)}"

    def publish(self, subject, payload, reply=""):
        self.wire.send(b"PUB %b %b %d\r\n%b\r\n" % (subject.encode(), reply.encode(), len(payload), payload))

    def next(self, timeout):
        """The next message of any subscription; None when none came within `timeout` seconds."""
        end = time.monotonic() + timeout
        while self.wire.readable(end - time.monotonic()):
            line = self.wire.read_line()
            parts = line.split(b" ")
            if parts[0] == b"PING":
                self.wire.send(b"PONG\r\n")
            elif parts[0] == b"-ERR":
                raise NATSError(line.decode())
            elif parts[0] in (b"MSG", b"HMSG"):
                sizes = 2 if parts[0] == b"HMSG" else 1
                total = int(parts[-1])
                head = int(parts[-2]) if sizes == 2 else 0
                data = self.wire.read_exact(total + 2)[:-2]
                reply = parts[3].decode() if len(parts) - sizes == 4 else ""
                return Message(parts[1].decode(), reply, data[:head], data[head:])
        return None

    def request(self, subject, payload, timeout=10.0):
        inbox = self.new_inbox()
        self.publish(subject, payload, inbox)
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            message = self.next(left)
            if message and message.subject == inbox:
                return message
        raise NATSError(f"no answer on {subject} within {timeout} s")

    # JetStream

    def api(self, name, body=None):
        """One call of the JetStream API; its answer, or `NATSError`."""
        answer = self.request(f"$JS.API.{name}", json.dumps(body).encode() if body else b"")
        result = json.loads(answer.payload) if answer.payload else {"error": {"description": f"no JetStream ({answer.status})"}}
        if "error" in result:
            raise NATSError(f"{name}: {result['error']}")
        return result

    def stored(self, stream, page=500):
        """All messages of a stream in order, as (sequence, message)."""
        last = self.api(f"STREAM.INFO.{stream}")["state"]["last_seq"]
        config = {"ack_policy": "none", "deliver_policy": "all", "inactive_threshold": 60_000_000_000, "mem_storage": True}
        consumer = self.api(f"CONSUMER.CREATE.{stream}", {"stream_name": stream, "config": config})["name"]
        sequence = 0
        while sequence < last:
            inbox = self.new_inbox()
            wanted = json.dumps({"batch": page, "expires": 5_000_000_000}).encode()
            self.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", wanted, inbox)
            count = 0
            while count < page and sequence < last:
                message = self.next(10.0)
                if message is None:
                    raise NATSError(f"the stream {stream} stopped at {sequence} of {last}")
                if message.status:
                    if message.subject == inbox:
                        break
                    continue
                # $JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.<consumer sequence>.<time>.<pending>
                sequence = int(message.reply.split(".")[-4])
                count += 1
                yield sequence, message
        self.api(f"CONSUMER.DELETE.{stream}.{consumer}")

    def close(self):
        self.wire.close()
