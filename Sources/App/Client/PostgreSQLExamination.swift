internal import Client
internal import Log
internal import PostgreSQLDriver
internal import RedisDriver
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
            return [Finding("PostgreSQL", "reachable", .ok, "connected")] + (try facts(session)).findings + [schema(session)]
                + (try owner(session)) + [try clock(session).finding]
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
              coalesce((SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), ''),
              current_setting('transaction_read_only') = 'on', coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
              CASE WHEN to_regnamespace('projections') IS NULL THEN has_database_privilege(current_database(), 'CREATE')
                ELSE has_schema_privilege('projections', 'CREATE') END
            """)
        facts.isStandby = place.string(0, 0) == "t"
        facts.timescaleAvailable = place.string(0, 1) == "t"
        facts.timescaleCreated = place.string(0, 2) ?? ""
        facts.isReadOnly = place.string(0, 3) == "t"
        facts.mayCreate = place.string(0, 4) == "t"
        facts.mayProject = place.string(0, 5) == "t"
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

    /// Whether the archive is this log's; nothing where it is of none yet, or where Redis cannot be asked.
    private func owner(_ session: PostgreSQLSession) throws(PostgreSQLError) -> [Finding] {
        guard let owner = try LogIdentity.owner(on: session) else { return [] }
        let log: LogIdentity
        do {
            let redis = try RedisSession(settings.redis, name: "meshlog-doctor", timeout: .seconds(5))
            log = try LogIdentity.read(settings.keys, redis) ?? LogIdentity(prefix: settings.keys.prefix, id: "not begun")
        } catch {
            return []
        }
        if owner != log { return [Finding("PostgreSQL", "log", .fail, log.refusal(of: owner))] }
        return [Finding("PostgreSQL", "log", .ok, "the archive is of the log '\(log.prefix)'")]
    }

    private func clock(_ session: PostgreSQLSession) throws(PostgreSQLError) -> ClockFacts {
        let before = HostClock.microseconds
        let there = try session.query("SELECT (extract(epoch FROM now()) * 1000000)::int8").int64(0, 0) ?? 0
        return ClockFacts(server: "PostgreSQL", before: before, there: there, after: HostClock.microseconds)
    }
}
