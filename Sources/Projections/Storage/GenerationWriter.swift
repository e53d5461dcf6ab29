import Core
import Log
import PostgreSQLDriver

/// Writes the rows of one generation together with its checkpoint. Every write says from which state it starts, so that of two writers
/// one finds that it has been fenced, and nothing of it remains.
final class GenerationWriter {
    /// As committed.
    private(set) var row: GenerationRow
    private let session: PostgreSQLSession
    private let table: String
    private let staging: String
    private let literal: String
    private var copy = BinaryCopyWriter(capacity: 256 << 10)
    private var lastDigestEvents: Int64

    /// What a commit writes besides rows.
    struct Step {
        var position: Position
        var entries: Int64
        var events: Int64
        var rows: Int64
        var digest: StateDigest
        var target: Position
        var targetEntries: Int64
        var pace: Double
        var begins: Position?
        var skipped: Int64 = 0
        var parked: [Parked] = []
        var applied: [Applied] = []
        /// The table has nothing but rows of this writer's fold, which holds all of them.
        var isComplete = false
        var recordsDigest = false
    }

    struct Parked {
        let event: LogEvent
        let reason: String
        /// Passed over for good, by somebody's decision.
        let isDiscarded: Bool
    }

    /// A parked event that was tried again.
    struct Applied {
        let stream: String
        let position: Position
        /// Nil when it was applied; else why not.
        let fault: String?
        let events: Int64
    }

    /// Takes the generation over.
    ///
    /// - Throws: `.fenced` when a higher epoch holds it, or it has another status by now.
    init(_ row: GenerationRow, epoch: Int, on session: PostgreSQLSession) throws(ProjectionError) {
        self.session = session
        let names = ProjectionNames(row.name)
        table = names.table(row.generation)
        staging = names.staging(row.generation)
        literal = try database { () throws(PostgreSQLError) in try session.literal(row.name) }
        lastDigestEvents = row.events
        let answer = try database { () throws(PostgreSQLError) in
            try session.query(
                "UPDATE projection SET epoch = $3 WHERE name = $1 AND generation = $2 AND epoch <= $3 AND status = $4 RETURNING \(GenerationTable.columns)",
                [.text(row.name), .int4(Int32(row.generation)), .int8(Int64(epoch)), .text(row.status.rawValue)])
        }
        guard answer.rowCount == 1 else { throw .fenced("\(row.name): another process writes generation \(row.generation)") }
        self.row = GenerationRow(answer, row: 0)
    }

    // MARK: Commit

    /// Writes changed rows, the checkpoint and what belongs to it as one transaction.
    ///
    /// - Cost: three round trips for a small batch; one COPY and one merge for a large one.
    /// - Throws: `.fenced`: nothing was written.
    func commit(_ changes: [RowChange], _ step: Step) throws(ProjectionError) {
        let waiting = Int64(step.parked.count { !$0.isDiscarded } - step.applied.count { $0.fault == nil })
        var isFenced = false
        do throws(PostgreSQLError) {
            isFenced = try session.execute("BEGIN; \(advance(step, waiting))").affectedRows != 1
            if !isFenced {
                try write(changes, isComplete: step.isComplete)
                for parked in step.parked { try park(parked) }
                for applied in step.applied { try settle(applied, step.position) }
                if step.recordsDigest { try record(step) }
                try session.commit()
            }
        } catch {
            session.rollback()
            if error.sqlState == "23505" { throw .damaged(projection: row.name, key: "?", detail: "a row that the log has not given yet is there already") }
            throw .database(error)
        }
        if isFenced {
            session.rollback()
            throw .fenced("\(row.name): generation \(row.generation) has moved on without this process")
        }
        row.position = step.position
        row.entries = step.entries
        row.events = step.events
        row.rows = step.rows
        row.digest = step.digest.description
        row.parked += waiting
        row.skipped += step.skipped
        if step.recordsDigest { lastDigestEvents = step.events }
    }

    /// Whether so much has happened since the last recorded digest that another is due.
    func isDigestDue(events: Int64, isQuiet: Bool) -> Bool {
        // At the head the distance grows with what there is, so that the history stays bounded and thin.
        events - lastDigestEvents
            >= (isQuiet ? min(ProjectionLimits.digestEvents, max(1, events / Int64(ProjectionLimits.digestsMax))) : ProjectionLimits.digestEvents)
    }

    private func advance(_ step: Step, _ waiting: Int64) -> String {
        let begins = step.begins.map { ", begins_ms = \($0.ms), begins_seq = \($0.seq)" } ?? ""
        let passed = "(pass_ms, pass_seq) <= (\(step.position.ms), \(step.position.seq))"
        return """
            UPDATE projection SET position_ms = \(step.position.ms), position_seq = \(step.position.seq), entries = \(step.entries), events = \(step.events), \
            rows = \(step.rows), skipped = skipped + \(step.skipped), parked = parked + \(waiting), digest = '\\x\(step.digest)', \
            target_ms = \(Int64(clamping: step.target.ms)), target_seq = \(Int64(clamping: step.target.seq)), target_entries = \(step.targetEntries), \
            folded_entries = \(step.entries), pace = \(step.pace), \
            pass_ms = CASE WHEN \(passed) THEN NULL ELSE pass_ms END, pass_seq = CASE WHEN \(passed) THEN NULL ELSE pass_seq END, updated_at = clock_timestamp()\(begins) \
            WHERE name = \(literal) AND generation = \(row.generation) AND epoch = \(row.epoch) AND status = '\(row.status.rawValue)' \
            AND (position_ms, position_seq) = (\(row.position.ms), \(row.position.seq))
            """
    }

    // MARK: Rows

    private func write(_ changes: [RowChange], isComplete: Bool) throws(PostgreSQLError) {
        if changes.isEmpty { return }
        if changes.count <= ProjectionLimits.insertRowsMax { return try insert(changes) }
        if isComplete, changes.allSatisfy({ $0.isNew && $0.json != nil }) {
            _ = try copyIn(changes, into: table)
            return
        }
        try session.execute(
            """
            CREATE TEMPORARY TABLE IF NOT EXISTS \(staging) (key text COLLATE "C", row json, digest bytea, position_ms int8, position_seq int8) ON COMMIT DELETE ROWS
            """)
        _ = try copyIn(changes, into: staging)
        try session.execute(
            """
            INSERT INTO \(table) SELECT key, row, digest, position_ms, position_seq FROM \(staging) WHERE row IS NOT NULL \(GenerationWriter.onConflict)
            """)
        if changes.contains(where: { $0.json == nil }) {
            try session.execute("DELETE FROM \(table) t USING \(staging) s WHERE t.key = s.key AND s.row IS NULL")
        }
    }

    private static let onConflict = """
        ON CONFLICT (key) DO UPDATE SET row = excluded.row, digest = excluded.digest, position_ms = excluded.position_ms, position_seq = excluded.position_seq
        """

    private func insert(_ changes: [RowChange]) throws(PostgreSQLError) {
        var values: [String] = []
        var parameters: [PostgreSQLParameter?] = []
        var removed: [String] = []
        for change in changes {
            guard let json = change.json, let digest = change.digest else {
                removed.append(change.key)
                continue
            }
            let at = parameters.count
            values.append("($\(at + 1), $\(at + 2), $\(at + 3), $\(at + 4), $\(at + 5))")
            parameters += [
                .text(change.key), .json(json), .bytea(digest.bytes), .int8(Int64(clamping: change.position.ms)), .int8(Int64(clamping: change.position.seq)),
            ]
        }
        if !values.isEmpty {
            _ = try session.query(
                "INSERT INTO \(table) (key, row, digest, position_ms, position_seq) VALUES \(values.joined(separator: ", ")) \(GenerationWriter.onConflict)",
                parameters)
        }
        if !removed.isEmpty { _ = try session.query("DELETE FROM \(table) WHERE key = ANY ($1)", [.textArray(removed)]) }
    }

    private func copyIn(_ changes: [RowChange], into name: String) throws(PostgreSQLError) -> Int {
        try session.copyIn("COPY \(name) (key, row, digest, position_ms, position_seq) FROM STDIN (FORMAT binary)") { (stream) throws(PostgreSQLError) in
            copy.reset()
            copy.header()
            for change in changes {
                copy.row(fields: 5)
                copy.text(change.key)
                if let json = change.json, let digest = change.digest {
                    copy.blob(json)
                    copy.blob(digest.bytes)
                } else {
                    copy.null()
                    copy.null()
                }
                copy.int8(Int64(clamping: change.position.ms))
                copy.int8(Int64(clamping: change.position.seq))
                if copy.count >= 128 << 10 { try stream.send(&copy) }
            }
            copy.trailer()
            try stream.send(&copy)
        }
    }

    // MARK: Beside the rows

    private func park(_ parked: Parked) throws(PostgreSQLError) {
        _ = try session.query(
            """
            INSERT INTO projection_parked (name, generation, position_ms, position_seq, stream, status, reason, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT DO NOTHING
            """,
            [
                .text(row.name), .int4(Int32(row.generation)), .int8(Int64(clamping: parked.event.position.ms)),
                .int8(Int64(clamping: parked.event.position.seq)),
                .text(parked.event.stream.rawValue), .text(parked.isDiscarded ? "discarded" : "parked"), .text(parked.reason.replacing("\0", with: "\u{FFFD}")),
                .text(parked.event.kept),
            ])
    }

    private func settle(_ applied: Applied, _ behind: Position) throws(PostgreSQLError) {
        let isApplied = applied.fault == nil
        _ = try session.query(
            """
            UPDATE projection_parked SET status = $6, attempts = attempts + 1, reason = coalesce($7, reason), applied_ms = $8, applied_seq = $9, applied_events = $10
            WHERE name = $1 AND generation = $2 AND position_ms = $3 AND position_seq = $4 AND stream = $5
            """,
            [
                .text(row.name), .int4(Int32(row.generation)), .int8(Int64(clamping: applied.position.ms)), .int8(Int64(clamping: applied.position.seq)),
                .text(applied.stream), .text(isApplied ? "applied" : "parked"), applied.fault.map { .text($0.replacing("\0", with: "\u{FFFD}")) } ?? nil,
                isApplied ? .int8(Int64(clamping: behind.ms)) : nil, isApplied ? .int8(Int64(clamping: behind.seq)) : nil,
                isApplied ? .int8(applied.events) : nil,
            ])
    }

    private func record(_ step: Step) throws(PostgreSQLError) {
        try session.execute(
            """
            INSERT INTO projection_digest (name, generation, position_ms, position_seq, events, rows, digest) \
            VALUES (\(literal), \(row.generation), \(step.position.ms), \(step.position.seq), \(step.events), \(step.rows), '\\x\(step.digest)') \
            ON CONFLICT (name, generation, position_ms, position_seq) DO UPDATE SET events = excluded.events, rows = excluded.rows, digest = excluded.digest
            """)
        // Every second one goes, the newest never: the further back, the wider apart.
        try session.execute(
            """
            DELETE FROM projection_digest d USING (
              SELECT position_ms, position_seq, row_number() OVER (ORDER BY position_ms DESC, position_seq DESC) AS number, count(*) OVER () AS found
              FROM projection_digest WHERE name = \(literal) AND generation = \(row.generation)) n
            WHERE d.name = \(literal) AND d.generation = \(row.generation) AND (d.position_ms, d.position_seq) = (n.position_ms, n.position_seq) \
            AND n.found > \(ProjectionLimits.digestsMax) AND n.number % 2 = 0
            """)
    }

    // MARK: Between commits

    /// Says how far the fold in memory is, ahead of the next commit.
    ///
    /// - Returns: false when the generation is no longer this writer's: cancelled, replaced or taken over.
    func report(folded: Int64, target: Position, targetEntries: Int64, pace: Double) throws(ProjectionError) -> Bool {
        let sql = """
            UPDATE projection SET folded_entries = \(folded), target_ms = \(Int64(clamping: target.ms)), target_seq = \(Int64(clamping: target.seq)), \
            target_entries = \(targetEntries), pace = \(pace), updated_at = clock_timestamp() \
            WHERE name = \(literal) AND generation = \(row.generation) AND epoch = \(row.epoch) AND status = '\(row.status.rawValue)'
            """
        return try database { () throws(PostgreSQLError) in try session.execute(sql).affectedRows == 1 }
    }
}
