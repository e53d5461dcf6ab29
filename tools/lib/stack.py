"""Starts `meshlog up` in a folder, finds its servers, kills and stops them."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

SERVERS = ("redis", "postgresql", "nats")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


class StackError(Exception):
    pass


def find_binary(given):
    """The path of the binary to run, or `StackError` with what to do."""
    if not shutil.which("psql"):
        raise StackError("psql is missing: apt-get install postgresql-client")
    path = os.path.abspath(given or os.path.join(ROOT, ".build/release/meshlog"))
    if os.path.isfile(path) and os.access(path, os.X_OK):
        return path
    if given:
        raise StackError(f"{path} is no program")
    raise StackError(f"{path} is missing: run tools/up, or `swift build -c release --product meshlog`, or name a binary with --meshlog PATH")


def wait_for(condition, within, what, poll=0.05):
    """Waits until `condition()` is true, at most `within` seconds."""
    end = time.monotonic() + within
    while not (result := condition()):
        if time.monotonic() > end:
            raise StackError(f"{what}: not within {within:g} s")
        time.sleep(poll)
    return result


class Stack:
    """One data folder and the `meshlog up` that works in it. Start it from the main thread: its death signal goes with the thread."""

    def __init__(self, binary, home, prefix, keep=False):
        self.binary = binary
        self.home = os.path.abspath(home)
        self.keep = keep
        self.folder = tempfile.mkdtemp(prefix=prefix)
        # PostgreSQL runs as another user when root starts it, and must reach its part.
        os.chmod(self.folder, 0o755)
        self.data = os.path.join(self.folder, "data")
        self.process = None
        self.starts = 0
        self.ports = {"http": 0, "redis": 0, "postgresql": 0, "nats": 0}

    def start(self, within=90):
        """Starts it and returns the seconds until it said that it is up. Free ports the first time, the same ones afterwards."""
        began = time.monotonic()
        self.starts += 1
        self.output = os.path.join(self.folder, f"meshlog-{self.starts}.out")
        self.log = os.path.join(self.folder, f"meshlog-{self.starts}.log")
        command = [self.binary, "up", "--home", self.home, "--data", self.data, "--port", str(self.ports["http"])]
        for name in SERVERS:
            command += [f"--{name}-port", str(self.ports[name])]
        if not self.keep and shutil.which("setpriv"):
            # Should this tool be killed, the stack is told to stop.
            command = ["setpriv", "--pdeathsig", "TERM", "--"] + command
        # A session of its own: Ctrl-C reaches this tool, which then stops it in order. No settings of the caller's.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MESHLOG_")}
        with open(self.output, "wb") as out, open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, cwd=self.folder, env=environment, start_new_session=True)
        wait_for(self._is_up, within, "meshlog up did not get ready", poll=0.02)
        self.ports["http"] = int(re.search(r"http://[^\s:]+:(\d+)", self._said()).group(1))
        for name in SERVERS:
            self.ports[name] = self.report()[name]["port"]
        return time.monotonic() - began

    def _is_up(self):
        if self.process.poll() is not None:
            raise StackError(f"meshlog up ended by itself ({self.ending()}):\n{self._said()}{self.log_tail()}")
        return "Ctrl-C stops everything" in self._said()

    def _said(self):
        with open(self.output, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log_tail(self, lines=15):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])

    def report(self):
        """stack.json: where the servers are now."""
        with open(os.path.join(self.data, "stack.json"), encoding="utf-8") as file:
            return json.load(file)

    @property
    def postgresql_url(self):
        return self.report()["postgresql"]["url"]

    @property
    def ended(self):
        return self.process.poll() is not None

    def ending(self):
        code = self.process.poll()
        return "running" if code is None else f"signal {-code}" if code < 0 else f"exit code {code}"

    def server_pid(self, name):
        """The pid of a server if it is alive and a child of ours, else 0: a pid that was reused is never killed."""
        if name == "meshlog":
            return 0 if self.ended else self.process.pid
        pid = self.report()[name]["pid"]
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:
            return 0
        return pid if int(parent) == self.process.pid and state != "Z" else 0

    def kill(self, name):
        """kill -9; the pid that was killed."""
        pid = wait_for(lambda: self.server_pid(name), 30, f"{name} does not run")
        os.kill(pid, signal.SIGKILL)
        if name == "meshlog":
            self.process.wait()
        return pid

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def remove(self):
        """Removes the folder, and PostgreSQL's part when that had to lie elsewhere."""
        link = os.path.join(self.data, "postgresql")
        if os.path.islink(link):
            elsewhere = os.path.dirname(os.readlink(link))
            if elsewhere.startswith("/var/lib/meshlog/"):
                shutil.rmtree(elsewhere, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)
