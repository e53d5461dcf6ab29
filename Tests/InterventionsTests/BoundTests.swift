import Core
import Interventions
import Log
import RedisDriver
import TestSupport
import Testing

@Suite("As many sessions as there may be")
struct BoundTests {
    private let pace = #"{"type":"limit","rate":1,"period_ms":3600000,"burst":1,"over":"delay","delay_max_ms":86400000}"#

    @Test("What would be one held message too many is blocked and says why; where one is decided there is room again", .timeLimit(.minutes(5))) func full()
        async throws
    {
        try await SessionRig.with(openSessionsMax: 3) { rig in
            try rig.constraint("ask", #"{"type":"hold"}"#, topics: "ask.*")
            try rig.constraint("pace", pace, topics: "pace.*")
            // A person's and a limit's, errors that would deliver or not: nothing goes past what should have been asked.
            try rig.deliverOnError("pace.>")
            let session = try rig.connect()
            try rig.send(#"{"topic":"pace.a","source_subject_id":"bob"}"#, number: 1)
            let sent = try [("pace.a", 2), ("ask.a", 3), ("ask.a", 4), ("ask.a", 5), ("pace.a", 6), ("free.a", 7)].map { topic, number in
                try rig.send(#"{"topic":"\#(topic)","source_subject_id":"bob","data":\#(number)}"#, number: number)
            }
            let all = try await rig.decided(7)
            #expect(all.dropFirst().map(\.position) == sent)
            #expect(all.map(\.verdict.outcome) == [.deliver, .hold, .hold, .hold, .block, .block, .deliver])
            #expect(try rig.log.openCount(session) == 3 && rig.events().count == 3)
            for (one, rule) in [(all[4], "ask"), (all[5], "pace")] {
                #expect(one.verdict.rule == rule && one.verdict.reason.contains("3 held messages wait") && one.verdict.detail.hold.isEmpty)
                #expect(String(decoding: one.verdict.detail.error, as: UTF8.self).hasPrefix(#"{"on_error":"block","rules":[{"rule":"\#(rule)""#))
                #expect(one.verdict.openSessionsMet == 3)
                #expect(one.verdict.detail.digest == ContentDigest.inputs(one.message, at: one.position, one.verdict))
                #expect(PolicyRefusal(one.verdict, at: one.position, disclosesConditions: false, terms: { _ in nil })?.kind == .error)
            }
            #expect(all[5].verdict.detail.retryAtMicroseconds != nil, "a limit still says when it would pass")
            #expect(
                rig.metrics.render().contains("meshlog_sessions_refused_total 2") && rig.metrics.render().contains(#"meshlog_verdicts_total{outcome="hold"} 3"#)
            )

            let opening = try await rig.opened(sent[1])
            _ = try await rig.desk.decide(try rig.command(opening, .deny))
            #expect(try rig.log.openCount(session) == 2)
            let next = try await rig.opened(try rig.send(#"{"topic":"ask.b"}"#, number: 8))
            #expect(next.rule == "ask")
            #expect(try rig.log.openCount(session) == 3)
            // The count is that of the stream, whoever lost the keys.
            try session.run("DEL", [rig.keys.openSessions, rig.keys.dueSessions])
            #expect(try rig.log.restoreIfLost(session) == 3)
            #expect(try rig.log.openCount(session) == 3)
        }
    }

    @Test("A released message that a rule behind would hold finds no room: it is blocked, and its session stays decided", .timeLimit(.minutes(5)))
    func released() async throws {
        try await SessionRig.with(openSessionsMax: 1) { rig in
            try rig.constraint("first", #"{"type":"hold"}"#, priority: 30, topics: "a.*")
            try rig.constraint("second", #"{"type":"hold"}"#, priority: 20, topics: "a.*")
            try rig.constraint("other", #"{"type":"hold"}"#, topics: "other.*")
            let opening = try await rig.hold()
            // The session that ends makes the room that its message takes.
            let next = try await rig.opened(try #require(try await rig.desk.decide(try rig.command(opening)).closing.released))
            #expect(next.rule == "second")
            try rig.send(#"{"topic":"other.a"}"#, number: 2)
            let all = try await rig.decided(3)
            #expect(all.map(\.verdict.outcome) == [.hold, .hold, .block])
            #expect(try rig.closings.count == 1 && rig.log.openCount(try rig.connect()) == 1)
        }
    }
}
