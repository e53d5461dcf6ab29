package import Core
package import RedisDriver

/// What became of the wish to end a session.
package enum SessionOutcome: Sendable, Equatable {
    /// It has ended: the position of the event, and where the message goes on.
    case ended(Position, released: Position?)
    /// There is no such session, or it has ended before.
    case notOpen
    /// The session is about something else: its digest.
    case otherDigest(String)
    /// Only time can end it this way, and that has not come: µs since the epoch; nil when it has no end.
    case notDue(Int64?)
    /// Its end has come: µs since the epoch.
    case tooLate(Int64)
}

/// Appends to `sessions`, and knows which are open.
package struct SessionLog: Sendable {
    package let keys: LogKeys

    package init(keys: LogKeys) { self.keys = keys }

    package enum Author: String, Sendable { case person, time }

    /// Stands in the keys of the open sessions for as long as they are whole.
    private static let marker = "-"

    // MARK: Ending

    /// Ends sessions, each wholly or not at all, in one round trip.
    ///
    /// - Parameter endings: how; the digest of what was held; the entry with which the message goes on, nil when it does not.
    /// - Throws: `.unavailable`: the outcomes are unknown; repeating it ends nothing twice.
    package func end(
        _ endings: [(closing: SessionClosing, digest: String, message: MessageEntry?)], by author: Author, _ session: RedisSession
    ) throws(RedisError) -> [SessionOutcome] {
        var command = RESPWriter()
        for ending in endings {
            let event = ending.closing.fields
            let fields = ending.message.map { message in MessageField.allCases.filter { message.count($0) > 0 } } ?? []
            command.begin(3 + 4 + 4 + 2 * event.count + 2 * fields.count)
            for word in ["FCALL", "meshlog_session", "4", keys.stream(.sessions), keys.stream(.messages), keys.openSessions, keys.dueSessions] {
                command.argument(word)
            }
            for word in [ending.closing.session.description, ending.digest, author.rawValue, String(2 * event.count)] { command.argument(word) }
            for (name, value) in event {
                command.argument(name)
                command.argument(value)
            }
            guard let message = ending.message else { continue }
            for field in fields {
                command.argument(field.name)
                command.argument(message.slice(field))
            }
        }
        var out: [SessionOutcome] = []
        for reply in try session.pipeline(command) {
            if case .error(let text) = reply { throw .server(text) }
            out.append(try SessionLog.outcome(reply))
        }
        return out
    }

    private static func outcome(_ reply: RedisValue) throws(RedisError) -> SessionOutcome {
        guard let parts = reply.array, let code = parts.first?.int else { throw .unexpectedReply("meshlog_session") }
        func text(_ index: Int) -> String { index < parts.count ? parts[index].text ?? "" : "" }
        switch code {
        case 0:
            guard let position = Position(streamID: text(1)) else { throw .unexpectedReply("meshlog_session") }
            return .ended(position, released: Position(streamID: text(2)))
        case 1: return .notOpen
        case 2: return .otherDigest(text(1))
        case 3: return .notDue(Int64(text(1)))
        case 4: return .tooLate(Int64(text(1)) ?? 0)
        default: throw .unexpectedReply("meshlog_session")
        }
    }

    // MARK: What is open

    /// What open sessions are about, in the order of the ids; nil for one that is not open.
    package func open(_ ids: [String], _ session: RedisSession) throws(RedisError) -> [SessionOpening?] {
        if ids.isEmpty { return [] }
        let reply = try session.run("HMGET", [keys.openSessions] + ids)
        guard let values = reply.array, values.count == ids.count else { throw .unexpectedReply("HMGET") }
        var out: [SessionOpening?] = []
        for (id, value) in zip(ids, values) {
            guard id != SessionLog.marker, case .string(let text) = value else {
                out.append(nil)
                continue
            }
            guard let opening = SessionLog.opening(text) else { throw .unexpectedReply("the open session \(id) is not readable") }
            out.append(opening)
        }
        return out
    }

    /// Ids of open sessions whose end has come by Redis's clock, the longest due first; and the clock, µs since the epoch.
    ///
    /// - Parameter skip: so many of the first are left out.
    package func due(count: Int, skip: Int = 0, _ session: RedisSession) throws(RedisError) -> (ids: [String], now: Int64) {
        let time = try session.run("TIME").array ?? []
        guard time.count == 2, let seconds = time[0].int, let microseconds = time[1].int else { throw .unexpectedReply("TIME") }
        let now = Int64(seconds) * 1_000_000 + Int64(microseconds)
        let reply = try session.run("ZRANGEBYSCORE", [keys.dueSessions, "-inf", String(now), "LIMIT", String(skip), String(count)])
        return ((reply.array ?? []).compactMap(\.text), now)
    }

    /// When the next end of a session is, µs since the epoch; nil when none has one.
    package func nextDue(_ session: RedisSession) throws(RedisError) -> Int64? {
        let reply = try session.run("ZRANGEBYSCORE", [keys.dueSessions, "-inf", "(+inf", "WITHSCORES", "LIMIT", "0", "1"])
        return reply.array?.last?.text.flatMap { Double($0) }.map { Int64($0) }
    }

    /// How many sessions are open.
    package func openCount(_ session: RedisSession) throws(RedisError) -> Int {
        guard let members = try session.run("HLEN", [keys.openSessions]).int else { throw .unexpectedReply("HLEN") }
        return members - (try session.run("HEXISTS", [keys.openSessions, SessionLog.marker]) == .integer(1) ? 1 : 0)
    }

    /// Position of the entry that has been held the longest; nil when none is.
    ///
    /// - Cost: reads the ids of all open sessions.
    package func oldestOpen(_ session: RedisSession) throws(RedisError) -> Position? {
        try session.run("HKEYS", [keys.openSessions]).array?.compactMap { $0.text.flatMap { Position($0) } }.min()
    }

    // MARK: From the stream

    /// Puts the keys of the open sessions back when they were lost: the stream has the truth.
    ///
    /// - Cost: nothing when they are whole; else one pass over the stream.
    /// - Parameter isGoing: asked before each thousand; false ends it early, and nothing is put back.
    /// - Returns: the number of open sessions that were found; nil when nothing was missing or it was ended early.
    @discardableResult
    package func restoreIfLost(_ session: RedisSession, while isGoing: () -> Bool = { true }) throws(RedisError) -> Int? {
        let isListed = try session.run("HEXISTS", [keys.openSessions, SessionLog.marker])
        let isDueListed = try session.run("ZSCORE", [keys.dueSessions, SessionLog.marker])
        if isListed == .integer(1), isDueListed != .null { return nil }
        var last = Position.zero
        var open: [String: SessionOpening] = [:]
        while true {
            // The stream's last id may be that of an entry which has gone.
            let head = try LogReader(keys: keys).bounds(.sessions, session).last
            var count = SessionLog.chunk
            while count == SessionLog.chunk {
                guard isGoing() else { return nil }
                (count, last) = try fold(after: last, into: &open, session)
            }
            guard isGoing() else { return nil }
            last = max(last, head)
            if try restore(open, last, session) { return open.count }
        }
    }

    /// Entries of one round trip.
    private static let chunk = 1_000

    private func fold(after: Position, into open: inout [String: SessionOpening], _ session: RedisSession) throws(RedisError) -> (count: Int, last: Position) {
        var command = RESPWriter()
        command.command("XRANGE", [keys.stream(.sessions), after.next.streamID, "+", "COUNT", String(SessionLog.chunk)])
        try session.send(command)
        let read: Result<[(Position, SessionEvent?)], RedisError> = try session.receive { reply in
            if reply.kind == .error { return .failure(.server(reply.string)) }
            return .success(
                (0..<reply.count).compactMap { index in
                    EntryCodec.position(reply[index]).map { ($0, try? SessionLog.event(reply[index]).get()) }
                })
        }
        let entries = try read.get()
        for (_, event) in entries {
            switch event {
            case .opened(let opening): open[opening.sessionID] = opening
            case .closed(let closing): open[closing.session.description] = nil
            case nil: break
            }
        }
        return (entries.count, entries.last?.0 ?? after)
    }

    private func restore(_ open: [String: SessionOpening], _ last: Position, _ session: RedisSession) throws(RedisError) -> Bool {
        var command = RESPWriter()
        command.begin(3 + 3 + 1 + 3 * open.count)
        for word in ["FCALL", "meshlog_session_restore", "3", keys.stream(.sessions), keys.openSessions, keys.dueSessions, last.streamID] {
            command.argument(word)
        }
        for (id, opening) in open {
            command.argument(id)
            command.argument(SessionLog.text(opening))
            command.argument(opening.expiresAt.map { String($0) } ?? "")
        }
        let reply = try session.pipeline(command)[0]
        if case .error(let text) = reply { throw .server(text) }
        return reply == .integer(1)
    }

    /// The newest end of a session among the last entries of the stream; nil when it is not among them.
    package func ending(of id: String, _ session: RedisSession) throws(RedisError) -> (position: Position, closing: SessionClosing)? {
        var command = RESPWriter()
        command.command("XREVRANGE", [keys.stream(.sessions), "+", "-", "COUNT", String(SessionLog.chunk)])
        try session.send(command)
        return try session.receive { reply in
            for index in 0..<reply.count {
                guard case .success(.closed(let closing)) = SessionLog.event(reply[index]), closing.session.description == id,
                    let position = EntryCodec.position(reply[index])
                else { continue }
                return (position, closing)
            }
            return nil
        }
    }

    /// Reads an entry of `sessions`: the event, or why it is none and what it holds as JSON.
    package static func event(_ entry: RedisReply) -> Result<SessionEvent, UnreadableEntry> {
        do throws(SessionFault) {
            return .success(try SessionEvent(fields: EntryCodec.lookup(entry)))
        } catch {
            return .failure(UnreadableEntry(reason: error.detail, text: EntryCodec.json(entry)))
        }
    }

    // MARK: Openings in the hash

    /// Names and values as a JSON array of strings.
    private static func text(_ opening: SessionOpening) -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "[")]
        for (name, value) in opening.fields {
            if out.count > 1 { out.append(UInt8(ascii: ",")) }
            JSONText.append(name.description, to: &out)
            out.append(UInt8(ascii: ","))
            JSONText.append(value, to: &out)
        }
        out.append(UInt8(ascii: "]"))
        return out
    }

    private static func opening(_ text: [UInt8]) -> SessionOpening? {
        guard let items = (try? JSONDocument(text))?.root.items.compactMap(\.stringBytes), items.count % 2 == 0 else { return nil }
        return try? SessionOpening(fields: { name in
            let name = Array(name.description.utf8)
            for index in stride(from: 0, to: items.count, by: 2) where items[index] == name { return items[index + 1][...] }
            return nil
        })
    }
}
