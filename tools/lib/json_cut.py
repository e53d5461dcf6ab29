"""Cuts the members of a JSON object out of its text, byte for byte."""
import json
import re

SPACE = re.compile(r"[ \t\r\n]*")
DECODER = json.JSONDecoder()


def members(line):
    """{key: the value's own bytes} of the object in `line` (bytes of UTF-8).

    The values are slices of the text. The decoder only finds where each ends; what it makes of them is thrown away. UTF-8 has one
    form of each character, so decoding the text and encoding a slice gives the slice's bytes.
    """
    text = line.decode()
    found = {}
    at = skip(text, 0, "{")
    if text[at] == "}":
        return found
    while True:
        key, at = DECODER.raw_decode(text, at)
        start = skip(text, at, ":")
        _, end = DECODER.raw_decode(text, start)
        found[key] = text[start:end].encode()
        at = SPACE.match(text, end).end()
        if text[at] == "}":
            return found
        at = skip(text, at, ",")


def skip(text, at, mark):
    """The place of the next value behind `mark` and the space around it."""
    at = SPACE.match(text, at).end()
    if text[at] != mark:
        raise ValueError(f"'{mark}' expected at {at}, found '{text[at]}'")
    return SPACE.match(text, at + 1).end()
