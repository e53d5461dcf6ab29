import Control
import Core
import Log
import Logging
import RedisDriver
import Stack
import TestSupport
import Testing
import Verdicts

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

    @Test("A rule that was acknowledged before a message was sent is in force for it, and its verdict carries the rule's position") func hotChange()
        async throws
    {
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
                // As after a crash before anything was written down.
                if limitsWritten == 50_000 { try session.run("DEL", [rig.keys.limits]) }
            }
            #expect(try rig.verdicts(session).map(\.outcome) == Array(repeating: .deliver, count: 10) + [.block, .block])
        }
    }

    /// Two messages an hour.
    private static let two = #"{"constraint_id":"few","action":{"type":"limit","rate":2,"period_ms":3600000,"burst":2}}"#

    @Test("What limits remember is written down though nothing comes any more: then the verdicts may go, and nothing is forgotten with them")
    func idleLimits() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            _ = try rig.control(.created, .constraint, "few", RouterTests.two, session)
            try await rig.withRouter("one", limitsInterval: .milliseconds(300)) {
                try rig.add(2, session)
                #expect(await eventually { try rig.isDecided() })
                #expect(await eventually { try rig.limitsWrittenThrough() == rig.ids(.verdicts).last })
                #expect(try rig.trimAll(session) == 2)
                #expect(try rig.ids(.verdicts).isEmpty)
            }
            try rig.add(1, session)
            try await rig.withRouter("two") { #expect(await eventually { try rig.isDecided() }) }
            #expect(try rig.verdicts(session).map(\.outcome) == [.block])
        }
    }

    @Test("A router that is told to stop writes down what limits remember; what it has only read is written down, too") func stoppedLimits() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            _ = try rig.control(.created, .constraint, "few", RouterTests.two, session)
            try await rig.withRouter("one") {
                try rig.add(2, session)
                #expect(await eventually { try rig.isDecided() })
                #expect(try rig.limitsWrittenThrough() == nil)
            }
            let last = try rig.ids(.verdicts).last
            #expect(try rig.limitsWrittenThrough() == last)
            try session.run("DEL", [rig.keys.limits])
            try await rig.withRouter("two", limitsInterval: .milliseconds(100)) { #expect(await eventually { try rig.limitsWrittenThrough() == last }) }
        }
    }

    @Test("Verdicts that limits need stay, however old, until what they count is written down") func neededVerdicts() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            _ = try rig.control(.created, .constraint, "few", RouterTests.two, session)
            try rig.add(2, session)
            try await rig.withRouter("one") { #expect(await eventually { try rig.isDecided() }) }
            // As after a crash before anything was written down.
            try session.run("DEL", [rig.keys.limits])
            #expect(try rig.trimAll(session) == 0)
            try rig.add(1, session)
            try await rig.withRouter("two") { #expect(await eventually { try rig.isDecided() }) }
            #expect(try rig.verdicts(session).map(\.outcome) == [.deliver, .deliver, .block])
            #expect(try rig.trimAll(session) == 3)
            #expect(try rig.ids(.verdicts).isEmpty)
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
                        rig.keys.stream(.verdicts), id, "event", "message.decided", "v", "1", "message_uuid", MessageUUID(high: 1, low: 1).description,
                        "outcome",
                        "deliver", "rule", "first", "reason", "", "policy_revision", "0-0-0", "targets", "[]", "subject", "a.b",
                    ])
            }
            try await rig.withRouter("heir") { #expect(await eventually { try rig.isDecided() }) }
            let verdicts = try LogReader(keys: rig.keys).decided(after: .zero, count: 200, session).map(\.verdict.rule)
            #expect(verdicts == Array(repeating: "first", count: 30) + Array(repeating: "default", count: 70), "the first verdict stands")
        }
    }

    @Test("Routers that come and go in the middle of the work leave one verdict each", .timeLimit(.minutes(5))) func restarts() async throws {
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

    @Test("A router that lost its lease and has it again decides what the other one left", .timeLimit(.minutes(5))) func regainedLease() async throws {
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
                #expect(await eventually { try rig.isDecided() })
            }
        }
    }

    @Test("A read that was held up and comes when another acts takes no message out of the order", .timeLimit(.minutes(5))) func lateRead() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            try await rig.withRouter("one") {
                try rig.add(5, session)
                #expect(await eventually { try rig.isDecided() })
                let text = #"{"topic":"a.b","data":1}"#
                let entry = try Envelope.admit(Array(text.utf8), arrival: Arrival(via: "http"), freshID: { MessageUUID(high: 9, low: 9) }).entry
                let append = [rig.keys.stream(.messages), "*"] + MessageField.allCases.flatMap { [$0.name.description, entry.string($0)] }
                for round in 1...3 {
                    // The one in the middle goes to a process that will never decide it.
                    var command = RESPWriter()
                    command.command("MULTI")
                    command.command("XADD", append)
                    command.command("XREADGROUP", ["GROUP", "router", "late", "COUNT", "1", "STREAMS", rig.keys.stream(.messages), ">"])
                    command.command("XADD", append)
                    command.command("EXEC")
                    _ = try session.pipeline(command)
                    #expect(await eventually { try rig.isDecided() })
                    #expect(try rig.ids(.verdicts).count == 5 + 2 * round)
                }
            }
            #expect(try rig.ids(.rejected).isEmpty)
        }
    }

    @Test("At Redis's maxmemory new messages are refused, and what is in the log is decided and trimmed all the same") func fullMemory() async throws {
        try await withTemporaryFolder { folder in
            var configuration = EmbeddedStack.Configuration(dataFolder: folder)
            configuration.servers = [.redis]
            configuration.ports = [:]
            let stack = try await EmbeddedStack.start(configuration, logger: Logger(label: "stack"))
            try await RouterRig.with(redis: stack.redis) { rig in
                let session = try rig.connect()
                try rig.add(50, session)
                try session.run("CONFIG", ["SET", "maxmemory", "1"])
                let setup = LogSetup(catalog: try StreamCatalog.load(Repository.root + "/streams"), keys: rig.keys)
                #expect(try setup.apply(session).isEmpty)
                try await rig.withRouter("one") { #expect(await eventually { try rig.isDecided() }) }
                for command in [
                    ["XADD", rig.keys.stream(.messages), "*", "a", "b"], ["FCALL", "meshlog_append", "1", rig.keys.stream(.messages), "0", "", "a", "b"],
                ] {
                    var writer = RESPWriter()
                    writer.begin(command.count)
                    for word in command { writer.argument(word) }
                    guard case .error(let text)? = try session.pipeline(writer).first else {
                        Issue.record("\(command[0]) was carried out")
                        continue
                    }
                    #expect(text.hasPrefix("OOM"))
                }
                for group in [GroupName.archive, .republish] { try session.run("XGROUP", ["SETID", rig.keys.stream(.verdicts), group.rawValue, "$"]) }
                #expect(try Trimmer.trim(.messages, oldestMs: 0, entries: 10, keys: rig.keys, session) == 40)
                #expect(try rig.ids(.messages).count == 10)
            }
            await stack.stop()
        }
    }

    @Test("A server that refuses writes for a while delays verdicts and buries nothing", .timeLimit(.minutes(5))) func refusedWrites() async throws {
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
                        // Nothing is written any more from the moment in which the messages are there.
                        let text = #"{"topic":"a.b","data":1}"#
                        let entry = try Envelope.admit(Array(text.utf8), arrival: Arrival(via: "http"), freshID: { MessageUUID(high: 8, low: 8) }).entry
                        var command = RESPWriter()
                        command.command("MULTI")
                        for _ in 0..<10 {
                            command.command(
                                "XADD", [rig.keys.stream(.messages), "*"] + MessageField.allCases.flatMap { [$0.name.description, entry.string($0)] })
                        }
                        command.command("EXEC")
                        command.command("CONFIG", ["SET", "min-replicas-to-write", "1"])
                        _ = try session.pipeline(command)
                        try await Task.sleep(for: .milliseconds(700))
                        try session.run("CONFIG", ["SET", "min-replicas-to-write", "0"])
                    }
                    #expect(await eventually(within: .seconds(20)) { try rig.isDecided() })
                }
                #expect(try rig.ids(.verdicts).count == 35)
                #expect(try rig.ids(.rejected).isEmpty)
            }
            await stack.stop()
        }
    }

    @Test("A batch that takes longer than the lease is decided in parts, and goes on", .timeLimit(.minutes(5))) func slowBatch() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            // Uses up what all rules may cost, for those in force and for shadows.
            let when = "message.data.exists(x, message.data.exists(y, x + y == -1))"
            for (mode, priority) in [("shadow", 1), ("enforce", 0)] {
                let rule = #"{"constraint_id":"\#(mode)","when":"\#(when)","mode":"\#(mode)","priority":\#(priority),"action":{"type":"block"}}"#
                _ = try rig.control(.created, .constraint, mode, rule, session)
            }
            let data = "[" + (0..<1_000).map { String($0) }.joined(separator: ",") + "]"
            let entry = try Envelope.admit(
                Array(#"{"topic":"a.b","data":\#(data)}"#.utf8), arrival: Arrival(via: "http"), freshID: { MessageUUID(high: 7, low: 1) }
            ).entry
            let fields = MessageField.allCases.filter { entry.count($0) > 0 }.map { (name: $0.name.description, value: Array(entry.slice($0))) }
            try rig.append(Array(repeating: fields, count: 40), session)
            let metrics = Metrics()
            try await rig.withRouter("one", metrics: metrics, leaseTTL: .seconds(3)) { #expect(await eventually(within: .seconds(90)) { try rig.isDecided() }) }
            let verdicts = try rig.verdicts(session)
            #expect(verdicts.count == 40 && verdicts.allSatisfy { $0.outcome == .block && !$0.detail.error.isEmpty && !$0.detail.shadow.isEmpty })
            #expect(metrics.render().contains("meshlog_stage_entries_total{stage=\"router\"} 40"), "none was decided twice")
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

    @Test(
        "What a router keeps in memory is what the log has, also around what it buries, may not hold or finds decided",
        .timeLimit(.minutes(5)))
    func tail() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            _ = try rig.control(
                .created, .constraint, "odd",
                #"{"constraint_id":"odd","when":"int(message.data) % 2 == 1","action":{"type":"block"}}"#, session)
            _ = try rig.control(
                .created, .constraint, "few", #"{"constraint_id":"few","when":"int(message.data) % 7 == 0","action":{"type":"hold"}}"#, session)
            let tail = DecidedTail()
            var followed: [DecidedMessage] = []
            var remembered = 0
            // As a stage does: from memory, else from the log.
            func follow() throws {
                while true {
                    let cursor = followed.last?.position ?? .zero
                    if case .messages(let messages) = tail.read(after: cursor, count: 7) {
                        remembered += messages.count
                        followed += messages
                        continue
                    }
                    let messages = try LogReader(keys: rig.keys).decided(after: cursor, count: 7, session)
                    if messages.isEmpty { return }
                    followed += messages
                }
            }
            for round in 0..<4 {
                // The first router ends in the middle, another has its turn unseen, and the first begins again; in the second round no more may be held.
                try await rig.withRouter("one", openSessionsMax: round == 1 ? 2 : 1_000, tail: tail) {
                    for _ in 0..<5 {
                        try rig.add(20, session)
                        if round == 2 { try session.run("XADD", [rig.keys.stream(.messages), "*", "hello", "world"]) }
                        #expect(await eventually { try rig.pending() == 0 && rig.ids(.verdicts).last == rig.lastMessage(session) })
                        try follow()
                    }
                }
                try await rig.withRouter("two") {
                    try rig.add(3, session)
                    #expect(await eventually { try rig.pending() == 0 && rig.ids(.verdicts).last == rig.lastMessage(session) })
                }
            }
            try follow()
            let log = try LogReader(keys: rig.keys).decided(after: .zero, count: 10_000, session)
            #expect(log.count == 4 * 103)
            #expect(followed.map(\.position) == log.map(\.position))
            for (one, other) in zip(followed, log) {
                #expect(one.verdict == other.verdict)
                for field in MessageField.allCases { #expect(one.message.slice(field) == other.message.slice(field)) }
            }
            #expect(Set(log.map(\.verdict.outcome)) == [.deliver, .block, .hold])
            #expect(remembered > 100, "most came from memory")
            #expect(remembered < log.count, "some had to come from the log")
        }
    }

    @Test("When its group was lost the router goes on behind the last verdict, past what was buried") func lostGroup() async throws {
        try await RouterRig.with { rig in
            let session = try rig.connect()
            let setup = LogSetup(catalog: try StreamCatalog.load(Repository.root + "/streams"), keys: rig.keys)
            try rig.add(1, session)
            try session.run("XADD", [rig.keys.stream(.messages), "*", "hello", "world"])
            try rig.add(1, session)
            try await rig.withRouter("one", setup: setup) {
                #expect(await eventually { try rig.ids(.verdicts).count == 2 && rig.pending() == 0 })
                try session.run("XGROUP", ["DESTROY", rig.keys.stream(.messages), "router"])
                try rig.add(1, session)
                #expect(await eventually { try rig.ids(.verdicts).count == 3 && rig.pending() == 0 })
            }
            #expect(try rig.ids(.rejected).count == 1)
        }
    }
}
