internal import Core
internal import RedisDriver

/// Appends between MULTI and EXEC: they are written to disk together, and are in the log all or none.
enum AppendTransaction {
    static let begin = command("MULTI")
    static let end = command("EXEC")

    private static func command(_ name: StaticString) -> RESPWriter {
        var writer = RESPWriter()
        writer.command(name)
        return writer
    }

    /// Reads the replies of `begin`, of `count` appends and of `end`.
    ///
    /// - Throws: the connection broke; whether anything is in the log is not known.
    static func outcomes(_ count: Int, _ session: RedisSession) throws(RedisError) -> [AppendOutcome] {
        // A user who may not use MULTI has sent single commands.
        let isRefused = try session.receive { $0.kind == .error }
        if isRefused {
            var outcomes: [AppendOutcome] = []
            for _ in 0..<count { outcomes.append(try session.receive(Appender.outcome)) }
            try session.receive { _ in }
            return outcomes
        }
        // What Redis does not even queue makes it refuse the whole.
        var refusals: [Int: String] = [:]
        for index in 0..<count {
            if let refusal = try session.receive({ $0.kind == .error ? $0.string : nil }) { refusals[index] = refusal }
        }
        return try session.receive { reply in
            if reply.kind == .array, reply.count == count { return (0..<count).map { Appender.outcome(reply[$0]) } }
            guard reply.kind == .error else { return Array(repeating: .failed(.protocolFault("EXEC answered no array of \(count)")), count: count) }
            let whole = reply.string
            return (0..<count).map { .failed(LogError(.server(refusals[$0] ?? whole))) }
        }
    }
}
