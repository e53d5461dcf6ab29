"""Streaming ingest (NDJSON, WebSocket) against redis-benchmark's pipelined XADD of the same bytes."""
import csv
import subprocess

from bench_report import Pairs, Section
from bench_servers import Loader, MeshlogServer, Meter, RedisServer, need, program
from stack import StackError

MESSAGES = "meshlog:{m0}:messages"
CONNECTIONS = 4
WINDOW = 1024
PIPELINE = 64
CLIENTS = 8
TARGET = 0.4
WARM_COUNT = 5_120


class Run:
    def __init__(self, place, redis, loader, options, door):
        self.place = place
        self.redis = redis
        self.loader = loader
        self.options = options
        self.door = door

    def meshlog(self, message, ids, fsync, count):
        """Messages per second, from the first byte sent to the last answer; CPU time per message."""
        self.redis.prepare(fsync)
        server = MeshlogServer(self.place, self.options.meshlog, self.options.home, self.redis.port, "doors")
        try:
            shape = {"port": server.port, "file": message.paths[ids], "ids": ids, "connections": CONNECTIONS}
            if self.door == "websocket":
                shape["window"] = WINDOW
            self.loader.run(self.door, count=WARM_COUNT, **shape)
            before = self.redis.added(MESSAGES)
            meter = Meter(server, self.redis)
            report = self.loader.run(self.door, count=count, **shape)
            cpu = meter.per_message(count)
            if self.redis.added(MESSAGES) - before != count:
                raise StackError(f"{count} messages were acknowledged, {self.redis.added(MESSAGES) - before} are in the log")
            return count / report["seconds"], cpu
        finally:
            server.stop()

    def redis_benchmark(self, line, fsync, count):
        # It sends whole pipelines on each connection, and counts what it was asked for.
        count -= count % (PIPELINE * CLIENTS)
        self.redis.prepare(fsync)
        self.benchmark(line, WARM_COUNT)
        before = self.redis.added("bench")
        meter = Meter(self.redis)
        rate = self.benchmark(line, count)
        cpu = meter.per_message(count)
        if self.redis.added("bench") - before != count or self.redis.last("bench")["data"] != line:
            raise StackError(f"redis-benchmark wrote {self.redis.added('bench') - before} entries for {count} requests, or other ones")
        return rate, cpu

    def benchmark(self, line, count):
        # -x takes the last argument from the standard input, so that no shell and no escape comes near it.
        done = subprocess.run(
            [program("redis-benchmark"), "-p", str(self.redis.port), "-n", str(count), "-P", str(PIPELINE), "-c", str(CLIENTS), "--csv", "-x",
             "XADD", "bench", "*", "data"], input=line, capture_output=True, timeout=180, check=False)
        rows = list(csv.DictReader(done.stdout.decode(errors="replace").splitlines()))
        if done.returncode or not rows:
            raise StackError(f"redis-benchmark: {done.stderr.decode().strip()}")
        return float(rows[-1]["rps"])


def bench(place, options, inputs, door):
    need("redis-server", "redis-benchmark", "cc")
    how = f"{CONNECTIONS} concurrent uploads" if door == "ndjson" else f"{CONNECTIONS} connections, up to {WINDOW} frames in flight on each, every acknowledgement read"
    section = Section(door, f"{'NDJSON' if door == 'ndjson' else 'WebSocket'} ingest, {how}, same Redis")
    redis = RedisServer(place)
    run = Run(place, redis, Loader(place), options, door)
    shapes = [(inputs["fixed"], False), (inputs["fixed"], True)]
    if inputs["real"]:
        shapes += [(inputs["real"], False), (inputs["real"], True)]
    for fsync in options.fsync:
        for message, ids in shapes:
            count = (40_000 if options.quick else 300_000) // (3 if message.name == "real" else 1)
            line = message.average(ids)
            row = section.add(Pairs(
                f"{message.words}{', client ids' if ids else ''}, appendfsync {fsync}", f"redis-benchmark -P {PIPELINE} XADD, {len(line)} B",
                "messages/s", None if ids else TARGET))
            for _ in range(options.pairs):
                ours, our_cpu = run.meshlog(message, ids, fsync, count)
                theirs, their_cpu = run.redis_benchmark(line, fsync, count * 2)
                row.add(ours, theirs, (our_cpu, their_cpu))
                options.progress(f"{door} {message.name} {fsync}{' ids' if ids else ''}: {row.ours[-1]:,.0f} against {row.theirs[-1]:,.0f} messages/s")
    section.notes = [
        "the ingest alone: `meshlog serve --roles doors` with no other door, no stage; all checks on",
        f"redis-benchmark: {CLIENTS} connections, one field `data` with the bytes of a whole message; of the real messages (which differ in size) the one "
        "whose size is nearest to the mean",
    ]
    if not inputs["real"]:
        section.notes.append("the real messages are not here (../shared/data/agent-conversations.ndjson): their rows are missing")
    redis.stop()
    return section
