import Core
import Log
import Replay
import TestSupport
import Testing
import WhatIf

@Suite("Template backtest over the log")
struct TemplateTrialTests {
    private static func template(_ text: String) throws -> ValidationTemplate {
        try ValidationTemplate(try JSONDocument(Array(text.utf8)).root, compiler: HistoryRig.tools.schemas)
    }

    private func run(_ rig: HistoryRig, _ template: ValidationTemplate, _ range: HistoryRange = HistoryRange(), limits: HistoryLimits = .none) throws
        -> TemplateAnswer
    {
        try TemplateTrial(TemplateQuestion(template, range), place: rig.place, tools: HistoryRig.tools, limits: limits).run()
    }

    private static let old =
        #"{"template_id":"orders","topics":["orders.>"],"version":3,"schema":{"type":"object","properties":{"amount":{"type":"integer"}}}}"#
    private static let new =
        #"{"template_id":"orders","topics":["orders.>"],"version":4,"schema":{"type":"object","properties":{"amount":{"type":"integer","maximum":49}},"required":["amount"]}}"#

    private static func fill(_ rig: HistoryRig) async throws -> [DecidedMessage] {
        try rig.control([ControlEvent(.template, .created, key: "orders", document: Array(old.utf8))])
        try rig.append(
            (0..<100).map { number in
                (
                    HistoryRig.position(number),
                    HistoryRig.message(
                        number,
                        PolicyRig.message(
                            topic: number % 2 == 0 ? "orders.eu" : "news", source: ["ann", "bob"][number / 2 % 2], data: #"{"amount":\#(number)}"#))
                )
            })
        try await rig.route()
        let all = try rig.decided()
        try rig.archive(all.prefix(70))
        try rig.trim(before: all[60].position)
        return all
    }

    @Test("Who would fail, why, and whether what passes now would pass, over log and archive") func trial() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig)
            let answer = try run(rig, try Self.template(Self.new))
            #expect(answer.backtest.messages == 50 && answer.backtest.failing == 25)
            #expect(answer.backtest.failures.first?.position == all[50].position)
            #expect(answer.backtest.bySource == ["ann": 12, "bob": 13])
            #expect(answer.compatibility?.word == "incompatible" && answer.present?.version == 3)
            let json = try JSONDocument(answer.json).root
            #expect(json["complete"]?.bool == true && json["read"]?.integer == 50 && json["compatibility"]?["with_version"]?.integer == 3)
            #expect(json["backtest"]?["failing"]?.integer == 25)
        }
    }

    @Test("On other topics, in a part of the past, in pages, and with a template that nobody has yet") func narrowed() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig)
            let news = try run(rig, try Self.template(Self.new), HistoryRange(from: all[51].position, topics: [SubjectPattern("news".utf8)]))
            #expect(news.backtest.messages == 25 && news.backtest.failing == 25)
            let fresh = try run(rig, try Self.template(Self.new.replacing("\"orders\"", with: "\"fresh\"")), HistoryRange(topics: [SubjectPattern(">".utf8)]))
            #expect(fresh.present == nil && fresh.compatibility == nil && fresh.backtest.messages == 100)
            let page = try run(
                rig, try Self.template(Self.new), HistoryRange(topics: [SubjectPattern(">".utf8)]),
                limits: HistoryLimits(messagesMax: 64, timeMax: .seconds(60)))
            #expect(page.coverage.next == all[64].position)
        }
    }

    @Test("A message that was released came in before and is not tried again") func released() async throws {
        try await HistoryRig.with { rig in
            let message = HistoryRig.message(1, PolicyRig.message(topic: "orders.eu", data: #"{"amount":"x"}"#))
            var again = message
            again.set(.event, MessageEntry.released)
            again.set(.release, Release(.approve, session: "s", origin: HistoryRig.position(1), passed: []).json)
            try rig.append([(HistoryRig.position(1), message), (HistoryRig.position(2), again)])
            try await rig.route()
            #expect(try run(rig, try Self.template(Self.new)).backtest.messages == 1)
        }
    }

    @Test("A question that is wrong is answered with everything that is wrong") func questions() throws {
        func wrong(_ text: String) throws -> [String] {
            let root = try JSONDocument(Array(text.utf8)).root
            do throws(Refusal) {
                _ = try TemplateQuestion(root, schemas: HistoryRig.tools.schemas, now: HistoryRig.start)
                return []
            } catch {
                return error.violations.map(\.pointer)
            }
        }
        #expect(try wrong(#"{"template":\#(Self.new),"since":"2w"}"#) == [])
        #expect(try wrong(#"{"since":"2 weeks"}"#) == ["/since", "/template"])
        #expect(try wrong(#"{"template":{"template_id":"a","schema":{"type":"integer"}}}"#) == ["/topics"])
        #expect(try wrong(#"{"template":{"template_id":"a","topics":["a"],"schema":{"type":"int"}},"topic":"a"}"#).sorted().first == "/template/schema/type")
    }
}
