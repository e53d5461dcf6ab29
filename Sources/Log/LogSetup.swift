package import Core
package import RedisDriver

/// Makes a server fit the declarations, and tells where it does not.
package struct LogSetup: Sendable {
    package let catalog: StreamCatalog
    package let keys: LogKeys
    private let identity: String?
    private let target: String

    /// - Parameters:
    ///   - identity: the log's own id, where it is known: a server that has lost its data is given it back, so that the archive stays this log's.
    ///   - target: name of the default backbone in deliveries.
    package init(catalog: StreamCatalog, keys: LogKeys, identity: String? = nil, target: String = "default") {
        self.catalog = catalog
        self.keys = keys
        self.identity = identity
        self.target = target
    }

    /// Loads the functions, creates streams and groups that are missing, and makes the keys of the open sessions whole. Repeating it changes
    /// nothing.
    ///
    /// - Parameter isGoing: asked on the way through the sessions; false ends it early, and their keys stay as they are.
    /// - Returns: what was created, in words.
    @discardableResult
    package func apply(_ session: RedisSession, while isGoing: () -> Bool = { true }) throws(RedisError) -> [String] {
        var done: [String] = []
        if try !functionsAreCurrent(session) {
            try session.run("FUNCTION", ["LOAD", "REPLACE", catalog.functions])
            done.append("functions loaded")
        }
        for stream in catalog.streams {
            guard let name = StreamName(rawValue: stream.name) else { continue }
            let key = keys.stream(name)
            // Looked at first: a server without memory left refuses to create what is there already.
            let present = try groups(of: key, session)
            for group in stream.groups where !present.contains(group) {
                switch try session.call("XGROUP", ["CREATE", key, group, try beginning(of: group, session).streamID, "MKSTREAM"]) {
                case .error(let text) where text.hasPrefix("BUSYGROUP"): break
                case .error(let text): throw .server(text)
                default: done.append("group \(group) on \(stream.name)")
                }
            }
        }
        if let identity, try session.run("SET", [keys.identity, identity, "NX"]) != .null { done.append("the log's id") }
        if let open = try SessionLog(keys: keys).restoreIfLost(session, while: isGoing), open > 0 {
            done.append("\(open) open sessions put back from the stream")
        }
        return done
    }

    /// Where a group begins: the router behind the last verdict, since everything up to there has one or, buried, never will; the republisher behind
    /// the last message that it has sent; webhooks with what comes, since nobody knows any more what they were told of, and what is kept for delivery is
    /// kept elsewhere. The others begin at the beginning: their sinks know what they have.
    private func beginning(of group: String, _ session: RedisSession) throws(RedisError) -> Position {
        switch GroupName(rawValue: group) {
        case .router: return try LogReader(keys: keys).bounds(.verdicts, session).last
        case .republish: return try LogSetup.lastSent(to: target, keys: keys, session) ?? .zero
        case .webhooks: return try LogReader(keys: keys).bounds(.notifications, session).last
        default: return .zero
        }
    }

    /// Position of the message of the newest delivery to a backbone of this name; nil when there is none among the last `deliveriesSearchedMax`.
    ///
    /// - Cost: one round trip for each thousand deliveries behind that one.
    package static func lastSent(to target: String, keys: LogKeys, _ session: RedisSession) throws(RedisError) -> Position? {
        let target = Array(target.utf8)
        var end = Position(ms: .max, seq: .max)
        for _ in 0..<(deliveriesSearchedMax / deliveriesChunk) {
            var command = RESPWriter()
            command.command("XREVRANGE", [keys.stream(.deliveries), end.streamID, "-", "COUNT", String(deliveriesChunk)])
            try session.send(command)
            let (sent, oldest, fault) = try session.receive { reply -> (Position?, Position?, RedisError?) in
                if reply.kind == .error { return (nil, nil, .server(reply.string)) }
                for index in 0..<reply.count {
                    let field = EntryCodec.lookup(reply[index])
                    // Nothing else is asked of an entry: one that is not readable otherwise is no reason to send everything again.
                    guard let position = field("position").flatMap({ Position(utf8: Array($0)) }), let name = field("target"), name.elementsEqual(target)
                    else { continue }
                    return (position, nil, nil)
                }
                return (nil, reply.count < deliveriesChunk ? nil : EntryCodec.position(reply[reply.count - 1]), nil)
            }
            if let fault { throw fault }
            if let sent { return sent }
            guard let oldest else { return nil }
            end = oldest.previous
        }
        return nil
    }

    /// Deliveries of one round trip, and those that are looked through: some seconds. A backbone that is not among them has been quiet for so long that
    /// its group may as well begin anew.
    private static let deliveriesChunk = 1_000
    private static let deliveriesSearchedMax = 1_000_000

    /// Does a failure say that something of this is gone? A server comes back without it when it has lost its data, and `FLUSHALL`, `FUNCTION FLUSH`
    /// and `XGROUP DESTROY` take it away under open connections.
    package static func isMissing(_ failure: any Error) -> Bool {
        let text = "\(failure)"
        return ["Function not found", "NOGROUP", "no such key", "requires the key to exist", missing].contains { text.contains($0) }
    }

    /// Ends what says that a group is not there.
    static let missing = "is missing; meshlog streams apply creates it"

    /// Everything in which the server differs from the declarations, in words; empty when nothing does.
    package func check(_ session: RedisSession) throws(RedisError) -> [String] {
        var faults: [String] = []
        if try !functionsAreCurrent(session) { faults.append("the functions of streams/functions/meshlog.lua are missing or of another version") }
        for stream in catalog.streams {
            guard let name = StreamName(rawValue: stream.name) else {
                faults.append("streams/\(stream.name).yaml declares a stream that this version does not know")
                continue
            }
            let present = try groups(of: keys.stream(name), session)
            for group in stream.groups where !present.contains(group) { faults.append("group '\(group)' on \(stream.name) is missing") }
            for group in present where !stream.groups.contains(group) && !GroupName.isMadeOnTheWay(group) {
                faults.append("group '\(group)' on \(stream.name) is not declared; it holds back trimming")
            }
        }
        return faults
    }

    private func groups(of key: String, _ session: RedisSession) throws(RedisError) -> [String] {
        switch try session.call("XINFO", ["GROUPS", key]) {
        case .error: []
        case let value: (value.array ?? []).compactMap { $0.pairs["name"]?.text }
        }
    }

    private func functionsAreCurrent(_ session: RedisSession) throws(RedisError) -> Bool {
        let listed = try session.run("FUNCTION", ["LIST", "LIBRARYNAME", "meshlog", "WITHCODE"])
        return listed.array?.first?.pairs["library_code"]?.text == catalog.functions
    }
}
