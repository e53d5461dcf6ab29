import Core
import Log
import RedisDriver

/// Where streams end, and how many entries they have had.
struct StreamHead {
    private let streams: [StreamName]
    private let keys: LogKeys

    init(_ streams: [StreamName], keys: LogKeys) {
        self.streams = streams
        self.keys = keys
    }

    /// The last id ever given out, and the entries ever added, those that were trimmed included.
    func read(_ session: RedisSession) throws(ProjectionError) -> (last: Position, entries: Int64) {
        var last = Position.zero
        var entries: Int64 = 0
        for stream in streams {
            let reply = try redis { () throws(RedisError) in try session.call("XINFO", ["STREAM", keys.stream(stream)]) }
            if case .error(let text) = reply {
                if text.hasPrefix("ERR no such key") { continue }
                throw .log(.server(text))
            }
            let info = reply.pairs
            last = max(last, info["last-generated-id"]?.text.flatMap { Position(streamID: $0) } ?? .zero)
            entries += Int64(info["entries-added"]?.int ?? info["length"]?.int ?? 0)
        }
        return (last, entries)
    }

    /// The event at a position, as the log has it; nil when it was trimmed.
    func event(_ stream: StreamName, _ position: Position, _ session: RedisSession) throws(ProjectionError) -> LogEvent? {
        if stream == .verdicts {
            // Behind everything that comes before it.
            let before = position.seq > 0 ? Position(ms: position.ms, seq: position.seq - 1) : Position(ms: position.ms - 1, seq: .max)
            guard let found = try redis({ () throws(RedisError) in try LogReader(keys: keys).decided(after: before, count: 1, session) }).first,
                found.position == position
            else { return nil }
            return LogEvent(stream: stream, position: position, content: .decided(found.message, found.verdict))
        }
        return try redis { () throws(RedisError) in
            var command = RESPWriter()
            command.command("XRANGE", [keys.stream(stream), position.streamID, position.streamID])
            try session.send(command)
            return try session.receive { $0.count == 1 ? EventDecoder.event(stream, $0[0]) : nil }
        }
    }
}

/// The consumer groups of one projection: they hold back trimming and show its lag.
struct ProjectionGroups {
    private let streams: [StreamName]
    private let group: GroupName
    private let keys: LogKeys

    init(_ definition: ProjectionDefinition, keys: LogKeys) {
        streams = definition.streams
        group = .projection(definition.name)
        self.keys = keys
    }

    /// Makes the groups that are missing, at the projection's checkpoint; entries up to it by stream, where the groups know.
    func open(at position: Position, _ session: RedisSession) throws(ProjectionError) -> [StreamName: Int64] {
        var ordinals: [StreamName: Int64] = [:]
        for stream in streams {
            let key = keys.stream(stream)
            let made = try redis { () throws(RedisError) in try session.call("XGROUP", ["CREATE", key, group.rawValue, position.streamID, "MKSTREAM"]) }
            if case .error(let text) = made, !text.hasPrefix("BUSYGROUP") { throw .log(.server(text)) }
            for info in try redis({ () throws(RedisError) in try session.run("XINFO", ["GROUPS", key]) }).array ?? [] {
                let pairs = info.pairs
                guard pairs["name"]?.text == group.rawValue, pairs["last-delivered-id"]?.text == position.streamID, let read = pairs["entries-read"]?.int else {
                    continue
                }
                ordinals[stream] = Int64(read)
            }
            if position == .zero { ordinals[stream] = 0 }
        }
        return ordinals
    }

    /// Moves the groups behind what is committed.
    func move(to position: Position, ordinals: [StreamName: Int64], _ session: RedisSession) throws(ProjectionError) {
        for stream in streams {
            let read = ordinals[stream].map { ["ENTRIESREAD", String($0)] } ?? []
            _ = try redis { () throws(RedisError) in try session.run("XGROUP", ["SETID", keys.stream(stream), group.rawValue, position.streamID] + read) }
        }
    }
}
