internal import ArgumentParser
internal import Client
internal import Control
internal import Core
internal import Log
internal import PostgreSQLDriver
internal import RedisDriver
internal import Replay

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the archive's schema up to date, or hand the archive over to another log.",
        discussion: """
            meshlog migrate --plan                                   what would be done
            meshlog migrate                                          ahead of a release; serve and up do it by themselves
            meshlog migrate --adopt                                  the archive goes on with this log

            An archive is of one log, and no other may fill it. --adopt is for a log that goes on in the place of another, since Redis lost its data: stop \
            all processes of both first. What the archive and the projections hold stays; new entries follow behind it. Where the archive is this log's \
            already and the log has lost data since, its ids and the versions of its documents are mended. What Redis alone had is gone: entries \
            that were not archived yet, the ids of messages within the dedupe window, open sessions, deliveries to webhooks that were waiting. Configuration, \
            constraints and other documents are left in the projections alone: what is rebuilt from then on holds only what is set again, so set it again first.

            Works on the embedded stack that runs in .meshlog, else on the servers that the flags name.
            """)
    @OptionGroup var flags: ServeFlags
    @Flag(help: "only show what would be done") var plan = false
    @Flag(help: "make the archive this log's, although it is another's") var adopt = false
    @Flag(help: "print what was done as JSON") var json = false

    func validate() throws {
        if plan, adopt { throw ValidationError("--plan and --adopt exclude each other") }
    }

    func run() async throws {
        let settings = try EmbeddedSettings.resolve(flags)
        let session = try PostgreSQLSession(conninfo: settings.postgresqlURL, applicationName: "meshlog-migrate")
        let migrator = try Migrator(folder: settings.home + "/migrations")
        if plan { return show(try migrator.plan(on: session)) }
        let report = try migrator.apply(on: session)
        if adopt { return show(try hand(over: session, settings)) }
        if json { return Output.json(json(report.flavour, [("applied", report.applied), ("notices", report.notices)])) }
        for notice in report.notices { Output.line("note: \(notice)") }
        Output.line(report.applied.isEmpty ? "nothing to do" : "applied \(report.applied.joined(separator: ", "))")
        Output.line(
            "the archive keeps its tables as \(report.flavour == .timescale ? "TimescaleDB hypertables" : "native daily partitions")")
    }

    private func show(_ plan: MigrationPlan) {
        if json { return Output.json(json(plan.flavour, [("applied", plan.applied), ("pending", plan.pending)])) }
        Output.line("applied: \(plan.applied.count), pending: \(plan.pending.isEmpty ? "none" : plan.pending.joined(separator: ", "))")
    }

    private func json(_ flavour: ArchiveFlavour?, _ lists: [(StaticString, [String])]) -> [UInt8] {
        var object = JSONObject()
        if let flavour { object.add("flavour", flavour.rawValue) } else { object.addNull("flavour") }
        for (name, items) in lists { object.add(name, raw: StringList.array(items)) }
        return object.finish()
    }

    // MARK: Adoption

    private struct Adopted {
        let log: LogIdentity
        /// It was another's before.
        let isHandedOver: Bool
        /// Nil when there was nothing to do.
        let behind: Position?
    }

    private func hand(over session: PostgreSQLSession, _ settings: Settings) throws -> Adopted {
        let redis = try RedisSession(settings.redis, name: "meshlog-migrate")
        let log = try LogIdentity.made(settings.keys, redis)
        let isOwn = try LogIdentity.owner(on: session) == log
        let reached = try LogIdentity.reached(on: session)
        let first = try LogIdentity.firstEntry(settings.keys, redis)
        // Else entries may wait for a verdict, which has the id of its message: its stream must not go on behind them.
        let isBehindAll = first.map { $0 > reached } ?? true
        if let first, !isOwn, !isBehindAll {
            throw CommandFailure(
                .refused,
                "the log '\(log.prefix)' begins at \(first), and the archive stands at \(reached): what lies between would never be archived. This log does not go on"
                    + " where the other ended; give it a database of its own")
        }
        // The archive last: until then the command can be repeated.
        try LogSetup(catalog: try StreamCatalog.load(settings.home + "/streams"), keys: settings.keys, target: settings.backboneName).apply(redis)
        let state = try control(settings, redis)
        let recovery = ControlRecovery(keys: settings.keys)
        if isOwn {
            let hasEndedEarly = try isBehindAll && LogIdentity.end(settings.keys, redis) < reached
            guard try hasEndedEarly || recovery.isNeeded(state, redis) else { return Adopted(log: log, isHandedOver: false, behind: nil) }
        }
        if isBehindAll { try LogIdentity.goOn(behind: reached, settings.keys, redis) }
        guard try recovery.run(state, redis) else {
            throw CommandFailure(.failed, "documents were changed meanwhile: stop all processes of the log, and say it again")
        }
        if !isOwn { try log.adopt(on: session) }
        return Adopted(log: log, isHandedOver: !isOwn, behind: isBehindAll ? reached : state.reached)
    }

    /// The control plane as the projections have it, and what the log has beyond that.
    private func control(_ settings: Settings, _ redis: RedisSession) throws -> ControlState {
        let rows = ControlState.materialized { () throws(PostgreSQLError) in
            try PostgreSQLSession(conninfo: settings.postgresqlURL, applicationName: "meshlog-migrate")
        }
        var state = rows ?? ControlState()
        try ControlReader(keys: settings.keys).fold(into: &state, redis)
        return state
    }

    private func show(_ adopted: Adopted) {
        if json {
            var object = JSONObject()
            object.add("key_prefix", adopted.log.prefix)
            object.add("log_id", adopted.log.id)
            object.add("adopted", adopted.isHandedOver)
            if let behind = adopted.behind { object.add("behind", behind.description) } else { object.addNull("behind") }
            return Output.json(object.finish())
        }
        guard let behind = adopted.behind else { return Output.line("nothing to do: the archive is of this log") }
        Output.line(
            adopted.isHandedOver
                ? "the archive is of the log '\(adopted.log.prefix)' (\(adopted.log.id)) now, and goes on behind \(behind)"
                : "the archive is of this log, which had lost data: it goes on behind \(behind), and its documents have their versions again")
    }
}
