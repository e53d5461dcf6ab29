"""The servers that tools/bench compares, each a private child process on 127.0.0.1 that dies with the tool."""
import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from psql import PostgreSQL
from redis_client import Redis
from stack import ROOT, StackError, wait_for

PACKAGES = {
    "redis-server": "redis-server", "redis-benchmark": "redis-tools", "wrk": "wrk", "webdis": "webdis", "nats-server": "nats-server",
    "psql": "postgresql-client-15", "postgres": "postgresql-15", "setpriv": "util-linux", "cc": "gcc libc6-dev",
}


class Missing(Exception):
    """Programs that are not here, as Debian names their packages."""


def program(name):
    """Where a program lies; PostgreSQL's server programs and what is in sbin are not in everybody's PATH."""
    if name in ("postgres", "initdb"):
        folders = [f"/usr/lib/postgresql/{version}/bin" for version in sorted(os.listdir("/usr/lib/postgresql"), key=int, reverse=True)] \
            if os.path.isdir("/usr/lib/postgresql") else []
        found = shutil.which(name, path=":".join(folders)) if folders else None
    else:
        found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")
    if not found:
        raise Missing(f"{name} is not installed: apt-get install {PACKAGES.get(name, name)}")
    return found


def need(*names):
    """Names all that is missing at once."""
    missing = []
    for name in names:
        try:
            program(name)
        except Missing:
            missing.append(name)
    if missing:
        packages = " ".join(dict.fromkeys(PACKAGES.get(name, name) for name in missing))
        raise Missing(f"{', '.join(missing)} not installed: apt-get install --no-install-recommends {packages}")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Place:
    """The folder of one run and all that was started in it; `with` stops and removes everything on every path."""

    def __init__(self, parent=None, keep=False):
        self.parent = parent
        self.keep = keep

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="meshlog-bench-", dir=self.parent)
        os.chmod(self.folder, 0o755)  # PostgreSQL runs as another user
        self.exits = contextlib.ExitStack()
        return self

    def __exit__(self, *_):
        try:
            self.exits.close()
        finally:
            if not self.keep:
                shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)


def process_fields(pid):
    """Fields 3 and up of /proc/PID/stat: state, parent, … (proc(5))."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def own_seconds(pid):
    """CPU time of one process."""
    fields = process_fields(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """CPU time of a process, of its children that have ended, and of those that live."""
    ticks = sum(int(value) for value in process_fields(pid)[11:15])
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = process_fields(entry)
        except OSError:
            continue
        if int(fields[1]) == pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) * 1024


class Child:
    """A process of ours. Its log is kept for the error message, should it end by itself."""

    def __init__(self, place, name, command, stop=signal.SIGTERM, death="KILL", account=None, environment=None):
        self.name = name
        self.stop_signal = stop
        self.log = place.path(f"{name}.log")
        self.output = place.path(f"{name}.out")
        prefix = [program("setpriv"), "--pdeathsig", death]
        if account:
            prefix += ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups"]
        variables = {key: value for key, value in (environment or os.environ).items() if not key.startswith(("MESHLOG_", "PG"))}
        with open(self.output, "wb") as out, open(self.log, "ab") as log:
            # A session of its own, so that Ctrl-C reaches this tool alone, which then stops all in order.
            self.process = subprocess.Popen(
                prefix + ["--"] + command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, cwd=place.folder, env=variables, start_new_session=True)
        place.exits.callback(self.stop)

    @property
    def pid(self):
        return self.process.pid

    def check(self):
        if self.process.poll() is not None:
            raise StackError(f"{self.name} ended by itself ({self.process.returncode}):\n{self.said()}{self.log_tail()}")

    def said(self):
        with open(self.output, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log_tail(self, lines=15):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])

    def cpu_seconds(self):
        """CPU time so far, with its children's: PostgreSQL works in them."""
        return cpu_seconds(self.pid)

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Meter:
    """CPU time of some processes over a stretch, per message."""

    def __init__(self, *children):
        self.children = children
        self.began = [child.cpu_seconds() for child in children]

    def per_message(self, count):
        """µs by name of process."""
        return {child.name: (child.cpu_seconds() - began) / count * 1e6 for child, began in zip(self.children, self.began)}


class RedisServer(Child):
    """As the embedded stack configures it, but never rewriting its file in the middle of a measurement."""

    def __init__(self, place):
        self.port = free_port()
        folder = place.path("redis")
        os.makedirs(folder, exist_ok=True)
        settings = {
            "bind": "127.0.0.1", "port": self.port, "dir": folder, "save": "", "appendonly": "yes", "appendfsync": "everysec",
            "maxmemory-policy": "noeviction", "no-appendfsync-on-rewrite": "no", "aof-use-rdb-preamble": "yes", "auto-aof-rewrite-percentage": 0,
        }
        command = [program("redis-server")]
        for name, value in settings.items():
            command += [f"--{name}", str(value)]
        super().__init__(place, "redis", command)
        self.client = wait_for(self._answers, 30, "redis-server did not answer", poll=0.02)

    def _answers(self):
        self.check()
        try:
            client = Redis(self.port, timeout=60)
            client.run("PING")
            return client
        except OSError:
            return None

    def prepare(self, fsync):
        """An empty server with an empty file and this sync policy; returns when it is at rest."""
        self.client.run("CONFIG", "SET", "appendfsync", "no")
        self.client.run("FLUSHALL", "SYNC")
        wait_for(self._is_at_rest, 60, "redis-server does not come to rest", poll=0.02)
        self.client.run("BGREWRITEAOF")
        wait_for(self._is_at_rest, 60, "redis-server does not finish its file", poll=0.02)
        self.client.run("CONFIG", "SET", "appendfsync", fsync)

    def _is_at_rest(self):
        info = self.client.run("INFO", "persistence").decode()
        return "aof_rewrite_in_progress:0" in info and "aof_rewrite_scheduled:0" in info

    def added(self, stream):
        """Entries ever added to a stream; 0 when there is none."""
        if not self.client.run("EXISTS", stream):
            return 0
        return self.client.pairs("XINFO", "STREAM", stream)["entries-added"]

    def last(self, stream):
        """The fields of the last entry."""
        fields = self.client.run("XREVRANGE", stream, "+", "-", "COUNT", "1")[0][1]
        return {fields[index].decode(): fields[index + 1] for index in range(0, len(fields), 2)}


class Webdis(Child):
    """Debian's webdis with Debian's number of threads and webdis's own pool size; nothing logged."""
    THREADS = 2
    POOL = 20

    def __init__(self, place, redis_port):
        self.port = free_port()
        path = place.path("webdis.json")
        with open(path, "w", encoding="ascii") as file:
            json.dump({
                "redis_host": "127.0.0.1", "redis_port": redis_port, "redis_auth": None, "http_host": "127.0.0.1", "http_port": self.port,
                "threads": self.THREADS, "pool_size": self.POOL, "daemonize": False, "websockets": False, "database": 0, "acl": [{"disabled": ["DEBUG"]}],
                "verbosity": 0, "logfile": "/dev/null"}, file)
        super().__init__(place, "webdis", [program("webdis"), path])
        wait_for(self._listens, 15, "webdis did not listen", poll=0.02)

    def _listens(self):
        self.check()
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0


class MeshlogServer(Child):
    """`meshlog serve` with these roles; ready when this returns."""

    def __init__(self, place, binary, home, redis_port, roles, *arguments):
        command = [binary, "serve", "--home", home, "--port", "0", "--redis-url", f"redis://127.0.0.1:{redis_port}", "--roles", roles,
                   "--nats-subject", "", "--jetstream-subject", "", "--list", "", "--trim-interval", "24h", "--log-level", "warning", *arguments]
        super().__init__(place, "meshlog", command)
        self.port = int(wait_for(self._address, 60, "meshlog serve did not get ready", poll=0.02).group(1))

    def _address(self):
        self.check()
        return re.search(r"meshlog serves http://[^\s:]+:(\d+)", self.said())


class PostgreSQLServer(Child):
    """As the embedded stack configures it."""

    def __init__(self, place):
        self.port = free_port()
        account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        folder = place.path("postgresql")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
        data = os.path.join(folder, "data")
        prefix = [program("setpriv"), "--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--"] if account else []
        made = subprocess.run(
            prefix + [program("initdb"), "--pgdata", data, "--username", "meshlog", "--auth", "trust", "--encoding", "UTF8", "--locale", "C",
                      "--no-instructions"], capture_output=True, text=True, cwd=folder, timeout=120, check=False)
        if made.returncode:
            raise StackError(f"initdb: {made.stderr.strip()}")
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "max_connections": 50, "shared_buffers": "128MB",
            "huge_pages": "off", "work_mem": "8MB", "maintenance_work_mem": "64MB", "effective_io_concurrency": 16, "fsync": "on",
            "synchronous_commit": "on", "wal_compression": "on", "max_wal_size": "2GB", "min_wal_size": "128MB", "checkpoint_timeout": "10min",
            "wal_level": "replica", "max_wal_senders": 2, "jit": "off", "max_locks_per_transaction": 256, "timezone": "UTC", "datestyle": "iso, ymd",
        }
        command = [program("postgres"), "-D", data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        super().__init__(place, "postgresql", command, stop=signal.SIGINT, death="QUIT", account=account)
        wait_for(self._answers, 60, "PostgreSQL did not answer", poll=0.1)

    def url(self, database="meshlog"):
        return f"postgresql://meshlog@127.0.0.1:{self.port}/{database}"

    def run(self, database, *commands):
        """Runs SQL or psql's own commands, each by itself; what was printed, as text."""
        words = [program("psql"), self.url(database), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        for command in commands:
            words += ["-c", command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            raise StackError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def value(self, query):
        return PostgreSQL(self.url()).value(query)

    def renew(self, binary, home):
        """A new database with the migrations' tables, and nothing left to write from what was before."""
        self.run("postgres", "DROP DATABASE IF EXISTS meshlog WITH (FORCE)", "CREATE DATABASE meshlog")
        done = subprocess.run([binary, "migrate", "--home", home, "--postgresql-url", self.url()], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise StackError(f"meshlog migrate: {done.stderr.strip()}")
        self.run("postgres", "CHECKPOINT")

    def _answers(self):
        self.check()
        try:
            return self.run("postgres", "SELECT 1") == "1"
        except StackError:
            return False


class PsqlSession:
    """One psql that stays connected, for questions that come every few milliseconds."""

    def __init__(self, url):
        self.process = subprocess.Popen(
            [program("psql"), url, "-X", "-q", "-A", "-t", "-F", "\t"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, bufsize=1)

    def ask(self, query):
        """The rows as lists of text."""
        self.process.stdin.write(query + ";\n\\echo :end\n")
        self.process.stdin.flush()
        rows = []
        for line in self.process.stdout:
            if line == ":end\n":
                return rows
            rows.append(line.rstrip("\n").split("\t"))
        raise StackError(f"psql ended: {rows}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


class Loader:
    """Runs tools/lib/bench_load.c, compiled into the run's folder."""

    def __init__(self, place):
        self.path = place.path("bench_load")
        source = os.path.join(ROOT, "tools/lib/bench_load.c")
        built = subprocess.run([program("cc"), "-O2", "-o", self.path, source], capture_output=True, text=True, timeout=60, check=False)
        if built.returncode:
            raise StackError(f"cc: {built.stderr.strip()}")

    def start(self, mode, **options):
        command = [self.path, mode]
        for name, value in options.items():
            if value is True:
                command.append(f"--{name}")
            elif value is not False and value is not None:
                command += [f"--{name}", str(value)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def finish(process, timeout):
        """Its report; raises when it could not run or anything was refused."""
        try:
            out, error = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as late:
            process.kill()
            process.communicate()
            raise StackError(f"the load generator did not end within {timeout:g} s") from late
        if process.returncode:
            raise StackError(error.strip())
        report = json.loads(out)
        if report["problem"] or report["refused"] or report["duplicates"] or report["acknowledged"] != report["sent"]:
            raise StackError(f"of {report['sent']} messages {report['acknowledged']} were acknowledged: {report['problem'] or 'no reason given'}")
        return report

    def run(self, mode, timeout=180, **options):
        return self.finish(self.start(mode, **options), timeout)
