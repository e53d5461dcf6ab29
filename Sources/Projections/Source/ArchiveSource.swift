import Core
import Log
import PostgreSQLDriver
import Replay

/// The archive as a continuation of the log into the past. It holds what was decided: `messages` and `verdicts` alike.
final class ArchiveSource {
    enum Coverage: Equatable {
        /// Everything that is asked for.
        case whole
        /// Older rows were dropped; the first that is there.
        case from(Position)
        case nothing
    }

    private let connect: () throws(ProjectionError) -> PostgreSQLSession
    private var session: PostgreSQLSession?

    init(_ connect: @escaping () throws(ProjectionError) -> PostgreSQLSession) { self.connect = connect }

    private func opened() throws(ProjectionError) -> PostgreSQLSession {
        if let session, !session.isBroken { return session }
        let made = try connect()
        session = made
        return made
    }

    /// Whether the archive has what the log has lost between two positions.
    ///
    /// - Parameter removed: entries that the log has lost in all.
    /// - Cost: an index look-up; counts rows when the first one asked for may have been dropped.
    /// - Throws: `.archiveBehind` when what the log let go may still come.
    func coverage(_ stream: StreamName, after: Position, before: Position, removed: Int64) throws(ProjectionError) -> Coverage {
        guard stream == .messages || stream == .verdicts else { return .nothing }
        let session = try opened()
        let reader = ArchiveReader(session: session)
        guard try database({ () throws(PostgreSQLError) in try !session.query("SELECT to_regclass('message_exchange')").isNull(0, 0) }),
            let checkpoint = try archive({ () throws(ArchiveError) in try reader.checkpoints() }).first(where: { $0.name == "archive" && $0.partition == 0 })
        else { return .nothing }
        // The log lets go only what is archived, but says nothing about who else removed entries: the counts do.
        if checkpoint.position < before, checkpoint.entries < removed { throw .archiveBehind(archive: checkpoint.position, log: before) }
        let sql = "SELECT entry_ms, entry_seq FROM message_exchange WHERE partition = 0 ORDER BY log_ts, partition, entry_ms, entry_seq LIMIT 1"
        let answer = try database { () throws(PostgreSQLError) in try session.query(sql) }
        guard answer.rowCount == 1 else { return .nothing }
        let oldest = Position(ms: UInt64(answer.int64(0, 0) ?? 0), seq: UInt64(answer.int64(0, 1) ?? 0))
        if after >= oldest { return .whole }
        let rows = try archive { () throws(ArchiveError) in try reader.count() }
        return Int64(rows) >= checkpoint.entries ? .whole : .from(oldest)
    }

    /// The next entries behind `after` and before `before`; none when there are none left.
    func events(_ stream: StreamName, after: Position, before: Position) throws(ProjectionError) -> [LogEvent] {
        var end = before
        if end.seq > 0 {
            end.seq -= 1
        } else if end.ms > 0 {
            end.ms -= 1
            end.seq = UInt64(Int64.max)
        }
        guard end > after else { return [] }
        let session = try opened()
        let page = try archive { () throws(ArchiveError) in
            try ArchiveReader(session: session).entries(after: after, through: end, limit: ProjectionLimits.chunkEntries)
        }
        return page.messages.map { archived in
            let content: LogEvent.Content
            if stream == .messages {
                content = .message(archived.message)
            } else if let verdict = archived.verdict {
                content = .decided(archived.message, verdict)
            } else {
                content = .unreadable(reason: "its verdict is not in the archive", text: Array("{}".utf8))
            }
            return LogEvent(stream: stream, position: archived.position, content: content)
        }
    }
}
