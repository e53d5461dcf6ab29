package import Core
package import Log
package import PostgreSQLDriver
internal import RedisDriver

/// The sink that writes into PostgreSQL; its cursor is the checkpoint, committed with the rows.
package struct ArchiveStage<Record: ArchiveRecord>: ReplaySink {
    private let sink: ArchiveSink<Record>
    private let session: RedisSession
    private let reader: LogReader
    private let stream: StreamName
    private let group: GroupName

    init(sink: ArchiveSink<Record>, session: RedisSession, reader: LogReader, stream: StreamName, group: GroupName) throws(RedisError) {
        self.sink = sink
        self.session = session
        self.reader = reader
        self.stream = stream
        self.group = group
        // At once, not with the first batch: a PostgreSQL that came back older than it was needs what the group has passed.
        try reader.setCursor(stream, group: group, sink.checkpoint.position, session)
    }

    package var cursor: Position { sink.checkpoint.position }

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
                let sink = try ArchiveSink<DecidedMessage>(session: try connect(), name: "archive", partition: 0, epoch: Int64(epoch))
                return try ArchiveStage(sink: sink, session: session, reader: reader, stream: .verdicts, group: .archive)
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
                let sink = try ArchiveSink<LoggedDelivery>(session: try connect(), name: "delivery", partition: 0, epoch: Int64(epoch))
                return try ArchiveStage(sink: sink, session: session, reader: reader, stream: .deliveries, group: .deliveryArchive)
            })
    }
}
