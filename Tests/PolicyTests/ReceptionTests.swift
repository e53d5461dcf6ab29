import Core
import Testing

@Suite("Policy: reception")
struct ReceptionTests {
    private let onlyAnn = PolicyRig.rule(
        "r", #""stage":"reception","when":"recipient == 'ann'","action":{"type":"require"},"reason":"{{ recipient }} may not read {{ message.topic }}""#)

    @Test("Recipients whom a rule withholds the message from are named, the others get it") func withheld() throws {
        let decision = try PolicyRig.decide([onlyAnn])
        #expect(decision.outcome == .deliver)
        #expect(decision.rule == "default")
        #expect(decision.destinations == ["ann"])
        #expect(
            String(decoding: decision.detail.withheld, as: UTF8.self) == #"[{"recipient":"carl","rule":"r","reason":"carl may not read tasks.a.question"}]"#)
    }

    @Test("When nobody is left, the message is blocked by the first rule that withheld it") func nobody() throws {
        let decision = try PolicyRig.decide([onlyAnn], PolicyRig.message(destinations: #"["carl","dave","carl"]"#))
        #expect(decision.outcome == .block)
        #expect(decision.rule == "r")
        #expect(decision.withheld.map(\.recipient) == ["carl", "dave"])
        #expect(decision.destinations == [])
    }

    @Test("A scope's destinations mean the recipient at hand") func scope() throws {
        let decision = try PolicyRig.decide([PolicyRig.rule("r", #""stage":"reception","scope":{"destinations":["carl"]},"action":{"type":"block"}"#)])
        #expect(decision.destinations == ["ann"])
    }

    @Test("Recipients after a reroute are asked about, and a held message too") func order() throws {
        let reroute = PolicyRig.rule("a", #""action":{"type":"reroute","destinations":["dave","ann"]}"#)
        #expect(try PolicyRig.decide([onlyAnn, reroute]).destinations == ["ann"])
        let hold = PolicyRig.rule("h", #""action":{"type":"hold"}"#)
        let held = try PolicyRig.decide([onlyAnn, hold])
        #expect(held.outcome == .hold)
        #expect(held.destinations == ["ann"])
        let block = PolicyRig.rule("b", #""priority":3,"action":{"type":"block"}"#)
        #expect(try PolicyRig.decide([onlyAnn, block]).withheld.isEmpty)
    }

    @Test("Errors withhold, or pass where the configuration says so; without recipients nobody is asked") func errors() throws {
        let bad = PolicyRig.rule("e", #""stage":"reception","when":"message.data[recipient] == 1","action":{"type":"block"}"#)
        let closed = try PolicyRig.decide([bad])
        #expect(closed.outcome == .block)
        #expect(closed.faults.count == 2)
        #expect(closed.onError == .block)
        let open = try PolicyRig.decide([bad], PolicyRig.message(), PolicyRig.context([(ConfigAddress(.global, name: "policy_on_error"), #""deliver""#)]))
        #expect(open.outcome == .deliver)
        #expect(open.destinations == nil)
        #expect(try PolicyRig.decide([bad], PolicyRig.message(destinations: "")).outcome == .deliver)
    }

    @Test("A limit of the reception stage counts by its own key") func limit() throws {
        let set = try PolicyRig.set([PolicyRig.rule("l", #""stage":"reception","action":{"type":"limit","rate":1,"period_ms":1000,"key":"recipient"}"#)])
        var machine = PolicyMachine(PolicyRig.compiler)
        var limiter = LimiterState()
        let first = machine.decide(PolicyRig.message(destinations: #"["ann"]"#), at: Position(ms: 1_000, seq: 0), set, PolicyRig.context(), &limiter)
        #expect(first.withheld.isEmpty)
        let second = machine.decide(PolicyRig.message(), at: Position(ms: 1_001, seq: 0), set, PolicyRig.context(), &limiter)
        #expect(second.destinations == ["carl"])
        let third = machine.decide(PolicyRig.message(), at: Position(ms: 1_002, seq: 0), set, PolicyRig.context(), &limiter)
        #expect(third.outcome == .block)
        #expect(third.retryAt == 2_000_000)
    }
}
