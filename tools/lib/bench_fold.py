"""Folds of the log against a bare hiredis loop that reads the same stream."""
import json
import os
import subprocess

from bench_report import Figure, Pairs, Section
from bench_servers import PostgreSQLServer, RedisServer, need
from stack import ROOT, StackError

PREFIX = "bench"
KINDS = (
    ("control", "config", 1_000_000, "control events, 100,000 keys (`config`)"),
    ("messages", "subjects", 5_000_000, "message entries (`subjects`)"),
)


class Run:
    def __init__(self, place, options):
        self.options = options
        self.redis = RedisServer(place)
        self.redis.prepare("everysec")
        self.postgresql = PostgreSQLServer(place)
        self.xrange = place.path("xrange")
        subprocess.run(["cc", "-O2", os.path.join(ROOT, "tools/lib/bench_xrange.c"), "-lhiredis", "-o", self.xrange], check=True)

    def fold(self, step, kind, *arguments):
        command = [self.options.meshlog, "fold-benchmark", step, kind, "--key-prefix", PREFIX, "--redis-url", f"redis://127.0.0.1:{self.redis.port}",
                   "--postgresql-url", self.postgresql.url(), "--home", self.options.home, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
        if done.returncode:
            raise StackError(f"fold-benchmark {step} {kind}: {done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def bare(self, kind):
        said = subprocess.run([self.xrange, "127.0.0.1", str(self.redis.port), f"{PREFIX}:{{m0}}:{kind}"], capture_output=True, text=True, check=True, timeout=1200)
        done = json.loads(said.stdout)
        return done["entries"] / done["seconds"], done["entries"]


def bench(place, options, inputs):
    need("redis-server", "postgres", "initdb", "psql", "cc")
    section = Section("fold", "projections folded from the log, against a hiredis loop of XRANGE COUNT 1000 over the same stream")
    run = Run(place, options)
    for kind, projection, full, words in KINDS:
        count = full // 5 if options.quick else full
        run.redis.client.run("FLUSHALL")
        run.fold("fill", kind, "--entries", str(count))
        memory = section.add(Pairs(f"{count:,} {words}, in memory", "XRANGE loop", "entries/s", 0.5))
        rows = section.add(Pairs(f"{count:,} {words}, into rows", "XRANGE loop", "entries/s", 0.25))
        for _ in range(options.pairs):
            for pairs, step in ((memory, "memory"), (rows, "rows")):
                if step == "rows":
                    run.postgresql.renew(options.meshlog, options.home)
                done = run.fold(step, kind)
                bare, read = run.bare(kind)
                if done["entries"] != count or read != count:
                    raise StackError(f"{done['entries']} and {read} of {count} entries were read")
                pairs.add(count / (done["milliseconds"] / 1000), bare)
                options.progress(f"fold {kind} {step}: {done['entries'] / done['milliseconds'] * 1000:,.0f} against {bare:,.0f} entries/s")
        if kind == "control":
            loaded = [run.fold("load", kind) for _ in range(options.pairs)]
            best = sorted(one["milliseconds"] for one in loaded)[len(loaded) // 2]
            section.add(Figure(f"{loaded[0]['rows']:,} rows of `{projection}` loaded at a start, each checked against its digest", f"{best} ms",
                               "" if best < 1000 else "above 1 s"))
    section.notes = ["the loop parses replies into hiredis's objects and does nothing with them; a fold decodes, applies and (into rows) commits in PostgreSQL"]
    run.postgresql.stop()
    run.redis.stop()
    return section
