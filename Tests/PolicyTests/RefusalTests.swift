import Core
import Testing

@Suite("Refusals from the log")
struct RefusalTests {
    private static let position = Position(ms: PolicyRig.start, seq: 0)
    private static let uuid = MessageUUID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001)

    private static let policies: [(rest: String, kind: PolicyRefusal.Kind?)] = [
        (#""when":"principal == 'admin'","action":{"type":"require"}"#, .forbidden),
        (#""when":"message.type == 'question'","description":"no questions","action":{"type":"block"}"#, .forbidden),
        (#""action":{"type":"block"}"#, .forbidden),
        (#""action":{"type":"limit","rate":1,"period_ms":60000}"#, .limited),
        (#""when":"message.data.nothing.there == 1","action":{"type":"block"}"#, .error),
        (#""action":{"type":"hold"}"#, nil),
        (#""mode":"shadow","action":{"type":"block"}"#, nil),
    ]

    @Test("A verdict as it stands in the log gives the refusal of the decision it was made from", arguments: policies, [true, false])
    func same(_ policy: (rest: String, kind: PolicyRefusal.Kind?), _ discloses: Bool) throws {
        let document = PolicyRig.rule("r", policy.rest)
        let set = try PolicyRig.set([document])
        var machine = PolicyMachine(PolicyRig.compiler)
        var limiter = LimiterState()
        // The second one meets the limit.
        _ = machine.decide(PolicyRig.message(), at: Self.position, set, PolicyRig.context(), &limiter)
        let decision = machine.decide(PolicyRig.message(), at: Self.position, set, PolicyRig.context(), &limiter)
        let made = decision.verdict(uuid: Self.uuid, topic: "tasks.a".utf8)
        // Through the log.
        let fields = made.loggedFields
        let verdict = try #require(VerdictEntry { name in fields.first { $0.name.description == name.description }?.value[...] })
        #expect(verdict == made)
        let expected = PolicyRefusal(decision, at: Self.position, set, disclosesConditions: discloses)
        let read = PolicyRefusal(verdict, at: Self.position, disclosesConditions: discloses) { rule in
            #expect(rule == "r")
            return ConstraintTerms(document: Array(document.utf8))
        }
        #expect(read == expected)
        #expect(read?.kind == policy.kind)
        if policy.kind == .forbidden {
            #expect(PolicyRefusal(verdict, at: Self.position, disclosesConditions: true) { _ in nil }?.wouldPass == nil, "the rule is gone")
        }
    }

    @Test("Times that nobody can have meant are no fault here", arguments: [Int64.min, 0, .max]) func times(_ retryAt: Int64) throws {
        var verdict = VerdictEntry(
            messageUUID: Self.uuid, outcome: .block, rule: "r", reason: "", policyRevision: "0-0-0", targets: [], subject: [])
        verdict.detail.retryAt = Array(String(retryAt).utf8)
        let refusal = try #require(PolicyRefusal(verdict, at: Self.position, disclosesConditions: true) { _ in nil })
        #expect(refusal.kind == .limited && (refusal.retryAfterMs ?? -1) >= 0)
    }

    @Test("A verdict has one form in JSON: details where there are some, nothing that is not of its kind") func json() throws {
        var verdict = VerdictEntry(
            messageUUID: Self.uuid, outcome: .hold, rule: "r", reason: "why", policyRevision: "0-1-0", targets: ["a", "b"], subject: Array("x.y".utf8))
        #expect(
            String(decoding: verdict.json, as: UTF8.self)
                == #"{"outcome":"hold","rule":"r","reason":"why","policy_revision":"0-1-0","targets":["a","b"],"subject":"x.y"}"#)
        verdict.detail.limits = Array(#"[{"rule":"r"}]"#.utf8)
        verdict.detail.annotations = Array(#"{"a":1}"#.utf8)
        verdict.detail.hold = Array(#"{"on_expiry":"block"}"#.utf8)
        verdict.detail.retryAt = Array("1700000000000000".utf8)
        verdict.detail.digest = Array("abc".utf8)
        // As strangers may have written them.
        verdict.detail.shadow = Array("{}".utf8)
        verdict.detail.withheld = Array("[nonsense".utf8)
        verdict.reason = ""
        let root = try JSONDocument(verdict.json).root
        #expect(root["reason"]?.isNull == true)
        #expect(root["limits"]?.item(0)?["rule"]?.string == "r" && root["annotations"]?["a"]?.integer == 1)
        #expect(root["hold"]?["on_expiry"]?.string == "block" && root["digest"]?.string == "abc")
        #expect(root["retry_at"]?.string == "2023-11-14T22:13:20Z")
        #expect(root["shadow"] == nil && root["withheld"] == nil && root["error"] == nil && root["destinations"] == nil)
    }
}
