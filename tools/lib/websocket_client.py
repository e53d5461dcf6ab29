"""WebSocket (RFC 6455): text messages out, whole messages in; pings are answered."""
import base64
import hashlib
import os
import struct

from wire import Disconnected, Wire

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class WebSocket:
    def __init__(self, port, path, timeout=10.0):
        self.wire = Wire(port, timeout)
        key = base64.b64encode(os.urandom(16))
        self.wire.send(
            b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: %b\r\nSec-WebSocket-Version: 13\r\n\r\n" % (path.encode(), key))
        status = self.wire.read_line()
        accept = b""
        while line := self.wire.read_line():
            name, _, value = line.partition(b":")
            if name.lower() == b"sec-websocket-accept":
                accept = value.strip()
        if b" 101 " not in status:
            raise ConnectionError(f"no upgrade: {status.decode()}")
        if accept != base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()):
            raise ConnectionError("the server's Sec-WebSocket-Accept does not fit the key")

    def send_text(self, data):
        self.wire.send(self.frame(TEXT, data))

    @staticmethod
    def frame(opcode, data):
        size = len(data)
        if size < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
        elif size < 65536:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
        mask = os.urandom(4)
        # XOR as one long integer: bytewise would be the slowest part of the tools.
        stream = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")
        return head + mask + masked

    def readable(self, timeout):
        return self.wire.readable(timeout)

    def receive(self):
        """The next text or binary message."""
        message = b""
        while True:
            first, second = self.wire.read_exact(2)
            size = second & 0x7F
            if size == 126:
                size, = struct.unpack("!H", self.wire.read_exact(2))
            elif size == 127:
                size, = struct.unpack("!Q", self.wire.read_exact(8))
            data = self.wire.read_exact(size)
            opcode = first & 0x0F
            if opcode == CLOSE:
                raise Disconnected(f"closed by the server with {int.from_bytes(data[:2], 'big')}")
            if opcode == PING:
                self.wire.send(self.frame(PONG, data))
            elif opcode != PONG:
                message += data
                if first & 0x80:
                    return message

    def close(self):
        try:
            self.wire.send(self.frame(CLOSE, b"\x03\xe8"))
        except OSError:
            pass
        self.wire.close()
