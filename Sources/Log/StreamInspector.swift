package import Core
package import RedisDriver

/// What a stream holds and how far its groups are, for people and dashboards.
package struct StreamStatus: Sendable {
    package struct Group: Sendable {
        package let name: String
        package let consumers: Int
        package let pending: Int
        package let lastDelivered: Position
        /// Entries the group has still to pass.
        package let lag: Int?
    }
    package let name: StreamName
    package let key: String
    package let length: Int
    package let first: Position?
    package let last: Position
    package let groups: [Group]
}

/// One entry as it stands in a stream.
package struct RawEntry: Sendable {
    package let position: Position
    package let fields: [(name: [UInt8], value: [UInt8])]
}

/// Looks into streams without changing anything.
package struct StreamInspector: Sendable {
    private let keys: LogKeys

    package init(keys: LogKeys) { self.keys = keys }

    package func status(_ name: StreamName, _ session: RedisSession) throws(RedisError) -> StreamStatus {
        let key = keys.stream(name)
        let reader = LogReader(keys: keys)
        let bounds = try reader.bounds(name, session)
        let length = try session.run("XLEN", [key]).int ?? 0
        var groups: [StreamStatus.Group] = []
        if try session.run("EXISTS", [key]) == .integer(1) {
            for info in try session.run("XINFO", ["GROUPS", key]).array ?? [] {
                let pairs = info.pairs
                let last = pairs["last-delivered-id"]?.text.flatMap { Position(streamID: $0) } ?? .zero
                groups.append(
                    StreamStatus.Group(
                        name: pairs["name"]?.text ?? "", consumers: pairs["consumers"]?.int ?? 0, pending: pairs["pending"]?.int ?? 0, lastDelivered: last,
                        lag: try lag(key, behind: last, end: bounds.last, known: pairs["lag"]?.int, session)))
            }
        }
        return StreamStatus(name: name, key: key, length: length, first: bounds.first, last: bounds.last, groups: groups)
    }

    /// Redis knows the lag unless a cursor was set by hand or entries were removed; then it is counted, up to a bound.
    private func lag(_ key: String, behind: Position, end: Position, known: Int?, _ session: RedisSession) throws(RedisError) -> Int? {
        if behind >= end { return 0 }
        if let known { return known }
        let rest = try session.run("XRANGE", [key, behind.next.streamID, "+", "COUNT", "1001"]).array?.count ?? 0
        return rest > 1000 ? nil : rest
    }

    /// Entries from `from` to `to`, both included; newest first when `reverse`.
    package func entries(_ name: StreamName, from: String, to: String, count: Int, reverse: Bool, _ session: RedisSession) throws(RedisError) -> [RawEntry] {
        var command = RESPWriter()
        let key = keys.stream(name)
        if reverse {
            command.command("XREVRANGE", [key, to, from, "COUNT", String(count)])
        } else {
            command.command("XRANGE", [key, from, to, "COUNT", String(count)])
        }
        try session.send(command)
        let result: Result<[RawEntry], RedisError> = try session.receive { reply in
            if reply.kind == .error { return .failure(.server(reply.string)) }
            return .success(
                (0..<reply.count).compactMap { index in
                    guard let position = EntryCodec.position(reply[index]) else { return nil }
                    let fields = reply[index][1]
                    return RawEntry(
                        position: position,
                        fields: stride(from: 0, to: fields.count - 1, by: 2).map { (fields[$0].bytes, fields[$0 + 1].bytes) })
                })
        }
        return try result.get()
    }
}
