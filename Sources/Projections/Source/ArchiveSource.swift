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

    private func keeps(_ stream: StreamName) -> Bool { stream == .messages || stream == .verdicts }

    private func extent() throws(ProjectionError) -> ArchiveExtent? {
        let reader = ArchiveReader(session: try opened())
        return try archive { () throws(ArchiveError) in try reader.extent() }
    }

    /// Whether it has entries behind `after` and before `before`, or any behind `after`. Where a log that nothing was taken from has none there, they are
    /// those of a log before it.
    func holds(_ stream: StreamName, after: Position, before: Position?) throws(ProjectionError) -> Bool {
        guard keeps(stream) else { return false }
        let reader = ArchiveReader(session: try opened())
        let found = try archive { () throws(ArchiveError) in try reader.hasMessages(after: after, through: before?.previous) }
        // Most logs are no successors: no connection is kept for this one question.
        if !found { session = nil }
        return found
    }

    /// The last entry that is archived; zero when none is.
    func reached(_ stream: StreamName) throws(ProjectionError) -> Position {
        guard keeps(stream), let extent = try self.extent() else { return .zero }
        return extent.checkpoint.position
    }

    /// Whether the archive has what the log has lost between two positions.
    ///
    /// - Parameter removed: entries that the log has lost in all.
    /// - Cost: an index look-up; counts rows when the first one asked for may have been dropped.
    /// - Throws: `.archiveBehind` when what the log let go may still come.
    func coverage(_ stream: StreamName, after: Position, before: Position, removed: Int64) throws(ProjectionError) -> Coverage {
        guard keeps(stream), let extent = try self.extent() else { return .nothing }
        // The log lets go only what is archived, but says nothing about who else removed entries: the counts do.
        if extent.checkpoint.position < before.previous, extent.checkpoint.entries < removed {
            throw .archiveBehind(archive: extent.checkpoint.position, log: before)
        }
        guard let oldest = extent.oldest else { return .nothing }
        if after >= oldest { return .whole }
        let reader = ArchiveReader(session: try opened())
        let rows = try archive { () throws(ArchiveError) in try reader.count() }
        return Int64(rows) >= extent.checkpoint.entries ? .whole : .from(oldest)
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
