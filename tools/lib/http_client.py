"""HTTP/1.1 over one connection that is kept alive."""
import json

from wire import Wire


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


class HTTP:
    def __init__(self, port, timeout=10.0):
        self.wire = Wire(port, timeout)

    def post(self, path, body, content_type="application/json", headers=()):
        """Posts `body`: bytes, or a list of bytes that go out one by one, as chunks of an unknown number."""
        pieces = body if isinstance(body, list) else None
        length = "Transfer-Encoding: chunked" if pieces else f"Content-Length: {len(body)}"
        head = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {content_type}", length]
        head += [f"{name}: {value}" for name, value in headers]
        start = ("\r\n".join(head) + "\r\n\r\n").encode()
        if pieces:
            self.wire.send(start)
            for piece in pieces:
                self.wire.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wire.send(b"0\r\n\r\n")
        else:
            self.wire.send(start + body)
        return self.read()

    def get(self, path):
        return self.bare("GET", path)

    def delete(self, path):
        return self.bare("DELETE", path)

    def put(self, path, body, content_type="application/json"):
        head = f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wire.send(head.encode() + body)
        return self.read()

    def bare(self, method, path):
        self.wire.send(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        return self.read()

    def read(self):
        status = int(self.wire.read_line().split(b" ", 2)[1])
        headers = {}
        while line := self.wire.read_line():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.wire.read_line().split(b";")[0], 16):
                body += self.wire.read_exact(size)
                self.wire.read_line()
            self.wire.read_line()
        else:
            body = self.wire.read_exact(int(headers.get("content-length", "0")))
        return Answer(status, headers, body)

    def close(self):
        self.wire.close()
