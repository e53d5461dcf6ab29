package import Core
internal import Logging
package import PostgreSQLDriver

/// Reads the archive: rows come back in the form in which the entries stood in the log. Blocking: one thread at a time.
package final class ArchiveReader {
    private let session: PostgreSQLSession
    private let pageBytesTarget: Int

    /// - Parameter pageBytesTarget: bytes of a page's payloads, metadata, recipients and decisions: a thousand messages of 1 MiB are not held at once.
    package init(session: PostgreSQLSession, pageBytesTarget: Int = Limits.readBatchBytesTarget) {
        self.session = session
        self.pageBytesTarget = pageBytesTarget
    }

    /// The newest message with this id: of one that was held and released, the released entry. Of a UUIDv7 that was used again, the one near its time.
    ///
    /// - Cost: a UUIDv7 is looked for in the days around its own time first; any other id costs an index look-up in every day.
    package func message(uuid: MessageUUID) throws(ArchiveError) -> ArchivedMessage? {
        if let ms = uuid.v7Milliseconds {
            let time = Int64(clamping: ms) * 1000
            let near = (time - ArchiveReader.skewMicroseconds)...(time + ArchiveReader.skewMicroseconds)
            // One that was held may stand there again, released after days.
            if let found = try read(ArchiveQuery(uuid: uuid, within: near)).messages.first, found.verdict?.outcome != .hold { return found }
        }
        return try read(ArchiveQuery(uuid: uuid, within: nil)).messages.first
    }

    /// The clock of a client that makes its own ids may be off; messages may have waited.
    private static let skewMicroseconds: Int64 = 3_600_000_000

    /// The message at `position`.
    package func message(at position: Position) throws(ArchiveError) -> ArchivedMessage? {
        guard position != .zero else { return nil }
        return try read(ArchiveQuery(after: position.previous, through: position, topics: [], limit: 1)).messages.first
    }

    /// - Throws: `.invalidQuery` for a topic that is no pattern or a limit out of range.
    package func messages(_ filter: ArchiveFilter) throws(ArchiveError) -> ArchivePage {
        try read(ArchiveQuery(filter))
    }

    /// The entries of a partition behind `after`, ascending, up to and with `through`.
    ///
    /// - Parameters:
    ///   - topics: patterns of which one must match; none asks nothing.
    ///   - tellsAcknowledgement: false leaves `ackTS` out, and is faster.
    package func entries(
        after: Position, through: Position? = nil, topics: [String] = [], tellsAcknowledgement: Bool = true, limit: Int
    ) throws(ArchiveError) -> ArchivePage {
        guard (1...Limits.readBatchMax * 16).contains(limit) else { throw .invalidQuery("limit is 1 to \(Limits.readBatchMax * 16)") }
        var query = try ArchiveQuery(after: after, through: through, topics: topics, limit: limit)
        query.tellsAcknowledgement = tellsAcknowledgement
        return try read(query)
    }

    /// How many messages are archived, of all time or of `from`…`to` (µs since the epoch, the end exclusive).
    ///
    /// - Cost: reads an index of every day in the range; `checkpoints()` has a running count for nothing.
    package func count(from: Int64? = nil, to: Int64? = nil) throws(ArchiveError) -> Int {
        try database { () throws(PostgreSQLError) in
            try session.query(
                "SELECT count(*) FROM message_exchange WHERE ($1::timestamptz IS NULL OR log_ts >= $1) AND ($2::timestamptz IS NULL OR log_ts < $2)",
                [from.map { .timestamp(microseconds: $0) } ?? nil, to.map { .timestamp(microseconds: $0) } ?? nil]
            ).int(0, 0) ?? 0
        }
    }

    package func checkpoints() throws(ArchiveError) -> [Checkpoint] { try Checkpoint.all(on: session) }

    /// What is archived: how far the archive is, and the oldest message it has; nil where there is no archive of this log yet.
    ///
    /// - Cost: three index look-ups.
    package func extent() throws(ArchiveError) -> ArchiveExtent? {
        let isThere = try database { () throws(PostgreSQLError) in try !session.query("SELECT to_regclass('message_exchange')").isNull(0, 0) }
        guard isThere, let checkpoint = try checkpoints().first(where: { $0.name == "archive" && $0.partition == 0 }) else { return nil }
        let sql = "SELECT entry_ms, entry_seq FROM message_exchange WHERE partition = 0 ORDER BY log_ts, partition, entry_ms, entry_seq LIMIT 1"
        let answer = try database { () throws(PostgreSQLError) in try session.query(sql) }
        guard answer.rowCount == 1 else { return ArchiveExtent(checkpoint: checkpoint, oldest: nil) }
        return ArchiveExtent(checkpoint: checkpoint, oldest: Position(ms: UInt64(answer.int64(0, 0) ?? 0), seq: UInt64(answer.int64(0, 1) ?? 0)))
    }

    /// The position of the `count`th message of a partition behind `after`; nil when there are fewer.
    ///
    /// - Cost: reads `count` entries of an index.
    package func position(ofMessage count: Int, behind after: Position) throws(ArchiveError) -> Position? {
        let answer = try database { () throws(PostgreSQLError) in
            try session.query(
                """
                SELECT entry_ms, entry_seq FROM message_exchange
                WHERE partition = $2 AND log_ts >= $1 AND (log_ts, partition, entry_ms, entry_seq) > ($1, $2, $3, $4)
                ORDER BY log_ts, partition, entry_ms, entry_seq OFFSET \(count - 1) LIMIT 1
                """,
                [
                    .timestamp(microseconds: after.microseconds), .int2(Int16(clamping: after.partition)), .int8(Int64(clamping: after.ms)),
                    .int8(Int64(clamping: after.seq)),
                ])
        }
        guard answer.rowCount == 1 else { return nil }
        return Position(partition: after.partition, ms: UInt64(answer.int64(0, 0) ?? 0), seq: UInt64(answer.int64(0, 1) ?? 0))
    }

    /// Is there a message behind `after`, up to and with `through`? There is none where there is no archive yet.
    package func hasMessages(after: Position, through: Position?) throws(ArchiveError) -> Bool {
        let isThere = try database { () throws(PostgreSQLError) in try !session.query("SELECT to_regclass('message_exchange')").isNull(0, 0) }
        if !isThere { return false }
        return try !entries(after: after, through: through, tellsAcknowledgement: false, limit: 1).messages.isEmpty
    }

    // MARK: Rows

    private func read(_ query: ArchiveQuery) throws(ArchiveError) -> ArchivePage {
        let answer = try database { () throws(PostgreSQLError) in try session.query(query.sql(bytesTarget: pageBytesTarget), query.parameters) }
        let messages = (0..<answer.rowCount).map { ArchivedMessage(answer, row: $0) }
        let found = answer.rowCount == 0 ? 0 : answer.int(0, 27) ?? 0
        return ArchivePage(messages: messages, hasMore: found > messages.count || found == query.limit)
    }
}

extension ArchivedMessage {
    /// - Shape: the columns of `ArchiveQuery`.
    fileprivate init(_ answer: PostgreSQLResult, row: Int) {
        func bytes(_ column: Int) -> [UInt8] { answer.bytes(row, column) ?? [] }
        func text(_ column: Int) -> String { answer.string(row, column) ?? "" }
        position = Position(
            partition: answer.int(row, 0) ?? 0, ms: UInt64(answer.int64(row, 1) ?? 0), seq: UInt64(answer.int64(row, 2) ?? 0))
        let uuid = MessageUUID(utf8: bytes(5).span)
        var entry = MessageEntry()
        let data = answer.isNull(row, 12) ? answer.bytea(row, 13) ?? [] : bytes(12)
        entry.reserve(data.count + 1024)
        entry.set(.event, bytes(3))
        entry.set(.version, bytes(4))
        entry.set(.messageUUID, bytes(5))
        entry.set(.topic, bytes(6))
        entry.set(.source, bytes(7))
        entry.set(.destinations, bytes(8))
        entry.set(.type, bytes(9))
        entry.set(.originTS, bytes(10))
        entry.set(.metadata, bytes(11))
        entry.set(.data, data)
        entry.set(.contentType, bytes(14))
        entry.set(.via, bytes(15))
        entry.set(.principal, bytes(16))
        entry.set(.correlationID, bytes(17))
        entry.set(.causation, bytes(18))
        entry.set(.traceparent, bytes(19))
        entry.set(.release, bytes(28))
        // Of an entry that the server has refused in part, the columns have what it takes.
        if let exact = answer.bytea(row, 38), !ExactFields.decode(exact, into: &entry) {
            Logger(label: "meshlog.archive").error("the exact fields of an archived message cannot be read", metadata: ["position": "\(position)"])
        }
        message = entry
        var detail = VerdictDetail()
        detail.shadow = bytes(29)
        detail.limits = bytes(30)
        detail.annotations = bytes(31)
        detail.withheld = bytes(32)
        detail.error = bytes(33)
        detail.destinations = bytes(34)
        detail.hold = bytes(35)
        detail.retryAt = bytes(36)
        detail.digest = bytes(37)
        verdict = Outcome(rawValue: text(20)).flatMap { outcome in
            uuid.map {
                VerdictEntry(
                    messageUUID: $0, outcome: outcome, rule: text(21), reason: text(22), policyRevision: text(23),
                    targets: JSONText.decodeStrings(bytes(24).span)?.map { String(decoding: $0, as: UTF8.self) } ?? [], subject: bytes(25),
                    detail: detail)
            }
        }
        ackTS = answer.int64(row, 26)
    }
}
