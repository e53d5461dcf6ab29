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
    }

    let stores: Stores
    let hot: HotFeed
    private let log = Logger(label: "meshlog.feed")

    init(stores: Stores, keys: LogKeys) {
        self.stores = stores
        hot = HotFeed(keys: keys)
    }

    /// - Bounds: `ViewLimits.feedBatchEntriesMax` entries, about `ViewLimits.feedBatchBytesTarget` bytes.
    /// - Throws: 503 when a store is away: try again with the same cursor.
    func read(after cursor: Position, _ filter: MessageFilter) async throws -> Page {
        let (fromLog, isWhole) = try await stores.log { [hot] session in
            let page = try hot.read(
                after: cursor, count: ViewLimits.feedBatchEntriesMax, bytes: ViewLimits.feedBatchBytesTarget, session)
            let entries = page.messages.map { FeedEntry($0) }
            // All decided positions up to `last` were there to be read.
            let end = entries.last?.position ?? max(cursor, page.last)
            return (Page(entries: entries.filter { filter.matches($0) }, cursor: end), page.isWhole)
        }
        if isWhole { return fromLog }
        let archived = try await readArchive(after: cursor, filter)
        if archived.cursor > cursor { return archived }
        // Only when somebody trims by hand, or the archive was emptied: what is left is told rather than nothing.
        if fromLog.cursor > cursor {
            log.warning("a follower met a hole: neither the log nor the archive has what follows its cursor", metadata: ["cursor": "\(cursor)"])
        }
        return fromLog
    }

    private func readArchive(after cursor: Position, _ filter: MessageFilter) async throws -> Page {
        var archived = filter.archived
        archived.order = .oldestFirst
        archived.partition = cursor.partition
        archived.cursor = cursor
        archived.limit = ViewLimits.feedBatchEntriesMax
        return try await stores.archive { [archived] session in
            let reader = ArchiveReader(session: session, pageBytesTarget: ViewLimits.feedBatchBytesTarget)
            // Asked first, so that the page holds everything up to it.
            let stand = try ArchiveStand.position(reader)
            let page = try reader.messages(archived)
            let entries = page.messages.map { FeedEntry($0.message, at: $0.position, outcome: $0.verdict?.outcome, ackTS: $0.ackTS) }
            let last = entries.last?.position ?? cursor
            return Page(entries: entries, cursor: page.hasMore ? last : max(last, stand))
        }
    }
}
