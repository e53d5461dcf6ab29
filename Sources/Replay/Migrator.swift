package import PostgreSQLDriver

/// How the archive is stored.
package enum ArchiveFlavour: String, Sendable {
    /// Hypertables of TimescaleDB.
    case timescale
    /// Native daily partitions.
    case native
}

/// What a database has of the migrations, and what it lacks.
package struct MigrationPlan: Sendable, Equatable {
    /// Nil before the first migration.
    package let flavour: ArchiveFlavour?
    package let applied: [String]
    package let pending: [String]
}

package struct MigrationReport: Sendable, Equatable {
    package let flavour: ArchiveFlavour?
    package let applied: [String]
    /// What the server said meanwhile, such as why TimescaleDB is not used.
    package let notices: [String]
}

/// Brings a database to the schema in the folder of migrations, forward only, one transaction a step.
///
/// Objects go to the first schema of the session's `search_path`. A numbered file is applied once and must not change; functions
/// and views are applied when their text changed, and all again behind a numbered file, which may have dropped what they need.
package struct Migrator: Sendable {
    private let steps: [MigrationStep]
    private let useTimescale: Bool

    /// - Parameter useTimescale: false chooses native partitions for a new database even where TimescaleDB is installed.
    package init(folder: String, useTimescale: Bool = true) throws(MigrationError) {
        steps = try MigrationFolder.load(folder)
        self.useTimescale = useTimescale
    }

    /// Says what is applied and what is not; changes nothing.
    ///
    /// - Cost: one round trip a file.
    /// - Throws: `.notPreloaded`, `.changed`, `.unknown`, `.database`.
    package func plan(on session: PostgreSQLSession) throws(MigrationError) -> MigrationPlan {
        let state = try migration { () throws(PostgreSQLError) in try read(session) }
        if state.isOrphaned { throw .notPreloaded }
        for name in state.applied.keys.sorted() where isNumbered(name) && !steps.contains(where: { $0.name == name }) { throw .unknown(name) }
        var pending: [String] = []
        var renewsObjects = false
        for step in steps {
            let isCurrent = state.applied[step.name] == state.hashes[step.name]
            switch step.kind {
            case .numbered:
                if state.applied[step.name] == nil {
                    pending.append(step.name)
                    renewsObjects = true
                } else if !isCurrent {
                    throw .changed(step.name)
                }
            case .function, .view:
                if renewsObjects || !isCurrent { pending.append(step.name) }
            }
        }
        return MigrationPlan(flavour: state.flavour, applied: state.applied.keys.sorted(), pending: pending)
    }

    /// Refuses a database that is not as this version needs it; for every start.
    ///
    /// - Throws: as `plan`, and `.pending`.
    package func check(on session: PostgreSQLSession) throws(MigrationError) -> MigrationPlan {
        let plan = try plan(on: session)
        if !plan.pending.isEmpty { throw .pending(plan.pending) }
        return plan
    }

    /// Applies what is pending, then makes the partitions of the coming days. Idempotent; of two at once, the second waits.
    ///
    /// - Parameter lockWait: how long to wait for another migration, and for locks of other sessions, before giving up (55P03, retryable).
    package func apply(on session: PostgreSQLSession, lockWait: Duration = .seconds(30)) throws(MigrationError) -> MigrationReport {
        try migration { () throws(PostgreSQLError) in
            try session.setTimeouts(statement: nil, lock: lockWait)
            try session.execute("SELECT pg_advisory_lock(hashtext('meshlog migrate'), hashtext(current_schema()))")
        }
        defer {
            _ = try? session.execute(
                "SELECT pg_advisory_unlock(hashtext('meshlog migrate'), hashtext(current_schema())); SET lock_timeout = 0; RESET meshlog.timescaledb")
        }
        let plan = try plan(on: session)
        _ = session.takeNotices()
        try migration { () throws(PostgreSQLError) in
            try session.execute("SET meshlog.timescaledb = '\(useTimescale ? "auto" : "off")'")
            if try session.query("SELECT to_regclass('migration')").isNull(0, 0) { try session.execute(Migrator.bookkeeping) }
        }
        for step in steps where plan.pending.contains(step.name) {
            do {
                try apply(step, on: session)
            } catch {
                throw .failed(step: step.name, error)
            }
        }
        let notices = session.takeNotices()
        let after = try migration { () throws(PostgreSQLError) in
            try session.query("SELECT count(*) FROM meshlog_maintain()")
            return try flavour(session)
        }
        return MigrationReport(flavour: after, applied: plan.pending, notices: notices)
    }

    // MARK: Steps

    private func apply(_ step: MigrationStep, on session: PostgreSQLSession) throws(PostgreSQLError) {
        try session.transaction { () throws(PostgreSQLError) in
            try session.execute(step.sql)
            try session.query(
                """
                INSERT INTO migration (name, kind, sha256) VALUES ($1, $2, sha256(convert_to($3, 'UTF8')))
                ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, applied_at = now()
                """, [.text(step.name), .text(step.kind.rawValue), .text(step.sql)])
        }
    }

    private static let bookkeeping = """
        CREATE TABLE migration (
          name       text        PRIMARY KEY,
          kind       text        NOT NULL,
          sha256     bytea       NOT NULL,
          applied_at timestamptz NOT NULL DEFAULT now()
        )
        """

    // MARK: State

    private struct State {
        var isOrphaned = false
        var flavour: ArchiveFlavour?
        /// Name to digest, as applied.
        var applied: [String: String] = [:]
        /// Name to digest, as in the folder.
        var hashes: [String: String] = [:]
    }

    private func read(_ session: PostgreSQLSession) throws(PostgreSQLError) -> State {
        var state = State()
        let orphaned = try session.query(
            """
            SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
               AND NOT EXISTS (SELECT FROM pg_settings WHERE name = 'timescaledb.disable_load')
            """)
        state.isOrphaned = orphaned.bool(0, 0) == true
        state.flavour = try flavour(session)
        if try !session.query("SELECT to_regclass('migration')").isNull(0, 0) {
            let rows = try session.query("SELECT name, encode(sha256, 'hex') FROM migration")
            for row in 0..<rows.rowCount { state.applied[rows.string(row, 0) ?? ""] = rows.string(row, 1) }
        }
        // The server digests: Meshlog needs no library for it.
        for step in steps {
            state.hashes[step.name] = try session.query("SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')", [.text(step.sql)]).string(0, 0)
        }
        return state
    }

    private func flavour(_ session: PostgreSQLSession) throws(PostgreSQLError) -> ArchiveFlavour? {
        switch try session.query("SELECT relkind FROM pg_class WHERE oid = to_regclass('message_exchange')") {
        case let answer where answer.rowCount == 0: nil
        case let answer: answer.string(0, 0) == "p" ? .native : .timescale
        }
    }

    private func isNumbered(_ name: String) -> Bool { !name.contains("/") }
}

private func migration<R>(_ body: () throws(PostgreSQLError) -> R) throws(MigrationError) -> R {
    do {
        return try body()
    } catch {
        throw .database(error)
    }
}
