internal import CHiredis
internal import Glibc

/// One blocking connection to Redis, used by one thread at a time. hiredis makes the connection; what goes over it is written and read here.
///
/// A failure of the transport closes it for good (`isBroken`); the owner makes a new one. Replies are lent, never stored.
package final class RedisSession {
    private let context: UnsafeMutablePointer<redisContext>
    private let reader = ReplyReader()
    package let endpoint: RedisEndpoint
    package private(set) var isBroken = false

    /// Connects, logs in, selects the database and names the connection.
    ///
    /// - Parameter timeout: for connecting, and for each answer (a blocking read's own wait must be shorter).
    package init(_ endpoint: RedisEndpoint, name: String, timeout: Duration = .seconds(5)) throws(RedisError) {
        self.endpoint = endpoint
        let wait = RedisSession.timeval(timeout)
        guard let context = redisConnectWithTimeout(endpoint.host, Int32(endpoint.port), wait) else { throw .unavailable("out of memory") }
        self.context = context
        guard context.pointee.err == 0 else {
            let text = RedisSession.errorText(context)
            isBroken = true
            throw .unavailable("\(endpoint.description): \(text)")
        }
        redisSetTimeout(context, wait)
        redisEnableKeepAlive(context)
        if let password = endpoint.password {
            try check(call("AUTH", endpoint.user.map { [$0, password] } ?? [password]))
        }
        if endpoint.database != 0 { try check(call("SELECT", [String(endpoint.database)])) }
        try check(call("CLIENT", ["SETNAME", name.replacing(" ", with: "-")]))
    }

    deinit { redisFree(context) }

    /// How long each answer may take from here on.
    package func setTimeout(_ timeout: Duration) { redisSetTimeout(context, RedisSession.timeval(timeout)) }

    /// Whether the server has hung up while nobody asked it anything, or has sent what nobody asked for; then it is closed.
    ///
    /// - Cost: one system call, which does not wait. Not while an answer is on its way.
    package func isHungUp() -> Bool {
        guard !isBroken else { return true }
        var byte: UInt8 = 0
        if recv(context.pointee.fd, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) < 0, errno == EAGAIN || errno == EINTR { return false }
        isBroken = true
        return true
    }

    /// Sends commands without waiting for their answers, straight from the writer's bytes.
    package func send(_ commands: RESPWriter) throws(RedisError) {
        guard !isBroken else { throw .unavailable("the connection is closed") }
        var fault: Int32 = 0
        commands.bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty, fault == 0 {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let sent = Glibc.send(context.pointee.fd, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
                if sent >= 0 { rest = rest.dropFirst(sent) } else if errno != EINTR { fault = errno }
            }
        }
        if fault != 0 { throw broken(fault) }
    }

    /// Waits for the next answer and lends it.
    package func receive<R>(_ body: (RedisReply) -> R) throws(RedisError) -> R {
        guard !isBroken else { throw .unavailable("the connection is closed") }
        reader.begin()
        while try !advance() {
            let room = reader.room
            let count = Glibc.recv(context.pointee.fd, room.baseAddress, room.count, 0)
            if count > 0 { reader.took(count) } else if count == 0 || errno != EINTR { throw broken(count == 0 ? 0 : errno) }
        }
        return reader.lend(body)
    }

    private func advance() throws(RedisError) -> Bool {
        do {
            return try reader.advance()
        } catch {
            isBroken = true
            throw .unexpectedReply("the bytes are none of the Redis protocol")
        }
    }

    /// Sends all commands and returns their answers in order; errors of single commands are values.
    package func pipeline(_ commands: RESPWriter) throws(RedisError) -> [RedisValue] {
        try send(commands)
        var values: [RedisValue] = []
        values.reserveCapacity(commands.commands)
        for _ in 0..<commands.commands { values.append(try receive { $0.value }) }
        return values
    }

    /// One command, one answer.
    package func call(_ name: StaticString, _ arguments: [String] = []) throws(RedisError) -> RedisValue {
        var writer = RESPWriter()
        writer.command(name, arguments)
        try send(writer)
        return try receive { $0.value }
    }

    /// One command whose refusal by the server is thrown.
    @discardableResult
    package func run(_ name: StaticString, _ arguments: [String] = []) throws(RedisError) -> RedisValue {
        let value = try call(name, arguments)
        if case .error(let text) = value { throw .server(text) }
        return value
    }

    private func check(_ value: RedisValue) throws(RedisError) {
        if case .error(let text) = value {
            isBroken = true
            throw .server(text)
        }
    }

    /// - Parameter code: `errno`; 0 when the server has hung up.
    private func broken(_ code: Int32) -> RedisError {
        isBroken = true
        // An expired SO_RCVTIMEO or SO_SNDTIMEO is told as EAGAIN.
        if code == EAGAIN { return .timedOut(endpoint.description) }
        return .unavailable("\(endpoint.description): \(code == 0 ? "the server has closed the connection" : String(cString: strerror(code)))")
    }

    private static func errorText(_ context: UnsafeMutablePointer<redisContext>) -> String {
        withUnsafePointer(to: &context.pointee.errstr) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 128) { String(cString: $0) }
        }
    }

    private static func timeval(_ duration: Duration) -> Glibc.timeval {
        let (seconds, attoseconds) = duration.components
        return Glibc.timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}
