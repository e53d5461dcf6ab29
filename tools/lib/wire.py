"""A TCP connection with a read buffer: what the small clients of this folder have in common."""
import select
import socket


class Disconnected(ConnectionError):
    """The other side closed the connection."""


class Wire:
    def __init__(self, port, timeout=10.0, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.at = 0

    def send(self, data):
        self.socket.sendall(data)

    def readable(self, timeout):
        """Whether something can be read within `timeout` seconds; what is half there counts."""
        return self.at < len(self.buffer) or bool(select.select([self.socket], [], [], max(0.0, timeout))[0])

    def read_line(self):
        """The next line, without its CR LF."""
        end = self.buffer.find(b"\r\n", self.at)
        while end < 0:
            self._more()
            end = self.buffer.find(b"\r\n", self.at)
        line = self.buffer[self.at:end]
        self.at = end + 2
        return line

    def read_exact(self, count):
        while len(self.buffer) - self.at < count:
            self._more()
        data = self.buffer[self.at:self.at + count]
        self.at += count
        return data

    def close(self):
        self.socket.close()

    def _more(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise Disconnected("the connection was closed")
        self.buffer = self.buffer[self.at:] + data
        self.at = 0
