"""Redis (RESP2), and how the log's streams are read with it."""
from wire import Wire


class RedisError(Exception):
    """An error that the server answered."""


class Redis:
    def __init__(self, port, timeout=10.0):
        self.wire = Wire(port, timeout)

    @staticmethod
    def format(*arguments):
        out = [b"*%d\r\n" % len(arguments)]
        for value in arguments:
            data = value if isinstance(value, bytes) else str(value).encode()
            out.append(b"$%d\r\n%b\r\n" % (len(data), data))
        return b"".join(out)

    def run(self, *arguments):
        """Sends one command; its answer, or `RedisError`."""
        self.wire.send(self.format(*arguments))
        reply = self.read()
        if isinstance(reply, RedisError):
            raise reply
        return reply

    def read(self):
        line = self.wire.read_line()
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.wire.read_exact(size + 2)[:-2]
        if kind == b"*":
            size = int(rest)
            return None if size < 0 else [self.read() for _ in range(size)]
        if kind == b":":
            return int(rest)
        if kind == b"-":
            return RedisError(rest.decode())
        return rest.decode()

    def pairs(self, *arguments):
        """An answer of names and values as a dictionary with text names."""
        return pairs(self.run(*arguments))

    def entries(self, stream, page=1000, after=None):
        """All entries of a stream in order, or those behind an id: (id, {field: bytes})."""
        start = f"({after}" if after else "-"
        while True:
            chunk = self.run("XRANGE", stream, start, "+", "COUNT", page)
            for identifier, fields in chunk:
                yield identifier.decode(), pairs(fields)
            if len(chunk) < page:
                return
            start = b"(" + chunk[-1][0]

    def close(self):
        self.wire.close()


def pairs(flat):
    return {flat[index].decode(): flat[index + 1] for index in range(0, len(flat), 2)}
