internal import CHiredis
internal import Foundation

/// One blocking connection to Redis, used by one thread at a time.
///
/// A failure of the transport closes it for good (`isBroken`); the owner makes a new one. Replies are lent, never stored.
package final class RedisSession {
    private let context: UnsafeMutablePointer<redisContext>
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

    /// Sends commands without waiting for their answers.
    package func send(_ commands: RESPWriter) throws(RedisError) {
        guard !isBroken else { throw .unavailable("the connection is closed") }
        let status = commands.bytes.withUnsafeBytes { bytes in
            redisAppendFormattedCommand(context, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        guard status == REDIS_OK else { throw broken() }
        var done: Int32 = 0
        while done == 0 {
            guard redisBufferWrite(context, &done) == REDIS_OK else { throw broken() }
        }
    }

    /// Waits for the next answer and lends it.
    package func receive<R>(_ body: (RedisReply) -> R) throws(RedisError) -> R {
        guard !isBroken else { throw .unavailable("the connection is closed") }
        var raw: UnsafeMutableRawPointer?
        guard redisGetReply(context, &raw) == REDIS_OK, let raw else { throw broken() }
        defer { freeReplyObject(raw) }
        return body(RedisReply(raw.assumingMemoryBound(to: redisReply.self)))
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

    private func broken() -> RedisError {
        isBroken = true
        let text = RedisSession.errorText(context)
        // hiredis reports an expired SO_RCVTIMEO as an I/O error with EAGAIN.
        let late = context.pointee.err == REDIS_ERR_IO && text.contains("temporarily unavailable")
        return late ? .timedOut(endpoint.description) : .unavailable("\(endpoint.description): \(text)")
    }

    private static func errorText(_ context: UnsafeMutablePointer<redisContext>) -> String {
        withUnsafePointer(to: &context.pointee.errstr) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 128) { String(cString: $0) }
        }
    }

    private static func timeval(_ duration: Duration) -> Foundation.timeval {
        let (seconds, attoseconds) = duration.components
        return Foundation.timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}
