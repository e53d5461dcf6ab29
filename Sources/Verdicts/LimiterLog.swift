internal import Core
internal import Log
internal import Logging
internal import RedisDriver

/// Where the limits' state lies: in the verdicts, each of which carries what it left behind, and every so often as a whole beside them,
/// so that a takeover reads a few verdicts instead of all.
struct LimiterLog {
    private let keys: LogKeys
    private let lease: String
    private let every: Int
    /// Verdicts decided since the state was written, and when that was.
    private var decided = 0
    private var written = ContinuousClock.now
    private static let log = Logger(label: "meshlog.router")

    init(keys: LogKeys, lease: String, every: Int) {
        self.keys = keys
        self.lease = lease
        self.every = every
    }

    /// The state as the last verdict of the log left it.
    ///
    /// - Cost: a second for some hundred thousand verdicts; there are at most about `Limits.limitsWrittenVerdicts` to read, unless the
    ///   state as a whole is lost.
    /// - Parameter isGoing: asked before each thousand; false ends it early.
    func restore(_ session: RedisSession, while isGoing: () -> Bool) throws -> LimiterState {
        var (position, state) = try written(session) ?? (.zero, LimiterState())
        while isGoing() {
            var command = RESPWriter()
            command.command("XRANGE", [keys.stream(.verdicts), position.next.streamID, "+", "COUNT", String(LimiterLog.batch)])
            try session.send(command)
            let (count, fault) = try session.receive { reply in LimiterLog.apply(reply, to: &state, &position) }
            if let fault { throw fault }
            if count < LimiterLog.batch { break }
        }
        return state
    }

    private static let batch = 1_000

    private static func apply(_ reply: RedisReply, to state: inout LimiterState, _ position: inout Position) -> (Int, RedisError?) {
        if reply.kind == .error { return (0, .server(reply.string)) }
        for index in 0..<reply.count {
            guard let at = EntryCodec.position(reply[index]) else { return (0, .unexpectedReply("an entry of verdicts has no id")) }
            position = at
            guard let text = EntryCodec.lookup(reply[index])("limits") else { continue }
            if let touches = LimitTouch.list(text) {
                state.restore(touches, at: at.microseconds)
            } else {
                log.error("a verdict's limits cannot be read; limits forget that message", metadata: ["position": "\(at)"])
            }
        }
        return (reply.count, nil)
    }

    private func written(_ session: RedisSession) throws -> (Position, LimiterState)? {
        guard case .string(let text) = try session.run("GET", [keys.limits]), let end = text.firstIndex(of: 0x0A) else { return nil }
        guard let position = Position(utf8: Array(text[..<end])), let state = LimiterState(snapshot: text[(end + 1)...]) else {
            LimiterLog.log.error("what limits remember cannot be read; it is folded from all verdicts", metadata: ["key": "\(keys.limits)"])
            return nil
        }
        return (position, state)
    }

    /// Writes the state down when enough has happened since the last time.
    ///
    /// - Parameter position: of the last verdict in the state; it is in the log.
    mutating func keep(_ state: LimiterState, at position: Position, decided count: Int, _ session: RedisSession, _ epoch: Int) throws {
        decided += count
        guard decided >= every || ContinuousClock.now - written >= .seconds(Limits.limitsWrittenSeconds) else { return }
        var command = RESPWriter()
        command.begin(7)
        for word in ["FCALL", "meshlog_limits", "2", keys.limits, lease, String(epoch)] { command.argument(word) }
        command.argument(Array("\(position)\n".utf8) + state.snapshot)
        if case .error(let text) = try session.pipeline(command)[0] { throw LogError(.server(text)) }
        decided = 0
        written = .now
    }
}
