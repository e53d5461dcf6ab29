import Core
import Testing

@Suite("Policy: what one message may cost and leave behind")
struct BudgetTests {
    private func message(_ recipients: Int) -> MessageEntry {
        PolicyRig.message(destinations: "[" + (0..<recipients).map { "\"name-\($0)\"" }.joined(separator: ",") + "]")
    }

    private func perRecipient(_ id: String, mode: String = "enforce") -> String {
        PolicyRig.rule(id, #""stage":"reception","mode":"\#(mode)","action":{"type":"limit","rate":9,"period_ms":1000,"key":"recipient"}"#)
    }

    @Test("Text that is made of a large payload is paid for: rules that write it cannot keep the router busy") func text() throws {
        let data = #"{"content":"\#(String(repeating: "a", count: 900_000))"}"#
        for template in ["{{ message.data }}", "x {{ message.data.content }}"] {
            let rules = (0..<20).map { PolicyRig.rule("r-\($0)", #""mode":"shadow","action":{"type":"block"},"reason":"\#(template)""#) }
            let decision = try PolicyRig.decide(rules, PolicyRig.message(data: data))
            #expect(decision.outcome == .deliver && decision.shadows.count == 20)
            #expect(decision.shadows[0].detail.utf8.count > 500, "the first has its text")
            let last = try #require(decision.shadows.last)
            #expect(last.would == "error" || last.detail.utf8.count < 100 && last.detail.contains("?"), "for the last nothing is left: \(last)")
        }
    }

    @Test("A message comes by so many limits and no more: what is beyond cannot be evaluated, and its recipients are withheld") func limits() throws {
        let decision = try PolicyRig.decide(["a", "b", "c"].map { perRecipient($0) }, message(1_000))
        #expect(decision.limits.count == Limits.verdictLimitsMax)
        #expect(decision.withheld.count > 300 && decision.withheld.allSatisfy { $0.reason.contains("more are not possible") })
        #expect(decision.outcome == .deliver && decision.destinations?.count == 1_000 - decision.withheld.count)
        #expect(decision.faults.count == Limits.verdictErrorsMax)
    }

    @Test("Shadow limits take no place from those in force") func shadows() throws {
        let rules = ["a", "b", "c"].map { perRecipient($0, mode: "shadow") } + [perRecipient("z")]
        let decision = try PolicyRig.decide(rules, message(1_000))
        #expect(decision.withheld.isEmpty && decision.faults.isEmpty)
        #expect(decision.limits.count { !$0.key.isShadow } == 1_000 && decision.limits.count { $0.key.isShadow } == Limits.verdictLimitsMax)
        #expect(decision.shadows.count == Limits.verdictShadowsMax && decision.shadows.allSatisfy { $0.would == "error" })
    }
}
