import Core
import Testing

@Suite("Policy: what-if")
struct WhatIfTests {
    private func run(_ old: [String], _ new: [String], _ count: Int = 100) throws -> WhatIfReport {
        let before = try PolicyRig.set(old)
        var machine = PolicyMachine(PolicyRig.compiler)
        var limiter = LimiterState()
        var whatIf = WhatIfMachine(try PolicyRig.set(new))
        for index in 0..<count {
            let message = PolicyRig.message(topic: "tasks.t\(index % 2).question", source: "s\(index % 5)", data: #"{"amount":\#(index)}"#)
            let position = Position(ms: PolicyRig.start + UInt64(index), seq: 0)
            let logged = machine.decide(message, at: position, before, PolicyRig.context(), &limiter).verdict(
                uuid: MessageUUID(high: 1, low: 1), topic: message.slice(.topic))
            whatIf.step(message, at: position, logged: logged, PolicyRig.context())
        }
        return whatIf.report
    }

    @Test("The same policy changes nothing") func same() throws {
        let rules = [PolicyRig.rule("l", #""action":{"type":"limit","rate":3,"period_ms":100}"#)]
        let report = try run(rules, rules)
        #expect(report.isSame && report.flips == 0 && report.messages == 100)
    }

    @Test("Changed verdicts are grouped by what they were and become, by sender and topic, with examples") func groups() throws {
        let report = try run(
            [PolicyRig.rule("a", #""when":"message.data.amount >= 90","action":{"type":"block"}"#)],
            [
                PolicyRig.rule("a", #""when":"message.data.amount >= 95","action":{"type":"block"}"#),
                PolicyRig.rule("b", #""when":"message.data.amount < 20","action":{"type":"hold"},"reason":"small""#),
            ])
        #expect(report.flips == 25 && report.differences == 25)
        #expect(report.sorted.map(\.group.count) == [20, 5])
        #expect(
            report.sorted.map { "\($0.change.from.outcome) by \($0.change.from.rule) to \($0.change.to.outcome) by \($0.change.to.rule)" } == [
                "deliver by default to hold by b", "block by a to deliver by default",
            ])
        #expect(report.sorted[0].group.examples.count == Limits.flipExamplesMax)
        #expect(report.bySubject == ["s0": 5, "s1": 5, "s2": 5, "s3": 5, "s4": 5])
        #expect(report.firstDifference == Position(ms: PolicyRig.start, seq: 0))
        let json = try JSONDocument(report.json).root
        #expect(json["groups"]?.item(0)?["examples"]?.item(0)?["reason"]?.string == "small")
        #expect(json["by_topic"]?.count == 2)
    }

    @Test("A changed reason is a difference, but no flip") func reason() throws {
        let report = try run(
            [PolicyRig.rule("a", #""action":{"type":"block"},"reason":"one""#)], [PolicyRig.rule("a", #""action":{"type":"block"},"reason":"two""#)], 3)
        #expect(report.differences == 3 && report.flips == 0 && !report.isSame)
    }
}
