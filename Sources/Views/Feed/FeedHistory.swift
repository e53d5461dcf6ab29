internal import Core
internal import Log
internal import Logging
internal import Replay

/// What a follower reads that is behind the ring: the log while it has what follows the cursor, else the archive.
///
/// It is one cursor over both. Trimming never passes the archive, so what the log no longer has, the archive has.
struct FeedHistory: Sendable {
    struct Page: Sendable {
        /// What the filter lets through.
        var entries: [FeedEntry] = []
        /// Everything up to here has been looked at.
        var cursor: Position
        /// What follows is in the log, and not in the archive of a log before it.
        var isOfLog = false
    }

    let stores: Stores
    let hot: HotFeed
    private let log = Logger(label: "meshlog.feed")

    init(stores: Stores, keys: LogKeys) {
        self.stores = stores
        hot = HotFeed(keys: keys)
    }

    /// - Parameter fromNow: what the archive has of a log before this one is not wanted.
    /// - Bounds: `ViewLimits.feedBatchEntriesMax` entries, `ViewLimits.feedBatchBytesTarget` bytes and one entry more.
    /// - Throws: 503 when a store is away: try again with the same cursor.
    func read(after cursor: Position, _ filter: MessageFilter, fromNow: Bool = false) async throws -> Page {
        let (fromLog, found) = try await stores.log { [hot] session in
            let page = try hot.read(
                after: cursor, count: ViewLimits.feedBatchEntriesMax, bytes: ViewLimits.feedBatchBytesTarget, chunk: ViewLimits.feedChunk, session)
            let entries = FeedHistory.batch(page.messages)
            // All decided positions up to `last` were there to be read.
            let end = entries.last?.position ?? max(cursor, page.last)
            return (Page(entries: entries.filter { filter.matches($0) }, cursor: end, isOfLog: true), page)
        }
        if found.isWhole {
            guard found.isBeforeLog, !fromNow, try await archiveHas(after: cursor, before: found) else { return fromLog }
        }
        let archived = try await readArchive(after: cursor, filter)
        if archived.cursor > cursor { return archived }
        // Only when somebody trims by hand, or the archive was emptied: what is left is told rather than nothing.
        if fromLog.cursor > cursor {
            log.warning("a follower met a hole: neither the log nor the archive has what follows its cursor", metadata: ["cursor": "\(cursor)"])
        }
        return fromLog
    }

    /// As many as a follower may hold: what was read beyond that is read again.
    private static func batch(_ messages: [DecidedMessage]) -> [FeedEntry] {
        var entries: [FeedEntry] = []
        var bytes = 0
        for message in messages where bytes < ViewLimits.feedBatchBytesTarget {
            let entry = FeedEntry(message)
            bytes += entry.bytes
            entries.append(entry)
        }
        return entries
    }

    /// Does the archive have messages that an untouched log does not? That a log was lost, only the archive knows; while it is away, a log of which
    /// nothing is known to be archived is all there is.
    private func archiveHas(after cursor: Position, before log: HotFeed.Page) async throws -> Bool {
        do {
            return try await stores.archive { session in try ArchiveReader(session: session).hasMessages(after: cursor, through: log.first?.previous) }
        } catch {
            // A log without entries that has given out ids was told to go on behind those of another one.
            guard log.first != nil || log.last == .zero else { throw error }
            let archived = try await stores.log { [hot] session in try LogReader(keys: hot.keys).cursor(.verdicts, group: .archive, session) }
            if archived == .zero { return false }
            throw error
        }
    }

    private func readArchive(after cursor: Position, _ filter: MessageFilter) async throws -> Page {
        var archived = filter.archived
        archived.order = .oldestFirst
        archived.partition = cursor.partition
        archived.cursor = cursor
        archived.limit = ViewLimits.feedBatchEntriesMax
        let asks = filter.asks
        return try await stores.archive { [archived] session in
            var archived = archived
            let reader = ArchiveReader(session: session, pageBytesTarget: ViewLimits.feedBatchBytesTarget)
            // Asked first, so that the page holds everything up to it.
            var stand = try ArchiveStand.position(reader)
            if asks, let end = try reader.position(ofMessage: ViewLimits.feedScanMax, behind: cursor) {
                stand = end
                archived.through = end
            }
            let page = try reader.messages(archived)
            let entries = page.messages.map { FeedEntry($0.message, at: $0.position, outcome: $0.verdict?.outcome, ackTS: $0.ackTS) }
            let last = entries.last?.position ?? cursor
            return Page(entries: entries, cursor: page.hasMore ? last : max(last, stand))
        }
    }
}
