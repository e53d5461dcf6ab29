package import Core
package import PostgreSQLDriver

/// How far a stage has come in one partition, as committed with what it wrote.
package struct Checkpoint: Sendable, Equatable {
    package let name: String
    package let partition: Int
    /// The last entry that is done; `<partition>-0-0` before the first.
    package var position: Position
    /// Who claims the checkpoint raises it; a writer with a lower one is fenced.
    package var epoch: Int64
    /// Entries done since the beginning.
    package var entries: Int64

    /// Takes the checkpoint over, making it when it is not there.
    ///
    /// - Parameter epoch: the claimant's own, such as the log's fencing number; nil takes the next.
    /// - Cost: one round trip.
    /// - Throws: `.fenced` when a higher epoch holds it.
    package static func claim(_ name: String, partition: Int, epoch: Int64? = nil, on session: PostgreSQLSession) throws(ArchiveError) -> Checkpoint {
        let sql = """
            INSERT INTO checkpoint AS c (name, partition, epoch) VALUES ($1, $2, coalesce($3, 1))
            ON CONFLICT (name, partition) DO UPDATE SET epoch = coalesce($3, c.epoch + 1), updated_at = now() WHERE $3 IS NULL OR c.epoch <= $3
            RETURNING \(columns)
            """
        let answer = try database { () throws(PostgreSQLError) in
            try session.query(sql, [.text(name), .int2(Int16(partition)), epoch.map { .int8($0) } ?? nil])
        }
        guard answer.rowCount == 1 else { throw .fenced(name: name, partition: partition) }
        return Checkpoint(answer, row: 0)
    }

    /// The epoch that holds the checkpoint; 0 when it is not there.
    static func epoch(_ name: String, partition: Int, on session: PostgreSQLSession) throws(ArchiveError) -> Int64 {
        let answer = try database { () throws(PostgreSQLError) in
            try session.query("SELECT epoch FROM checkpoint WHERE name = $1 AND partition = $2", [.text(name), .int2(Int16(partition))])
        }
        return answer.rowCount == 1 ? answer.int64(0, 0) ?? 0 : 0
    }

    /// All checkpoints, by name and partition.
    package static func all(on session: PostgreSQLSession) throws(ArchiveError) -> [Checkpoint] {
        let answer = try database { () throws(PostgreSQLError) in
            try session.query("SELECT \(columns) FROM checkpoint ORDER BY name, partition")
        }
        return (0..<answer.rowCount).map { Checkpoint(answer, row: $0) }
    }

    private static let columns = "name, partition, position_ms, position_seq, epoch, entries"

    private init(_ answer: PostgreSQLResult, row: Int) {
        name = answer.string(row, 0) ?? ""
        partition = answer.int(row, 1) ?? 0
        position = Position(partition: partition, ms: UInt64(answer.int64(row, 2) ?? 0), seq: UInt64(answer.int64(row, 3) ?? 0))
        epoch = answer.int64(row, 4) ?? 0
        entries = answer.int64(row, 5) ?? 0
    }

    /// The statement that moves the row from this state to `position`; it changes no row when this state is not the row's any more.
    func advance(to position: Position, entries count: Int, nameLiteral: String) -> String {
        """
        UPDATE checkpoint SET position_ms = \(position.ms), position_seq = \(position.seq), epoch = \(epoch), entries = entries + \(count), updated_at = now() \
        WHERE name = \(nameLiteral) AND partition = \(partition) AND epoch <= \(epoch) \
        AND (position_ms, position_seq) = (\(self.position.ms), \(self.position.seq))
        """
    }
}

/// Runs `body` and gives its error the target's type.
func database<R>(_ body: () throws(PostgreSQLError) -> R) throws(ArchiveError) -> R {
    do {
        return try body()
    } catch {
        throw .database(error)
    }
}
