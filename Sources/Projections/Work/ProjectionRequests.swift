package import Core
internal import Log
package import PostgreSQLDriver

/// What people ask of projections. Each verb is one change of a row in PostgreSQL, which whoever does the work finds there.
package enum ProjectionRequests {
    /// Begins to build the next generation beside the one that serves.
    ///
    /// - Returns: the new generation; the one that is being built already, when there is one.
    package static func rebuild(_ definition: ProjectionDefinition, on session: PostgreSQLSession) throws(ProjectionError) -> GenerationRow {
        let serving = try GenerationTable.start(definition, on: session)
        guard serving.version <= definition.version else {
            throw .status("\(definition.name) is served in version \(serving.version) by a newer process; this one knows version \(definition.version)")
        }
        try build(definition, unlessFailed: false, on: session)
        guard let row = try GenerationTable.all(definition.name, on: session).first(where: { $0.status == .building }) else {
            throw .status("the rebuild of \(definition.name) has ended already")
        }
        return row
    }

    /// A newer version of the code: built once by itself; when that failed, only on request.
    static func upgrade(_ definition: ProjectionDefinition, on session: PostgreSQLSession) throws(ProjectionError) {
        try build(definition, unlessFailed: true, on: session)
    }

    private static func build(_ definition: ProjectionDefinition, unlessFailed: Bool, on session: PostgreSQLSession) throws(ProjectionError) {
        try database { () throws(PostgreSQLError) in
            try session.transaction { () throws(PostgreSQLError) in
                _ = try session.query("SELECT pg_advisory_xact_lock(hashtext('meshlog projection'), hashtext($1))", [.text(definition.name)])
                let there = try session.query(
                    "SELECT 1 FROM projection WHERE name = $1 AND (status = 'building' OR ($2 AND status IN ('failed', 'cancelled') AND version = $3))",
                    [.text(definition.name), .bool(unlessFailed), .int4(Int32(definition.version))])
                if there.rowCount > 0 { return }
                let next = try session.query("SELECT coalesce(max(generation), 0) + 1 FROM projection WHERE name = $1", [.text(definition.name)]).int(0, 0) ?? 1
                try GenerationTable.create(definition, generation: next, status: .building, on: session)
                // A handful of earlier generations tell what happened; older ones go.
                _ = try session.query(
                    """
                    DELETE FROM projection WHERE name = $1 AND status IN ('replaced', 'failed', 'cancelled')
                    AND generation <= (SELECT max(generation) FROM projection WHERE name = $1) - \(ProjectionLimits.generationsKept)
                    """, [.text(definition.name)])
            }
        }
    }

    /// Gives a rebuild up; what serves is untouched.
    package static func cancelRebuild(_ name: String, on session: PostgreSQLSession) throws(ProjectionError) -> GenerationRow {
        let answer = try database { () throws(PostgreSQLError) in
            try session.transaction { () throws(PostgreSQLError) in
                let answer = try session.query(
                    """
                    UPDATE projection SET status = 'cancelled', failure = 'cancelled on request', finished_at = clock_timestamp(), updated_at = clock_timestamp(), pace = 0
                    WHERE name = $1 AND status = 'building' RETURNING \(GenerationTable.columns)
                    """, [.text(name)])
                if answer.rowCount == 1 { try session.execute("DROP TABLE IF EXISTS \(ProjectionNames(name).table(GenerationRow(answer, row: 0).generation))") }
                return answer
            }
        }
        guard answer.rowCount == 1 else { throw .status("no rebuild of \(name) is running") }
        return GenerationRow(answer, row: 0)
    }

    /// How a stopped projection goes on.
    package enum Resumption: String, Sendable, CaseIterable {
        /// Tries the event that stopped it again.
        case retry
        /// Passes over that one event for good; it is kept with the parked ones as discarded.
        case skip
    }

    /// Lets a stopped projection go on.
    package static func resume(_ name: String, _ way: Resumption, on session: PostgreSQLSession) throws(ProjectionError) -> GenerationRow {
        let answer = try database { () throws(PostgreSQLError) in
            try session.query(
                """
                UPDATE projection SET status = 'serving', failure = NULL, failure_ms = NULL, failure_seq = NULL,
                  pass_ms = CASE WHEN $2 THEN failure_ms END, pass_seq = CASE WHEN $2 THEN failure_seq END, updated_at = clock_timestamp()
                WHERE name = $1 AND status = 'stopped' AND (NOT $2 OR failure_ms IS NOT NULL) RETURNING \(GenerationTable.columns)
                """, [.text(name), .bool(way == .skip)])
        }
        guard answer.rowCount == 1 else {
            throw .status(way == .skip ? "\(name) is not stopped by an event" : "\(name) is not stopped")
        }
        return GenerationRow(answer, row: 0)
    }

    // MARK: Parked events

    /// Parked events of the serving generation, oldest first, behind `after`.
    package static func parked(_ name: String, after: Position? = nil, limit: Int = 100, on session: PostgreSQLSession) throws(ProjectionError) -> [ParkedEvent]
    {
        guard (1...ProjectionLimits.parkedPage).contains(limit) else { throw .invalid("limit is 1 to \(ProjectionLimits.parkedPage)") }
        let answer = try database { () throws(PostgreSQLError) in
            try session.query(
                """
                SELECT k.generation, k.stream, k.position_ms, k.position_seq, k.status, k.reason, k.entry, k.attempts,
                  (extract(epoch FROM k.parked_at) * 1000000)::int8, k.applied_ms, k.applied_seq
                FROM projection_parked k JOIN projection p USING (name, generation)
                WHERE k.name = $1 AND p.status IN ('serving', 'stopped') AND (k.position_ms, k.position_seq) > ($2, $3)
                ORDER BY k.position_ms, k.position_seq, k.stream LIMIT $4
                """, [.text(name), .int8(Int64(clamping: after?.ms ?? 0)), .int8(Int64(clamping: after?.seq ?? 0)), .int8(Int64(limit))])
        }
        return (0..<answer.rowCount).map { ParkedEvent(answer, row: $0) }
    }

    /// Asks for parked events to be tried again, or gives them up; nil: all that are parked.
    ///
    /// - Returns: how many it concerns. A retry happens within the poll interval of whoever does the work.
    package static func settle(_ name: String, _ positions: [Position]?, as status: ParkedEvent.Status, on session: PostgreSQLSession) throws(ProjectionError)
        -> Int
    {
        guard status == .retry || status == .discarded else { throw .invalid("parked events can be retried or discarded") }
        let ids = positions?.map(\.streamID)
        return try database { () throws(PostgreSQLError) in
            try session.transaction { () throws(PostgreSQLError) in
                let answer = try session.query(
                    """
                    UPDATE projection_parked k SET status = $2 FROM projection p
                    WHERE k.name = $1 AND p.name = k.name AND p.generation = k.generation AND p.status IN ('serving', 'stopped')
                      AND k.status IN ('parked', 'retry') AND ($3::text[] IS NULL OR k.position_ms || '-' || k.position_seq = ANY ($3))
                    RETURNING k.generation
                    """, [.text(name), .text(status.rawValue), ids.map { .textArray($0) } ?? nil])
                if status == .discarded, answer.rowCount > 0, let generation = answer.int(0, 0) {
                    _ = try session.query(
                        "UPDATE projection SET parked = parked - $3 WHERE name = $1 AND generation = $2",
                        [.text(name), .int4(Int32(generation)), .int8(Int64(answer.rowCount))])
                }
                return answer.rowCount
            }
        }
    }
}

extension ParkedEvent {
    fileprivate init(_ answer: PostgreSQLResult, row: Int) {
        func position(_ column: Int) -> Position? {
            guard let ms = answer.int64(row, column), let seq = answer.int64(row, column + 1) else { return nil }
            return Position(ms: UInt64(clamping: ms), seq: UInt64(clamping: seq))
        }
        generation = answer.int(row, 0) ?? 0
        stream = answer.string(row, 1) ?? ""
        self.position = position(2) ?? .zero
        status = answer.string(row, 4).flatMap { Status(rawValue: $0) } ?? .parked
        reason = answer.string(row, 5) ?? ""
        entry = answer.bytes(row, 6) ?? []
        attempts = answer.int(row, 7) ?? 0
        parkedAt = answer.int64(row, 8) ?? 0
        appliedAfter = position(9)
    }
}
