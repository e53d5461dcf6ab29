import Control
import Core
import Log
import Logging
import RedisDriver
import Stack
import TestSupport
import Testing
import Verdicts

/// A log of its own with a router beside it.
private struct RouterRig: Sendable {
    let endpoint: RedisEndpoint
    let keys: LogKeys

    static func with(
        redis: EmbeddedServer? = nil, isolation: isolated (any Actor)? = #isolation, _ body: (RouterRig) async throws -> Void
    ) async throws {
        let server: EmbeddedServer
        if let redis { server = redis } else { server = try await SharedStack.shared.redis }
        let endpoint = try RedisEndpoint(url: server.url)
        let rig = RouterRig(endpoint: endpoint, keys: LogKeys(prefix: SharedStack.unique("router")))
        try LogSetup(catalog: try StreamCatalog.load(Repository.root + "/streams"), keys: rig.keys).apply(try rig.connect())
        defer {
            if let session = try? rig.connect(), let names = try? session.run("KEYS", ["\(rig.keys.prefix):*"]).array?.compactMap(\.text), !names.isEmpty {
                _ = try? session.run("DEL", names)
            }
        }
        try await body(rig)
    }

    func connect() throws -> RedisSession { try RedisSession(endpoint, name: "test") }

    /// Runs a router of this process name until `body` ends.
    func withRouter(_ instance: String, metrics: Metrics = Metrics(), limitsWritten: Int = 50_000, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void) async throws {
        let loop = StageLoop(name: "router", instance: instance, endpoint: endpoint, keys: keys, leaseTTL: .seconds(1))
        let router = Router(loop: loop, keys: keys, policy: PolicyFold(defaultTarget: "default"), attemptsMax: 3, limitsWritten: limitsWritten, metrics: metrics)
        let service = Task { await router.run() }
        do {
            try await body()
            service.cancel()
            await service.value
        } catch {
            service.cancel()
            await service.value
            throw error
        }
    }

    func add(_ count: Int, _ session: RedisSession) throws {
        for index in 0..<count {
            let text = #"{"topic":"a.b","data":\#(index)}"#
            let entry = try Envelope.admit(Array(text.utf8), arrival: Arrival(via: "http"), freshID: { MessageUUID(high: 7, low: UInt64(index)) }).entry
            try session.run("XADD", [keys.stream(.messages), "*"] + MessageField.allCases.flatMap { [$0.name.description, entry.string($0)] })
        }
    }

    /// Appends a change of a document; its position.
    func control(_ change: ControlEvent.Change, _ kind: ControlKind, _ key: String, _ document: String, _ session: RedisSession) throws -> Position {
        let event = ControlEvent(kind, change, key: key, document: Array(document.utf8))
        guard case .appended(let positions) = try ControlLog(keys: keys).append([ControlChange(event, expected: .any)], session) else {
            throw LogError.unavailable("the change was not appended")
        }
        return positions[0]
    }

    func verdicts(_ session: RedisSession) throws -> [VerdictEntry] { try LogReader(keys: keys).decided(after: .zero, count: 1_000, session).map(\.verdict) }

    func ids(_ stream: StreamName) throws -> [String] {
        try (connect().run("XRANGE", [keys.stream(stream), "-", "+"]).array ?? []).compactMap { $0.array?.first?.text }
    }

    func pending() throws -> Int { try connect().run("XPENDING", [keys.stream(.messages), "router"]).array?.first?.int ?? -1 }

    /// How long a consumer has not asked for entries.
    func idleMs(_ consumer: String) throws -> Int {
        let consumers = try connect().run("XINFO", ["CONSUMERS", keys.stream(.messages), "router"]).array ?? []
        return consumers.first { $0.pairs["name"]?.text == consumer }?.pairs["idle"]?.int ?? 0
    }

    /// Every message has a verdict, at its own id, in order, and nothing is pending.
    func isDecided() throws -> Bool { try ids(.verdicts) == ids(.messages) && pending() == 0 }
}

@Suite("Router")
struct RouterTests {
    @Test("Every message gets one verdict at its own id, in order") func decides() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            try rig.add(300, session)
            try await rig.withRouter("one") {
                #expect(await eventually { try rig.isDecided() })
                try rig.add(20, session)
                #expect(await eventually { try rig.isDecided() })
            }
            #expect(try rig.ids(.verdicts).count == 320)
        }
    }

    @Test("A verdict's entry reads back as the machine decided it") func entry() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            try rig.add(1, session)
            try await rig.withRouter("one") { #expect(await eventually { try rig.isDecided() }) }
            let decided = try #require(try LogReader(keys: rig.keys).decided(after: .zero, count: 9, session).first)
            #expect(
                decided.verdict
                    == RouterMachine(PolicyFold(defaultTarget: "default")).decide(decided.position, decided.message, uuid: try #require(decided.message.uuid)))
        }
    }

    @Test("A rule that was acknowledged before a message was sent is in force for it, and its verdict carries the rule's position") func hotChange() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            try await rig.withRouter("one") {
                for round in 0..<40 {
                    let isBlocking = round % 2 == 0
                    let position = try rig.control(
                        .updated, .constraint, "rule", #"{"constraint_id":"rule","when":"\#(isBlocking)","action":{"type":"block"}}"#, session)
                    try rig.add(1, session)
                    #expect(await eventually { try rig.isDecided() })
                    let verdict = try #require(try rig.verdicts(session).last)
                    #expect(verdict.outcome == (isBlocking ? .block : .deliver))
                    #expect(verdict.policyRevision == position.description)
                }
            }
        }
    }

    @Test("Limits go on where the last verdict left them, from the verdicts alone and from what was written down", arguments: [50_000, 3, 1])
    func limits(_ limitsWritten: Int) async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            let limit = #"{"constraint_id":"few","action":{"type":"limit","rate":10,"period_ms":3600000,"burst":10,"key":"message.topic"}}"#
            _ = try rig.control(.created, .constraint, "few", limit, session)
            for (instance, count) in [("one", 4), ("two", 3), ("three", 5)] {
                try rig.add(count, session)
                try await rig.withRouter(instance, limitsWritten: limitsWritten) { #expect(await eventually { try rig.isDecided() }) }
            }
            #expect(try rig.verdicts(session).map(\.outcome) == Array(repeating: .deliver, count: 10) + [.block, .block])
            #expect(try (session.run("GET", [rig.keys.limits]) == .null) == (limitsWritten == 50_000))
        }
    }

    @Test("A state of limits that cannot be read is folded from the verdicts") func spoiltLimits() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            let limit = #"{"constraint_id":"few","action":{"type":"limit","rate":3,"period_ms":3600000,"burst":3}}"#
            _ = try rig.control(.created, .constraint, "few", limit, session)
            try rig.add(2, session)
            try await rig.withRouter("one", limitsWritten: 1) { #expect(await eventually { try rig.isDecided() }) }
            try session.run("SET", [rig.keys.limits, "0-1-0\nnothing that"])
            try rig.add(2, session)
            try await rig.withRouter("two") { #expect(await eventually { try rig.isDecided() }) }
            #expect(try rig.verdicts(session).map(\.outcome) == [.deliver, .deliver, .deliver, .block])
        }
    }

    @Test("After a crash anywhere between reading and acknowledging, nothing is written twice and nothing is left out") func crash() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            try rig.add(100, session)
            // A process read sixty, wrote the verdicts of thirty without acknowledging (as an older version might have), and died.
            let read = try session.run("XREADGROUP", ["GROUP", "router", "dead", "COUNT", "60", "STREAMS", rig.keys.stream(.messages), ">"])
            #expect(read.array?.first?.array?[1].array?.count == 60)
            for id in try rig.ids(.messages).prefix(30) {
                try session.run(
                    "XADD",
                    [
                        rig.keys.stream(.verdicts), id, "event", "message.decided", "v", "1", "message_uuid", MessageUUID(high: 1, low: 1).description, "outcome",
                        "deliver", "rule", "first", "reason", "", "policy_revision", "0-0-0", "targets", "[]", "subject", "a.b",
                    ])
            }
            try await rig.withRouter("heir") { #expect(await eventually { try rig.isDecided() }) }
            let verdicts = try LogReader(keys: rig.keys).decided(after: .zero, count: 200, session).map(\.verdict.rule)
            #expect(verdicts == Array(repeating: "first", count: 30) + Array(repeating: "default", count: 70), "the first verdict stands")
        }
    }

    @Test("Routers that come and go in the middle of the work leave one verdict each", .timeLimit(.minutes(1))) func restarts() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            for round in 0..<6 {
                try rig.add(150, session)
                try await rig.withRouter("process-\(round)") { try await Task.sleep(for: .milliseconds(15 * round)) }
            }
            try await rig.withRouter("last") { #expect(await eventually { try rig.isDecided() }) }
            #expect(try rig.ids(.verdicts).count == 900)
            #expect(try rig.ids(.rejected).isEmpty)
        }
    }

    @Test("A router that lost its lease and has it again decides what the other one left", .timeLimit(.minutes(1))) func regainedLease() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            try await rig.withRouter("one") {
                try rig.add(5, session)
                #expect(await eventually { try rig.isDecided() })
                // Another process has the lease, reads, and dies before it decides.
                try session.run("SET", [rig.keys.epoch("router"), "99"])
                try session.run("SET", [rig.keys.lease("router"), "99 other", "PX", "4000"])
                #expect(await eventually { try rig.idleMs("one") > 900 }, "it has noticed and reads no more")
                try rig.add(5, session)
                try session.run("XREADGROUP", ["GROUP", "router", "other", "STREAMS", rig.keys.stream(.messages), ">"])
                #expect(await eventually(within: .seconds(15)) { try rig.isDecided() })
            }
        }
    }

    @Test("A server that refuses writes for a while delays verdicts and buries nothing", .timeLimit(.minutes(1))) func refusedWrites() async throws {
        try await withTemporaryFolder { folder in
            var configuration = EmbeddedStack.Configuration(dataFolder: folder)
            configuration.servers = [.redis]
            configuration.ports = [:]
            var logger = Logger(label: "stack")
            logger.logLevel = .warning
            let stack = try await EmbeddedStack.start(configuration, logger: logger)
            try await RouterRig.with(redis: stack.redis) { rig in
                let session = try rig.connect()
                try await rig.withRouter("one") {
                    try rig.add(5, session)
                    #expect(await eventually { try rig.isDecided() })
                    for _ in 0..<3 {
                        // Memory is full from the moment in which the messages are there.
                        let text = #"{"topic":"a.b","data":1}"#
                        let entry = try Envelope.admit(Array(text.utf8), arrival: Arrival(via: "http"), freshID: { MessageUUID(high: 8, low: 8) }).entry
                        var command = RESPWriter()
                        command.command("MULTI")
                        for _ in 0..<10 {
                            command.command("XADD", [rig.keys.stream(.messages), "*"] + MessageField.allCases.flatMap { [$0.name.description, entry.string($0)] })
                        }
                        command.command("EXEC")
                        command.command("CONFIG", ["SET", "maxmemory", "1"])
                        _ = try session.pipeline(command)
                        try await Task.sleep(for: .milliseconds(700))
                        try session.run("CONFIG", ["SET", "maxmemory", "0"])
                    }
                    #expect(await eventually(within: .seconds(20)) { try rig.isDecided() })
                }
                #expect(try rig.ids(.verdicts).count == 35)
                #expect(try rig.ids(.rejected).isEmpty)
            }
            await stack.stop()
        }
    }

    @Test("What is no message is buried with its cause, and does not stop the rest") func burial() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            try rig.add(3, session)
            try session.run("XADD", [rig.keys.stream(.messages), "*", "hello", "world"])
            try rig.add(3, session)
            let metrics = Metrics()
            try await rig.withRouter("one", metrics: metrics) {
                #expect(await eventually { try rig.ids(.verdicts).count == 6 && rig.pending() == 0 })
            }
            #expect(try rig.ids(.rejected).count == 1)
            #expect(metrics.render().contains("meshlog_buried_entries_total{stage=\"router\"} 1"))
            #expect(metrics.render().contains("meshlog_stage_entries_total{stage=\"router\"} 6"))
        }
    }
}
