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
    private let interval: Duration
    /// The last verdict in the state, and how many in it are not in what was written down.
    private var position = Position.zero
    private var unwritten = 0
    private var written = ContinuousClock.now
    private static let log = Logger(label: "meshlog.router")

    /// - Parameters:
    ///   - every: verdicts after which the state is written down.
    ///   - interval: time after which it is, however few there are.
    init(keys: LogKeys, lease: String, every: Int, interval: Duration) {
        self.keys = keys
        self.lease = lease
        self.every = every
        self.interval = interval
    }

    /// The state as the last verdict of the log left it.
    ///
    /// - Cost: a second for some hundred thousand verdicts; there are at most about `Limits.limitsWrittenVerdicts` to read, unless the
    ///   state as a whole is lost.
    /// - Parameter isGoing: asked before each thousand; false ends it early.
    mutating func restore(_ session: RedisSession, while isGoing: () -> Bool) throws -> LimiterState {
        var (last, state) = try written(session) ?? (.zero, LimiterState())
        while isGoing() {
            var command = RESPWriter()
            command.command("XRANGE", [keys.stream(.verdicts), last.next.streamID, "+", "COUNT", String(LimiterLog.batch)])
            try session.send(command)
            let (count, fault) = try session.receive { reply in LimiterLog.apply(reply, to: &state, &last) }
            if let fault { throw fault }
            unwritten += count
            if count < LimiterLog.batch { break }
        }
        position = last
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

    /// Takes note of further verdicts in the state.
    ///
    /// - Parameter position: of the last of them; it is in the log.
    mutating func add(_ count: Int, through position: Position) {
        unwritten += count
        self.position = position
    }

    /// Writes the state down when enough has happened since the last time, or anything long ago: retention waits for it.
    mutating func keep(_ state: LimiterState, _ session: RedisSession, _ epoch: Int) throws {
        if unwritten >= every || ContinuousClock.now - written >= interval { try write(state, session, epoch) }
    }

    /// Writes the state down, unless all of it is.
    mutating func write(_ state: LimiterState, _ session: RedisSession, _ epoch: Int) throws {
        guard unwritten > 0 else { return }
        var command = RESPWriter()
        command.begin(7)
        for word in ["FCALL", "meshlog_limits", "2", keys.limits, lease, String(epoch)] { command.argument(word) }
        command.argument(Array("\(position)\n".utf8) + state.snapshot)
        if case .error(let text) = try session.pipeline(command)[0] { throw LogError(.server(text)) }
        unwritten = 0
        written = .now
    }
}
