import Core
import Log
import RedisDriver
import Replay
import TestSupport
import Testing
import WhatIf

@Suite("What-if over the log")
struct WhatIfRunTests {
    private static func message(_ number: Int, topic: String = "tasks.a.report", source: String = "ann", amount: Int = 0) -> (Position, MessageEntry) {
        (HistoryRig.position(number), HistoryRig.message(number, PolicyRig.message(topic: topic, source: source, data: #"{"amount":\#(amount)}"#)))
    }

    private static let limit = #"{"constraint_id":"slow","action":{"type":"limit","rate":5,"period_ms":1000,"burst":3}}"#

    /// Three constraints come, change and go while messages are decided; the limit is one of them.
    private static func fill(_ rig: HistoryRig) async throws -> [DecidedMessage] {
        func part(_ numbers: Range<Int>, _ documents: [ControlEvent]) async throws {
            try rig.control(documents)
            try rig.append(numbers.map { message($0, topic: $0 % 3 == 0 ? "tasks.b.report" : "tasks.a.report", source: ["ann", "bob"][$0 % 2], amount: $0) })
            try await rig.route()
        }
        try await part(0..<100, [])
        try await part(
            100..<200,
            [HistoryRig.constraint(limit), HistoryRig.constraint(PolicyRig.rule("big", #""when":"message.data.amount > 150","action":{"type":"block"}"#))])
        try await part(200..<300, [HistoryRig.constraint(limit.replacing("\"rate\":5", with: "\"rate\":2"), change: .updated)])
        try await part(300..<400, [HistoryRig.constraint(PolicyRig.rule("big", #""action":{"type":"block"}"#), change: .deleted)])
        return try rig.decided()
    }

    @Test("Under the constraints that were in force, every verdict is what was logged, wherever the range begins, in the log and in the archive")
    func verified() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig)
            #expect(Set(all.map(\.verdict.policyRevision)).count == 4 && Set(all.map(\.verdict.rule)) == ["default", "slow", "big"])
            try rig.archive(all.prefix(350))
            try rig.trim(before: all[230].position)
            let whole = try rig.ask(.logged)
            #expect(whole.report.isSame && whole.report.messages == 400 && whole.coverage.isComplete)
            #expect(whole.revisions?.lowerBound == .zero && whole.revisions?.upperBound.description == all[399].verdict.policyRevision)
            for start in [1, 99, 101, 150, 201, 203, 250, 301, 305, 390] {
                let answer = try rig.ask(.logged, HistoryRange(from: all[start].position))
                #expect(answer.report.isSame && answer.report.messages == 400 - start, "from \(start): \(String(decoding: answer.json, as: UTF8.self))")
            }
        }
    }

    @Test("The first verdict that is not what the policy says is named with both; so is a message that somebody changed") func tampered() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig)
            try rig.archive(all)
            try rig.trim(before: all[350].position)
            try rig.execute("UPDATE verdict SET outcome = 'deliver', rule = 'default' WHERE entry_ms = \(all[180].position.ms)")
            let answer = try rig.ask(.logged)
            let difference = try #require(answer.report.difference)
            #expect(difference.position == all[180].position)
            #expect(difference.logged.outcome == .deliver && difference.computed == all[180].verdict)
            try rig.execute("UPDATE message_exchange SET message_data = '{\"amount\":1}' WHERE entry_ms = \(all[20].position.ms)")
            let digest = try #require(try rig.ask(.logged).report.difference)
            #expect(
                digest.position == all[20].position && digest.computed.outcome == digest.logged.outcome
                    && digest.computed.detail.digest != digest.logged.detail.digest)
        }
    }

    @Test("Candidates go over what was in force at each message; removed ones are out; replaced by them, nothing else applies") func candidates() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig)
            let blockB = try PolicyRig.read(
                PolicyRig.rule("no-b", #""scope":{"topics":["tasks.b.>"]},"action":{"type":"block"},"priority":9,"reason":"b is closed""#))
            let merged = try rig.ask(.merged([blockB], removed: []))
            let onB = all.filter { $0.message.string(.topic) == "tasks.b.report" }
            #expect(merged.report.byTopic["tasks.b.report"] == onB.count)
            let group = try #require(merged.report.sorted.first)
            #expect(group.change.to.rule == "no-b" && group.group.examples.first?.reason == "b is closed")

            // Without the rule 'big' its blocks are gone; the limit goes on as it was.
            let removed = try rig.ask(.merged([], removed: ["big", "slow"]))
            #expect(removed.report.flips == all.count { $0.verdict.outcome == .block })
            #expect(removed.report.sorted.allSatisfy { $0.change.to.outcome == .deliver })

            let replaced = try rig.ask(.replaced([blockB]))
            #expect(replaced.report.flips == all.count { $0.message.string(.topic) == "tasks.b.report" || $0.verdict.outcome == .block })
        }
    }

    @Test("A candidate's limit goes on from the log where it counts the same, and begins anew where it does not") func limits() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig)
            let range = HistoryRange(from: all[110].position, through: all[199].position)
            let same = try rig.ask(.merged([try PolicyRig.read(Self.limit)], removed: []), range)
            #expect(same.report.differences == 0 && same.report.messages == 90)
            #expect(same.limitsFrom != nil)
            // The same rate by another key: nothing of the old keys counts.
            let other = try PolicyRig.read(Self.limit.replacing("\"burst\":3", with: "\"burst\":3,\"key\":\"message.topic\""))
            let anew = try rig.ask(.replaced([other]), range)
            #expect(anew.limitsFrom == nil && anew.report.differences > 0)
        }
    }

    @Test("Asked about one topic, limits still count the messages of all") func topics() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig)
            let tight = try PolicyRig.read(#"{"constraint_id":"all","action":{"type":"limit","rate":3,"period_ms":1000,"burst":1,"key":"'all'"},"priority":5}"#)
            let whole = try rig.ask(.merged([tight], removed: []))
            let part = try rig.ask(.merged([tight], removed: []), HistoryRange(topics: [SubjectPattern("tasks.b.*".utf8)]))
            #expect(part.report.byTopic == whole.report.byTopic.filter { $0.key == "tasks.b.report" } && part.report.flips > 0)
            #expect(part.report.messages == all.count { $0.message.string(.topic) == "tasks.b.report" } && part.coverage.messages == 400)
        }
    }

    @Test("A request that may read so much and no more says where to go on; the pages of a verification prove the whole") func pages() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig)
            try rig.archive(all)
            try rig.trim(before: all[123].position)
            var from = Position.zero
            var seen = 0
            var pages = 0
            while true {
                let answer = try rig.ask(.logged, HistoryRange(from: from), limits: HistoryLimits(messagesMax: 64, timeMax: .seconds(60)))
                #expect(answer.report.isSame)
                seen += answer.report.messages
                pages += 1
                guard let next = answer.coverage.next else { break }
                #expect(!answer.coverage.isComplete && answer.report.messages == 64)
                from = next
            }
            #expect(seen == 400 && pages == 7)
            // The limit's window reaches back over more than may be read.
            try rig.control([HistoryRig.constraint(#"{"constraint_id":"day","action":{"type":"limit","rate":1,"period_ms":86400000}}"#)])
            try rig.append([Self.message(400), Self.message(401)])
            try await rig.route()
            #expect {
                try rig.ask(.logged, HistoryRange(from: HistoryRig.position(400)), limits: HistoryLimits(messagesMax: 64, timeMax: .seconds(60)))
            } throws: {
                if case HistoryError.tooMuch = $0 { true } else { false }
            }
        }
    }

    @Test("Who cancels is answered at once with how far it came") func cancelled() async throws {
        try await HistoryRig.with { rig in
            _ = try await Self.fill(rig)
            let stop = StopSignal()
            stop.request()
            let answer = try WhatIfRun(WhatIfQuestion(.logged, HistoryRange()), place: rig.place, tools: HistoryRig.tools).run(stop: stop)
            let next = try #require(answer.coverage.next)
            #expect(answer.report.messages < 400 && next > answer.coverage.last ?? .zero)
        }
    }

    @Test("A message that was held and let go is asked about again, but not by what let it go") func released() async throws {
        try await HistoryRig.with { rig in
            try rig.control([HistoryRig.constraint(PolicyRig.rule("ask", #""action":{"type":"hold"}"#))])
            let (held, message) = Self.message(1)
            var again = message
            again.set(.event, MessageEntry.released)
            again.set(.release, Release(.approve, session: "s-1", origin: held, by: "ann", passed: ["ask"]).json)
            try rig.append([(held, message), (HistoryRig.position(2), again)])
            try await rig.route()
            let all = try rig.decided()
            #expect(all.map(\.verdict.outcome) == [.hold, .deliver])
            #expect(try rig.ask(.logged).report.isSame)
            try rig.archive(all)
            for name in [StreamName.messages, .verdicts] { try rig.redis().run("XTRIM", [rig.keys.stream(name), "MAXLEN", "0"]) }
            #expect(try rig.ask(.logged).report.isSame && rig.ask(.logged).report.messages == 2)
        }
    }

    /// Eight messages of which seven would be held, by a rule or by a limit, where two may be.
    private static func fillBeyondRoom(_ rig: HistoryRig) async throws -> [DecidedMessage] {
        let delay = limit.replacing(#""rate":5"#, with: #""rate":1"#).replacing(#""burst":3"#, with: #""burst":1,"over":"delay","delay_max_ms":600000"#)
        try rig.control([
            HistoryRig.constraint(PolicyRig.rule("ask", #""scope":{"topics":["tasks.a.>"]},"action":{"type":"hold"}"#)), HistoryRig.constraint(delay),
        ])
        try rig.append((1...8).map { message($0, topic: $0 % 2 == 0 ? "tasks.a.report" : "tasks.b.report") })
        try await rig.route(openSessionsMax: 2)
        return try rig.decided()
    }

    @Test("That there was no room for one more held message is taken from the log: the same policy says the same") func bound() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fillBeyondRoom(rig)
            #expect(all.count { $0.verdict.outcome == .hold } == 2)
            let refused = all.filter { $0.verdict.outcome == .block }
            #expect(Set(refused.map { $0.verdict.rule }) == ["ask", "slow"])
            #expect(refused.allSatisfy { $0.verdict.openSessionsMet == 2 })
            let same = try rig.ask(.logged)
            #expect(same.report.isSame && same.report.messages == 8, "\(String(decoding: same.json, as: UTF8.self))")
            // Another rule that holds finds no room either; what the log had room for, the candidate holds.
            let candidate = try PolicyRig.read(PolicyRig.rule("all", #""action":{"type":"hold"}"#))
            let other = try rig.ask(.replaced([candidate]))
            let blocks = other.report.sorted.filter { $0.change.from.outcome == .block }
            #expect(blocks.count == 2)
            #expect(blocks.allSatisfy { $0.change.to.outcome == .block })
            try rig.archive(all)
            for name in [StreamName.messages, .verdicts] { try rig.redis().run("XTRIM", [rig.keys.stream(name), "MAXLEN", "0"]) }
            #expect(try rig.ask(.logged).report.isSame && rig.ask(.logged).report.messages == 8)
            // Written by a version that did not keep the bound: readable, and a difference.
            try rig.execute("UPDATE verdict SET error = '{\"on_error\":\"block\",\"rules\":[]}' WHERE entry_ms = \(refused[0].position.ms)")
            let older = try rig.ask(.logged).report
            let difference = try #require(older.difference)
            #expect(older.differences == 1 && difference.computed.outcome == .hold && difference.logged.openSessionsMet == nil)
        }
    }

    @Test("A question that is wrong is answered with everything that is wrong") func questions() throws {
        func wrong(_ text: String) -> [String] {
            do throws(Refusal) {
                guard let root = try? JSONDocument(Array(text.utf8)).root else { return ["no JSON"] }
                _ = try WhatIfQuestion(root, compiler: HistoryRig.tools.compiler, now: HistoryRig.start)
                return []
            } catch {
                return error.violations.map(\.pointer)
            }
        }
        #expect(wrong(#"{"constraints":[],"since":"30d","until":"1h","topics":["a.>"]}"#) == [])
        #expect(wrong(#"{"policy":"logged","since":"2026-01-31T12:00:00Z"}"#) == [])
        #expect(wrong("{}") == ["/constraints"])
        #expect(wrong(#"{"policy":"other","since":"yesterday","topics":["a..b"],"nope":1}"#) == ["/nope", "/since", "/topics/0", "/policy"])
        #expect(wrong(#"{"policy":"logged","constraints":[],"mode":"merge"}"#) == ["/constraints", "/mode"])
        #expect(wrong(#"{"constraints":[{"constraint_id":"a","action":{"type":"blok"}}],"mode":"over"}"#) == ["/mode", "/constraints/0/action/type"])
        #expect(wrong(#"{"constraints":[{"constraint_id":"a","action":{"type":"block"}}],"remove":["a"],"since":"1h","until":"2h"}"#) == ["/until", "/remove"])
        #expect(wrong(#"{"remove":"a","since":5}"#).sorted() == ["/constraints", "/remove", "/since"])
    }
}
