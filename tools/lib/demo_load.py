"""Sends lines of NDJSON by the four doors of Meshlog, each from its own thread."""
import collections
import json
import threading
import time

from http_client import HTTP
from nats_client import NATS, NATSError
from redis_client import Redis, RedisError
from websocket_client import WebSocket

DOORS = ("HTTP", "WebSocket", "Redis list", "NATS")
WINDOW = 128


class Answers:
    """What the doors answered: positions by uuid, and how many were duplicates."""

    def __init__(self):
        self.positions = {}
        self.accepted = collections.Counter()
        self.duplicates = collections.Counter()
        self.stored = collections.Counter()
        self.problems = []
        self.seconds = {}

    def take(self, door, answer, wanted):
        """One acknowledgement of a single message; `wanted` is its uuid."""
        if answer.get("message_uuid") != wanted or "position" not in answer:
            self.problems.append(f"{door}: {wanted} was answered by {json.dumps(answer)[:300]}")
            return
        self.positions[wanted] = answer["position"]
        (self.duplicates if answer["duplicate"] else self.accepted)[door] += 1


def load(lines, ports, shift):
    """Sends each line by one door and returns the `Answers` when all are acknowledged.

    Line n goes to door n + `shift`: interleaved, so that every door gets every size and topic (the file is ordered by task, and
    sizes come in runs), and a load with another `shift` brings each message by another door than before.
    """
    answers = Answers()
    quarters = [[line for number, line in enumerate(lines) if (number + shift) % 4 == door] for door in range(4)]
    senders = (send_http, send_websocket, send_list, send_nats)
    threads = []
    for name, sender, quarter in zip(DOORS, senders, quarters):
        threads.append(threading.Thread(target=timed, args=(name, sender, quarter, ports, answers), daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return answers


def timed(name, sender, quarter, ports, answers):
    began = time.monotonic()
    try:
        sender(quarter, ports, answers)
    except (OSError, RedisError, NATSError, ValueError, KeyError) as error:
        answers.problems.append(f"{name}: {type(error).__name__}: {error}")
    answers.seconds[name] = time.monotonic() - began


def send_http(quarter, ports, answers):
    """Half as single posts, a quarter as JSON arrays, a quarter as one NDJSON stream."""
    http = HTTP(ports["http"], timeout=60)
    half, most = len(quarter) // 2, len(quarter) * 3 // 4
    for line in quarter[:half]:
        answer = http.post("/v1/messages", line.body)
        if answer.status not in (200, 201):
            answers.problems.append(f"HTTP: {line.uuid}: {answer.status} {answer.body[:300]!r}")
        else:
            answers.take("HTTP", answer.json(), line.uuid)
    for start in range(half, most, WINDOW):
        batch = quarter[start:min(start + WINDOW, most)]
        answer = http.post("/v1/messages", b"[" + b",".join(line.body for line in batch) + b"]")
        if answer.status != 200:
            answers.problems.append(f"HTTP array: {answer.status} {answer.body[:300]!r}")
            continue
        for line, result in zip(batch, answer.json()["results"]):
            answers.take("HTTP", result, line.uuid)
    rest = quarter[most:]
    if not rest:
        return
    answer = http.post("/v1/messages", [line.body + b"\n" for line in rest], "application/x-ndjson")
    summary = answer.json()
    answers.accepted["HTTP"] += summary.get("accepted", 0)
    answers.duplicates["HTTP"] += summary.get("duplicates", 0)
    if answer.status != 200 or summary["lines"] != len(rest):
        answers.problems.append(f"HTTP NDJSON: {answer.status} {answer.body[:300]!r}")


def send_websocket(quarter, ports, answers):
    """Frames with a window of unanswered ones; answers come in order."""
    socket = WebSocket(ports["http"], "/v1/messages", timeout=60)
    waiting = collections.deque()
    for line in quarter:
        socket.send_text(line.body)
        waiting.append(line)
        while len(waiting) >= WINDOW:
            answers.take("WebSocket", json.loads(socket.receive()), waiting.popleft().uuid)
    while waiting:
        answers.take("WebSocket", json.loads(socket.receive()), waiting.popleft().uuid)
    socket.close()


def send_list(quarter, ports, answers):
    """RPUSH of a few elements at once; the list answers with its length only."""
    redis = Redis(ports["redis"], timeout=60)
    for start in range(0, len(quarter), 16):
        batch = quarter[start:start + 16]
        redis.run("RPUSH", "MESSAGES", *(line.body for line in batch))
        answers.stored["Redis list"] += len(batch)


def send_nats(quarter, ports, answers):
    """Half as requests on the subject, half as JetStream publishes (whose acknowledgement is JetStream's)."""
    half = len(quarter) // 2
    requests(quarter[:half], "MESSAGES", ports, lambda line, answer: answers.take("NATS", answer, line.uuid))

    def stored(line, answer):
        if answer.get("stream") == "MESHLOG_DOOR" and "error" not in answer:
            answers.stored["JetStream"] += 1
        else:
            answers.problems.append(f"JetStream: {line.uuid} was answered by {json.dumps(answer)[:300]}")

    requests(quarter[half:], "MESSAGES.durable", ports, stored)


def requests(lines, subject, ports, take):
    """Publishes with a window of unanswered requests and gives each answer to `take`."""
    nats = NATS(ports["nats"], timeout=60)
    waiting = {}
    queue = collections.deque(lines)
    while queue or waiting:
        while queue and len(waiting) < WINDOW:
            inbox = nats.new_inbox()
            waiting[inbox] = queue.popleft()
            nats.publish(subject, waiting[inbox].body, inbox)
        message = nats.next(30)
        if message is None:
            raise NATSError(f"{len(waiting)} requests on {subject} were not answered within 30 s")
        line = waiting.pop(message.subject, None)
        if line is not None:
            take(line, json.loads(message.payload) if message.payload else {"status": message.status})
    nats.close()
