import Core
import Testing

@Suite("Policy: order, shadows, errors")
struct OrderTests {
    private func action(_ kind: String) -> String {
        switch kind {
        case "reroute": #"{"type":"reroute","topic":"x.y"}"#
        case "limit": #"{"type":"limit","rate":1,"period_ms":1000}"#
        case "annotate": #"{"type":"annotate","metadata":{"a":1}}"#
        default: #"{"type":"\#(kind)"}"#
        }
    }

    @Test(
        "The higher priority decides; at equal priority what forbids; then the smaller id",
        arguments: [
            ([("a", "reroute", 1), ("b", "block", 0)], "a"), ([("a", "reroute", 0), ("b", "block", 0)], "b"), ([("a", "hold", 0), ("b", "block", 0)], "b"),
            ([("a", "reroute", 0), ("b", "hold", 0)], "b"), ([("b", "block", 0), ("a", "block", 0)], "a"), ([("a", "annotate", 9), ("b", "block", 0)], "b"),
            ([("a", "limit", 9), ("b", "hold", -5)], "b"), ([("a", "block", -1), ("b", "hold", 0)], "b"), ([("a", "annotate", 0)], "default"),
        ] as [([(String, String, Int)], String)])
    func order(_ rules: [(String, String, Int)], _ decides: String) throws {
        let documents = rules.map { PolicyRig.rule($0.0, #""action":\#(action($0.1)),"priority":\#($0.2)"#) }
        #expect(try PolicyRig.decide(documents).rule == decides)
        #expect(try PolicyRig.decide(documents.reversed()).rule == decides)
    }

    @Test("A shadow is recorded with what it would have done, and stops nobody") func shadow() throws {
        let decision = try PolicyRig.decide([
            PolicyRig.rule("s1", #""mode":"shadow","priority":9,"action":{"type":"block"},"reason":"too bad""#),
            PolicyRig.rule("s2", #""mode":"shadow","priority":8,"action":{"type":"reroute","topic":"a.b"}"#),
            PolicyRig.rule("s3", #""mode":"shadow","priority":7,"when":"message.data.none == 1","action":{"type":"block"}"#),
            PolicyRig.rule("s4", #""mode":"shadow","priority":6,"action":{"type":"annotate","metadata":{"x":1}}"#),
            PolicyRig.rule("b", #""priority":5,"action":{"type":"hold"}"#), PolicyRig.rule("s5", #""mode":"shadow","priority":1,"action":{"type":"block"}"#),
        ])
        #expect(decision.rule == "b")
        #expect(decision.shadows.map(\.rule) == ["s1", "s2", "s3", "s4"])
        #expect(decision.shadows.map(\.would) == ["block", "reroute", "error", "annotate"])
        #expect(decision.shadows[0].detail == "too bad")
        #expect(decision.subject == nil && decision.annotations.isEmpty && decision.faults.isEmpty && decision.onError == nil)
    }

    @Test("A shadow that spends its whole budget takes none from the rules in force") func shadowBudget() throws {
        let costly =
            "[1,2,3,4,5,6,7,8,9,0].all(a, [1,2,3,4,5,6,7,8,9,0].all(b, [1,2,3,4,5,6,7,8,9,0].all(c, [1,2,3,4,5,6,7,8,9,0].all(d, [1,2,3,4,5,6,7,8,9,0].all(e, a + b + c + d + e >= 0 && message.size > 0)))))"
        let decision = try PolicyRig.decide([
            PolicyRig.rule("s", #""mode":"shadow","priority":9,"when":"\#(costly)","action":{"type":"block"}"#),
            PolicyRig.rule("b", #""when":"message.data.amount == 7","action":{"type":"block"}"#),
        ])
        #expect(decision.shadows.map(\.would) == ["error"])
        #expect(decision.rule == "b")
        #expect(decision.faults.isEmpty)
        #expect(decision.cost < 100)
    }

    private static let failing = PolicyRig.rule("e", #""priority":5,"when":"message.data.none == 1","action":{"type":"annotate","metadata":{"a":1}}"#)

    @Test("An error blocks and names its place; never does it let pass") func failClosed() throws {
        let decision = try PolicyRig.decide([Self.failing])
        #expect(decision.outcome == .block)
        #expect(decision.rule == "e")
        #expect(decision.onError == .block)
        #expect(decision.faults.map(\.rule) == ["e"] && decision.faults.map(\.detail) == ["1:14: no such key: 'none'"])
        #expect(String(decoding: decision.detail.error, as: UTF8.self) == #"{"on_error":"block","rules":[{"rule":"e","detail":"1:14: no such key: 'none'"}]}"#)
    }

    @Test("Where the configuration says so, an error passes its rule over, says it, and later rules still count") func failOpen() throws {
        let open = PolicyRig.context([(ConfigAddress(.topic, scope: "tasks.>", name: "policy_on_error"), #""deliver""#)])
        let passed = try PolicyRig.decide([Self.failing], PolicyRig.message(), open)
        #expect(passed.outcome == .deliver)
        #expect(passed.onError == .deliver)
        #expect(passed.faults.map(\.rule) == ["e"])
        #expect(try PolicyRig.decide([Self.failing, PolicyRig.rule("b", #""action":{"type":"block"}"#)], PolicyRig.message(), open).rule == "b")
        #expect(try PolicyRig.decide([Self.failing], PolicyRig.message(topic: "other"), open).outcome == .block)
    }

    @Test("A stored document that is no constraint blocks its topics and is named") func unreadable() throws {
        var set = PolicySet(PolicyRig.compiler)
        set.put(key: "bad", Array(#"{"constraint_id":"bad","scope":{"topics":["tasks.>"]},"when":"message.nope","action":{"type":"block"}}"#.utf8))
        set.put(key: "worse", Array("[1".utf8))
        #expect(set.faults.map(\.id) == ["bad", "worse"])
        set.put(key: "worse", nil)
        var machine = PolicyMachine(PolicyRig.compiler)
        var limiter = LimiterState()
        let decision = machine.decide(PolicyRig.message(), at: Position(ms: 1, seq: 0), set, PolicyRig.context(), &limiter)
        #expect(decision.rule == "bad")
        #expect(decision.faults[0].detail.contains("message"))
        #expect(machine.decide(PolicyRig.message(topic: "other"), at: Position(ms: 2, seq: 0), set, PolicyRig.context(), &limiter).outcome == .deliver)
    }

    @Test("A refusal tells what would pass and when to try again") func refusal() throws {
        let require = [PolicyRig.rule("r", #""when":"principal == 'admin'","action":{"type":"require"}"#)]
        let decision = try PolicyRig.decide(require)
        let position = Position(ms: PolicyRig.start, seq: 0)
        let refusal = try #require(PolicyRefusal(decision, at: position, try PolicyRig.set(require), disclosesConditions: true))
        #expect(refusal.wouldPass == "a message for which this holds: principal == 'admin'")
        #expect(refusal.status == 403)
        #expect(try #require(PolicyRefusal(decision, at: position, try PolicyRig.set(require), disclosesConditions: false)).wouldPass == nil)
        var object = JSONObject()
        refusal.add(to: &object)
        #expect(
            String(decoding: object.finish(), as: UTF8.self)
                == #"{"rule":"r","position":"0-1767225600000-0","would_pass":"a message for which this holds: principal == 'admin'"}"#)
        #expect(PolicyRefusal(try PolicyRig.decide([]), at: position, try PolicyRig.set(require), disclosesConditions: true) == nil)
    }
}
