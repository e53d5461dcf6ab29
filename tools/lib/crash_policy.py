"""Rules that are in force while things are killed, and the question afterwards whether they say again what they said."""
import json
import subprocess

from crash_checks import Check
from http_client import HTTP
from stack import StackError

# Nothing here keeps a message back, so that the other promises stay as they are; but all of it leaves its traces in the verdicts, and
# what limits remember must survive every kill for the traces to be the same.
CONSTRAINTS = (
    {"constraint_id": "crash-limit", "action": {"type": "limit", "rate": 1000000, "period_ms": 1000, "burst": 100000, "key": "message.topic"}},
    {"constraint_id": "crash-shadow-limit", "mode": "shadow", "action": {"type": "limit", "rate": 5, "period_ms": 1000, "burst": 20, "key": "message.via"}},
    {"constraint_id": "crash-shadow-block", "mode": "shadow", "when": "message.size % 3 == 0", "action": {"type": "block"}, "reason": "size {{ message.size }}"},
    {"constraint_id": "crash-mark", "when": "message.size > 200", "action": {"type": "annotate", "metadata": {"long": True}}},
)


def install(port):
    client = HTTP(port)
    try:
        for constraint in CONSTRAINTS:
            answer = client.put(f"/v1/constraints/{constraint['constraint_id']}", json.dumps(constraint).encode())
            if answer.status not in (200, 201):
                raise StackError(f"PUT of a constraint answered {answer.status}: {answer.body.decode()}")
    finally:
        client.close()


def verify(stack):
    check = Check("the logged policy over the log says again exactly what it said, limits included")
    done = subprocess.run(
        [stack.binary, "what-if", "--verify", "--json", "--home", stack.home, "--redis-url", f"redis://127.0.0.1:{stack.ports['redis']}",
         "--postgresql-url", stack.postgresql_url],
        capture_output=True, text=True, timeout=300, check=False)
    try:
        check.count = json.loads(done.stdout)["report"]["messages"]
    except (ValueError, KeyError):
        check.count = 0
    if done.returncode or not check.count:
        check.violations = [f"exit {done.returncode}: {done.stdout[:2000]} {done.stderr[:500]}"]
    return check
