import Core
import Interventions
import Log
import RedisDriver
import TestSupport
import Testing

@Suite("The clock of sessions")
struct ClockTests {
    private func ask(_ timeoutMs: Int, _ onExpiry: String) -> String { #"{"type":"hold","timeout_ms":\#(timeoutMs),"on_expiry":"\#(onExpiry)"}"# }

    @Test(
        "What nobody decided about goes the way its rule says: it is delivered, or stays where it is", .timeLimit(.minutes(5)), arguments: ["deliver", "block"])
    func expiry(_ way: String) async throws {
        try await SessionRig.with { rig in
            try rig.constraint("ask", ask(150, way))
            let opening = try await rig.hold()
            let opened = try #require(opening.expiresAt)
            #expect(opened > opening.position.microseconds + 149_000)
            try await rig.withClock { #expect(await eventually { try !rig.closings.isEmpty }) }
            let closing = try #require(try rig.closings.first)
            #expect(closing.cause == .expired(way == "deliver" ? .deliver : .block, reason: ""))
            guard way == "deliver" else {
                #expect(try rig.length(.messages) == 1)
                return
            }
            let all = try await rig.decided(2)
            #expect(all.last?.position == closing.released && all.last?.verdict.outcome == .deliver)
            #expect(all.last.flatMap { Release($0.message.slice(.release))?.decision } == .expire)
        }
    }

    @Test("Nothing ends early, and a person who comes too late decides nothing", .timeLimit(.minutes(5))) func bounds() async throws {
        try await SessionRig.with { rig in
            try rig.constraint("ask", ask(3_000, "block"))
            let opening = try await rig.hold()
            let end = try #require(opening.expiresAt)
            let closing = SessionClosing(opening.position, .expired(.block, reason: ""))
            #expect(try rig.log.end([(closing, opening.digest, nil)], by: .time, try rig.connect()) == [.notDue(end)])
            #expect(try rig.log.due(count: 9, try rig.connect()).ids == [])
            #expect(await eventually { try rig.log.due(count: 9, try rig.connect()).ids == [opening.sessionID] })
            let command = try rig.command(opening)
            guard case .tooLate(end) = await refusal({ () throws(SessionRefusal) in try await rig.desk.decide(command) }) else { return #expect(Bool(false)) }
            #expect(try rig.events() == [.opened(opening)])
        }
    }

    @Test("A delayed message goes on when its time has come, and does not count a second time", .timeLimit(.minutes(5))) func delay() async throws {
        try await SessionRig.with { rig in
            try rig.constraint("pace", #"{"type":"limit","rate":1,"period_ms":3000,"burst":1,"over":"delay","delay_max_ms":60000}"#)
            try rig.send(#"{"topic":"a.b","source_subject_id":"alice"}"#, number: 1)
            let position = try rig.send(#"{"topic":"a.b","source_subject_id":"alice"}"#, number: 2)
            let opening = try await rig.opened(position)
            #expect(opening.kind == .delay && opening.onExpiry == .deliver && opening.passed == ["pace"] && opening.approvers == [])
            try await rig.withClock { #expect(await eventually { try !rig.closings.isEmpty }) }
            let closing = try #require(try rig.closings.first)
            let released = try #require(closing.released)
            #expect(closing.cause == .released && released.microseconds + 1_000 > (opening.expiresAt ?? .max))
            let all = try await rig.decided(3)
            #expect(all.map(\.verdict.outcome) == [.deliver, .hold, .deliver] && all[2].position == released)
            #expect(all[2].verdict.detail.limits.isEmpty, "it took its place when it came")
        }
    }

    @Test("Clocks that are killed between their steps, and clocks that race, end every session once", .timeLimit(.minutes(5))) func killed() async throws {
        try await SessionRig.with { rig in
            try rig.constraint("ask", ask(50, "deliver"))
            let count = 300
            for number in 0..<count { try rig.send(#"{"topic":"a.b","data":\#(number)}"#, number: number) }
            _ = try await rig.decided(count)
            for round in 0..<6 {
                try await rig.withClock { #expect(await eventually { try rig.closings.count >= 40 * round }) }
            }
            try await rig.withClock("sessions") {
                try await rig.withClock("rival") { #expect(await eventually(within: .seconds(60)) { try rig.closings.count == count }) }
            }
            let closings = try rig.closings
            #expect(closings.count == count && Set(closings.map(\.session)).count == count)
            let all = try await rig.decided(2 * count)
            #expect(all.count == 2 * count)
            let released = all.filter(\.message.isReleased)
            #expect(
                Set(released.map { $0.message.string(.data) }).count == count && released.map(\.position).sorted() == closings.compactMap(\.released).sorted())
            #expect(try rig.log.nextDue(try rig.connect()) == nil)
        }
    }

    @Test("Keys that were lost are put back from the stream: what is open stays open, what has ended stays so", .timeLimit(.minutes(5))) func lost()
        async throws
    {
        try await SessionRig.with { rig in
            try rig.constraint("ask", #"{"type":"hold"}"#, topics: "ask.*")
            try rig.constraint("soon", ask(2_000, "block"), topics: "soon.*")
            let open = try await rig.hold(#"{"topic":"ask.a"}"#)
            let soon = try await rig.hold(#"{"topic":"soon.a"}"#)
            let over = try await rig.hold(#"{"topic":"ask.b"}"#)
            _ = try await rig.desk.decide(try rig.command(over))
            let session = try rig.connect()
            try session.run("DEL", [rig.keys.openSessions, rig.keys.dueSessions])
            let gone = try rig.command(open)
            guard case .notOpen(nil) = await refusal({ () throws(SessionRefusal) in try await rig.desk.decide(gone) }) else { return #expect(Bool(false)) }
            // Cut short at the beginning or behind the last entry, it puts nothing back, so the next does all of it.
            for answers in [0, 1] {
                var asked = 0
                let found = try rig.log.restoreIfLost(session) {
                    asked += 1
                    return asked <= answers
                }
                #expect(found == nil && asked == answers + 1)
                #expect(try session.run("EXISTS", [rig.keys.openSessions, rig.keys.dueSessions]) == .integer(0))
            }
            #expect(try rig.log.restoreIfLost(session) == 2)
            #expect(try rig.log.restoreIfLost(session) == nil)
            #expect(try rig.log.open([open.sessionID, soon.sessionID, over.sessionID], session) == [open, soon, nil])
            #expect(try rig.log.nextDue(session) == soon.expiresAt)
            #expect(try rig.log.oldestOpen(session) == open.position)
            try await rig.withClock { #expect(await eventually { try rig.closings.contains { $0.session == soon.position } }) }
            _ = try await rig.desk.decide(try rig.command(open))
            #expect(try rig.closings.count == 3)
        }
    }
}
