import Core
import Interventions
import Log
import PostgreSQLDriver
import RedisDriver
import Replay
import Stack
import TestSupport
import Testing

@Suite("Sessions while servers are away")
struct OutageTests {
    private func isUnavailable(_ refusal: SessionRefusal?) -> Bool { if case .unavailable = refusal { true } else { false } }

    private func isCarriedOut(_ refusal: SessionRefusal?) -> Bool { if case .none = refusal { true } else { false } }

    private func decide(_ rig: SessionRig, _ command: SessionCommand) async -> SessionRefusal? {
        await refusal { () throws(SessionRefusal) in try await rig.desk.decide(command) }
    }

    /// Decides until somebody answers: a thread of the pool may still have a connection to the server that was killed.
    private func decideOnce(_ rig: SessionRig, _ command: SessionCommand) async -> SessionRefusal? {
        var last: SessionRefusal?
        _ = await eventually(within: .seconds(30)) {
            last = await decide(rig, command)
            return !isUnavailable(last)
        }
        return last
    }

    @Test(
        "While Redis is gone nobody decides and nothing ends; when it is back each session ends once, and a repeated decision decides nothing twice",
        .timeLimit(.minutes(3)))
    func redis() async throws {
        try await SessionRig.withServers { rig, stack in
            try rig.constraint("soon", #"{"type":"hold","timeout_ms":1500,"on_expiry":"deliver"}"#, topics: "soon.*")
            try rig.constraint("ask", #"{"type":"hold"}"#, topics: "ask.*")
            let asked = try await rig.hold(#"{"topic":"ask.a"}"#)
            let count = 60
            for number in 1...count { try rig.send(#"{"topic":"soon.a","data":\#(number)}"#, number: number) }
            _ = try await rig.decided(count + 1)
            let command = try rig.command(asked)
            try await rig.withClock {
                // Killed in the middle of the clock's work: some have ended, some are due, and an answer may be on its way.
                #expect(await eventually { try rig.closings.count > 0 })
                await stack.redis.kill9()
                #expect(isUnavailable(await decide(rig, command)))
                try await stack.redis.start()
                #expect(await eventually(within: .seconds(40)) { try rig.closings.count == count })
            }
            #expect(isCarriedOut(await decideOnce(rig, command)))
            guard case .notOpen(let ending) = await decideOnce(rig, command) else { return #expect(Bool(false)) }
            #expect(ending?.closing.session == asked.position)
            let closings = try rig.closings
            #expect(Set(closings.map(\.session)).count == count + 1 && closings.count == count + 1)
            let all = try await rig.decided(2 * (count + 1))
            let released = all.filter(\.message.isReleased)
            #expect(all.count == 2 * (count + 1) && released.map(\.position).sorted() == closings.compactMap(\.released).sorted())
            #expect(Set(released.compactMap { Release($0.message.slice(.release))?.session }).count == count + 1)
            #expect(try rig.log.openCount(try rig.connect()) == 0)
        }
    }

    @Test(
        "While PostgreSQL is gone, what the log still has is decided and ends; what only the archive has waits for it, and then goes on once",
        .timeLimit(.minutes(3)))
    func postgresql() async throws {
        try await SessionRig.withServers { rig, stack in
            try rig.constraint("soon", #"{"type":"hold","timeout_ms":400,"on_expiry":"deliver"}"#, topics: "soon.*")
            try rig.constraint("block", #"{"type":"hold","timeout_ms":400,"on_expiry":"block"}"#, topics: "block.*")
            try rig.constraint("ask", #"{"type":"hold"}"#, topics: "ask.*")
            var old: [SessionOpening] = []
            for topic in ["ask.approved", "ask.denied", "soon.a", "block.a"] { old.append(try await rig.hold(#"{"topic":"\#(topic)","data":1}"#)) }
            let held = try await rig.decided(4)
            let url = rig.url
            try await onThread {
                _ = try ArchiveSink<DecidedMessage>(
                    session: try PostgreSQLSession(conninfo: url, applicationName: "meshlog tests"), name: "archive", partition: 0
                ).write(held)
            }
            for stream in [StreamName.messages, .verdicts] { try rig.connect().run("XTRIM", [rig.keys.stream(stream), "MAXLEN", "0"]) }
            let inLog = try await rig.hold(#"{"topic":"ask.log"}"#)
            let soonInLog = try await rig.hold(#"{"topic":"soon.log"}"#)
            await stack.postgresql.stop()
            let (approve, deny) = (try rig.command(old[0]), try rig.command(old[1], .deny))
            try await rig.withClock {
                #expect(isUnavailable(await decide(rig, approve)), "its message is in the archive only")
                #expect(isCarriedOut(await decide(rig, deny)), "denying needs no message")
                let third = try rig.command(inLog)
                #expect(isCarriedOut(await decide(rig, third)), "the log has it")
                // What has to wait keeps nobody else waiting.
                #expect(
                    await eventually(within: .seconds(20)) {
                        try Set(rig.closings.map(\.session)) == [old[1].position, old[3].position, inLog.position, soonInLog.position]
                    })
                try await stack.postgresql.start()
                #expect(await eventually(within: .seconds(20)) { try rig.closings.contains { $0.session == old[2].position } })
            }
            #expect(isCarriedOut(await decideOnce(rig, approve)))
            let closings = try rig.closings
            #expect(closings.count == 6 && Set(closings.map(\.session)).count == 6)
            let ending = try #require(closings.first { $0.session == old[2].position })
            #expect(ending.cause == .expired(.deliver, reason: "") && ending.released != nil)
            for closing in closings {
                guard let released = closing.released else { continue }
                let entry = try #require(try rig.entry(released))
                #expect(Release(entry.slice(.release))?.session == closing.session.description)
            }
            #expect(try rig.log.openCount(try rig.connect()) == 0)
        }
    }
}
