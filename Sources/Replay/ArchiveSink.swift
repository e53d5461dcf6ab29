package import Core
package import PostgreSQLDriver

/// What a write did.
package struct ArchiveReceipt: Sendable, Equatable {
    /// The checkpoint as committed.
    package let checkpoint: Checkpoint
    package let records: Int
    /// Records whose rows were there already, recognised by their position.
    package let repeated: Int
    /// Records of which the server refused a row as it was: a message's payload then stands in `message_bytes`, its columns are without what was
    /// refused, and its fields as they were in `exact_fields`.
    package let raw: [Position]
}

/// Writes batches of records into their tables, with the checkpoint in the same transaction: no gap, no duplicate.
///
/// One writer per checkpoint; a second one that claims it fences the first. Blocking: one thread at a time.
package final class ArchiveSink<Record: ArchiveRecord> {
    package private(set) var checkpoint: Checkpoint
    private let session: PostgreSQLSession
    private let nameLiteral: String
    private var writer = BinaryCopyWriter(capacity: ArchiveSinkLimits.chunkBytes * 2)
    private var knownDays: Set<UInt64> = []

    /// Claims the checkpoint `name` of `partition`; see `Checkpoint.claim`.
    package init(session: PostgreSQLSession, name: String, partition: Int, epoch: Int64? = nil) throws(ArchiveError) {
        self.session = session
        nameLiteral = try database { () throws(PostgreSQLError) in try session.literal(name) }
        checkpoint = try Checkpoint.claim(name, partition: partition, epoch: epoch, on: session)
    }

    /// Writes `batch` and moves the checkpoint to its last record.
    ///
    /// - Parameter through: where the checkpoint shall stand, when entries behind the last record are done too (they were unreadable).
    /// - Shape: ascending by position, all behind the checkpoint, of its partition; thousands of records are best.
    /// - Cost: three round trips and two more per table. About a third more for a batch that holds repeats.
    /// - Throws: `.fenced`: nothing was written. Retryable: the outcome is unknown, make a new sink on a new session and compare its
    ///   checkpoint. Anything else: nothing was written.
    package func write(_ batch: [Record], through: Position? = nil) throws(ArchiveError) -> ArchiveReceipt {
        var last = checkpoint.position
        for record in batch {
            guard record.position > last, record.position.partition == checkpoint.partition else { throw .outOfOrder(record.position) }
            last = record.position
        }
        let end = max(through ?? last, last)
        try ensureDays(batch)
        var raw: [Position] = []
        var repeated = 0
        do throws(ArchiveError) {
            try inTransaction(batch, end) { () throws(PostgreSQLError) in try self.copy(batch) }
        } catch .database(let error) where error.sqlState == SQLState.missingPartition {
            // Somebody dropped a day that this sink has seen.
            knownDays = []
            try ensureDays(batch)
            try inTransaction(batch, end) { () throws(PostgreSQLError) in (repeated, raw) = try self.stage(batch) }
        } catch .database(let error) where error.sqlState == SQLState.uniqueViolation || SQLState.isRefusedValue(error) {
            try inTransaction(batch, end) { () throws(PostgreSQLError) in (repeated, raw) = try self.stage(batch) }
        }
        checkpoint.position = end
        checkpoint.entries += Int64(batch.count)
        return ArchiveReceipt(checkpoint: checkpoint, records: batch.count, repeated: repeated, raw: raw)
    }

    // MARK: Transaction

    private func inTransaction(_ batch: [Record], _ end: Position, _ body: () throws(PostgreSQLError) -> Void) throws(ArchiveError) {
        // First the checkpoint: its row lock keeps a second writer out, and a fenced writer finds out before it sends anything.
        let begin = "BEGIN; " + checkpoint.advance(to: end, entries: batch.count, nameLiteral: nameLiteral)
        var isFenced = false
        do throws(PostgreSQLError) {
            isFenced = try session.execute(begin).affectedRows != 1
            if !isFenced {
                if !batch.isEmpty { try body() }
                try session.commit()
            }
        } catch {
            session.rollback()
            throw .database(error)
        }
        if isFenced {
            session.rollback()
            throw .fenced(name: checkpoint.name, partition: checkpoint.partition)
        }
    }

    // MARK: The fast way

    private func copy(_ batch: [Record]) throws(PostgreSQLError) {
        for (index, table) in Record.tables.enumerated() {
            _ = try copy(batch[...], table: index, raw: false, into: table.name)
        }
    }

    private func copy(_ batch: ArraySlice<Record>, table: Int, raw: Bool, into name: String) throws(PostgreSQLError) -> Int {
        let sql = "COPY \(name) (\(Record.tables[table].columnList)) FROM STDIN (FORMAT binary)"
        return try session.copyIn(sql) { (stream) throws(PostgreSQLError) in
            writer.reset()
            writer.header()
            for record in batch {
                record.encode(table: table, raw: raw, into: &writer)
                if writer.count >= ArchiveSinkLimits.chunkBytes { try stream.send(&writer) }
            }
            writer.trailer()
            try stream.send(&writer)
        }
    }

    // MARK: The way of repairs

    /// Through temporary tables without keys: skips rows that are there, keeps in raw form what the server refuses.
    private func stage(_ batch: [Record]) throws(PostgreSQLError) -> (repeated: Int, raw: [Position]) {
        for table in Record.tables {
            try session.execute("CREATE TEMPORARY TABLE IF NOT EXISTS \(table.staging) (LIKE \(table.name)) ON COMMIT DELETE ROWS")
        }
        try session.execute("SAVEPOINT batch")
        do throws(PostgreSQLError) {
            var fresh = 0
            for table in Record.tables.indices {
                let inserted = try merge(batch[...], table: table, raw: false)
                if table == 0 { fresh = inserted }
            }
            return (batch.count - fresh, [])
        } catch  where SQLState.isRefusedValue(error) {
            try session.execute("ROLLBACK TO SAVEPOINT batch")
        }
        var fresh = 0
        var raw: [Position] = []
        for index in batch.indices {
            var isRaw = false
            // Each row by itself: that of a verdict says what it says, whatever is refused of its message.
            for table in Record.tables.indices {
                let (inserted, isRefused) = try mergeAlone(batch[index...index], table: table)
                if table == 0 { fresh += inserted }
                isRaw = isRaw || isRefused
            }
            if isRaw { raw.append(batch[index].position) }
        }
        return (batch.count - fresh, raw)
    }

    /// Writes one record's row of a table, in raw form when the server refuses it.
    private func mergeAlone(_ record: ArraySlice<Record>, table: Int) throws(PostgreSQLError) -> (inserted: Int, isRefused: Bool) {
        try session.execute("SAVEPOINT record")
        var inserted = 0
        var isRefused = false
        do throws(PostgreSQLError) {
            inserted = try merge(record, table: table, raw: false)
        } catch  where SQLState.isRefusedValue(error) {
            try session.execute("ROLLBACK TO SAVEPOINT record")
            inserted = try merge(record, table: table, raw: true)
            isRefused = true
        }
        try session.execute("RELEASE SAVEPOINT record")
        return (inserted, isRefused)
    }

    /// - Returns: how many of the rows were not there yet.
    private func merge(_ records: ArraySlice<Record>, table index: Int, raw: Bool) throws(PostgreSQLError) -> Int {
        let table = Record.tables[index]
        try session.execute("DELETE FROM \(table.staging)")
        _ = try copy(records, table: index, raw: raw, into: table.staging)
        let sql = "INSERT INTO \(table.name) (\(table.columnList)) SELECT \(table.columnList) FROM \(table.staging) ON CONFLICT DO NOTHING"
        return try session.execute(sql).affectedRows
    }

    // MARK: Days

    /// Makes the partitions of days this sink has not seen; on hypertables the server does it.
    private func ensureDays(_ batch: [Record]) throws(ArchiveError) {
        var previous: UInt64?
        for record in batch {
            let day = record.archivedMs / 86_400_000
            if day == previous { continue }
            previous = day
            guard !knownDays.contains(day) else { continue }
            try database { () throws(PostgreSQLError) in
                _ = try session.query("SELECT meshlog_ensure_day(date '1970-01-01' + $1)", [.int4(Int32(clamping: day))])
            }
            if knownDays.count >= ArchiveSinkLimits.knownDaysMax { knownDays = [] }
            knownDays.insert(day)
        }
    }
}

/// Messages with their verdicts, into `message_exchange` and `verdict`.
package typealias MessageArchive = ArchiveSink<DecidedMessage>
/// What came of deliveries, into `delivery`.
package typealias DeliveryArchive = ArchiveSink<LoggedDelivery>

enum ArchiveSinkLimits {
    /// Encoded while the server works on the chunk before; more only costs cache.
    static let chunkBytes = 128 << 10
    /// A sink that writes old days forgets which it has seen, at the cost of one more round trip for each.
    static let knownDaysMax = 4_096
}

/// - Source: PostgreSQL 15, appendix A.
enum SQLState {
    static let uniqueViolation = "23505"
    /// "no partition of relation found for row", and CHECK violations.
    static let missingPartition = "23514"

    /// The row itself is what the server will never take: class 22 (invalid text, JSON or encoding) and 54 (too deep or too large).
    static func isRefusedValue(_ error: PostgreSQLError) -> Bool {
        guard let state = error.sqlState else { return false }
        return state.hasPrefix("22") || state.hasPrefix("54")
    }
}
