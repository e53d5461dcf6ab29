package import Core
package import RedisDriver

/// Reads a stream as a member of a consumer group: first what a dead consumer left, then what is new; an entry that was
/// delivered too often is given out as spent, to be buried. Deliveries count when a process died over them.
package struct GroupConsumer: Sendable {
    package enum Item: Sendable {
        case entry(Position, MessageEntry)
        /// Not readable: the cause, and the bytes as they stand.
        case unreadable(Position, cause: String, bytes: [UInt8])
        /// Delivered `attempts` times without having been acknowledged.
        case spent(Position, attempts: Int, bytes: [UInt8])

        package var position: Position {
            switch self {
            case .entry(let position, _), .unreadable(let position, _, _), .spent(let position, _, _): position
            }
        }

        fileprivate var byteCount: Int {
            switch self {
            case .entry(_, let entry): entry.bytes.count
            case .unreadable(_, _, let bytes), .spent(_, _, let bytes): bytes.count
            }
        }
    }

    package let stream: String
    package let group: String
    package let consumer: String
    package let attemptsMax: Int
    /// Entries of this and other consumers may be pending until this is false.
    private var recovering = true
    /// The first claim counts as a delivery, since a process died; a repeat after an error of this process does not, or a server that
    /// is away for a while would bury good entries.
    private var claimCounts = true
    /// Entries asked for at once at most: as many as would have about `Limits.readBatchBytesTarget` bytes if they were as large as the last ones.
    private var allowed = Limits.readBatchMin

    package init(stream: String, group: String, consumer: String, attemptsMax: Int) {
        self.stream = stream
        self.group = group
        self.consumer = consumer
        self.attemptsMax = attemptsMax
    }

    /// The next items in stream order; empty when nothing came within `wait`.
    ///
    /// The caller holds the stage's lease, so every pending entry belongs to a consumer that may no longer commit: it is claimed at once.
    ///
    /// - Shape: at most `count`, and fewer where the last ones were large.
    package mutating func read(_ session: RedisSession, count: Int, wait: Duration) throws(RedisError) -> [Item] {
        let items = try next(session, count: min(count, allowed), wait: wait)
        let bytes = items.reduce(0) { $0 + $1.byteCount }
        if !items.isEmpty { allowed = max(Limits.readBatchMin, Limits.readBatchBytesTarget / max(1, bytes / items.count)) }
        return items
    }

    private mutating func next(_ session: RedisSession, count: Int, wait: Duration) throws(RedisError) -> [Item] {
        var claimed: Position?
        while recovering {
            let rows = try pending(session, count: count)
            guard let first = rows.first?.position else {
                claimCounts = true
                recovering = false
                break
            }
            // Redis lets what was deleted go from the pending ones when it is claimed, and answers nothing for it.
            guard first != claimed else { throw .unexpectedReply("XCLAIM gave nothing for \(first.streamID) and left it pending") }
            claimed = first
            let items = try recover(rows, session)
            if !items.isEmpty { return items }
        }
        var command = RESPWriter()
        command.command(
            "XREADGROUP",
            ["GROUP", group, consumer, "COUNT", String(count), "BLOCK", String(max(1, Int(wait / .milliseconds(1)))), "STREAMS", stream, ">"])
        try session.send(command)
        let items: Result<[Item], RedisError> = try session.receive { reply in
            switch reply.kind {
            case .null: return .success([])
            case .error: return .failure(.server(reply.string))
            default: break
            }
            guard reply.count == 1, reply[0].count == 2 else { return .failure(.unexpectedReply("XREADGROUP")) }
            let entries = reply[0][1]
            return .success((0..<entries.count).compactMap { GroupConsumer.item(entries[$0]) })
        }
        return try items.get()
    }

    /// Reads what is pending again before anything new: after a failed step, and whenever the stage begins to act.
    ///
    /// - Parameter countingDeliveries: whether the next claims count as deliveries; nil leaves it as it is.
    package mutating func startOver(countingDeliveries: Bool?) {
        recovering = true
        if let countingDeliveries { claimCounts = countingDeliveries }
    }

    /// Claims what is pending, oldest first. An entry on its last attempt comes alone, so that only the one that kills the process is spent.
    private func recover(_ rows: [Pending], _ session: RedisSession) throws(RedisError) -> [Item] {
        guard let first = rows.first else { return [] }
        if first.deliveries >= attemptsMax, claimCounts {
            let spent = rows.prefix { $0.deliveries >= attemptsMax }
            return try claim(Array(spent), session).map { item in
                guard case .entry(let position, let entry) = item else { return item }
                return .spent(position, attempts: spent.first { $0.position == position }?.deliveries ?? attemptsMax, bytes: entry.bytes)
            }
        }
        let isLast = first.deliveries >= attemptsMax - 1
        return try claim(isLast ? [first] : Array(rows.prefix { $0.deliveries < attemptsMax - 1 }), session)
    }

    private struct Pending {
        let position: Position
        let deliveries: Int
    }

    private func pending(_ session: RedisSession, count: Int) throws(RedisError) -> [Pending] {
        var out: [Pending] = []
        for row in try session.run("XPENDING", [stream, group, "-", "+", String(count)]).array ?? [] {
            guard let fields = row.array, fields.count == 4, let position = fields[0].text.flatMap({ Position(streamID: $0) }), let times = fields[3].int
            else { throw .unexpectedReply("XPENDING") }
            out.append(Pending(position: position, deliveries: times))
        }
        return out
    }

    private func claim(_ rows: [Pending], _ session: RedisSession) throws(RedisError) -> [Item] {
        var command = RESPWriter()
        for row in rows {
            // One command each, because the count is set: it is raised by a takeover only.
            let times = claimCounts ? row.deliveries + 1 : row.deliveries
            command.command("XCLAIM", [stream, group, consumer, "0", row.position.streamID, "RETRYCOUNT", String(times)])
        }
        try session.send(command)
        var items: [Item] = []
        var failure: RedisError?
        for _ in rows {
            try session.receive { reply in
                if reply.kind == .error { failure = .server(reply.string) }
                items.append(contentsOf: (0..<reply.count).compactMap { GroupConsumer.item(reply[$0]) })
            }
        }
        if let failure { throw failure }
        return items
    }

    private static func item(_ reply: RedisReply) -> Item? {
        guard let position = EntryCodec.position(reply) else { return nil }
        guard let entry = EntryCodec.message(reply) else {
            return .unreadable(position, cause: "the entry lacks a field of a message", bytes: raw(reply))
        }
        if let fault = entry.fault { return .unreadable(position, cause: fault, bytes: raw(reply)) }
        return .entry(position, entry)
    }

    /// Names and values, one a line, as far as the bound for rejected input goes.
    private static func raw(_ reply: RedisReply) -> [UInt8] {
        var out: [UInt8] = []
        for index in 0..<reply[1].count where out.count < Limits.rejectedBytesMax {
            reply[1][index].append(to: &out)
            out.append(index % 2 == 0 ? UInt8(ascii: "=") : 0x0A)
        }
        return out
    }
}
