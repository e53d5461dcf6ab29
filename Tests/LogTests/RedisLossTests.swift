import Core
import Foundation
import Log
import RedisDriver
import Stack
import Synchronization
import TestSupport
import Testing

/// A Redis that hangs up, hangs, becomes a replica, or comes back without what it had.
@Suite("Redis lost and found")
struct RedisLossTests {
    /// A message with a name, so that it goes by a function.
    private func named(_ number: Int) throws -> AdmittedMessage {
        try admitted(#"{"topic":"a","message_uuid":"19164b3d-b1cb-5c74-9a4d-\#(String(format12: number))","data":\#(number)}"#)
    }

    private func word(_ appender: Appender, _ number: Int) async throws -> String { try await appender.append([named(number)])[0].word }

    /// The connection of the appender, by its number.
    private func connection(_ session: RedisSession) throws -> String? {
        let clients = try session.run("CLIENT", ["LIST"]).text ?? ""
        return clients.split(separator: "\n").first { $0.contains(" name=meshlog-append ") }.flatMap {
            $0.split(separator: " ").first.map(String.init)
        }
    }

    @Test("A connection that rests learns that the server has hung up, or said something unasked") func hungUp() async throws {
        try await LogRig.with { rig in
            let (session, other) = (try rig.connect(), try rig.connect())
            #expect(!session.isHungUp())
            _ = try session.run("PING")
            #expect(!session.isHungUp())
            let id = try #require(try session.run("CLIENT", ["ID"]).int)
            try other.run("CLIENT", ["KILL", "ID", String(id)])
            #expect(await eventually { session.isHungUp() })
            #expect(session.isBroken)
            var command = RESPWriter()
            command.command("PING", [])
            try other.send(command)
            #expect(await eventually { other.isHungUp() })
        }
    }

    @Test("After the server has hung up, the first message of a process at rest is appended") func firstMessage() async throws {
        try await LogRig.withOwnRedis { _, rig in
            try await rig.withAppender { appender in
                for number in 1...5 {
                    #expect(try await word(appender, number) == "appended")
                    // What a restart does to connections, without the time that it takes.
                    try rig.connect().run("CLIENT", ["KILL", "TYPE", "normal"])
                }
            }
        }
    }

    @Test("A Redis that comes back empty is set up again, though nobody publishes", .timeLimit(.minutes(3))) func empty() async throws {
        try await LogRig.withOwnRedis { redis, rig in
            try await rig.withAppender { appender in
                #expect(try await word(appender, 1) == "appended")
                await redis.kill9()
                try FileManager.default.removeItem(atPath: redis.folder + "/appendonlydir")
                try await redis.restart()
                #expect(await eventually { try rig.setup.check(rig.connect()) == [] })
                #expect(await eventually { try await word(appender, 1) == "appended" })
            }
        }
    }

    @Test("Functions that were flushed come back with the message that needs them") func functions() async throws {
        try await LogRig.withOwnRedis { _, rig in
            let session = try rig.connect()
            try await rig.withAppender { appender in
                #expect(try await word(appender, 1) == "appended")
                try session.run("FUNCTION", ["FLUSH"])
                #expect(try await word(appender, 2) == "unavailable")
                #expect(await eventually { try await word(appender, 2) == "appended" })
            }
        }
    }

    @Test("A server that has become a replica is left, and the address asked again") func replica() async throws {
        try await LogRig.withOwnRedis { _, rig in
            let session = try rig.connect()
            try await rig.withAppender { appender in
                #expect(try await word(appender, 1) == "appended")
                let before = try connection(session)
                #expect(before != nil)
                try session.run("REPLICAOF", ["127.0.0.1", String(SharedStack.freePort())])
                #expect(try await word(appender, 2) == "unavailable")
                #expect(await eventually { try connection(session).map { $0 != before } ?? false })
                try session.run("REPLICAOF", ["NO", "ONE"])
                #expect(await eventually { try await word(appender, 2) == "appended" })
            }
        }
    }

    @Test("While Redis hangs new messages are refused before the first one's time is up, and all get an answer", .timeLimit(.minutes(3)))
    func hanging() async throws {
        try await LogRig.withOwnRedis { redis, rig in
            try await rig.withAppender { appender in
                #expect(try await word(appender, 1) == "appended")
                let pid = try #require(redis.pid)
                kill(pid, SIGSTOP)
                defer { kill(pid, SIGCONT) }
                let sink = Answers()
                var taken = 0
                let isRefused = await eventually {
                    var batch = appender.batch()
                    batch.add(try named(2 + taken))
                    do throws(LogError) {
                        try appender.submit(batch, to: sink, ticket: sink, firstTag: taken)
                        taken += 1
                        return false
                    } catch {
                        guard case .unavailable(let text) = error else { return false }
                        return text.contains("does not answer")
                    }
                }
                #expect(isRefused)
                #expect(await eventually(within: .seconds(60)) { sink.all.count == taken })
                #expect(Set(sink.all.map(\.outcome.word)) == ["unavailable"])
                kill(pid, SIGCONT)
                #expect(await eventually { try await word(appender, 1) == "duplicate" })
            }
        }
    }

    @Test("A republisher's group that was lost begins behind the last message sent to its backbone, whatever others have got; webhooks' with what comes")
    func lostGroups() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let reader = LogReader(keys: rig.keys)
            let (verdicts, notifications) = (rig.keys.stream(.verdicts), rig.keys.stream(.notifications))
            for index in 1...4 { try rig.decide(try rig.add("\(index)-0", to: session), to: session) }
            try session.run("XADD", [notifications, "7-0", "event", "webhook.test"])
            func lose() throws {
                try session.run("XGROUP", ["DESTROY", verdicts, "republish"])
                try session.run("XGROUP", ["DESTROY", notifications, "webhooks"])
            }
            try lose()
            #expect(try Set(rig.setup.apply(session)) == ["group webhooks on notifications", "group republish on verdicts"])
            #expect(try reader.cursor(.verdicts, group: .republish, session) == .zero, "nothing was sent")
            #expect(try reader.cursor(.notifications, group: .webhooks, session) == Position(ms: 7, seq: 0))
            var command = RESPWriter()
            let sent: [(target: String, position: Int)] = [("default", 1), ("default", 2)] + Array(repeating: ("eu", 4), count: 2_500)
            for (target, position) in sent {
                let fields = ["event", DeliveryEntry.event, "position", "0-\(position)-0", "target", target]
                command.command("XADD", [rig.keys.stream(.deliveries), "*"] + fields)
            }
            _ = try session.pipeline(command)
            for (setup, last) in [(rig.setup, 2), (LogSetup(catalog: rig.catalog, keys: rig.keys, target: "eu"), 4)] {
                try lose()
                try setup.apply(session)
                #expect(try reader.cursor(.verdicts, group: .republish, session) == Position(ms: UInt64(last), seq: 0))
            }
            #expect(try LogSetup.lastSent(to: "nobody", keys: rig.keys, session) == nil)
        }
    }

    @Test("A stage goes on after its group, its functions, or all there was has been taken away", .timeLimit(.minutes(3))) func stage()
        async throws
    {
        try await LogRig.withOwnRedis { _, rig in
            let session = try rig.connect()
            let loop = StageLoop(
                name: "stage", instance: "one", endpoint: rig.endpoint, keys: rig.keys, leaseTTL: .seconds(1), setup: rig.setup)
            let seen = Mutex<Set<Position>>([])
            let service = Task {
                await WorkerThread.run("stage") { stop in
                    loop.run(stop) { _, _, _ in
                        GroupConsumer(stream: rig.keys.stream(.messages), group: GroupName.router.rawValue, consumer: "one", attemptsMax: 3)
                    } step: { consumer, session, _ in
                        for case .entry(let position, _) in try consumer.read(session, count: 10, wait: .milliseconds(20)) {
                            try session.run("XACK", [rig.keys.stream(.messages), "router", position.streamID])
                            seen.withLock { _ = $0.insert(position) }
                        }
                    }
                }
            }
            for loss in [["XGROUP", "DESTROY", rig.keys.stream(.messages), "router"], ["FUNCTION", "FLUSH"], ["FLUSHALL"]] {
                let first = try rig.add(to: session)
                #expect(await eventually { seen.withLock { $0.contains(first) } }, "before \(loss)")
                var command = RESPWriter()
                command.begin(loss.count)
                for word in loss { command.argument(word) }
                #expect(try session.pipeline(command)[0].refusal == nil)
                let second = try rig.add(to: session)
                #expect(await eventually { seen.withLock { $0.contains(second) } }, "after \(loss)")
                #expect(await eventually { try rig.setup.check(session) == [] }, "after \(loss)")
            }
            service.cancel()
            await service.value
        }
    }
}
