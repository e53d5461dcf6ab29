import Core
import PostgreSQLDriver

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
