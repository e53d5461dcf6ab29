package import Core
package import Log
package import PostgreSQLDriver
package import RedisDriver

/// Reads what was decided within a closed range of positions, oldest first, each message once: what the log has let go comes from the
/// archive, the rest from the log. One cursor over both; the base of everything that looks at the past message by message.
///
/// The log is read first and asked afterwards where it begins. While it begins at or before the cursor, nothing that was read can have a gap,
/// since trimming only ever takes the oldest; otherwise what was read is thrown away, and the archive is read up to that beginning. A log that begins
/// behind the cursor without a trim may be the successor of one that was lost: the archive is asked.
/// - Shape: chunks of at most `Limits.historyChunkEntries` messages and about `Limits.readBatchBytesTarget` bytes; blocking, one thread at a time.
///   Whoever wants to stop asks for no further chunk.
/// - Cost: of the log two round trips for 128 messages and one for each chunk; of the archive one query for each chunk.
package final class HistoryReader {
    package let through: Position
    /// Everything up to here was given out or passed over.
    package private(set) var after: Position
    /// The first position that is left, when older ones of the range are gone for good: the archive has dropped them, or there never was one.
    package private(set) var begins: Position?
    /// Some of what was given out came from the archive.
    package private(set) var usedArchive = false
    private let topics: [SubjectPattern]
    private let keys: LogKeys
    private let session: RedisSession
    private let connect: () throws(PostgreSQLError) -> PostgreSQLSession
    private var archive: ArchiveReader?
    /// What lies before this one is read from the archive.
    private var archivedUntil: Position?
    private var isStarted = false

    /// - Parameters:
    ///   - from: the first position of the range.
    ///   - through: the last one.
    ///   - topics: only messages on these; none for all.
    ///   - archive: connects to PostgreSQL; called when the archive is needed, or has to be asked whether it is.
    package init(
        from: Position, through: Position, topics: [SubjectPattern] = [], keys: LogKeys, session: RedisSession,
        archive: @escaping () throws(PostgreSQLError) -> PostgreSQLSession
    ) {
        after = from.previous
        self.through = through
        self.topics = topics
        self.keys = keys
        self.session = session
        connect = archive
    }

    /// The next messages; none at the end of the range, or where nothing further has been decided yet.
    package func next() throws(HistoryError) -> [DecidedMessage] {
        while after < through {
            if let until = archivedUntil {
                let found = try archived(before: until)
                if !found.isEmpty { return found }
                archivedUntil = nil
                continue
            }
            let chunk = try hot()
            if let first = try firstAfterLoss() {
                try enterArchive(before: first)
                continue
            }
            isStarted = true
            guard let last = try chunk.get().last else { return [] }
            after = last.position
            let found = try chunk.get().filter { $0.position <= through && isWanted($0.message) }
            if !found.isEmpty { return found }
        }
        return []
    }

    private func isWanted(_ message: MessageEntry) -> Bool {
        if topics.isEmpty { return true }
        let bytes = message.bytes
        let topic = bytes.span.extracting(message.range(.topic))
        return topics.contains { $0.matches(topic) }
    }

    // MARK: The log

    /// The next chunk of the log; an error while trimming may have been at work is looked at afterwards.
    private func hot() throws(HistoryError) -> Result<[DecidedMessage], HistoryError> {
        do throws(RedisError) {
            return .success(try LogReader(keys: keys).decided(after: after, count: Limits.historyChunkEntries, session))
        } catch {
            guard case .unexpectedReply = error else { throw .log(error) }
            return .failure(.log(error))
        }
    }

    /// Where the log goes on, when it may have lost something behind the cursor; nil when it has not.
    private func firstAfterLoss() throws(HistoryError) -> Position? {
        let verdicts = try log { () throws(RedisError) in try StreamExtent.read(.verdicts, keys: keys, session) }
        let messages = try log { () throws(RedisError) in try StreamExtent.read(.messages, keys: keys, session) }
        let isUntouched = verdicts.removed <= 0 && messages.removed <= 0
        // Each of both streams is trimmed by itself.
        let first: Position
        if let one = verdicts.first, let other = messages.first {
            first = max(one, other)
        } else {
            first = isUntouched ? through.next : verdicts.last.next
        }
        if first <= after.next { return nil }
        // A log that nothing was taken from has all there is, unless it is the successor of one that was lost.
        if isUntouched, try !archiveHas(before: first) { return nil }
        return first
    }

    /// While the archive is away, a log of which nothing is known to be archived is all there is.
    private func archiveHas(before first: Position) throws(HistoryError) -> Bool {
        do throws(HistoryError) {
            return try archived { (reader) throws(ArchiveError) in try reader.hasMessages(after: after, through: first.previous) }
        } catch {
            let archived = try log { () throws(RedisError) in try LogReader(keys: keys).cursor(.verdicts, group: .archive, session) }
            if archived == .zero { return false }
            throw error
        }
    }

    // MARK: The archive

    private func opened() throws(HistoryError) -> ArchiveReader {
        if let archive { return archive }
        do throws(PostgreSQLError) {
            let made = ArchiveReader(session: try connect())
            archive = made
            return made
        } catch {
            throw .archive(.database(error))
        }
    }

    /// Makes sure that the archive has what the log has let go, and turns to it.
    private func enterArchive(before first: Position) throws(HistoryError) {
        let extent = try archived { (reader) throws(ArchiveError) in try reader.extent() }
        let oldest: Position
        if let extent, let row = extent.oldest, row < first {
            let removed = try log { () throws(RedisError) in try StreamExtent.read(.verdicts, keys: keys, session) }.removed
            // The log lets go only what is archived, but says nothing about who else removed entries: the counts do.
            if extent.checkpoint.position < first.previous, extent.checkpoint.entries < removed {
                throw .archiveBehind(archive: extent.checkpoint.position, log: first)
            }
            archivedUntil = first
            if row <= after.next { return }
            let rows = try archived { (reader) throws(ArchiveError) in try reader.count() }
            if Int64(rows) >= extent.checkpoint.entries { return }
            oldest = row
        } else {
            oldest = first
        }
        // Only a range whose beginning is gone may begin later than it was asked for.
        guard !isStarted, !usedArchive else { throw .gap(after: after, first: oldest) }
        begins = oldest
        after = oldest.previous
    }

    private func archived(before until: Position) throws(HistoryError) -> [DecidedMessage] {
        let end = min(through, until.previous)
        guard end > after else {
            after = max(after, end)
            return []
        }
        let page = try archived { (reader) throws(ArchiveError) in
            try reader.entries(after: after, through: end, topics: topics.map(\.text), tellsAcknowledgement: false, limit: Limits.historyChunkEntries)
        }
        guard let last = page.messages.last else {
            after = end
            return []
        }
        usedArchive = true
        after = last.position
        var found: [DecidedMessage] = []
        found.reserveCapacity(page.messages.count)
        for one in page.messages {
            guard let verdict = one.verdict else { throw .undecided(one.position) }
            found.append(DecidedMessage(position: one.position, message: one.message, verdict: verdict))
        }
        return found
    }

    private func archived<R>(_ body: (ArchiveReader) throws(ArchiveError) -> R) throws(HistoryError) -> R {
        let reader = try opened()
        do throws(ArchiveError) { return try body(reader) } catch { throw .archive(error) }
    }

    private func log<R>(_ body: () throws(RedisError) -> R) throws(HistoryError) -> R {
        do throws(RedisError) { return try body() } catch { throw .log(error) }
    }
}
