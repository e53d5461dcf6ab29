"""The archive stage against psql's \\copy of the very rows that it wrote."""
import os
import re
import resource
import time

from bench_report import Pairs, Section
from bench_servers import Loader, MeshlogServer, Meter, PostgreSQLServer, PsqlSession, RedisServer, need
from stack import StackError, wait_for

VERDICTS = "meshlog:{m0}:verdicts"
TARGET = 0.7
POLL = 0.005


class Run:
    def __init__(self, place, options, message):
        self.place = place
        self.options = options
        self.count = 40_000 if options.quick else 200_000
        self.redis = RedisServer(place)
        self.postgresql = PostgreSQLServer(place)
        self.files = {}
        self.fill(message)

    def fill(self, message):
        """Puts messages and verdicts into the log, with nobody who archives them."""
        self.redis.prepare("everysec")
        server = MeshlogServer(self.place, self.options.meshlog, self.options.home, self.redis.port, "doors,router")
        Loader(self.place).run("ndjson", port=server.port, file=message.paths[False], count=self.count, timeout=600)
        wait_for(lambda: self.redis.added(VERDICTS) >= self.count, 600, "the router did not decide all messages", poll=0.1)
        server.stop()
        self.redis.client.run("CONFIG", "SET", "appendfsync", "always")

    def stage(self):
        """Messages per second between the first checkpoint seen and the last; CPU time per message."""
        self.postgresql.renew(self.options.meshlog, self.options.home)
        watch = PsqlSession(self.postgresql.url())
        server = MeshlogServer(self.place, self.options.meshlog, self.options.home, self.redis.port, "archive", "--postgresql-url", self.postgresql.url())
        try:
            first = None
            deadline = time.monotonic() + 600
            while True:
                rows = watch.ask("SELECT entries, extract(epoch FROM clock_timestamp()) FROM checkpoint WHERE name = 'archive'")
                entries, at = (int(rows[0][0]), float(rows[0][1])) if rows else (0, 0.0)
                if entries and not first:
                    first = entries, at
                    meter = Meter(server, self.redis, self.postgresql)
                if entries >= self.count:
                    break
                server.check()
                if time.monotonic() > deadline:
                    raise StackError(f"the archive has {entries} of {self.count} messages after 600 s: {server.log_tail()}")
                time.sleep(POLL)
            if first[0] >= self.count:
                raise StackError("the archive was done with its first checkpoint: nothing to measure")
            rate = (entries - first[0]) / (at - first[1])
            cpu = meter.per_message(entries - first[0])
        finally:
            server.stop()
            watch.close()
        for table in ("message_exchange", "verdict"):
            if int(self.postgresql.value(f"SELECT count(*) FROM {table}")) != self.count:
                raise StackError(f"{table} does not have its {self.count} rows")
        return rate, cpu

    def export(self):
        """The rows that the stage wrote, in the order in which it wrote them."""
        for table in ("message_exchange", "verdict"):
            path = self.place.path(f"{table}.copy")
            columns = self.postgresql.value(f"SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '{table}'::regclass "
                                            "AND attnum > 0 AND NOT attisdropped AND attgenerated = ''")
            self.postgresql.run("meshlog", f"\\copy (SELECT {columns} FROM {table} ORDER BY partition, entry_ms, entry_seq) TO '{path}'")
            self.files[table] = columns, path
        self.days = [row[0] for row in self.days_of_rows()]

    def days_of_rows(self):
        session = PsqlSession(self.postgresql.url())
        try:
            return session.ask("SELECT DISTINCT (log_ts AT TIME ZONE 'UTC')::date FROM message_exchange")
        finally:
            session.close()

    def copy(self):
        """Rate and CPU time of \\copy into `message_exchange`, and of both tables one after the other."""
        self.postgresql.renew(self.options.meshlog, self.options.home)
        for day in self.days:
            self.postgresql.run("meshlog", f"SELECT meshlog_ensure_day(date '{day}')")
        seconds, cpu = [], []
        for table, (columns, path) in self.files.items():
            meter, before = Meter(self.postgresql), children_seconds()
            said = self.postgresql.run("meshlog", "\\timing on", f"\\copy {table} ({columns}) FROM '{path}'")
            seconds.append(float(re.search(r"Time: ([0-9.]+) ms", said).group(1)) / 1000)
            cpu.append({"psql": (children_seconds() - before) / self.count * 1e6} | meter.per_message(self.count))
        if int(self.postgresql.value("SELECT count(*) FROM message_exchange")) != self.count:
            raise StackError("\\copy did not bring all rows")
        together = {name: cpu[0][name] + cpu[1][name] for name in cpu[0]}
        return (self.count / seconds[0], cpu[0]), (self.count / sum(seconds), together)


def children_seconds():
    """CPU time of our children that have ended: psql, while we run it alone."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def bench(place, options, inputs):
    need("redis-server", "postgres", "initdb", "psql", "cc")
    message = inputs["real"] or inputs["fixed"]
    section = Section("archive", f"the archive stage, {message.words}, same PostgreSQL, same migrations, a new database each time")
    run = Run(place, options, message)
    one = section.add(Pairs(
        f"{run.count:,} messages with their verdicts", "\\copy of the message rows alone", "messages/s", TARGET, "the stage writes twice the rows"))
    both = section.add(Pairs(f"{run.count:,} messages with their verdicts", "\\copy of both tables, one by one", "messages/s"))
    for _ in range(options.pairs):
        rate, cpu = run.stage()
        if not run.files:
            run.export()
        (alone, alone_cpu), (together, together_cpu) = run.copy()
        one.add(rate, alone, (cpu, alone_cpu))
        both.add(rate, together, (cpu, together_cpu))
        options.progress(f"archive: {rate:,.0f} against {alone:,.0f} (messages alone) and {together:,.0f} (both tables) messages/s")
    size = sum(os.path.getsize(path) for _, path in run.files.values())
    section.notes = [
        "the stage reads the log, joins the verdicts, writes `message_exchange` and `verdict` and the checkpoint in transactions of up to 2,048 messages, "
        "with a commit to disk each; timed from its first checkpoint to its last, polled every 5 ms",
        f"\\copy reads {size / 1e6:,.0f} MB of the text that the first run's rows were exported to, in one transaction per table; timed by psql",
        "PostgreSQL as the embedded stack configures it, a CHECKPOINT before each run",
    ]
    run.postgresql.stop()
    run.redis.stop()
    return section
