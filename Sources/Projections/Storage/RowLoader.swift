internal import Core
internal import Foundation
internal import NIOConcurrencyHelpers
package import PostgreSQLDriver

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
        let answer = try database { () throws(PostgreSQLError) in try session.query("SELECT key, row, position_ms, position_seq FROM \(table)") }
        session.rollback()
        return try fold(projection, row, answer)
    }

    private struct RawRow: Sendable {
        let key: String
        let json: [UInt8]
        let position: Position
    }

    /// The digest of each row is made from its bytes: when they add up to the checkpoint's, each is what was committed.
    private static func fold<P: Projection>(_ projection: P, _ row: GenerationRow, _ answer: PostgreSQLResult) throws(ProjectionError) -> Fold<P> {
        guard let digest = StateDigest(hex: row.digest) else { throw .damaged(projection: row.name, key: "*", detail: "the checkpoint's digest is none") }
        let raw = (0..<answer.rowCount).map { index in
            RawRow(
                key: answer.string(index, 0) ?? "", json: answer.bytes(index, 1) ?? [],
                position: Position(ms: UInt64(clamping: answer.int64(index, 2) ?? 0), seq: UInt64(clamping: answer.int64(index, 3) ?? 0)))
        }
        var sum = StateDigest()
        var fold = Fold(projection, position: row.position, events: row.events, count: Int64(raw.count), digest: digest)
        fold.reserve(raw.count)
        var unreadable: String?
        var at = 0
        for part in decoded(raw, as: P.Row.self) {
            for (digest, value) in part {
                if value == nil { unreadable = unreadable ?? raw[at].key }
                fold.put(raw[at].key, value, digest: digest, position: raw[at].position)
                sum &+= digest
                at += 1
            }
        }
        guard row.rows == Int64(raw.count), digest == sum else {
            let found = "the checkpoint says \(row.rows) rows with the digest \(row.digest), the table has \(raw.count) with \(sum); a verification names them"
            throw .damaged(projection: row.name, key: "*", detail: found)
        }
        if let unreadable { throw .damaged(projection: row.name, key: unreadable, detail: "it cannot be read") }
        return fold
    }

    /// Digests and rows, made on as many threads as there are parts: they are all that a starting process waits for.
    private static func decoded<Row: ProjectionRow>(_ raw: [RawRow], as: Row.Type) -> [[(StateDigest, Row?)]] {
        let parts = raw.count < 1_000 ? 1 : min(4, max(1, ProcessInfo.processInfo.activeProcessorCount))
        let size = (raw.count + parts - 1) / parts
        let done = NIOLockedValueBox<[[(StateDigest, Row?)]]>(Array(repeating: [], count: parts))
        DispatchQueue.concurrentPerform(iterations: parts) { part in
            let slice = raw[min(raw.count, part * size)..<min(raw.count, (part + 1) * size)]
            let made = slice.map { (StateDigest(key: $0.key, row: $0.json), Row(json: $0.json)) }
            done.withLockedValue { $0[part] = made }
        }
        return done.withLockedValue { $0 }
    }
}
