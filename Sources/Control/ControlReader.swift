package import Core
package import Log
package import RedisDriver

/// Something that entries of `control` are folded into.
package protocol ControlFold {
    /// Everything up to here is folded in it.
    var position: Position { get }
    mutating func apply(_ position: Position, _ entry: Result<ControlEvent, UnreadableEntry>)
}

/// Reads `control` in order.
package struct ControlReader: Sendable {
    private let keys: LogKeys

    package init(keys: LogKeys) { self.keys = keys }

    /// Entries of one round trip.
    private static let batch = 1_000

    /// Folds what stands behind `state.position`, up to and with `through`.
    ///
    /// - Parameter stop: asked once a batch; true ends it early.
    /// - Cost: one round trip for each thousand entries.
    package func fold(into state: inout some ControlFold, through: Position? = nil, _ session: RedisSession, stop: () -> Bool = { false }) throws(RedisError) {
        while !stop() {
            var command = RESPWriter()
            command.command(
                "XRANGE", [keys.stream(.control), state.position.next.streamID, through?.streamID ?? "+", "COUNT", String(ControlReader.batch)])
            try session.send(command)
            let (count, fault) = try session.receive { reply in ControlReader.apply(reply, to: &state) }
            if let fault { throw fault }
            if count < ControlReader.batch { return }
        }
    }

    /// Waits until something stands behind the state and folds it; at most `wait`.
    package func follow(_ state: inout some ControlFold, wait: Duration, _ session: RedisSession) throws(RedisError) {
        let reader = LogReader(keys: keys)
        if try reader.awaitEntry(.control, after: state.position, wait: wait, session) { try fold(into: &state, session) }
    }

    private static func apply(_ reply: RedisReply, to state: inout some ControlFold) -> (Int, RedisError?) {
        if reply.kind == .error { return (0, .server(reply.string)) }
        for index in 0..<reply.count {
            guard let position = EntryCodec.position(reply[index]) else { return (0, .unexpectedReply("an entry of control has no id")) }
            state.apply(position, ControlLog.event(reply[index]))
        }
        return (reply.count, nil)
    }
}
