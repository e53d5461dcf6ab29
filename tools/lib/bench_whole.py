"""The whole way under a steady load: door, log, verdict, archive, JetStream, deliveries, feed; through `meshlog up`."""
import array
import re
import threading
import time

from bench_report import Figure, Heading, Section, milliseconds, quantile, short
from bench_servers import Loader, PsqlSession, cpu_seconds, need, own_seconds, resident_bytes
from http_client import HTTP
from redis_client import Redis
from stack import Stack, StackError, wait_for
from wire import Wire

STREAMS = ("messages", "verdicts", "deliveries")
CONNECTIONS = 4
WINDOW = 1024
POLL = 0.01
BEHIND_MAX = 1.0     # seconds of load that may be on their way
GROWTH_MAX = 0.25    # seconds by which that may grow over a probe
MEMORY_GROWTH_MAX = 0.10
HOLD_SHARE = 0.9     # of the highest rate that a probe has passed
HOLDS_MAX = 4        # each at 85 % of the one before


class CheckpointWatch(threading.Thread):
    """Looks at the archive's checkpoints every few milliseconds: when was which position committed?"""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.session = PsqlSession(url)
        self.seen = []  # (ns, ms, seq) of the archive, where it moved
        self.entries = {}
        self.stopping = False
        self.failure = None

    def run(self):
        try:
            while not self.stopping:
                for name, ms, seq, entries in self.session.ask("SELECT name, position_ms, position_seq, entries FROM checkpoint"):
                    if name == "archive" and (not self.seen or self.seen[-1][1:] != (int(ms), int(seq))):
                        self.seen.append((time.time_ns(), int(ms), int(seq)))
                    self.entries[name] = int(entries)
                time.sleep(POLL)
        except (StackError, OSError, ValueError) as error:
            self.failure = error
        finally:
            self.session.close()

    def stop(self):
        self.stopping = True
        self.join(10)


class Load:
    """What one paced load led to."""

    def __init__(self, rate):
        self.rate = rate
        self.behind = []   # (s since the start, s of load on their way)
        self.memory = []   # (s since the start, bytes)
        self.report = {}
        self.cpu = {}

    @property
    def steady_fault(self):
        """Why this rate is not sustained, or nothing."""
        if self.report["behind"] > self.rate * BEHIND_MAX:
            return f"the door fell {self.report['behind'] / self.rate:.1f} s behind the load"
        half = [value for _, value in self.behind[len(self.behind) // 2:]]
        first = [value for _, value in self.behind[len(self.behind) // 4:len(self.behind) // 2]]
        last = half[len(half) // 2:]
        if max(half) > BEHIND_MAX:
            return f"up to {max(half):.1f} s of load were on their way"
        growth = sum(last) / len(last) - sum(first) / len(first)
        return f"what was on its way grew by {growth:.2f} s" if growth > GROWTH_MAX else ""


class Way:
    """A stack of its own and what goes through it."""

    def __init__(self, place, options, message, ids):
        self.place = place
        self.options = options
        self.message = message
        self.ids = ids
        self.loader = Loader(place)
        self.stack = Stack(options.meshlog, options.home, "meshlog-bench-up-", keep=False)
        place.exits.callback(self.stack.remove)
        place.exits.callback(self.stack.stop)
        self.stack.start()
        self.redis = Redis(self.stack.ports["redis"])
        report = self.stack.report()
        self.pids = {"meshlog": self.stack.process.pid} | {name: report[name]["pid"] for name in ("redis", "postgresql", "nats")}
        self.watch = CheckpointWatch(self.stack.postgresql_url)
        self.watch.start()
        place.exits.callback(self.watch.stop)
        try:
            # The feed finds the end of the log a moment after the port listens.
            self.has_feed = wait_for(self._has_feed, 5, "no feed")
        except StackError:
            self.has_feed = False
        self.port = self.stack.ports["http"]

    def close(self):
        self.watch.stop()
        self.stack.stop()
        self.stack.remove()

    def _has_feed(self):
        wire = Wire(self.stack.ports["http"])
        wire.send(b"GET /v1/feed HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                  b"Sec-WebSocket-Version: 13\r\n\r\n")
        status = wire.read_line()
        wire.close()
        return b" 101 " in status

    def counts(self):
        """Entries that came to each place so far."""
        for name in STREAMS:
            key = f"meshlog:{{m0}}:{name}"
            yield name, self.redis.pairs("XINFO", "STREAM", key)["entries-added"] if self.redis.run("EXISTS", key) else 0
        for name in ("archive", "delivery"):
            yield f"archive of {name}", self.watch.entries.get(name, 0)

    def on_their_way(self):
        """Messages in the log that have not yet come through everywhere."""
        if self.watch.failure:
            raise StackError(f"watching the checkpoints: {self.watch.failure}")
        if self.stack.ended:
            raise StackError(f"meshlog up ended by itself: {self.stack.log_tail()}")
        counts = dict(self.counts())
        return counts["messages"] - min(counts.values())

    def drain(self, within=180):
        wait_for(lambda: self.on_their_way() == 0, within, "what is in the log has not come through", poll=0.1)

    def cpu(self):
        seconds = {name: cpu_seconds(pid) for name, pid in self.pids.items()}
        # The servers are children of `meshlog up`, and PostgreSQL's are its own.
        seconds["meshlog"] -= sum(own_seconds(self.pids[name]) for name in self.pids if name != "meshlog")
        return seconds

    def memory(self):
        return resident_bytes(self.pids["meshlog"])

    def capacity(self, count):
        """Messages per second when `count` of them come at once: from the first byte to the last one everywhere."""
        began = time.monotonic()
        self.loader.run("websocket", port=self.port, file=self.message.paths[self.ids], ids=self.ids, connections=CONNECTIONS, window=WINDOW, count=count)
        self.drain()
        return count / (time.monotonic() - began)

    def load(self, rate, seconds, record=None, memory_every=10.0):
        load = Load(rate)
        cpu = self.cpu()
        began = time.monotonic()
        process = self.loader.start(
            "paced", port=self.port, file=self.message.paths[self.ids], ids=self.ids, connections=CONNECTIONS, window=WINDOW, rate=rate, seconds=seconds,
            feed="/v1/feed" if self.has_feed else None, record=record)
        try:
            next_memory = 0.0
            while (elapsed := time.monotonic() - began) < seconds and process.poll() is None:
                load.behind.append((elapsed, self.on_their_way() / rate))
                if elapsed >= next_memory:
                    load.memory.append((elapsed, self.memory()))
                    next_memory += memory_every
                time.sleep(0.25)
            load.memory.append((elapsed, self.memory()))
            load.cpu = {name: (value - cpu[name]) / elapsed for name, value in self.cpu().items()}
            load.report = self.loader.finish(process, 120)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        self.drain()
        return load

    def highest_rate(self, capacity, seconds):
        """Steps up until what is on its way grows, or down until it does not."""
        rate, best, failed = capacity * 0.8, None, False
        for _ in range(8):
            fault = self.load(rate, seconds).steady_fault
            self.options.progress(f"whole {self.message.name}: {rate:,.0f} messages/s {f'not sustained: {fault}' if fault else 'sustained'}")
            if not fault:
                best = rate
                if failed:
                    break
                rate *= 1.15
            else:
                failed = True
                if best:
                    break
                rate *= 0.8
        if not best:
            raise StackError("no rate was found that the whole way sustains")
        return best


# MARK: Latencies

def read_records(path, width):
    values = array.array("Q")
    with open(path, "rb") as file:
        values.frombytes(file.read())
    return sorted(tuple(values[index:index + width]) for index in range(0, len(values), width))


def latencies(record, seen):
    """Seconds from acknowledgement to feed frame and to the archive's commit, sorted; and how many acknowledged messages the feed did not bring."""
    acks = read_records(f"{record}.acks", 4)
    feed = {}
    for ms, seq, at in read_records(f"{record}.feed", 3):
        feed.setdefault((ms, seq), at)
    to_feed, to_archive, index = [], [], 0
    for ms, seq, _, acknowledged in acks:
        if (ms, seq) in feed:
            to_feed.append((feed[ms, seq] - acknowledged) / 1e9)
        while index < len(seen) and seen[index][1:] < (ms, seq):
            index += 1
        if index < len(seen):
            to_archive.append((seen[index][0] - acknowledged) / 1e9)
    return sorted(to_feed), sorted(to_archive), len(acks) - len(to_feed), sorted((acknowledged - sent) / 1e9 for _, _, sent, acknowledged in acks)


def histogram(port, stage):
    """Meshlog's own count of ages by bucket (upper bound in seconds); empty when the process does not tell."""
    client = HTTP(port)
    answer = client.get("/metrics")
    client.close()
    pattern = rf'meshlog_stage_age_seconds_bucket{{stage="{stage}",le="([^"]+)"}} (\d+)'
    return {float(bound): int(count) for bound, count in re.findall(pattern, answer.body.decode())} if answer.status == 200 else {}


def histogram_quantile(before, after, share):
    counts = [(bound, after[bound] - before.get(bound, 0)) for bound in sorted(after)]
    wanted = counts[-1][1] * share
    return next(bound for bound, count in counts if count >= wanted)


def spread(values):
    return f"p50 {milliseconds(quantile(values, 0.5))}, p99 {milliseconds(quantile(values, 0.99))}, max {milliseconds(values[-1])}"


# MARK: The benchmark

def hold(way, rate, seconds):
    """The load, and its figures by name: (value, what it should have been)."""
    record = way.place.path("record")
    before = histogram(way.port, "archive")
    way.watch.seen.clear()
    load = way.load(rate, seconds, record, 3.0 if way.options.quick else 10.0)
    to_feed, to_archive, unseen, to_ack = latencies(record, list(way.watch.seen))
    after = histogram(way.port, "archive")
    figures = {"rate": (f"{short(load.report['sent'] / seconds)} messages/s for {seconds:g} s", load.steady_fault), "send to ack": (spread(to_ack), "")}
    if way.has_feed:
        figures["ack to feed frame"] = spread(to_feed) if to_feed else "nothing came", f"{unseen} messages did not come by the feed" if unseen else ""
    else:
        figures["ack to feed frame"] = "not measured", "this binary has no /v1/feed"
    figures["ack to archive row"] = spread(to_archive), ""
    if after:
        p50, p99 = (histogram_quantile(before, after, share) for share in (0.5, 0.99))
        figures["append to archive, by /metrics"] = f"p50 ≤ {milliseconds(p50)}, p99 ≤ {milliseconds(p99)}", ""
    figures["on its way"] = f"at most {max(value for _, value in load.behind):.2f} s of load", ""
    figures["cores in use"] = ", ".join(f"{name} {value:.2f}" for name, value in load.cpu.items()), ""
    return load, figures


def memory(load):
    values = [size for _, size in load.memory]
    # The first sample is before the load has filled the buffers that it needs.
    settled = values[1:] if len(values) > 3 else values
    half = max(1, len(settled) // 2)
    growth = max(settled[half:]) / max(settled[:half]) - 1 if len(settled) > 1 else 0
    text = " ".join(f"{size / (1 << 20):.0f}" for size in values)
    fault = f"grew by {growth:.0%} from the first half to the second" if growth > MEMORY_GROWTH_MAX else ""
    every = load.memory[1][0] - load.memory[0][0]
    return f"{text} MiB (start, every {every:.0f} s, end): {growth:+.1%}", fault


def check_all(way):
    """Every message came everywhere, once."""
    counts = dict(way.counts())
    uneven = {name: count for name, count in counts.items() if count != counts["messages"]}
    session = PsqlSession(way.stack.postgresql_url)
    try:
        other = session.ask("SELECT count(*) FROM delivery WHERE outcome <> 'stored' OR duplicate")[0][0]
    finally:
        session.close()
    fault = f"differs: {uneven}" if uneven else f"{other} deliveries are not stored on JetStream, or again" if other != "0" else ""
    return f"{counts['messages']:,} messages, verdicts, deliveries, archive rows of each; all on JetStream" if not fault else "not complete", fault


def measure(way, section, seconds):
    options = way.options
    count = 10_000 if options.quick else 30_000
    way.capacity(count // 5)
    capacity = way.capacity(count)
    options.progress(f"whole {way.message.name}: {count:,} at once came through at {capacity:,.0f} messages/s")
    highest = way.highest_rate(capacity, 5 if options.quick else 10)
    rate = highest * HOLD_SHARE
    for attempt in range(HOLDS_MAX):
        load, figures = hold(way, rate, seconds)
        options.progress(f"whole {way.message.name}: {rate:,.0f} messages/s for {seconds:g} s: {load.steady_fault or 'sustained'}")
        if not load.steady_fault or attempt == HOLDS_MAX - 1:
            break
        rate *= 0.85
    figures["memory of meshlog"] = memory(load)
    _, lighter = hold(way, rate / 2, max(5, seconds // 4))
    figures["complete"] = check_all(way)
    section.add(Heading(f"{way.message.words}{' with client ids' if way.ids else ''}; {count:,} at once came through at {short(capacity)} messages/s, "
                        f"the highest rate that a short probe passed is {short(highest)} messages/s"))
    for name, (value, fault) in figures.items():
        section.add(Figure(name, value, fault)).lighter = lighter[name][0] if name in lighter else ""


def bench(place, options, inputs):
    need("redis-server", "postgres", "initdb", "nats-server", "psql", "cc")
    section = Section("whole", "door → log → verdict → archive and JetStream → deliveries → their archive, through `meshlog up`", figures_only=True)
    seconds = options.seconds or (15 if options.quick else 60)
    for message, ids in ((inputs["fixed"], False), (inputs["real"], True)):
        if not message:
            continue
        way = Way(place, options, message, ids)
        try:
            measure(way, section, seconds)
        finally:
            way.close()
    section.notes = [
        f"load: WebSocket door, {CONNECTIONS} connections, paced; {HOLD_SHARE:.0%} of the highest rate that a probe of some seconds passed, less where that did not hold; "
        "`appendfsync always`",
        f"sustained: in the second half never more than {BEHIND_MAX:g} s of load between the log and the slowest of verdicts, deliveries, archive and the archive of "
        f"deliveries, and not {GROWTH_MAX:g} s more at the end than in the second quarter",
        f"ack to archive row: until a checkpoint at or behind the message is visible to another session, polled every {POLL * 1000:g} ms (so up to that much too long)",
        "ack to feed frame: one WebSocket follower of /v1/feed in the load's own process; the feed shows a message with its verdict",
        "real messages carry client ids: each is looked up and remembered",
    ]
    return section
