"""The messages that tools/bench sends."""
import json
import os
import re

from stack import ROOT

REAL = os.path.join(ROOT, "../shared/data/agent-conversations.ndjson")
FIXED_BYTES = 300
PLACEHOLDER = "00000000-0000-4000-8000-000000000000"


class Input:
    """A file of messages, one a line: the same ones with and without `message_uuid`."""

    def __init__(self, place, name, words, lines):
        self.name = name
        self.words = words
        self.named = lines
        self.plain = [re.sub(r'"message_uuid": ?"[^"]*", ?', "", line, count=1) for line in lines]
        self.paths = {}
        for ids, these in ((True, self.named), (False, self.plain)):
            self.paths[ids] = place.path(f"{name}-{'ids' if ids else 'plain'}.ndjson")
            with open(self.paths[ids], "w", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in these)

    def average(self, ids):
        """The line whose size is nearest to the mean: what the yardstick, which sends one line over and over, sends."""
        lines = [line.encode() for line in (self.named if ids else self.plain)]
        mean = sum(map(len, lines)) / len(lines)
        return min(lines, key=lambda line: abs(len(line) - mean))


def fixed(place, size=FIXED_BYTES):
    """One message of exactly `size` bytes (without its id): envelope and data."""
    message = {
        "message_uuid": PLACEHOLDER, "topic": "bench.ingest.single", "source_subject_id": "bench-sender", "destination_subject_ids": ["bench-receiver"],
        "message_type": "statement", "message_metadata": {"task": "bench", "turn": 1}, "data": {"content": ""}}
    bare = {key: value for key, value in message.items() if key != "message_uuid"}
    text = "All of it is appended first, and everything else is a fold over that log. "
    room = size - len(json.dumps(bare))
    message["data"]["content"] = (text * (room // len(text) + 1))[:room]
    return Input(place, "fixed", f"{size}-byte messages", [json.dumps(message)])


def real(place):
    """The real messages, or None where they are not at hand."""
    if not os.path.exists(REAL):
        return None
    with open(REAL, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file if line.strip()]
    mean = sum(len(line.encode()) for line in lines) / len(lines)
    return Input(place, "real", f"real messages, mean {mean / 1000:.1f} kB", lines)
