"""The whole way with fifty constraints against the whole way without: the same stack, in turn."""
import json

from bench_report import Pairs, Section
from bench_servers import need
from bench_whole import Way
from http_client import HTTP
from stack import StackError


def constraints():
    """Fifty as people write them: most are about other topics, some look at every message, some act on all of them."""
    for number in range(30):
        yield {"constraint_id": f"bench-other-{number}", "scope": {"topics": [f"other{number}.>"]}, "when": "message.size > 100", "action": {"type": "block"}}
    for number in range(10):
        yield {"constraint_id": f"bench-word-{number}", "scope": {"topics": ["bench.>", "tasks.>"]}, "when": f"message.data.content.contains('secret word {number}')",
               "action": {"type": "block"}, "reason": "{{ message.source }} said word %d" % number}
    for number in range(5):
        yield {"constraint_id": f"bench-sender-{number}", "scope": {"sources": [f"sender-{number}"]}, "action": {"type": "hold"}}
    yield {"constraint_id": "bench-large", "when": "message.size > 900000", "action": {"type": "block"}}
    yield {"constraint_id": "bench-pattern", "when": "message.data.content.matches('(?i)(api[_-]?key|password)\\\\s*[:=]')", "mode": "shadow", "action": {"type": "block"}}
    yield {"constraint_id": "bench-limit", "scope": {"topics": ["bench.>", "tasks.>"]}, "action": {"type": "limit", "rate": 1000000, "period_ms": 1000, "burst": 1000000}}
    yield {"constraint_id": "bench-mark", "when": "message.metadata.turn > 40", "action": {"type": "annotate", "metadata": {"long": True}}}
    yield {"constraint_id": "bench-must", "when": "message.source != ''", "action": {"type": "require"}}


def call(client, answer, wanted):
    if answer.status not in wanted:
        raise StackError(f"answered {answer.status}: {answer.body.decode()}")
    return answer


def bench(place, options, inputs):
    need("redis-server", "postgres", "initdb", "nats-server", "psql", "cc")
    section = Section("policy", "the whole way with 50 constraints, against without: messages at once, until they are everywhere")
    count = 10_000 if options.quick else 30_000
    for message in (inputs["fixed"], inputs["real"]):
        if not message:
            continue
        way = Way(place, options, message, False)
        try:
            pairs = section.add(Pairs(f"{count:,} {message.words}", "without constraints", "messages/s", 0.85))
            client = HTTP(way.port)
            way.capacity(count // 5)
            for _ in range(max(options.pairs, 3)):
                bare = way.capacity(count)
                for constraint in constraints():
                    call(client, client.post("/v1/constraints", json.dumps(constraint).encode()), (200, 201))
                ruled = way.capacity(count)
                for constraint in constraints():
                    call(client, client.delete(f"/v1/constraints/{constraint['constraint_id']}"), (200, 204))
                pairs.add(ruled, bare)
                options.progress(f"policy {message.name}: {ruled:,.0f} against {bare:,.0f} messages/s")
            client.close()
        finally:
            way.close()
    section.notes = [
        "ours: 30 constraints about other topics, 10 that look for words in the payload, 5 about other senders, a size, a pattern in shadow, a limit that "
        "counts every message, an annotation, a requirement; both with ten projections running, `appendfsync always`, WebSocket door",
    ]
    return section
