package import Core
package import RedisDriver

/// Reads ranges of the log by position, oldest first.
package struct LogReader: Sendable {
    package let keys: LogKeys

    package init(keys: LogKeys) { self.keys = keys }

    /// Messages with their verdicts, behind `after`, oldest first: at most `count`, and no more once they have `bytes` bytes. Only what
    /// has been decided is there.
    ///
    /// - Parameter chunk: entries of the first round trips, which grow fourfold while they have not `bytes`; few, where `bytes` is little.
    /// - Cost: two round trips for each chunk; a verdict has the id of its message, so the two ranges are the same.
    /// - Bounds: `bytes` and one chunk of the largest messages.
    /// - Throws: `.unexpectedReply` when a verdict's message is gone, which trimming never does.
    package func decided(
        after: Position, count: Int, bytes: Int = Limits.readBatchBytesTarget, chunk: Int = LogReader.chunk, _ session: RedisSession
    ) throws(RedisError) -> [DecidedMessage] {
        var out: [DecidedMessage] = []
        var size = 0
        var chunk = chunk
        while out.count < count, size < bytes {
            let asked = min(chunk, count - out.count)
            chunk = min(LogReader.chunk, 4 * chunk)
            let part = try decidedChunk(after: out.last?.position ?? after, count: asked, session)
            for one in part { size += one.message.bytes.count }
            out.append(contentsOf: part)
            if part.count < asked { break }
        }
        return out
    }

    /// Entries of one round trip: enough to make the trip cheap, few enough to bound what a batch of the largest messages holds.
    package static let chunk = Limits.readAheadMin

    private func decidedChunk(after: Position, count: Int, _ session: RedisSession) throws(RedisError) -> [DecidedMessage] {
        let verdicts = try verdicts(after: after, count: count, session)
        guard let first = verdicts.first, let last = verdicts.last else { return [] }
        // Buried messages have no verdict, so the message range may hold a few more entries than the verdicts.
        var out: [DecidedMessage] = []
        out.reserveCapacity(verdicts.count)
        var from = first.0.streamID
        while out.count < verdicts.count {
            let wanted = verdicts[out.count].0
            let messages = try range(.messages, from: from, to: last.0.streamID, count: count, session) { entry -> (Position, MessageEntry?)? in
                EntryCodec.position(entry).map { ($0, EntryCodec.message(entry)) }
            }
            for (position, message) in messages {
                guard out.count < verdicts.count, verdicts[out.count].0 == position else { continue }
                guard let message else { throw .unexpectedReply("the message at \(position) is not readable") }
                out.append(DecidedMessage(position: position, message: message, verdict: verdicts[out.count].1))
            }
            guard let end = messages.last?.0, out.count == verdicts.count || verdicts[out.count].0 > end else {
                throw .unexpectedReply("the message of verdict \(wanted) is not in the log")
            }
            from = end.next.streamID
        }
        return out
    }

    /// Verdicts behind `after`, oldest first, with the messages of those that `wants` names; the others come with an empty message.
    ///
    /// - Cost: one round trip, and one for each `chunk` messages.
    /// - Bounds: at most `count`, and no more once the messages have `bytes` bytes.
    package func decided(
        after: Position, count: Int, bytes: Int = Limits.readBatchBytesTarget, where wants: (VerdictEntry) -> Bool, _ session: RedisSession
    ) throws(RedisError) -> [DecidedMessage] {
        var out = try verdicts(after: after, count: count, session).map { DecidedMessage(position: $0, message: MessageEntry(), verdict: $1) }
        var size = 0
        var wanted = out.indices.filter { wants(out[$0].verdict) }[...]
        while let first = wanted.first {
            guard size < bytes else { return Array(out[..<first]) }
            let part = wanted.prefix(LogReader.chunk)
            wanted = wanted.dropFirst(LogReader.chunk)
            var command = RESPWriter()
            for index in part { command.command("XRANGE", [keys.stream(.messages), out[index].position.streamID, out[index].position.streamID]) }
            try session.send(command)
            var fault: RedisError?
            for index in part {
                try session.receive { reply in
                    if reply.kind == .error { fault = .server(reply.string) }
                    guard reply.count == 1, let message = EntryCodec.message(reply[0]) else {
                        fault = fault ?? .unexpectedReply("the message of verdict \(out[index].position) is not in the log")
                        return
                    }
                    size += message.bytes.count
                    out[index] = DecidedMessage(position: out[index].position, message: message, verdict: out[index].verdict)
                }
            }
            if let fault { throw fault }
        }
        return out
    }

    private func verdicts(after: Position, count: Int, _ session: RedisSession) throws(RedisError) -> [(Position, VerdictEntry)] {
        try range(.verdicts, from: after.next.streamID, to: "+", count: count, session) { entry in
            guard let position = EntryCodec.position(entry), let verdict = VerdictEntry(fields: EntryCodec.lookup(entry)) else { return nil }
            return (position, verdict)
        }
    }

    /// Deliveries behind `after`, oldest first.
    package func deliveries(after: Position, count: Int, _ session: RedisSession) throws(RedisError) -> [LoggedDelivery] {
        try range(.deliveries, from: after.next.streamID, to: "+", count: count, session) { entry in
            guard let position = EntryCodec.position(entry), let delivery = DeliveryEntry(fields: EntryCodec.lookup(entry)) else { return nil }
            return LoggedDelivery(position: position, delivery: delivery)
        }
    }

    /// Waits until something stands behind `after` in the stream, at most `wait`; true when it does.
    package func awaitEntry(_ stream: StreamName, after: Position, wait: Duration, _ session: RedisSession) throws(RedisError) -> Bool {
        let ms = max(1, Int(wait / .milliseconds(1)))
        let reply = try session.run("XREAD", ["COUNT", "1", "BLOCK", String(ms), "STREAMS", keys.stream(stream), after.streamID])
        return reply != .null
    }

    /// The last id ever given out in the stream, and the oldest still there; zero for an empty stream.
    package func bounds(_ stream: StreamName, _ session: RedisSession) throws(RedisError) -> (first: Position?, last: Position) {
        let reply = try session.call("XINFO", ["STREAM", keys.stream(stream)])
        if case .error(let text) = reply {
            if text.hasPrefix("ERR no such key") { return (nil, .zero) }
            throw .server(text)
        }
        let info = reply.pairs
        let last = info["last-generated-id"]?.text.flatMap { Position(streamID: $0) } ?? .zero
        let first = info["first-entry"]?.array?.first?.text.flatMap { Position(streamID: $0) }
        return (first, last)
    }

    /// Makes the stream give out ids behind `position` from now on. Nothing stands behind it yet.
    package func moveOn(_ stream: StreamName, to position: Position, _ session: RedisSession) throws(RedisError) {
        try session.run("XSETID", [keys.stream(stream), position.streamID])
    }

    /// Entries that stand in the stream.
    package func count(_ stream: StreamName, _ session: RedisSession) throws(RedisError) -> Int {
        try session.run("XLEN", [keys.stream(stream)]).int ?? 0
    }

    /// The cursor of a group: everything up to it has been passed.
    package func cursor(_ stream: StreamName, group: GroupName, _ session: RedisSession) throws(RedisError) -> Position {
        for info in try session.run("XINFO", ["GROUPS", keys.stream(stream)]).array ?? [] {
            let pairs = info.pairs
            if pairs["name"]?.text == group.rawValue { return pairs["last-delivered-id"]?.text.flatMap { Position(streamID: $0) } ?? .zero }
        }
        throw .unexpectedReply("the group \(group.rawValue) \(LogSetup.missing)")
    }

    /// Moves a group's cursor for people to see its lag; the truth of this group's progress lies elsewhere.
    package func setCursor(_ stream: StreamName, group: GroupName, _ position: Position, _ session: RedisSession) throws(RedisError) {
        try session.run("XGROUP", ["SETID", keys.stream(stream), group.rawValue, position.streamID])
    }

    func range<T>(
        _ stream: StreamName, from: String, to: String, count: Int, _ session: RedisSession, _ read: (RedisReply) -> T?
    ) throws(RedisError) -> [T] {
        var command = RESPWriter()
        command.command("XRANGE", [keys.stream(stream), from, to, "COUNT", String(count)])
        try session.send(command)
        let result: Result<[T], RedisError> = try session.receive { reply in
            if reply.kind == .error { return .failure(.server(reply.string)) }
            var out: [T] = []
            out.reserveCapacity(reply.count)
            for index in 0..<reply.count {
                guard let item = read(reply[index]) else { return .failure(.unexpectedReply("an entry of \(stream.rawValue) is not readable")) }
                out.append(item)
            }
            return .success(out)
        }
        return try result.get()
    }
}
