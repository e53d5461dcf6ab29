import Core
import Log
import Logging
import PostgreSQLDriver
import RedisDriver

/// Builds one generation beside the one that serves, and lets it take over when it has caught up.
struct Rebuild<P: Projection> {
    let projection: P
    let place: ProjectionPlace
    private let log: Logger

    init(_ projection: P, _ place: ProjectionPlace) {
        self.projection = projection
        self.place = place
        log = Logger(label: "meshlog.rebuild:\(projection.definition.name)")
    }

    /// Works until the generation serves, fails, is cancelled, or the stop; a later call goes on from its checkpoint.
    ///
    /// - Parameter renew: keeps the lease; throws when it is lost.
    func run(_ generation: Int, epoch: Int, stop: StopSignal, control: RedisSession, renew: () throws -> Void) throws {
        let definition = projection.definition
        let session = try place.postgresql("rebuild-\(definition.name)")
        try database { () throws(PostgreSQLError) in _ = try session.execute("SET synchronous_commit = off") }
        guard let row = try GenerationTable.generation(definition.name, generation, on: session), row.status == .building else { return }
        log.info("building", metadata: ["generation": "\(generation)", "from": "\(row.position)"])
        do throws(ProjectionError) {
            try build(row, epoch, session, stop, control, renew)
        } catch {
            if case .fenced(let reason) = error {
                // Cancelled, or another process goes on with it.
                log.info("stopped building", metadata: ["generation": "\(generation)", "reason": "\(reason)"])
                return
            }
            guard error.isPermanent else { throw error }
            try fail(row, epoch, error, session)
        }
    }

    private func build(
        _ row: GenerationRow, _ epoch: Int, _ session: PostgreSQLSession, _ stop: StopSignal, _ control: RedisSession, _ renew: () throws -> Void
    ) throws(ProjectionError) {
        let work = try Materialization(projection, row, epoch: epoch, session: session, control: control, place: place, passOver: try passedOver(session))
        // Where the generation that serves stood before the last look at the log.
        var stood: Position?
        while !stop.isRequested {
            do { try renew() } catch { throw .fenced("\(error)") }
            _ = try work.step(wait: .milliseconds(20), control: control)
            guard work.isAtHead else { continue }
            switch try takeOver(work.committed, unreachable: stood, session) {
            case .done:
                log.info("took over", metadata: ["generation": "\(row.generation)", "position": "\(work.position)"])
                if let stood, stood > work.position {
                    log.warning(
                        "the generation that served had entries that neither the log nor the archive has any more",
                        metadata: ["generation": "\(row.generation)", "position": "\(work.position)", "served": "\(stood)"])
                }
                return
            case .isBehind(let position): stood = position
            case .isBusy: break
            }
        }
    }

    /// What came of an attempt to take over.
    private enum Attempt {
        case done
        /// The serving generation stands here, further on.
        case isBehind(Position)
        /// Readers held the old rows for too long.
        case isBusy
    }

    /// What somebody decided to pass over in the generation that serves is passed over here too.
    private func passedOver(_ session: PostgreSQLSession) throws(ProjectionError) -> Set<Position> {
        let answer = try database { () throws(PostgreSQLError) in
            try session.query(
                """
                SELECT k.position_ms, k.position_seq FROM projection_parked k JOIN projection p USING (name, generation)
                WHERE k.name = $1 AND k.status = 'discarded' AND p.status IN ('serving', 'stopped')
                """, [.text(projection.definition.name)])
        }
        return Set((0..<answer.rowCount).map { Position(ms: UInt64(clamping: answer.int64($0, 0) ?? 0), seq: UInt64(clamping: answer.int64($0, 1) ?? 0)) })
    }

    private func fail(_ row: GenerationRow, _ epoch: Int, _ error: ProjectionError, _ session: PostgreSQLSession) throws(ProjectionError) {
        try GenerationTable.end(row, epoch: epoch, .failed, failure: error.description, at: error.position, on: session)
        try database { () throws(PostgreSQLError) in _ = try session.execute("DROP TABLE IF EXISTS \(ProjectionNames(row.name).table(row.generation))") }
        log.error("the rebuild failed; what serves is untouched", metadata: ["generation": "\(row.generation)", "reason": "\(error)"])
    }

    /// Switches from the serving generation to this one, when this one is not behind; as one transaction.
    ///
    /// - Parameter unreachable: where the serving generation stood before the last look at the log, which found nothing more for this one: when it still
    ///   stands there, what lies between is gone, and waiting for it would never end.
    private func takeOver(_ row: GenerationRow, unreachable: Position?, _ session: PostgreSQLSession) throws(ProjectionError) -> Attempt {
        do throws(PostgreSQLError) {
            return try session.transaction { () throws(PostgreSQLError) -> Attempt in
                try session.execute("SET LOCAL lock_timeout = \(ProjectionLimits.takeoverLockMs)")
                // Its materializer commits before or after this lock, never during.
                let old = try session.query(
                    "SELECT generation, position_ms, position_seq FROM projection WHERE name = $1 AND status IN ('serving', 'stopped') FOR UPDATE",
                    [.text(row.name)])
                if old.rowCount == 1 {
                    let position = Position(ms: UInt64(clamping: old.int64(0, 1) ?? 0), seq: UInt64(clamping: old.int64(0, 2) ?? 0))
                    guard row.position >= position || position == unreachable else { return .isBehind(position) }
                }
                try switchOver(row, from: old.rowCount == 1 ? old.int(0, 0) : nil, session)
                return .done
            }
        } catch {
            if error.sqlState == "55P03" { return .isBusy }
            throw .database(error)
        }
    }

    private func switchOver(_ row: GenerationRow, from old: Int?, _ session: PostgreSQLSession) throws(PostgreSQLError) {
        let names = ProjectionNames(row.name)
        if let old {
            let parameters: [PostgreSQLParameter?] = [.text(row.name), .int4(Int32(old))]
            _ = try session.query("UPDATE projection SET status = 'replaced', finished_at = clock_timestamp() WHERE name = $1 AND generation = $2", parameters)
            _ = try session.query("DELETE FROM projection_digest WHERE name = $1 AND generation = $2", parameters)
            _ = try session.query("DELETE FROM projection_parked WHERE name = $1 AND generation = $2", parameters)
        }
        // The materializer's epochs count apart from those of rebuilds.
        let taken = try session.query(
            """
            UPDATE projection SET status = 'serving', epoch = 0, pace = 0, finished_at = clock_timestamp(), updated_at = clock_timestamp()
            WHERE name = $1 AND generation = $2 AND status = 'building' AND epoch = $3
            """, [.text(row.name), .int4(Int32(row.generation)), .int8(row.epoch)])
        guard taken.affectedRows == 1 else {
            throw .server(sqlState: "55P03", message: "the generation is not built by this process any more", detail: nil, hint: nil)
        }
        let view = GenerationTable.view(projection.definition, generation: row.generation)
        try session.execute("SAVEPOINT columns")
        do throws(PostgreSQLError) {
            try session.execute(view)
        } catch {
            guard error.sqlState == "42P16" else { throw error }
            // Other columns than before: the view has to go first.
            try session.execute("ROLLBACK TO SAVEPOINT columns; DROP VIEW \(names.view)")
            try session.execute(view)
        }
        if let old { try session.execute("DROP TABLE IF EXISTS \(names.table(old))") }
    }
}
