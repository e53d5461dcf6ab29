"""Tells whether everything that came in has passed every stage."""
import time

from nats_client import NATS, NATSError
from redis_client import Redis, RedisError, pairs

LIST = "MESSAGES"
DOOR_STREAM = "MESHLOG_DOOR"
BACKBONE_STREAM = "MESHLOG"
STREAMS = ("messages", "verdicts", "deliveries")


def stream(name):
    return f"meshlog:{{m0}}:{name}"


def unrest(redis, nats):
    """What is still under way, in words; empty when all is quiet."""
    busy = []
    for name in (LIST, f"{LIST}:processing"):
        if count := redis.run("LLEN", name):
            busy.append(f"{count} in list {name}")
    consumer = nats.api(f"CONSUMER.INFO.{DOOR_STREAM}.meshlog")
    if count := consumer["num_pending"] + consumer["num_ack_pending"]:
        busy.append(f"{count} in the JetStream door")
    lengths = {}
    for name in STREAMS:
        info = redis.pairs("XINFO", "STREAM", stream(name))
        lengths[name] = info["length"]
        for flat in redis.run("XINFO", "GROUPS", stream(name)):
            group = pairs(flat)
            title = f"{name}/{group['name'].decode()}"
            if group["pending"]:
                busy.append(f"{title}: {group['pending']} pending")
            if group["last-delivered-id"] != info["last-generated-id"]:
                busy.append(f"{title}: at {group['last-delivered-id'].decode()} of {info['last-generated-id'].decode()}, lag {group['lag']}")
    if lengths["messages"] != lengths["verdicts"]:
        busy.append(f"{lengths['messages']} messages, {lengths['verdicts']} verdicts")
    return busy


def wrong_lags(redis):
    """Groups at the end of their stream for which Redis's XINFO GROUPS still tells a lag.

    The cursor is the truth. Redis 7.0 loses count of `entries-read` when it restarts from an AOF that has been rewritten.
    """
    wrong = []
    for name in STREAMS:
        end = redis.pairs("XINFO", "STREAM", stream(name))["last-generated-id"]
        for group in map(pairs, redis.run("XINFO", "GROUPS", stream(name))):
            if group["last-delivered-id"] == end and group["lag"]:
                wrong.append(f"{name}/{group['name'].decode()}: {group['lag']}")
    return wrong


def wait_until_quiet(redis_port, nats_port, within, say=None, alive=lambda: True):
    """Waits until nothing is under way. Returns (seconds, what was left when time ran out)."""
    began = said = time.monotonic()
    busy = ["not looked yet"]
    while time.monotonic() - began < within and alive():
        connections = []
        try:
            connections += [redis := Redis(redis_port), nats := NATS(nats_port)]
            while time.monotonic() - began < within and alive():
                busy = unrest(redis, nats)
                if not busy:
                    return time.monotonic() - began, []
                if say and time.monotonic() - said > 5:
                    say("waiting: " + "; ".join(busy))
                    said = time.monotonic()
                time.sleep(0.1)
        except (OSError, RedisError, NATSError) as error:
            busy = [f"not reachable: {error}"]
            time.sleep(0.2)
        finally:
            for connection in connections:
                connection.close()
    return time.monotonic() - began, busy
