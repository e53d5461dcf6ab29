internal import Core
package import PostgreSQLDriver

/// The rows of `projection`: how each generation stands. Statements that change one are in `GenerationWriter` and `ProjectionRequests`.
package enum GenerationTable {
    /// All generations, by name and number.
    ///
    /// - Parameter name: nil: of all projections.
    package static func all(_ name: String? = nil, on session: PostgreSQLSession) throws(ProjectionError) -> [GenerationRow] {
        let answer = try database { () throws(PostgreSQLError) in
            try session.query(
                "SELECT \(columns) FROM projection WHERE $1::text IS NULL OR name = $1 ORDER BY name, generation", [name.map { .text($0) } ?? nil])
        }
        return (0..<answer.rowCount).map { GenerationRow(answer, row: $0) }
    }

    /// The generation that is read: it serves, or stands still.
    package static func serving(_ name: String, on session: PostgreSQLSession) throws(ProjectionError) -> GenerationRow? {
        try all(name, on: session).first { $0.status == .serving || $0.status == .stopped }
    }

    static func generation(_ name: String, _ number: Int, on session: PostgreSQLSession) throws(ProjectionError) -> GenerationRow? {
        try all(name, on: session).first { $0.generation == number }
    }

    /// Makes the first generation with its table and view, where there is none.
    ///
    /// It serves from the start: readers see its position. So everything is there again soon after PostgreSQL was lost.
    package static func start(_ definition: ProjectionDefinition, on session: PostgreSQLSession) throws(ProjectionError) -> GenerationRow {
        if let found = try serving(definition.name, on: session) { return found }
        try database { () throws(PostgreSQLError) in
            try session.transaction { () throws(PostgreSQLError) in
                // Of two processes that start at once, the second finds what the first has made.
                _ = try session.query("SELECT pg_advisory_xact_lock(hashtext('meshlog projection'), hashtext($1))", [.text(definition.name)])
                let there = try session.query("SELECT status FROM projection WHERE name = $1 AND status IN ('serving', 'stopped')", [.text(definition.name)])
                if there.rowCount > 0 { return }
                let next = try session.query("SELECT coalesce(max(generation), 0) + 1 FROM projection WHERE name = $1", [.text(definition.name)]).int(0, 0) ?? 1
                try create(definition, generation: next, status: .serving, on: session)
                try session.execute(view(definition, generation: next))
            }
        }
        guard let made = try serving(definition.name, on: session) else { throw .notStarted(definition.name) }
        return made
    }

    /// Adds a generation and its table; in a transaction of the caller's.
    static func create(_ definition: ProjectionDefinition, generation: Int, status: GenerationStatus, on session: PostgreSQLSession) throws(PostgreSQLError) {
        let table = ProjectionNames(definition.name).table(generation)
        // Left by a generation whose row somebody removed.
        try session.execute("DROP TABLE IF EXISTS \(table)")
        try session.execute(
            """
            CREATE TABLE \(table) (
              key text COLLATE "C" PRIMARY KEY, row json NOT NULL, digest bytea NOT NULL, position_ms int8 NOT NULL, position_seq int8 NOT NULL
            )
            """)
        _ = try session.query(
            "INSERT INTO projection (name, generation, version, status) VALUES ($1, $2, $3, $4)",
            [.text(definition.name), .int4(Int32(generation)), .int4(Int32(definition.version)), .text(status.rawValue)])
    }

    /// The statement that makes the view of a generation, or turns the view to it.
    static func view(_ definition: ProjectionDefinition, generation: Int) -> String {
        let names = ProjectionNames(definition.name)
        return "CREATE OR REPLACE VIEW \(names.view) AS SELECT \(RowStatement.viewColumns(definition)) FROM \(names.table(generation))"
    }

    /// Ends the work on a generation with a reason: it stands still, or could not be built.
    static func end(
        _ row: GenerationRow, epoch: Int, _ status: GenerationStatus, failure: String, at position: Position?, on session: PostgreSQLSession
    ) throws(ProjectionError) {
        try database { () throws(PostgreSQLError) in
            _ = try session.query(
                """
                UPDATE projection SET status = $3, failure = $4, failure_ms = $5, failure_seq = $6, updated_at = clock_timestamp(), pace = 0,
                  finished_at = CASE WHEN $3 = 'stopped' THEN finished_at ELSE clock_timestamp() END
                WHERE name = $1 AND generation = $2 AND epoch <= $7 AND status = $8
                """,
                [
                    .text(row.name), .int4(Int32(row.generation)), .text(status.rawValue), .text(failure.replacing("\0", with: "\u{FFFD}")),
                    position.map { .int8(Int64(clamping: $0.ms)) } ?? nil, position.map { .int8(Int64(clamping: $0.seq)) } ?? nil, .int8(Int64(epoch)),
                    .text(row.status.rawValue),
                ])
        }
    }

    static let columns = """
        name, generation, version, status, partition, position_ms, position_seq, entries, events, rows, skipped, parked, encode(digest, 'hex'), epoch, \
        target_ms, target_seq, target_entries, folded_entries, pace, begins_ms, begins_seq, failure, failure_ms, failure_seq, \
        (extract(epoch FROM started_at) * 1000000)::int8, (extract(epoch FROM updated_at) * 1000000)::int8, (extract(epoch FROM finished_at) * 1000000)::int8, \
        pass_ms, pass_seq
        """
}

extension GenerationRow {
    /// - Shape: `GenerationTable.columns`.
    init(_ answer: PostgreSQLResult, row: Int) {
        func number(_ column: Int) -> Int64 { answer.int64(row, column) ?? 0 }
        func position(_ column: Int) -> Position? {
            guard let ms = answer.int64(row, column), let seq = answer.int64(row, column + 1) else { return nil }
            return Position(ms: UInt64(clamping: ms), seq: UInt64(clamping: seq))
        }
        name = answer.string(row, 0) ?? ""
        generation = answer.int(row, 1) ?? 0
        version = answer.int(row, 2) ?? 0
        status = answer.string(row, 3).flatMap { GenerationStatus(rawValue: $0) } ?? .failed
        self.position = position(5) ?? .zero
        self.position.partition = answer.int(row, 4) ?? 0
        entries = number(7)
        events = number(8)
        rows = number(9)
        skipped = number(10)
        parked = number(11)
        digest = answer.string(row, 12) ?? ""
        epoch = number(13)
        target = position(14) ?? .zero
        targetEntries = number(16)
        foldedEntries = number(17)
        pace = answer.double(row, 18) ?? 0
        begins = position(19)
        failure = answer.string(row, 21)
        failureAt = position(22)
        startedAt = number(24)
        updatedAt = number(25)
        finishedAt = answer.int64(row, 26)
        passOver = position(27)
    }
}
