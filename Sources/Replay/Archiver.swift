package import Core
package import Log
internal import Logging
package import PostgreSQLDriver
internal import RedisDriver

/// The sink that writes into PostgreSQL; its cursor is the checkpoint, committed with the rows.
package struct ArchiveStage<Record: ArchiveRecord>: ReplaySink {
    private let sink: ArchiveSink<Record>
    private let session: RedisSession
    private let reader: LogReader
    private let stream: StreamName
    private let group: GroupName

    /// - Parameter source: the stream that gives the entries of `stream` their ids.
    init(sink: ArchiveSink<Record>, session: RedisSession, reader: LogReader, stream: StreamName, group: GroupName, source: StreamName)
        throws(RedisError)
    {
        self.sink = sink
        self.session = session
        self.reader = reader
        self.stream = stream
        self.group = group
        try ArchiveStage.catchUp(source, with: sink.checkpoint, reader, session)
        try ArchiveStage.tellHole(stream, sink.checkpoint, reader, session)
        // At once, not with the first batch: a PostgreSQL that came back older than it was needs what the group has passed.
        try reader.setCursor(stream, group: group, sink.checkpoint.position, session)
    }

    package var cursor: Position { sink.checkpoint.position }

    /// A log that was lost, with a clock that is behind, gives out ids that the archive has passed: it would read none of those entries. So the ids
    /// go on behind the checkpoint.
    private static func catchUp(_ source: StreamName, with checkpoint: Checkpoint, _ reader: LogReader, _ session: RedisSession)
        throws(RedisError)
    {
        let last = try reader.bounds(source, session).last
        guard last < checkpoint.position else { return }
        let before = try reader.count(source, session)
        try reader.moveOn(source, to: checkpoint.position, session)
        Logger(label: "meshlog.\(checkpoint.name)").error(
            "the log ended before what is archived: it was lost, or is an older one; its ids go on behind the archive's. What was appended since then, and is not archived, stays out of the archive",
            metadata: [
                "stream": "\(source.rawValue)", "ended": "\(last)", "archived": "\(checkpoint.position)",
                "entries_before": "\(before)",
            ])
    }

    /// An archive that was restored from an old copy lacks what the log has let go since: going on is right, and saying nothing is not.
    private static func tellHole(_ stream: StreamName, _ checkpoint: Checkpoint, _ reader: LogReader, _ session: RedisSession) throws(RedisError) {
        let extent = try StreamExtent.read(stream, keys: reader.keys, session)
        let missing = extent.removed - checkpoint.entries
        guard missing > 0 else { return }
        Logger(label: "meshlog.\(checkpoint.name)").error(
            "the archive is older than what the log still has: entries are in neither, so it was restored from an old copy. Restore a newer one, or live with the hole",
            metadata: [
                "stream": "\(stream.rawValue)", "missing": "\(missing)", "archived": "\(checkpoint.position)",
                "log_begins": "\(extent.first ?? extent.last)",
            ])
    }

    package mutating func write(_ batch: [Record]) throws {
        let receipt = try sink.write(batch)
        // The group's cursor follows, so that trimming and `XINFO GROUPS` know; the checkpoint is the truth.
        try reader.setCursor(stream, group: group, receipt.checkpoint.position, session)
    }
}

/// Makes the followers that fill the archive.
package enum Archivers {
    /// Messages and verdicts into `message_exchange` and `verdict`.
    ///
    /// - Parameters:
    ///   - live: the configuration, which says how much is written at once and how often.
    ///   - tail: of the router in this process.
    package static func messages(
        loop: StageLoop, keys: LogKeys, live: LiveConfig, tail: DecidedTail, metrics: Metrics,
        connect: @escaping @Sendable () throws(PostgreSQLError) -> PostgreSQLSession
    ) -> HeadFollower<ArchiveStage<DecidedMessage>> {
        let reader = LogReader(keys: keys)
        let count: @Sendable () -> Int = { live.state.table.integer(.archiveBatch).map { Int($0) } ?? Limits.archiveBatchMax }
        return HeadFollower(
            loop: loop, keys: keys, stream: .verdicts, metrics: metrics, read: { try reader.decided(after: $0, count: count(), $1) },
            shortcut: .init(tail, count: count), position: { $0.position },
            interval: { .milliseconds(live.state.table.integer(.archiveInterval) ?? 0) },
            open: { session, epoch in
                let sink: ArchiveSink<DecidedMessage> = try claim("archive", epoch, of: loop, on: try connect(), session)
                return try ArchiveStage(sink: sink, session: session, reader: reader, stream: .verdicts, group: .archive, source: .messages)
            })
    }

    /// Deliveries into `delivery`.
    package static func deliveries(
        loop: StageLoop, keys: LogKeys, metrics: Metrics, connect: @escaping @Sendable () throws(PostgreSQLError) -> PostgreSQLSession
    ) -> HeadFollower<ArchiveStage<LoggedDelivery>> {
        let reader = LogReader(keys: keys)
        return HeadFollower(
            loop: loop, keys: keys, stream: .deliveries, metrics: metrics,
            read: { try reader.deliveries(after: $0, count: Limits.archiveBatchMax, $1) }, position: { $0.position },
            open: { session, epoch in
                let sink: ArchiveSink<LoggedDelivery> = try claim("delivery", epoch, of: loop, on: try connect(), session)
                return try ArchiveStage(
                    sink: sink, session: session, reader: reader, stream: .deliveries, group: .deliveryArchive, source: .deliveries)
            })
    }

    /// Claims the checkpoint under the lease's epoch.
    ///
    /// - Throws: `.fenced` when it has a higher one. Then another process acts by now; or the log was lost and counts epochs anew, and the next try is
    ///   above.
    private static func claim<Record: ArchiveRecord>(
        _ name: String, _ epoch: Int, of loop: StageLoop, on archive: PostgreSQLSession, _ session: RedisSession
    ) throws -> ArchiveSink<Record> {
        do throws(ArchiveError) {
            return try ArchiveSink(session: archive, name: name, partition: 0, epoch: Int64(epoch))
        } catch {
            if case .fenced = error {
                try Lease.raiseEpoch(loop.name, above: try Checkpoint.epoch(name, partition: 0, on: archive), keys: loop.keys, session)
            }
            throw error
        }
    }
}
