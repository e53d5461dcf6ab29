package import Core
package import RedisDriver

extension NotificationEntry {
    /// The command that appends it to `notifications`; the oldest entries go when there are far too many.
    package func write(keys: LogKeys, to out: inout RESPWriter) {
        let fields = fields
        out.begin(6 + 2 * fields.count)
        out.argument("XADD")
        out.argument(keys.stream(.notifications))
        out.argument("MAXLEN")
        out.argument("~")
        out.argument(Limits.notificationsKeptMax)
        out.argument("*")
        for (name, value) in fields {
            out.argument(name)
            out.argument(value)
        }
    }

    /// Appends it to `notifications`.
    ///
    /// - Returns: where it stands.
    package func append(_ session: RedisSession, keys: LogKeys) throws(RedisError) -> Position {
        var command = RESPWriter()
        write(keys: keys, to: &command)
        let reply = try session.pipeline(command)[0]
        if case .error(let text) = reply { throw .server(text) }
        guard let position = reply.text.flatMap({ Position(streamID: $0) }) else { throw .unexpectedReply("XADD") }
        return position
    }
}

/// An entry of `notifications` as webhooks see it.
package struct LoggedNotification: Sendable {
    package let position: Position
    /// Nil for the record of an attempt, and for what cannot be read.
    package let notification: NotificationEntry?
}

extension LogReader {
    /// Notifications behind `after`, oldest first, with the records of attempts among them.
    package func notifications(after: Position, count: Int, _ session: RedisSession) throws(RedisError) -> [LoggedNotification] {
        try range(.notifications, from: after.next.streamID, to: "+", count: count, session) { entry in
            EntryCodec.position(entry).map { LoggedNotification(position: $0, notification: NotificationEntry(fields: EntryCodec.lookup(entry))) }
        }
    }
}
