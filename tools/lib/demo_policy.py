"""The messages once more, as new ones, under the rules of examples/policy.yaml: what they say must be what the file says."""
import json
import os
import re
import subprocess

from http_client import HTTP
from quiet import stream, wait_until_quiet
from redis_client import Redis
from stack import ROOT, StackError

POLICY = os.path.join(ROOT, "examples/policy.yaml")
SECRET = re.compile(r'(?i)["\x27]?(api[_-]?key|secret|passw(or)?d|(access|auth)?[_-]?token)["\x27]?\s*[:=]\s*["\x27]?[A-Za-z0-9_.+/-]{16,}')


def expected(line):
    """What the rules that need no count say about a line: (outcome, rule), or nothing."""
    fields = json.loads(line.body)
    kind = line.topic.split(".")[2] if line.topic.count(".") == 2 else ""
    content = json.loads(line.data).get("content", "")
    if kind == "termination":
        return "hold", "hold-terminations"
    if kind in ("tool_output", "report") and (SECRET.search(content) or "-----BEGIN" in content):
        return "block", "no-secrets-in-output"
    if kind == "question" and fields.get("source_subject_id") == "human":
        return "reroute", "questions-to-the-desk"
    if kind in ("thought", "statement"):
        return None
    return "deliver", "default"


def demonstrate(stack, binary, lines, report, within):
    report.head("Under examples/policy.yaml, as new messages")
    url = f"http://127.0.0.1:{stack.ports['http']}"
    done = subprocess.run([binary, "constraints", "apply", POLICY, "--url", url], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise StackError(f"constraints apply: {done.stdout}{done.stderr}")
    redis = Redis(stack.ports["redis"])
    before = redis.pairs("XINFO", "STREAM", stream("messages"))["last-generated-id"].decode()
    client = HTTP(stack.ports["http"], timeout=60.0)
    body = b"".join(re.sub(rb'"message_uuid": ?"[^"]*", ?', b"", line.body, count=1) + b"\n" for line in lines)
    answer = client.post("/v1/messages", body, "application/x-ndjson")
    client.close()
    report.check(f"accepted: {len(lines):,}", answer.status == 200 and answer.json()["accepted"] == len(lines), [answer.body[:300].decode()])
    _, busy = wait_until_quiet(stack.ports["redis"], stack.ports["nats"], within, report.note, lambda: not stack.ended)
    report.check("quiet", not busy, busy)
    verdicts = list(redis.entries(stream("verdicts"), after=before))
    report.same("verdicts", len(verdicts), len(lines))
    wrong, counts = [], {}
    for line, (identifier, fields) in zip(lines, verdicts):
        outcome, rule = fields["outcome"].decode(), fields["rule"].decode()
        counts[outcome] = counts.get(outcome, 0) + 1
        wanted = expected(line)
        # The limit's count depends on the time at which they came: it may block, or not; never more than that.
        if (outcome, rule) != wanted and not (wanted is None and (outcome, rule) in (("deliver", "default"), ("block", "chatty-agents"))):
            wrong.append(f"line {line.number}, {identifier}: {outcome} by {rule}, expected {wanted}")
    report.check("every verdict is what the rules say: " + ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(counts.items())), not wrong, wrong)
    # Asked as of the last event: the sessions are a projection, which may be a moment behind.
    last = redis.pairs("XINFO", "STREAM", stream("sessions"))["last-generated-id"].decode()
    behind = f"Meshlog-Min-Position: 0-{last}"
    open_sessions = json.loads(
        subprocess.run(["curl", "-s", "-H", behind, f"{url}/v1/sessions?limit=1000"], capture_output=True, check=True, timeout=30).stdout)
    report.same("terminations that wait for a person", len(open_sessions["sessions"]), counts.get("hold", 0))
    verify = subprocess.run(
        [binary, "what-if", "--verify", "--json", "--home", ROOT, "--redis-url", f"redis://127.0.0.1:{stack.ports['redis']}", "--postgresql-url", stack.postgresql_url],
        capture_output=True, text=True, timeout=300, check=False)
    report.check("the logged policy over the log says again exactly what it said", verify.returncode == 0, [verify.stdout[:300], verify.stderr[:300]])
