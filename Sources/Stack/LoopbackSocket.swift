internal import Glibc

/// A blocking TCP connection to 127.0.0.1 for probes and tests, with a bound on every wait.
package struct LoopbackSocket: ~Copyable {
    private let descriptor: Int32

    /// Connects; nil when nobody listens.
    package init?(port: Int, within: Duration = .seconds(2)) {
        guard let descriptor = Self.open(port, { connect($0, $1.ai_addr, $1.ai_addrlen) == 0 }) else { return nil }
        var bound = timeval(
            tv_sec: Int(within.components.seconds), tv_usec: Int(within.components.attoseconds / 1_000_000_000_000))
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &bound, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &bound, size)
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Sends all of `bytes`; false when the connection is gone or the bound has passed.
    package func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let chunk = Array(rest)
            let count = Glibc.send(descriptor, chunk, chunk.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// What has arrived, at least one byte; nil at the end, on an error and after the bound.
    package func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    /// Receives text until `done` says so; nil when the connection ends or the bound passes before.
    package func receive(until done: (String) -> Bool) -> String? {
        var bytes: [UInt8] = []
        while bytes.count < StackLimits.answerBytesMax, let chunk = receive() {
            bytes += chunk
            let text = String(decoding: bytes, as: UTF8.self)
            if done(text) { return text }
        }
        return nil
    }

    static func canListen(on port: Int) -> Bool {
        guard let descriptor = open(port, listen) else { return false }
        close(descriptor)
        return true
    }

    /// Whether somebody else listens on the port of this address; false for what is no IPv4 address.
    static func isTaken(_ port: Int, host: String) -> Bool {
        var isTaken = false
        let descriptor = open(port, host: host) { descriptor, address in
            guard !listen(descriptor, address) else { return true }
            isTaken = errno == EADDRINUSE
            return false
        }
        if let descriptor { close(descriptor) }
        return isTaken
    }

    private static func listen(_ descriptor: Int32, _ address: addrinfo) -> Bool {
        var yes: Int32 = 1
        // As the servers do: a port whose last connections are only waiting to be forgotten is free.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        return bind(descriptor, address.ai_addr, address.ai_addrlen) == 0 && Glibc.listen(descriptor, 1) == 0
    }

    private static func open(_ port: Int, host: String = "127.0.0.1", _ use: (Int32, addrinfo) -> Bool) -> Int32? {
        var hints = addrinfo()
        hints.ai_family = AF_INET
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var list = hints.ai_next
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let first = list else { return nil }
        defer { freeaddrinfo(first) }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        guard use(descriptor, first.pointee) else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}
