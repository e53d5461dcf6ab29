internal import Client
internal import PostgreSQLDriver
internal import Replay

/// Looks at the archive's server.
struct PostgreSQLExamination {
    private let settings: Settings

    init(_ settings: Settings) { self.settings = settings }

    func findings() -> [Finding] {
        let session: PostgreSQLSession
        do {
            session = try PostgreSQLSession(conninfo: settings.postgresqlURL, applicationName: "meshlog-doctor")
        } catch {
            return [
                Finding(
                    "PostgreSQL", "reachable", .fail,
                    "\(error): messages are still taken in and wait in the log, nothing is archived. Start it, or set --postgresql-url")
            ]
        }
        do {
            return [Finding("PostgreSQL", "reachable", .ok, "connected")] + (try facts(session)).findings + [schema(session), try clock(session).finding]
        } catch {
            return [Finding("PostgreSQL", "questions", .fail, "\(error)")]
        }
    }

    private func facts(_ session: PostgreSQLSession) throws(PostgreSQLError) -> PostgreSQLFacts {
        var facts = PostgreSQLFacts()
        facts.version = session.serverVersion
        let rows = try session.query(
            """
            SELECT name, setting FROM pg_settings
            WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'server_encoding', 'max_worker_processes', 'timescaledb.max_background_workers',
              'timescaledb.disable_load')
            """)
        for row in 0..<rows.rowCount { facts.settings[rows.string(row, 0) ?? ""] = rows.string(row, 1) }
        facts.timescalePreloaded = facts.settings["timescaledb.disable_load"] != nil
        let place = try session.query(
            """
            SELECT pg_is_in_recovery(), EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb'),
              coalesce((SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), '')
            """)
        facts.isReadOnly = place.string(0, 0) == "t"
        facts.timescaleAvailable = place.string(0, 1) == "t"
        facts.timescaleCreated = place.string(0, 2) ?? ""
        return facts
    }

    private func schema(_ session: PostgreSQLSession) -> Finding {
        do {
            let plan = try Migrator(folder: settings.home + "/migrations").plan(on: session)
            let tables =
                switch plan.flavour {
                case .timescale: "hypertables of TimescaleDB"
                case .native: "native daily partitions"
                case nil: "no tables yet"
                }
            if plan.pending.isEmpty { return Finding("PostgreSQL", "schema", .ok, "\(plan.applied.count) steps applied, \(tables)") }
            return Finding(
                "PostgreSQL", "schema", .warn,
                "\(tables); not applied yet: \(plan.pending.joined(separator: ", ")). The next start, or `meshlog migrate`, applies them; until then nothing is archived that needs them"
            )
        } catch {
            return Finding("PostgreSQL", "schema", .fail, "\(error)")
        }
    }

    private func clock(_ session: PostgreSQLSession) throws(PostgreSQLError) -> ClockFacts {
        let before = HostClock.microseconds
        let there = try session.query("SELECT (extract(epoch FROM now()) * 1000000)::int8").int64(0, 0) ?? 0
        return ClockFacts(server: "PostgreSQL", before: before, there: there, after: HostClock.microseconds)
    }
}
