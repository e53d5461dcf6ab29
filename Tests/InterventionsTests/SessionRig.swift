import Control
import Core
import Interventions
import Log
import Logging
import PostgreSQLDriver
import Projections
import RedisDriver
import Replay
import Stack
import TestSupport
import Verdicts

/// A log and an archive of its own, with the stages that a held message meets.
final class SessionRig: Sendable {
    let endpoint: RedisEndpoint
    let keys: LogKeys
    let url: String
    let catalog: StreamCatalog
    let redis: BlockingPool<RedisSession>
    let postgresql: BlockingPool<PostgreSQLSession>
    let metrics = Metrics()
    private let openSessionsMax: Int

    private init(_ endpoint: RedisEndpoint, _ url: String, openSessionsMax: Int) throws {
        self.openSessionsMax = openSessionsMax
        let keys = LogKeys(prefix: SharedStack.unique("sessions"))
        self.endpoint = endpoint
        self.keys = keys
        self.url = url
        catalog = try StreamCatalog.load(Repository.root + "/streams")
        redis = BlockingPool(name: "redis", width: 4) { try RedisSession(endpoint, name: "test") }
        postgresql = BlockingPool(name: "postgresql", width: 1) { try PostgreSQLSession(conninfo: url, applicationName: "meshlog tests") }
    }

    /// Runs `body` with a router at work, and removes what was made, on both paths.
    static func with(
        openSessionsMax: Int = Limits.openSessionsMax, isolation: isolated (any Actor)? = #isolation, _ body: (SessionRig) async throws -> Void
    ) async throws {
        let template = try await SharedStack.template("interventions") { url in
            try await onThread {
                _ = try Migrator(folder: Repository.root + "/migrations").apply(on: PostgreSQLSession(conninfo: url, applicationName: "meshlog tests"))
            }
        }
        let server = try await SharedStack.shared.redis
        try await SharedStack.withDatabase(template: template) { url in
            let rig = try SessionRig(try RedisEndpoint(url: server.url), url, openSessionsMax: openSessionsMax)
            defer { rig.removeKeys() }
            try await rig.work { try await body(rig) }
        }
    }

    /// Runs `body` on servers of its own, which it may stop and start.
    static func withServers(isolation: isolated (any Actor)? = #isolation, _ body: (SessionRig, EmbeddedStack) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            var configuration = EmbeddedStack.Configuration(dataFolder: folder)
            configuration.servers = [.redis, .postgresql]
            configuration.ports = [:]
            var logger = Logger(label: "stack")
            logger.logLevel = .error
            let stack = try await EmbeddedStack.start(configuration, logger: logger)
            do {
                let url = stack.postgresql.url
                try await onThread {
                    _ = try Migrator(folder: Repository.root + "/migrations").apply(on: PostgreSQLSession(conninfo: url, applicationName: "meshlog tests"))
                }
                let rig = try SessionRig(try RedisEndpoint(url: stack.redis.url), url, openSessionsMax: Limits.openSessionsMax)
                try await rig.work { try await body(rig, stack) }
                await stack.stop()
            } catch {
                await stack.stop()
                throw error
            }
        }
    }

    /// Runs `body` while the router and the pools are at work.
    private func work(isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void) async throws {
        try LogSetup(catalog: catalog, keys: keys).apply(try connect())
        let tasks = [Task { await router.run() }, Task { await redis.serve() }, Task { await postgresql.serve() }]
        do {
            try await body()
            await SessionRig.end(tasks)
        } catch {
            await SessionRig.end(tasks)
            throw error
        }
    }

    private static func end(_ tasks: [Task<Void, Never>]) async {
        for task in tasks {
            task.cancel()
            await task.value
        }
    }

    private func removeKeys() { OwnLog.remove(keys, endpoint) }

    func connect() throws -> RedisSession { try RedisSession(endpoint, name: "test") }

    // MARK: Stages

    func loop(_ name: String, _ instance: String = "one") -> StageLoop {
        StageLoop(name: name, instance: instance, endpoint: endpoint, keys: keys, leaseTTL: .seconds(1))
    }

    private var router: Router {
        Router(
            loop: loop("router"), keys: keys, policy: PolicyFold(defaultTarget: "default"), attemptsMax: 3, openSessionsMax: openSessionsMax, metrics: metrics)
    }

    /// - Parameter stage: two clocks under one name take turns, under two names they race.
    func clock(_ stage: String = "sessions") -> SessionClock {
        let url = url
        return SessionClock(loop: loop(stage), keys: keys, metrics: Metrics()) { () throws(PostgreSQLError) in
            try PostgreSQLSession(conninfo: url, applicationName: "clock")
        }
    }

    /// Runs `body` while a clock is at work.
    func withClock(_ stage: String = "sessions", isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void) async throws {
        let clock = clock(stage)
        let task = Task { await clock.run() }
        do {
            try await body()
            await SessionRig.end([task])
        } catch {
            await SessionRig.end([task])
            throw error
        }
    }

    var desk: SessionDesk { SessionDesk(redis: redis, postgresql: postgresql, keys: keys) { _, _ in } }

    var log: SessionLog { SessionLog(keys: keys) }

    var place: ProjectionPlace {
        let url = url
        return ProjectionPlace(keys: keys, endpoint: endpoint, instance: "one", poll: .milliseconds(20), metrics: Metrics()) {
            (name: String) throws(PostgreSQLError) in try PostgreSQLSession(conninfo: url, applicationName: name)
        }
    }

    // MARK: What comes in

    /// Puts a constraint in force for what is sent afterwards.
    func constraint(_ id: String, _ action: String, priority: Int = 0, topics: String = ">") throws {
        let document = #"{"constraint_id":"\#(id)","scope":{"topics":["\#(topics)"]},"action":\#(action),"priority":\#(priority)}"#
        let event = ControlEvent(.constraint, .created, key: id, document: Array(document.utf8))
        guard case .appended = try ControlLog(keys: keys).append([ControlChange(event, expected: .any)], try connect()) else {
            throw LogError.unavailable("the constraint was not appended")
        }
    }

    /// Rules that cannot be evaluated let messages on these topics pass.
    func deliverOnError(_ topics: String) throws {
        let address = ConfigAddress(.topic, scope: topics, name: KnownSetting.policyOnError.rawValue)
        let event = ControlEvent(.config, .created, key: address.key, document: address.document(value: Array(#""deliver""#.utf8)))
        guard case .appended = try ControlLog(keys: keys).append([ControlChange(event, expected: .any)], try connect()) else {
            throw LogError.unavailable("the configuration was not appended")
        }
    }

    /// Appends a message as admission makes it; its position.
    @discardableResult
    func send(_ text: String, number: Int = 0) throws -> Position {
        let entry = try Envelope.admit(
            Array(text.utf8), arrival: Arrival(via: "http", principal: "p", traceparent: ""), freshID: { MessageUUID(high: 7, low: UInt64(number)) }
        ).entry
        let fields = MessageField.allCases.filter { entry.count($0) > 0 }.flatMap { [$0.name.description, entry.string($0)] }
        guard let id = try connect().run("XADD", [keys.stream(.messages), "*"] + fields).text, let position = Position(streamID: id) else {
            throw RedisError.unexpectedReply("XADD")
        }
        return position
    }

    /// Sends a message that is held, and waits for its session.
    func hold(_ text: String = #"{"topic":"a.b","data":{"n": 1},"source_subject_id":"alice","destination_subject_ids":["bob", "carol"]}"#) async throws
        -> SessionOpening
    {
        let position = try send(text)
        return try await opened(position)
    }

    func opened(_ position: Position) async throws -> SessionOpening {
        let session = try connect()
        var found: SessionOpening?
        _ = await eventually {
            found = try log.open([position.description], session)[0]
            return found != nil
        }
        guard let found else { throw LogError.unavailable("no session was opened about \(position)") }
        return found
    }

    func command(
        _ opening: SessionOpening, _ decision: SessionClosing.Decision = .approve, by: String = "eve", digest: String? = nil, changes: String? = nil
    ) throws -> SessionCommand {
        SessionCommand(
            id: opening.sessionID, decision: decision, digest: digest ?? opening.digest, by: by, via: "test", comment: "why",
            changes: try changes.map { try JSONDocument($0) })
    }

    // MARK: Looking

    func entry(_ position: Position) throws -> MessageEntry? {
        var command = RESPWriter()
        command.command("XRANGE", [keys.stream(.messages), position.streamID, position.streamID])
        let session = try connect()
        try session.send(command)
        return try session.receive { $0.count == 1 ? EntryCodec.message($0[0]) : nil }
    }

    /// All messages with their verdicts, once `count` are decided.
    func decided(_ count: Int) async throws -> [DecidedMessage] {
        let session = try connect()
        _ = await eventually { try LogReader(keys: keys).decided(after: .zero, count: 10_000, session).count >= count }
        let decided = try LogReader(keys: keys).decided(after: .zero, count: 10_000, session)
        guard decided.count >= count else { throw LogError.unavailable("\(decided.count) of \(count) messages were decided") }
        return decided
    }

    /// The events of the stream `sessions`.
    func events() throws -> [SessionEvent] {
        var command = RESPWriter()
        command.command("XRANGE", [keys.stream(.sessions), "-", "+"])
        let session = try connect()
        try session.send(command)
        return try session.receive { reply in (0..<reply.count).compactMap { try? SessionLog.event(reply[$0]).get() } }
    }

    var closings: [SessionClosing] {
        get throws { try events().compactMap { if case .closed(let closing) = $0 { closing } else { nil } } }
    }

    func length(_ stream: StreamName) throws -> Int { try connect().run("XLEN", [keys.stream(stream)]).int ?? -1 }
}

/// How a decision was refused; nil when it was not.
func refusal(_ body: () async throws(SessionRefusal) -> SessionReceipt) async -> SessionRefusal? {
    do throws(SessionRefusal) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}
