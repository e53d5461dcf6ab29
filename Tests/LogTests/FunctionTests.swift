import Core
import Log
import RedisDriver
import TestSupport
import Testing

/// The steps of the list door and of the router, as Redis does them.
@Suite("Functions")
struct FunctionTests {
    private struct Door {
        let rig: LogRig
        let session: RedisSession
        let lease: Lease
        let epoch: Int
        var list: String { "\(rig.keys.prefix):list" }
        var processing: String { "\(list):processing" }

        init(_ rig: LogRig) throws {
            self.rig = rig
            session = try rig.connect()
            var lease = Lease(name: "list-door", instance: "one", ttl: .seconds(60), keys: rig.keys)
            guard case .held(let epoch) = try lease.renew(session) else { throw LogError.fenced("test") }
            self.lease = lease
            self.epoch = epoch
        }

        func push(_ command: StaticString, _ elements: String...) throws { try session.run(command, [list] + elements) }

        /// The elements; their number in all is checked against the list.
        func claim(_ count: Int, head: String = "LEFT", bytes: Int = 1 << 20) throws -> [String] {
            let arguments = ["meshlog_list_claim", "3", list, processing, lease.key, String(epoch), String(count), head, String(bytes)]
            let items = try session.run("FCALL", arguments).array ?? []
            guard items.last == .integer(try left().count) else { throw RedisError.unexpectedReply("the length of the processing list") }
            return items.dropLast().compactMap(\.text)
        }

        func commit(_ text: String, length: Int) throws -> RedisValue {
            let message = try admitted(text)
            var command = RESPWriter()
            rig.codec().listCommit(
                message, processing: processing, lease: lease.key, epoch: epoch, length: length, to: &command)
            return try session.pipeline(command)[0]
        }

        func left() throws -> [String] { try (session.run("LRANGE", [processing, "0", "-1"]).array ?? []).compactMap(\.text) }
    }

    @Test("RPUSHed elements are claimed in the order of their pushes, from the left") func rpush() async throws {
        try await LogRig.with { rig in
            let door = try Door(rig)
            try door.push("RPUSH", "a", "b", "c")
            #expect(try door.claim(2) == ["a", "b"])
            try door.push("RPUSH", "d")
            #expect(try door.claim(10) == ["a", "b", "c", "d"])
        }
    }

    @Test("LPUSHed elements are claimed in the order of their pushes, from the right") func lpush() async throws {
        try await LogRig.with { rig in
            let door = try Door(rig)
            try door.push("LPUSH", "a", "b", "c")
            #expect(try door.claim(2, head: "RIGHT") == ["a", "b"])
            try door.push("LPUSH", "d")
            #expect(try door.claim(10, head: "RIGHT") == ["a", "b", "c", "d"])
        }
    }

    @Test("A crash between claim and commit keeps the elements, first in line") func crashAfterClaim() async throws {
        try await LogRig.with { rig in
            let door = try Door(rig)
            try door.push("RPUSH", "a", "b")
            #expect(try door.claim(1) == ["a"])
            // The process ends here; the next one is another instance.
            var lease = door.lease
            try lease.release(door.session)
            let next = try Door(rig)
            #expect(try next.claim(10) == ["a", "b"])
        }
    }

    @Test("A claim ends once it has the bytes asked for, and the next begins at the same head") func claimBytes() async throws {
        try await LogRig.with { rig in
            let door = try Door(rig)
            try door.push("RPUSH", "aaaa", "bbbb", "cccc", "dddd")
            #expect(try door.claim(10, bytes: 5) == ["aaaa", "bbbb"])
            #expect(try door.claim(10, bytes: 1) == ["aaaa"])
            #expect(try door.claim(10, bytes: 9) == ["aaaa", "bbbb", "cccc"])
            #expect(try door.left() == ["aaaa", "bbbb", "cccc"])
        }
    }

    @Test("A commit takes exactly the head, and a crash behind it leaves the rest") func commit() async throws {
        try await LogRig.with { rig in
            let door = try Door(rig)
            try door.push("RPUSH", "a", "b", "c")
            _ = try door.claim(10)
            #expect(try door.commit(#"{"topic":"a"}"#, length: 3).array?.last == .integer(0))
            #expect(try door.left() == ["b", "c"])
            #expect(try rig.length(.messages) == 1)
            #expect(try door.claim(10) == ["b", "c"])
        }
    }

    @Test("A commit that does not find the length it expects does nothing") func moved() async throws {
        try await LogRig.with { rig in
            let door = try Door(rig)
            try door.push("RPUSH", "a", "b", "c")
            _ = try door.claim(10)
            for length in [0, 1, 2, 4] {
                #expect(try door.commit(#"{"topic":"a"}"#, length: length).refusal != nil)
            }
            #expect(try door.left() == ["a", "b", "c"])
            #expect(try rig.length(.messages) == 0)
        }
    }

    @Test("A repeat lets its element go, a conflict keeps it for the record of its rejection") func names() async throws {
        try await LogRig.with { rig in
            let door = try Door(rig)
            try door.push("RPUSH", "a", "b", "c")
            _ = try door.claim(10)
            let id = "19164b3d-b1cb-5c74-9a4d-5f5a32443ff5"
            #expect(try door.commit(#"{"topic":"a","message_uuid":"\#(id)"}"#, length: 3).array?.last == .integer(0))
            #expect(try door.commit(#"{"topic":"a","message_uuid":"\#(id)"}"#, length: 2).array?.last == .integer(1))
            #expect(try door.commit(#"{"topic":"b","message_uuid":"\#(id)"}"#, length: 1).array?.last == .integer(2))
            #expect(try door.left() == ["c"])
            #expect(try rig.length(.messages) == 1)
        }
    }

    @Test("Elements are taken as bytes, whatever they are") func bytes() async throws {
        try await LogRig.with { rig in
            let door = try Door(rig)
            var numbers = SeededNumbers(11)
            let elements = (0..<50).map { _ in numbers.bytes(numbers.below(40)) } + [[], [0], Array("\r\n".utf8)]
            var command = RESPWriter()
            for element in elements {
                command.begin(3)
                command.argument("RPUSH")
                command.argument(door.list)
                command.argument(element)
            }
            _ = try door.session.pipeline(command)
            let claimed = try door.session.run(
                "FCALL", ["meshlog_list_claim", "3", door.list, door.processing, door.lease.key, String(door.epoch), "100", "LEFT", "9999"])
            #expect(claimed.array == elements.map { .string($0) } + [.integer(elements.count)])
        }
    }

    @Test("A verdict is written once and acknowledges its message, however often the step is repeated") func decide() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for index in 1...3 { _ = try rig.add("\(index)-0", to: session) }
            try session.run("XREADGROUP", ["GROUP", "router", "one", "STREAMS", rig.keys.stream(.messages), ">"])
            var lease = Lease(name: "router", instance: "one", ttl: .seconds(60), keys: rig.keys)
            guard case .held(let epoch) = try lease.renew(session) else { return }
            func decide(_ ids: [String]) throws -> RedisValue {
                let verdicts = ids.flatMap { [$0, "4", "0", "event", "message.decided", "rule", "default"] }
                return try session.run(
                    "FCALL",
                    ["meshlog_decide", "3", rig.keys.stream(.verdicts), rig.keys.stream(.messages), lease.key, String(epoch), "router", "9"] + verdicts)
            }
            #expect(try decide(["1-0", "2-0"]) == .array([.integer(2), .integer(0)]))
            #expect(try decide(["1-0", "2-0", "3-0"]) == .array([.integer(1), .integer(0)]))
            #expect(try decide(["1-0", "2-0", "3-0"]) == .array([.integer(0), .integer(0)]))
            #expect(try rig.ids(.verdicts) == ["1-0", "2-0", "3-0"])
            #expect(try rig.pending(.messages, .router) == 0)
        }
    }

    @Test("A verdict before an older message has its own, or behind a newer one, is refused, and its message stays pending") func disorder() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for index in 1...2 { _ = try rig.add("\(index)-0", to: session) }
            try session.run("XREADGROUP", ["GROUP", "router", "one", "STREAMS", rig.keys.stream(.messages), ">"])
            var lease = Lease(name: "router", instance: "one", ttl: .seconds(60), keys: rig.keys)
            guard case .held(let epoch) = try lease.renew(session) else { return }
            func decide(_ id: String) throws -> RedisValue {
                let verdict = [id, "4", "0", "event", "message.decided", "rule", "default"]
                return try session.call(
                    "FCALL", ["meshlog_decide", "3", rig.keys.stream(.verdicts), rig.keys.stream(.messages), lease.key, String(epoch), "router", "9"] + verdict)
            }
            #expect(try decide("2-0").refusal?.hasPrefix("BEHIND the message 1-0") == true)
            #expect(try rig.length(.verdicts) == 0)
            // Written by somebody else.
            try session.run("XADD", [rig.keys.stream(.verdicts), "2-0", "event", "message.decided"])
            #expect(try decide("1-0").refusal?.hasPrefix("DISORDER") == true)
            #expect(try rig.pending(.messages, .router) == 2)
        }
    }

    @Test("Deliveries and the group's cursor move together, and the lag stays right") func deliver() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for index in 1...4 { try rig.decide(try rig.add("\(index)-0", to: session), to: session) }
            var lease = Lease(name: "republish", instance: "one", ttl: .seconds(60), keys: rig.keys)
            guard case .held(let epoch) = try lease.renew(session) else { return }
            func deliver(_ last: String, _ count: Int) throws -> RedisValue {
                try session.run(
                    "FCALL",
                    [
                        "meshlog_deliver", "3", rig.keys.stream(.deliveries), rig.keys.stream(.verdicts), lease.key, String(epoch), "republish", last,
                        String(count), "2",
                    ]
                        + (0..<count).flatMap { ["position", "0-\($0)-0"] })
            }
            #expect(try deliver("2-0", 2) == .integer(2))
            let reader = LogReader(keys: rig.keys)
            #expect(try reader.cursor(.verdicts, group: .republish, session) == Position(ms: 2, seq: 0))
            #expect(try reader.cursor(.verdicts, group: .archive, session) == .zero)
            let groups = try StreamInspector(keys: rig.keys).status(.verdicts, session).groups
            #expect(groups.first { $0.name == "republish" }?.lag == 2)
            #expect(groups.first { $0.name == "archive" }?.lag == 4)
            #expect(try deliver("4-0", 2) == .integer(2))
            #expect(try rig.length(.deliveries) == 4)
        }
    }

    @Test("A group that was begun in the middle has no wrong lag, and the right one once it was at the end") func lagFromTheMiddle() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let verdicts = rig.keys.stream(.verdicts)
            for index in 1...6 { try rig.decide(Position(ms: UInt64(index), seq: 0), to: session) }
            try session.run("XGROUP", ["DESTROY", verdicts, "republish"])
            try session.run("XGROUP", ["CREATE", verdicts, "republish", "3-0"])
            var lease = Lease(name: "republish", instance: "one", ttl: .seconds(60), keys: rig.keys)
            guard case .held(let epoch) = try lease.renew(session) else { throw LogError.fenced("test") }
            func lag(through last: String, _ count: Int) throws -> Int? {
                try session.run(
                    "FCALL", ["meshlog_deliver", "3", rig.keys.stream(.deliveries), verdicts, lease.key, String(epoch), "republish", last, String(count), "2"])
                return try StreamInspector(keys: rig.keys).status(.verdicts, session).groups.first { $0.name == "republish" }?.lag
            }
            #expect(try lag(through: "4-0", 1) == 2)
            #expect(try lag(through: "6-0", 2) == 0)
            for index in 7...9 { try rig.decide(Position(ms: UInt64(index), seq: 0), to: session) }
            #expect(try lag(through: "7-0", 1) == 2)
        }
    }

    @Test("Where its group is missing a stage writes nothing at all, and says so as Redis does", arguments: ["deliver", "spread"])
    func missingGroup(_ name: String) async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let keys = rig.keys
            try rig.decide(try rig.add("1-0", to: session), to: session)
            try session.run("XADD", [keys.stream(.notifications), "1-0", "event", "webhook.test"])
            var lease = Lease(name: "stage", instance: "one", ttl: .seconds(60), keys: keys)
            guard case .held(let epoch) = try lease.renew(session) else { throw LogError.fenced("test") }
            let stream: StreamName = name == "deliver" ? .verdicts : .notifications
            let group: GroupName = name == "deliver" ? .republish : .webhooks
            let call: [String] =
                switch name {
                case "deliver":
                    [
                        "meshlog_deliver", "3", keys.stream(.deliveries), keys.stream(.verdicts), lease.key, String(epoch), "republish", "1-0", "1", "2",
                        "event", "message.delivered",
                    ]
                default:
                    [
                        "meshlog_notify_spread", "5", keys.stream(.notifications), keys.webhookDue, keys.webhookDeliveries, keys.webhookCounts, lease.key,
                        String(epoch), "webhooks", "1-0", "1", "10", "10", "2", "kept", "5", "w", "0\nwebhook.test\n{}", "event", "webhook.attempted",
                        "unkept", "5", "w", "", "event", "webhook.attempted",
                    ]
                }
            try session.run("XGROUP", ["DESTROY", keys.stream(stream), group.rawValue])
            let refusal = try #require(try session.call("FCALL", call).refusal)
            #expect(refusal.hasPrefix("NOGROUP") && LogSetup.isMissing(LogError(.server(refusal))))
            #expect(try rig.length(.deliveries) == 0)
            #expect(try rig.length(.notifications) == 1)
            #expect(try session.run("EXISTS", [keys.webhookDue, keys.webhookDeliveries, keys.webhookCounts]) == .integer(0))
            try session.run("XGROUP", ["CREATE", keys.stream(stream), group.rawValue, "0"])
            #expect(try session.call("FCALL", call).refusal == nil)
            #expect(try LogReader(keys: keys).cursor(stream, group: group, session) == Position(ms: 1, seq: 0))
        }
    }
}
