import Control
import Core
import Log
import Logging
import PostgreSQLDriver
import RedisDriver
import Replay
import Stack
import TestSupport
import Verdicts
import WhatIf

/// A log, an archive and a router of its own, for one test.
struct HistoryRig: Sendable {
    let endpoint: RedisEndpoint
    let keys: LogKeys
    let url: String

    /// Runs `body` and removes what was made, on both paths.
    static func with(isolation: isolated (any Actor)? = #isolation, _ body: (HistoryRig) async throws -> Void) async throws {
        let template = try await SharedStack.template("history") { url in
            try await onThread {
                _ = try Migrator(folder: Repository.root + "/migrations").apply(on: PostgreSQLSession(conninfo: url, applicationName: "meshlog tests"))
            }
        }
        let endpoint = try RedisEndpoint(url: try await SharedStack.shared.redis.url)
        try await SharedStack.withDatabase(template: template) { url in
            let rig = HistoryRig(endpoint: endpoint, keys: LogKeys(prefix: SharedStack.unique("history")), url: url)
            try rig.setUp()
            defer { rig.removeKeys() }
            try await body(rig)
        }
    }

    /// Another log on the same servers.
    func other() throws -> HistoryRig {
        let rig = HistoryRig(endpoint: endpoint, keys: LogKeys(prefix: SharedStack.unique("history")), url: url)
        try rig.setUp()
        return rig
    }

    private func setUp() throws { try LogSetup(catalog: try StreamCatalog.load(Repository.root + "/streams"), keys: keys).apply(try redis()) }

    func removeKeys() { OwnLog.remove(keys, endpoint) }

    func redis() throws(RedisError) -> RedisSession { try RedisSession(endpoint, name: "test", timeout: .seconds(30)) }

    var place: HistoryPlace {
        let url = url
        return HistoryPlace(keys: keys, endpoint: endpoint) { (name: String) throws(PostgreSQLError) in
            try PostgreSQLSession(conninfo: url, applicationName: name)
        }
    }

    static let tools: PolicyTools = {
        do { return try PolicyTools(defaultTarget: "default") } catch { preconditionFailure("the meta-schema compiles") }
    }()

    // MARK: Writing

    /// Appends control events, each by itself.
    @discardableResult
    func control(_ events: [ControlEvent]) throws -> [Position] {
        let session = try redis()
        return try events.flatMap { event -> [Position] in
            guard case .appended(let positions) = try ControlLog(keys: keys).append([ControlChange(event, expected: .any)], session) else { return [] }
            return positions
        }
    }

    /// A constraint is put in.
    static func constraint(_ document: String, change: ControlEvent.Change = .created) throws -> ControlEvent {
        let id = try JSONDocument(Array(document.utf8)).root["constraint_id"]?.string ?? ""
        return ControlEvent(.constraint, change, key: id, document: change == .deleted ? [] : Array(document.utf8))
    }

    /// What the random constraints of `PolicyMaker` look at, as events.
    static var surroundings: [ControlEvent] {
        func config(_ address: ConfigAddress, _ value: String) -> ControlEvent {
            ControlEvent(.config, .created, key: address.key, document: address.document(value: Array(value.utf8)))
        }
        return [
            config(ConfigAddress(.global, name: "level"), "2"), config(ConfigAddress(.topic, scope: "tasks.task-1.>", name: "level"), "4"),
            config(ConfigAddress(.topic, scope: "tasks.task-2.>", name: "policy_on_error"), #""deliver""#),
            config(ConfigAddress(.global, name: "rate_limit_default"), #"{"rate":500,"period_ms":1000,"burst":200}"#),
            ControlEvent(.backbone, .created, key: "b-1", document: Array(#"{"system_id":"b-1","name":"east","org_ids":[],"metadata":{"region":"eu"}}"#.utf8)),
            ControlEvent(
                .topics, .created, key: "g",
                document: Array(#"{"subject_id":"g","org_id":"acme","topic_ids":["tasks.task-1.report","tasks.task-2.report","tasks.task-3.question"]}"#.utf8)),
        ]
    }

    /// Random constraints as events, in the order of their ids.
    static func constraints(_ documents: [String: [UInt8]]) throws -> [ControlEvent] {
        try documents.sorted { $0.key < $1.key }.map { try constraint(String(decoding: $0.value, as: UTF8.self)) }
    }

    static let start: UInt64 = 1_790_000_000_000

    /// The position of the `number`th message: ten a second.
    static func position(_ number: Int) -> Position { Position(ms: start + UInt64(number) * 100, seq: UInt64(number % 2)) }

    /// Appends messages at these positions, as a door would have written them.
    func append(_ messages: [(Position, MessageEntry)]) throws {
        let session = try redis()
        for start in stride(from: 0, to: messages.count, by: 500) {
            var command = RESPWriter()
            for (position, message) in messages[start..<min(start + 500, messages.count)] {
                let fields = MessageField.allCases.filter { !$0.isOptional || message.count($0) > 0 }
                command.begin(3 + 2 * fields.count)
                for word in ["XADD", keys.stream(.messages), position.streamID] { command.argument(word) }
                for field in fields {
                    command.argument(field.name)
                    command.argument(message.slice(field))
                }
            }
            for reply in try session.pipeline(command) { if case .error(let text) = reply { throw RedisError.server(text) } }
        }
    }

    /// A message with an id of its own, complete.
    static func message(_ number: Int, _ message: MessageEntry) -> MessageEntry {
        var message = message
        message.set(.version, "1")
        message.set(.messageUUID, MessageUUID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 | UInt64(number)))
        if (try? JSONDocument(Array(message.slice(.data)))) == nil { message.set(.contentType, "text/plain") }
        return message
    }

    /// Runs routers of these names side by side until everything is decided.
    func route(
        _ instances: [String] = ["one"], leaseTTL: Duration = .seconds(10), openSessionsMax: Int = Limits.openSessionsMax,
        isolation: isolated (any Actor)? = #isolation, while disturb: () async throws -> Void = {}
    ) async throws {
        let routers = instances.map { instance in
            Router(
                loop: StageLoop(name: "router", instance: instance, endpoint: endpoint, keys: keys, leaseTTL: leaseTTL), keys: keys,
                policy: PolicyFold(defaultTarget: "default"), attemptsMax: 100, limitsWritten: 700,
                openSessionsMax: openSessionsMax, metrics: Metrics())
        }
        let service = Task { await withDiscardingTaskGroup { group in for router in routers { group.addTask { await router.run() } } } }
        let result: Result<Void, any Error>
        do {
            try await disturb()
            let isDone = await eventually(within: .seconds(600)) { try isDecided() }
            result = isDone ? .success(()) : .failure(Undecided())
        } catch {
            result = .failure(error)
        }
        service.cancel()
        await service.value
        try result.get()
    }

    struct Undecided: Error {}

    func isDecided() throws -> Bool { try decidedCount() == redis().run("XLEN", [keys.stream(.messages)]).int && pending() == 0 }

    func decidedCount() throws -> Int { try redis().run("XLEN", [keys.stream(.verdicts)]).int ?? 0 }

    private func pending() throws -> Int { try redis().run("XPENDING", [keys.stream(.messages), "router"]).array?.first?.int ?? -1 }

    /// Everything that is decided and in the log.
    func decided() throws -> [DecidedMessage] { try LogReader(keys: keys).decided(after: .zero, count: .max, bytes: .max, try redis()) }

    /// The next thousand that are decided behind a position.
    func decided(after position: Position) throws -> [DecidedMessage] {
        try LogReader(keys: keys).decided(after: position, count: 1_000, bytes: .max, try redis())
    }

    /// Writes the first `count` decided messages into the archive, as the archiver does.
    func archive(_ messages: some Sequence<DecidedMessage>) throws {
        let sink = try ArchiveSink<DecidedMessage>(session: try PostgreSQLSession(conninfo: url, applicationName: "tests"), name: "archive", partition: 0)
        let all = Array(messages)
        for start in stride(from: 0, to: all.count, by: 1_000) { _ = try sink.write(Array(all[start..<min(start + 1_000, all.count)])) }
    }

    /// Takes everything before `position` out of the log.
    func trim(before position: Position) throws {
        for name in [StreamName.messages, .verdicts] { try redis().run("XTRIM", [keys.stream(name), "MINID", position.streamID]) }
    }

    func execute(_ sql: String) throws { try PostgreSQLSession(conninfo: url, applicationName: "tests").execute(sql) }

    // MARK: Reading

    func reader(from: Position = .zero, through: Position = Position(ms: .max, seq: .max), topics: [String] = []) throws -> HistoryReader {
        let place = place
        return HistoryReader(from: from, through: through, topics: topics.map { SubjectPattern($0.utf8) }, keys: keys, session: try redis()) {
            () throws(PostgreSQLError) in
            try place.connect("tests")
        }
    }

    func history(from: Position = .zero, through: Position = Position(ms: .max, seq: .max), topics: [String] = []) throws -> [DecidedMessage] {
        let reader = try reader(from: from, through: through, topics: topics)
        var out: [DecidedMessage] = []
        while true {
            let chunk = try reader.next()
            if chunk.isEmpty { return out }
            out += chunk
        }
    }

    func ask(_ policy: WhatIfQuestion.Policy, _ range: HistoryRange = HistoryRange(), limits: HistoryLimits = .none) throws -> WhatIfAnswer {
        try WhatIfRun(WhatIfQuestion(policy, range), place: place, tools: Self.tools, limits: limits).run()
    }
}

extension DecidedMessage {
    /// Every field of both entries, recipients as the archive keeps them.
    var fields: [String] {
        let values = MessageField.allCases.map { $0 == .destinations ? message.destinationNames.description : message.string($0) }
        return [position.description] + values + verdict.loggedFields.map { "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))" }
    }
}
