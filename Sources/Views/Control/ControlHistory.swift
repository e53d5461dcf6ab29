internal import Core
internal import Log
internal import RedisDriver

/// Reads what happened to documents out of `control` itself.
///
/// - Cost: a round trip for each `ViewLimits.controlChunk` entries that are passed on the way.
struct ControlHistory: Sendable {
    let stores: Stores
    let keys: LogKeys

    /// One change of a document, with what it replaced.
    struct Change: Sendable {
        let position: Position
        let event: ControlEvent
        /// JSON text; nil when there was no document.
        let before: [UInt8]?

        var json: [UInt8] {
            var object = JSONObject()
            object.add("position", position.description)
            object.add("ts", time: position.microseconds)
            object.add("change", event.change.rawValue)
            object.add("principal", nonEmpty: event.principal)
            object.add("via", nonEmpty: event.via)
            object.add("comment", nonEmpty: event.comment)
            object.add("restored_from", optional: event.restoredFrom?.description)
            if let before { object.add("before", raw: before) } else { object.addNull("before") }
            if event.change == .deleted { object.addNull("after") } else { object.add("after", raw: event.document) }
            return object.finish()
        }
    }

    /// The changes of one document behind which `before` lies, newest first.
    ///
    /// - Returns: at most `limit`, and where the next page begins when there are more.
    func changes(_ kind: ControlKind, _ key: String, before: Position?, limit: Int) async throws -> (changes: [Change], next: Position?) {
        let found = try await stores.log { [self] session in
            var found: [(position: Position, event: ControlEvent)] = []
            var to = before.map { "(" + $0.streamID } ?? "+"
            // One more tells what the last of the page replaced.
            while found.count <= limit {
                let entries = try entries("XREVRANGE", to, "-", session)
                for (position, event) in entries {
                    guard case .success(let event) = event, event.kind == kind, event.key == key else { continue }
                    found.append((position, event))
                }
                guard entries.count == ViewLimits.controlChunk, let last = entries.last else { break }
                to = "(" + last.position.streamID
            }
            return found
        }
        let changes = found.prefix(limit).enumerated().map { index, one in
            let older = index + 1 < found.count ? found[index + 1].event : nil
            return Change(position: one.position, event: one.event, before: older.flatMap { $0.change == .deleted ? nil : $0.document })
        }
        return (changes, found.count > limit ? changes.last?.position : nil)
    }

    /// The events at these positions, which are in order.
    func events(_ positions: [Position]) async throws -> [(position: Position, event: ControlEvent)] {
        guard let first = positions.first, let last = positions.last else { return [] }
        let wanted = Set(positions)
        return try await stores.log { [self] session in
            var found: [(position: Position, event: ControlEvent)] = []
            var from = first.streamID
            while true {
                let entries = try entries("XRANGE", from, last.streamID, session)
                for (position, event) in entries where wanted.contains(position) {
                    if case .success(let event) = event { found.append((position, event)) }
                }
                guard entries.count == ViewLimits.controlChunk, let end = entries.last else { return found }
                from = "(" + end.position.streamID
            }
        }
    }

    private func entries(
        _ command: StaticString, _ from: String, _ to: String, _ session: RedisSession
    ) throws(RedisError) -> [(position: Position, event: Result<ControlEvent, UnreadableEntry>)] {
        var writer = RESPWriter()
        writer.command(command, [keys.stream(.control), from, to, "COUNT", String(ViewLimits.controlChunk)])
        try session.send(writer)
        let entries: Result<[(position: Position, event: Result<ControlEvent, UnreadableEntry>)], RedisError> = try session.receive { reply in
            if reply.kind == .error { return .failure(.server(reply.string)) }
            return .success((0..<reply.count).compactMap { index in EntryCodec.position(reply[index]).map { ($0, ControlLog.event(reply[index])) } })
        }
        return try entries.get()
    }
}
