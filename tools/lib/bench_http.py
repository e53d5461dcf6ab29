"""Single-message HTTP posts: Meshlog's ingest against webdis doing a bare XADD of the same bytes."""
import json
import subprocess

from bench_report import Pairs, Section
from bench_servers import MeshlogServer, Meter, RedisServer, Webdis, need, program
from http_client import HTTP
from stack import StackError

MESSAGES = "meshlog:{m0}:messages"
CONNECTIONS = 64
SCRIPT = """
local body = %(body)s
wrk.method = "%(method)s"
wrk.path = "%(path)s"
wrk.headers["Content-Type"] = "application/json"
wrk.body = body
-- One id per request, counted from where the last run of this file stopped.
if %(unique)s then
  local before, after = string.match(body, '^(.-message_uuid": ?").-(".*)$')
  local count = %(start)d
  request = function()
    count = count + 1
    return wrk.format(nil, nil, nil, before .. string.format("00000000-0000-4000-8000-%%012x", count) .. after)
  end
end
done = function(summary, latency)
  io.write(string.format('{"requests": %%d, "seconds": %%.6f, "bad": %%d, "p50": %%d, "p99": %%d}\\n', summary.requests, summary.duration / 1e6,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


def wrk(place, port, method, path, body, seconds, unique, start):
    """One run of wrk; its report."""
    script = place.path("post.lua")
    with open(script, "w", encoding="utf-8") as file:
        # JSON's escapes are not Lua's; a long bracket takes the text as it is.
        file.write(SCRIPT % {"body": f"[==[{body}]==]", "method": method, "path": path, "unique": "true" if unique else "false", "start": start})
    done = subprocess.run(
        [program("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", script, f"http://127.0.0.1:{port}"],
        capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode:
        raise StackError(f"wrk: {done.stderr.strip() or done.stdout.strip()}")
    report = json.loads(done.stdout.strip().splitlines()[-1])
    if report["bad"]:
        raise StackError(f"wrk: {report['bad']} of {report['requests']} requests failed")
    return report


class Run:
    """One server, measured: a post by hand that proves what it stores, a short run to warm up, the run."""

    def __init__(self, place, redis, options):
        self.place = place
        self.redis = redis
        self.seconds = options.seconds or (3 if options.quick else 8)
        self.ids = 0

    def meshlog(self, options, text, unique, fsync):
        self.redis.prepare(fsync)
        server = MeshlogServer(self.place, options.meshlog, options.home, self.redis.port, "doors")
        try:
            return self.measure(server, "POST", "/v1/messages", text, unique, MESSAGES, "message_data", json.dumps(json.loads(text)["data"]))
        finally:
            server.stop()

    def webdis(self, text, unique, fsync):
        self.redis.prepare(fsync)
        server = Webdis(self.place, self.redis.port)
        try:
            return self.measure(server, "PUT", "/XADD/bench/*/data", text, unique, "bench", "data", text)
        finally:
            server.stop()

    def measure(self, server, method, path, text, unique, stream, field, stored):
        client = HTTP(server.port)
        client.wire.send(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(text.encode())}\r\n\r\n{text}".encode())
        answer = client.read()
        client.close()
        if answer.status not in (200, 201) or self.redis.last(stream).get(field) != stored.encode():
            raise StackError(f"{method} {path} answered {answer.status} and stored {self.redis.last(stream)}")
        for seconds in (1, self.seconds):
            before = self.redis.added(stream)
            meter = Meter(server, self.redis)
            report = wrk(self.place, server.port, method, path, text, seconds, unique, self.ids)
            self.ids += report["requests"] + 10 * CONNECTIONS
            # wrk stops counting before the last answers are in, so a few more are stored than it saw answered.
            entries = self.redis.added(stream) - before
            # Under `always` webdis now and then answers some requests in a thousand without having sent their XADD.
            least = report["requests"] * (0.99 if stream == "bench" else 1)
            if not least <= entries <= report["requests"] + 2 * CONNECTIONS:
                raise StackError(f"{method} {path}: {report['requests']} answers, {entries} entries")
            rate = min(report["requests"], entries) / report["seconds"]
            cpu = meter.per_message(entries)
        return rate, cpu


def bench(place, options, inputs):
    need("redis-server", "wrk", "webdis")
    section = Section("http", f"single-message posts, {CONNECTIONS} connections, wrk with one thread, same Redis")
    redis = RedisServer(place)
    run = Run(place, redis, options)
    message = inputs["fixed"]
    for fsync in options.fsync:
        for ids in (False, True):
            text = (message.named if ids else message.plain)[0]
            row = section.add(Pairs(
                f"{len(text)}-byte posts{', client ids' if ids else ''}, appendfsync {fsync}", "webdis XADD", "posts/s", None if ids else 1.0,
                "each id looked up and remembered; a Lua script makes the ids on both sides" if ids else ""))
            for _ in range(options.pairs):
                ours, our_cpu = run.meshlog(options, text, ids, fsync)
                theirs, their_cpu = run.webdis(text, ids, fsync)
                row.add(ours, theirs, (our_cpu, their_cpu))
                options.progress(f"http {fsync}{' ids' if ids else ''}: {row.ours[-1]:,.0f} against {row.theirs[-1]:,.0f} posts/s")
    section.notes = [
        "the ingest alone: `meshlog serve --roles doors` with no other door, no stage; all checks on, the entry in the log before the answer",
        f"webdis: {Webdis.THREADS} threads (Debian's setting), pool of {Webdis.POOL}, no log; one field `data` with the whole body, unchecked",
        "client, server and Redis share the machine's cores",
    ]
    redis.stop()
    return section
