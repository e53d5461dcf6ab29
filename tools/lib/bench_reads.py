"""Reads of one row by REST, against plain Hummingbird's GET /ping in the same run."""
import re
import subprocess

from bench_report import Pairs, Section
from bench_servers import Child, need, program
from bench_whole import Way
from http_client import HTTP
from stack import StackError, wait_for

CONNECTIONS = 64
READS = (
    ("/v1/config/global/bench.reads", "a value of the configuration"),
    ("/v1/constraints/bench-reads", "a constraint"),
)


def wrk(port, path, seconds):
    """Requests per second of GETs on 64 connections, by one thread."""
    done = subprocess.run([program("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"http://127.0.0.1:{port}{path}"],
                          capture_output=True, text=True, timeout=seconds + 60, check=False)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if done.returncode or not rate or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise StackError(f"wrk of {path}: {done.stdout.strip()} {done.stderr.strip()}")
    return float(rate.group(1))


def bench(place, options, inputs):
    need("redis-server", "postgres", "initdb", "nats-server", "psql", "wrk")
    section = Section("reads", f"GET of one row, {CONNECTIONS} connections, against plain Hummingbird's GET /ping")
    seconds = options.seconds or (2 if options.quick else 6)
    way = Way(place, options, inputs["fixed"], False)
    try:
        client = HTTP(way.port)
        for path, body in ((READS[0][0], b'{"value": {"some": ["thing", 1]}}'),
                           (READS[1][0], b'{"constraint_id":"bench-reads","scope":{"topics":["nothing.here"]},"when":"message.size > 100000","action":{"type":"block"}}')):
            answer = client.put(path, body)
            if answer.status not in (200, 201):
                raise StackError(f"PUT {path} answered {answer.status}: {answer.body.decode()}")
        client.close()
        ping = Child(place, "ping", [options.meshlog, "ping-benchmark"])
        port = int(wait_for(lambda: re.search(r"http://127.0.0.1:(\d+)", ping.said()), 10, "plain Hummingbird does not serve").group(1))
        for path, words in READS:
            pairs = section.add(Pairs(f"{words} (`{path}`)", "GET /ping of plain Hummingbird", "requests/s", 0.8))
            for port_, path_ in ((way.port, path), (port, "/ping")):
                wrk(port_, path_, 1)
            for _ in range(max(options.pairs, 3)):
                pairs.add(wrk(way.port, path, seconds), wrk(port, "/ping", seconds))
                options.progress(f"reads {path}: {pairs.ours[-1]:,.0f} against {pairs.theirs[-1]:,.0f} requests/s")
        ping.stop()
    finally:
        way.close()
    return section
