import Control
import Core
import Log
import RedisDriver
import Stack
import TestSupport
import Verdicts

/// A log of its own with a router beside it.
struct RouterRig: Sendable {
    let endpoint: RedisEndpoint
    let keys: LogKeys

    static func with(
        redis: EmbeddedServer? = nil, isolation: isolated (any Actor)? = #isolation, _ body: (RouterRig) async throws -> Void
    ) async throws {
        try await OwnLog.with("router", redis: redis) { log in try await body(RouterRig(endpoint: log.endpoint, keys: log.keys)) }
    }

    func connect() throws -> RedisSession { try RedisSession(endpoint, name: "test") }

    /// Runs a router of this process name until `body` ends.
    func withRouter(
        _ instance: String, metrics: Metrics = Metrics(), limitsWritten: Int = 50_000, limitsInterval: Duration = .seconds(60),
        openSessionsMax: Int = Limits.openSessionsMax, tail: DecidedTail = DecidedTail(), leaseTTL: Duration = .seconds(1), setup: LogSetup? = nil,
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
    ) async throws {
        let loop = StageLoop(name: "router", instance: instance, endpoint: endpoint, keys: keys, leaseTTL: leaseTTL, setup: setup)
        let router = Router(
            loop: loop, keys: keys, policy: PolicyFold(defaultTarget: "default"), attemptsMax: 3, limitsWritten: limitsWritten,
            limitsInterval: limitsInterval, openSessionsMax: openSessionsMax, tail: tail, metrics: metrics)
        try await whileRunning({ await router.run() }, body)
    }

    /// Appends entries as they are, whoever would write such.
    func append(_ entries: [[(name: String, value: [UInt8])]], _ session: RedisSession) throws {
        var command = RESPWriter()
        for fields in entries {
            command.begin(3 + 2 * fields.count)
            for word in ["XADD", keys.stream(.messages), "*"] { command.argument(word) }
            for (name, value) in fields {
                command.argument(name)
                command.argument(value)
            }
        }
        for reply in try session.pipeline(command) { if case .error(let text) = reply { throw RedisError.server(text) } }
    }

    /// Entries of `rejected`: the position of what was buried, and why.
    func buried(_ session: RedisSession) throws -> [(position: String, reason: String)] {
        (try session.run("XRANGE", [keys.stream(.rejected), "-", "+"]).array ?? []).compactMap { entry in
            let fields = entry.array?[1].pairs ?? [:]
            guard let position = fields["position"]?.text, let reason = fields["reason"]?.text else { return nil }
            return (position, reason)
        }
    }

    func add(_ count: Int, _ session: RedisSession) throws {
        for index in 0..<count {
            let text = #"{"topic":"a.b","data":\#(index)}"#
            let entry = try Envelope.admit(Array(text.utf8), arrival: Arrival(via: "http"), freshID: { MessageUUID(high: 7, low: UInt64(index)) }).entry
            try session.run("XADD", [keys.stream(.messages), "*"] + MessageField.allCases.flatMap { [$0.name.description, entry.string($0)] })
        }
    }

    /// Appends a change of a document; its position.
    func control(_ change: ControlEvent.Change, _ kind: ControlKind, _ key: String, _ document: String, _ session: RedisSession) throws -> Position {
        let event = ControlEvent(kind, change, key: key, document: Array(document.utf8))
        guard case .appended(let positions) = try ControlLog(keys: keys).append([ControlChange(event, expected: .any)], session) else {
            throw LogError.unavailable("the change was not appended")
        }
        return positions[0]
    }

    func verdicts(_ session: RedisSession) throws -> [VerdictEntry] { try LogReader(keys: keys).decided(after: .zero, count: 1_000, session).map(\.verdict) }

    /// The id of the last entry that is a message.
    func lastMessage(_ session: RedisSession) throws -> String? {
        let last = try session.run("XREVRANGE", [keys.stream(.messages), "+", "-", "COUNT", "2"]).array ?? []
        return last.first { $0.array?.last?.array?.first?.text == "event" }?.array?.first?.text
    }

    func ids(_ stream: StreamName) throws -> [String] {
        try (connect().run("XRANGE", [keys.stream(stream), "-", "+"]).array ?? []).compactMap { $0.array?.first?.text }
    }

    func pending() throws -> Int { try connect().run("XPENDING", [keys.stream(.messages), "router"]).array?.first?.int ?? -1 }

    /// The id of the last verdict in what is written down of the limits; nil when nothing is.
    func limitsWrittenThrough() throws -> String? {
        guard let text = try connect().run("GET", [keys.limits]).text, let line = text.split(separator: "\n").first else { return nil }
        return Position(line)?.streamID
    }

    /// Trims messages and verdicts down to nothing, as far as may be; how many messages went. Archive and republisher have passed all of them.
    func trimAll(_ session: RedisSession) throws -> Int {
        for group in [GroupName.archive, .republish] { try session.run("XGROUP", ["SETID", keys.stream(.verdicts), group.rawValue, "$"]) }
        let count = try Trimmer.trim(.messages, ageMs: 1, entries: 0, keys: keys, session)
        _ = try Trimmer.trim(.verdicts, ageMs: 1, entries: 0, keys: keys, session)
        return count
    }

    /// How long a consumer has not asked for entries.
    func idleMs(_ consumer: String) throws -> Int {
        let consumers = try connect().run("XINFO", ["CONSUMERS", keys.stream(.messages), "router"]).array ?? []
        return consumers.first { $0.pairs["name"]?.text == consumer }?.pairs["idle"]?.int ?? 0
    }

    /// Every message has a verdict, at its own id, in order, and nothing is pending.
    func isDecided() throws -> Bool { try ids(.verdicts) == ids(.messages) && pending() == 0 }
}
