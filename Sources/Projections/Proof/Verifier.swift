import Core
import Log
import PostgreSQLDriver

/// Folds the log again and compares it with what lies in PostgreSQL. Writes nothing.
struct Verifier<P: Projection> {
    private let projection: P
    private let place: ProjectionPlace

    init(_ projection: P, _ place: ProjectionPlace) {
        self.projection = projection
        self.place = place
    }

    private struct Recorded {
        let position: Position
        let events: Int64
        let rows: Int64
        let digest: String
    }

    /// What is compared, of one moment.
    private struct Snapshot {
        let row: GenerationRow
        let recorded: [Recorded]
        let outOfTurn: OutOfTurn
    }

    func run(_ progress: (VerifyProgress) -> Void) throws(ProjectionError) -> Verification {
        let session = try place.postgresql("verify-\(projection.definition.name)")
        try database { () throws(PostgreSQLError) in _ = try session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") }
        defer { session.rollback() }
        let snapshot = try read(session)
        let row = snapshot.row
        let fold = try LogFold(projection, place, snapshot.outOfTurn)
        func each() throws(ProjectionError) {
            guard fold.fold.held <= Verifier.rowsMax else {
                throw .tooMuch("\(row.name) has more than \(Verifier.rowsMax) rows; they do not fit into memory for a comparison")
            }
            progress(VerifyProgress(entries: fold.entries, entriesTotal: row.entries, position: fold.fold.position))
        }
        var lastEqual: Position?
        var firstDifferent: Position?
        var compared = 0
        for one in snapshot.recorded where one.position <= row.position && firstDifferent == nil {
            _ = try fold.run(to: one.position, each: each)
            _ = fold.commit()
            compared += 1
            if fold.fold.digest.description == one.digest, fold.fold.count == one.rows, fold.fold.events == one.events {
                lastEqual = one.position
            } else {
                firstDifferent = one.position
            }
        }
        _ = try fold.run(to: row.position, each: each)
        _ = fold.commit()
        // A generation that has nothing yet was made from no beginning.
        if let begins = fold.begins, row.begins != begins, row.position != .zero {
            throw .status(
                "\(row.name) cannot be compared: its rows were made from \(row.begins?.description ?? "the beginning"), log and archive now begin at \(begins)")
        }
        var checkpoint = checkpointDifferences(snapshot, fold)
        if let later = snapshot.recorded.first(where: { $0.position > row.position }) {
            checkpoint.append(.init(field: "position", expected: "\(later.position) or later, where a digest was recorded", found: row.position.description))
        }
        let (differences, total) = try compareRows(fold, row, session)
        return Verification(
            name: row.name, generation: row.generation, position: row.position, entries: fold.entries, events: fold.fold.events, rows: fold.fold.count,
            digest: fold.fold.digest.description, digestsCompared: compared, lastEqual: lastEqual, firstDifferent: firstDifferent, checkpoint: checkpoint,
            differences: differences, differencesTotal: total)
    }

    /// All rows are held while they are compared: some GB at this bound.
    private static var rowsMax: Int { 3_000_000 }

    // MARK: What is there

    private func read(_ session: PostgreSQLSession) throws(ProjectionError) -> Snapshot {
        let name = projection.definition.name
        guard let row = try GenerationTable.serving(name, on: session) else { throw .notStarted(name) }
        guard row.version == projection.definition.version else {
            throw .status("\(name) is served in version \(row.version); this process folds version \(projection.definition.version)")
        }
        let answer = try database { () throws(PostgreSQLError) in
            try session.query(
                """
                SELECT position_ms, position_seq, events, rows, encode(digest, 'hex') FROM projection_digest
                WHERE name = $1 AND generation = $2 ORDER BY position_ms, position_seq
                """, [.text(name), .int4(Int32(row.generation))])
        }
        let recorded = (0..<answer.rowCount).map { index in
            Recorded(
                position: Position(ms: UInt64(clamping: answer.int64(index, 0) ?? 0), seq: UInt64(clamping: answer.int64(index, 1) ?? 0)),
                events: answer.int64(index, 2) ?? 0, rows: answer.int64(index, 3) ?? 0, digest: answer.string(index, 4) ?? "")
        }
        return Snapshot(row: row, recorded: recorded, outOfTurn: try OutOfTurn(row, on: session))
    }

    // MARK: Comparing

    private func checkpointDifferences(_ snapshot: Snapshot, _ fold: LogFold<P>) -> [Verification.CheckpointDifference] {
        let row = snapshot.row
        var out: [Verification.CheckpointDifference] = []
        func compare(_ field: String, _ expected: some CustomStringConvertible, _ found: some CustomStringConvertible) {
            if expected.description != found.description { out.append(.init(field: field, expected: expected.description, found: found.description)) }
        }
        if fold.lastEntry != row.position {
            out.append(.init(field: "position", expected: "an entry of the log; the last one before is \(fold.lastEntry)", found: row.position.description))
        }
        // The archive lacks entries that nobody could read, so the number read is compared only where the log has them all.
        if !fold.usedArchive { compare("entries", fold.entries, row.entries) }
        compare("events", fold.fold.events, row.events)
        compare("rows", fold.fold.count, row.rows)
        compare("digest", fold.fold.digest, row.digest)
        return out
    }

    /// Goes through the rows of both sides in order of their keys.
    private func compareRows(_ fold: LogFold<P>, _ row: GenerationRow, _ session: PostgreSQLSession) throws(ProjectionError) -> (
        [Verification.RowDifference], Int
    ) {
        var out: [Verification.RowDifference] = []
        var total = 0
        func add(_ kind: Verification.RowDifference.Kind, _ key: String, _ expected: String?, _ found: String?) {
            total += 1
            if out.count < ProjectionLimits.differencesMax { out.append(.init(kind: kind, key: key, expected: expected, found: found)) }
        }
        func text(_ json: [UInt8]) -> String { String(decoding: json, as: UTF8.self) }
        let expected = fold.rows
        var at = 0
        var after: String?
        while true {
            let page = try self.page(row, after: after, session)
            for found in page {
                while at < expected.count, KeyOrder.isBefore(expected[at].key, found.key) {
                    add(.missing, expected[at].key, text(expected[at].json), nil)
                    at += 1
                }
                guard at < expected.count, expected[at].key.utf8.elementsEqual(found.key.utf8) else {
                    add(.extra, found.key, nil, text(found.json))
                    continue
                }
                let wanted = expected[at]
                at += 1
                if wanted.json != found.json {
                    add(.differs, found.key, text(wanted.json), text(found.json))
                } else if found.digest != StateDigest(key: found.key, row: found.json) {
                    add(.digest, found.key, StateDigest(key: found.key, row: found.json).description, found.digest?.description ?? "none")
                } else if wanted.position != found.position {
                    add(.position, found.key, wanted.position.description, found.position.description)
                }
            }
            guard let last = page.last else { break }
            after = last.key
        }
        for rest in expected[at...] { add(.missing, rest.key, text(rest.json), nil) }
        return (out, total)
    }

    private func page(_ row: GenerationRow, after: String?, _ session: PostgreSQLSession) throws(ProjectionError) -> [StoredRow] {
        let table = ProjectionNames(row.name).table(row.generation)
        do throws(PostgreSQLError) {
            let answer = try session.query(
                "SELECT \(StoredRow.columns) FROM \(table) WHERE $1::text IS NULL OR key > $1 ORDER BY key LIMIT 10000", [after.map { .text($0) } ?? nil])
            return (0..<answer.rowCount).map { StoredRow(answer, row: $0) }
        } catch {
            if error.sqlState == "42P01" { throw .status("a rebuild of \(row.name) took over meanwhile, verify again") }
            throw .database(error)
        }
    }
}
