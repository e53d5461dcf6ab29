internal import Core
package import PostgreSQLDriver

/// A row as it lies in a generation's table, checked against its own digest.
struct StoredRow {
    let key: String
    let json: [UInt8]
    let digest: StateDigest?
    let position: Position

    static let columns = "key, row, digest, position_ms, position_seq"

    /// - Shape: `columns`.
    init(_ answer: PostgreSQLResult, row: Int) {
        key = answer.string(row, 0) ?? ""
        json = answer.bytes(row, 1) ?? []
        digest = answer.bytea(row, 2).flatMap { StateDigest(stored: $0) }
        position = Position(ms: UInt64(clamping: answer.int64(row, 3) ?? 0), seq: UInt64(clamping: answer.int64(row, 4) ?? 0))
    }

    /// The row for a fold.
    ///
    /// - Throws: `.damaged` when its bytes are not those that were committed.
    func row<P: Projection>(_ projection: P) throws(ProjectionError) -> P.Row {
        let name = projection.definition.name
        guard let digest, digest == StateDigest(key: key, row: json) else {
            throw .damaged(projection: name, key: key, detail: "its digest is not that of its bytes")
        }
        guard let row = P.Row(json: json) else { throw .damaged(projection: name, key: key, detail: "it cannot be read") }
        return row
    }
}

extension Fold {
    /// Puts in the rows with these keys as they lie in the table of a generation; keys without a row too.
    ///
    /// - Cost: one query.
    /// - Throws: `.damaged` for a row that was changed by hand.
    mutating func look(up keys: [String], in table: String, on session: PostgreSQLSession) throws(ProjectionError) {
        if keys.isEmpty { return }
        let answer = try database { () throws(PostgreSQLError) in
            try session.query("SELECT \(StoredRow.columns) FROM \(table) WHERE key = ANY ($1)", [.textArray(keys)])
        }
        for index in 0..<answer.rowCount {
            let stored = StoredRow(answer, row: index)
            put(stored.key, try stored.row(projection), digest: stored.digest, position: stored.position)
        }
        for key in keys { put(key, nil, digest: nil) }
    }
}

/// Brings a projection's rows into memory, as a fold that can go on from its checkpoint.
package enum RowLoader {
    /// All rows of the serving generation, of one moment; nil when there is none, or it is of another version: then the log is folded from
    /// its beginning.
    ///
    /// - Cost: one SELECT; 100,000 rows take about half a second.
    /// - Throws: `.damaged` when rows and checkpoint do not belong together.
    package static func load<P: Projection>(_ projection: P, on session: PostgreSQLSession) throws(ProjectionError) -> Fold<P>? {
        for _ in 0..<3 {
            do throws(ProjectionError) {
                return try loadOnce(projection, on: session)
            } catch {
                session.rollback()
                // A rebuild took over between the two statements.
                guard case .database(let cause) = error, cause.sqlState == "42P01" else { throw error }
            }
        }
        throw .notStarted(projection.definition.name)
    }

    private static func loadOnce<P: Projection>(_ projection: P, on session: PostgreSQLSession) throws(ProjectionError) -> Fold<P>? {
        try database { () throws(PostgreSQLError) in _ = try session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") }
        guard let row = try GenerationTable.serving(projection.definition.name, on: session), row.version == projection.definition.version else {
            session.rollback()
            return nil
        }
        let table = ProjectionNames(row.name).table(row.generation)
        let answer = try database { () throws(PostgreSQLError) in try session.query("SELECT \(StoredRow.columns) FROM \(table)") }
        session.rollback()
        return try fold(projection, row, answer)
    }

    private static func fold<P: Projection>(_ projection: P, _ row: GenerationRow, _ answer: PostgreSQLResult) throws(ProjectionError) -> Fold<P> {
        var sum = StateDigest()
        for index in 0..<answer.rowCount { if let digest = answer.bytea(index, 2).flatMap({ StateDigest(stored: $0) }) { sum &+= digest } }
        var fold = Fold(projection, position: row.position, events: row.events, count: Int64(answer.rowCount), digest: sum)
        for index in 0..<answer.rowCount {
            let stored = StoredRow(answer, row: index)
            fold.put(stored.key, try stored.row(projection), digest: stored.digest, position: stored.position)
        }
        guard row.rows == Int64(answer.rowCount), row.digest == sum.description else {
            let found = "the checkpoint says \(row.rows) rows with the digest \(row.digest), the table has \(answer.rowCount) with \(sum)"
            throw .damaged(projection: row.name, key: "*", detail: found)
        }
        return fold
    }
}
