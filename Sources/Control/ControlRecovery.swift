internal import Core
package import Log
internal import Logging
package import RedisDriver

/// Gives a log that has lost its data what the control plane needs to go on: ids behind everything that the state has, and the version of each document.
///
/// `control` is never trimmed. So a document whose last change does not stand there tells that the log was lost, whatever was appended since.
package struct ControlRecovery: Sendable {
    private let keys: LogKeys
    private let log = Logger(label: "meshlog.control")

    package init(keys: LogKeys) { self.keys = keys }

    /// Has the stream lost what the state has?
    ///
    /// - Cost: all versions, and one round trip for each document that has another.
    package func isNeeded(_ state: ControlState, _ session: RedisSession) throws(RedisError) -> Bool {
        if try isBehind(state, session) { return true }
        let known = try session.run("HGETALL", [keys.controlVersions]).pairs
        for (name, revision) in state.versions where known[name]?.text != revision.streamID {
            if try !stands(revision, session) { return true }
        }
        return false
    }

    /// Does the stream end before what the state has? Then what it takes in next would be passed over by whoever has that state.
    ///
    /// - Cost: one round trip.
    func isBehind(_ state: ControlState, _ session: RedisSession) throws(RedisError) -> Bool {
        try LogReader(keys: keys).bounds(.control, session).last < state.reached
    }

    /// Does the change at this position stand in the stream?
    func stands(_ position: Position, _ session: RedisSession) throws(RedisError) -> Bool {
        try session.run("XRANGE", [keys.stream(.control), position.streamID, position.streamID]).array?.isEmpty == false
    }

    /// Lets the stream go on behind the state, and gives each document the version that it has there. In one step, and only while nothing stands in the
    /// stream that the state has not: who lags knows no versions.
    ///
    /// - Returns: false when nothing was done, since the stream has grown.
    package func run(_ state: ControlState, _ session: RedisSession) throws(RedisError) -> Bool {
        let stream = keys.stream(.control)
        try session.run("WATCH", [stream, keys.controlVersions])
        let last = try LogReader(keys: keys).bounds(.control, session).last
        guard try session.run("XRANGE", [stream, state.position.next.streamID, "+", "COUNT", "1"]).array?.isEmpty == true else {
            try session.run("UNWATCH")
            return false
        }
        let head = max(last, state.reached)
        let versions = state.versions
        var command = RESPWriter()
        command.command("MULTI")
        if last < head {
            // A stream without entries is made together with a group only.
            command.command("XGROUP", ["CREATE", stream, "recovery", "0", "MKSTREAM"])
            command.command("XGROUP", ["DESTROY", stream, "recovery"])
            command.command("XSETID", [stream, head.streamID])
        }
        command.command("DEL", [keys.controlVersions])
        for (name, revision) in versions { command.command("HSET", [keys.controlVersions, name, revision.streamID]) }
        command.command("HSET", [keys.controlVersions, "-", head.streamID])
        command.command("EXEC")
        switch try session.pipeline(command).last {
        case .array(let answers):
            for case .error(let text) in answers { throw .server(text) }
        case .error(let text): throw .server(text)
        default: return false
        }
        log.error(
            "the control stream has lost changes: the documents are left as they were, have their versions again, and its ids go on behind them",
            metadata: ["documents": "\(versions.count)", "ended": "\(last)", "behind": "\(head)"])
        return true
    }
}
