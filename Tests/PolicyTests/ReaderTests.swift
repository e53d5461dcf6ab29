import Core
import Testing

@Suite("Policy: documents of constraints")
struct ReaderTests {
    private func refusal(_ document: String) -> Refusal? {
        do throws(Refusal) {
            _ = try PolicyRig.read(document)
            return nil
        } catch { return error }
    }

    @Test("Everything wrong is told at once, with pointers, columns, carets and suggestions") func all() throws {
        let document =
            #"{"constraint_id":"","scope":{"topics":["a..b"],"source":["x"]},"stage":"initail","when":"message.destination == 'a' && foo","action":{"type":"limit","rate":0,"key":"1 + 1"},"mode":"dry","priority":"high","reason":"{{ message.topi","nonsense":1}"#
        let found = try #require(refusal(document))
        #expect(
            found.violations.map(\.pointer) == [
                "/nonsense", "/constraint_id", "/stage", "/scope/source", "/scope/topics/0", "/mode", "/priority", "/when", "/when", "/reason", "/action/rate",
                "/action/period_ms", "/action/key",
            ])
        let when = found.violations.filter { $0.pointer == "/when" }
        #expect(when[0].detail.contains("1:9") && when[0].detail.contains("did you mean 'destinations'?") && when[0].detail.contains("........^"))
        #expect(found.violations.contains { $0.pointer == "/stage" && $0.detail.contains("did you mean 'initial'?") })
        #expect(found.violations.contains { $0.pointer == "/scope/source" && $0.detail.contains("did you mean 'sources'?") })
    }

    @Test(
        "What makes no sense together is refused",
        arguments: [
            (#"{"constraint_id":"a","action":{"type":"require"}}"#, "/when"), (#"{"constraint_id":"a","action":{"type":"reroute"}}"#, "/action"),
            (#"{"constraint_id":"a","action":{"type":"reroute","topic":"a..b"}}"#, "/action/topic"),
            (#"{"constraint_id":"a","stage":"reception","action":{"type":"hold"}}"#, "/action/type"),
            (#"{"constraint_id":"a","stage":"reception","action":{"type":"limit","rate":1,"period_ms":1,"over":"delay"}}"#, "/action/over"),
            (#"{"constraint_id":"a","when":"recipient == 'x'","action":{"type":"block"}}"#, "/when"),
            (#"{"constraint_id":"a","scope":{"topics":[]},"action":{"type":"block"}}"#, "/scope/topics"),
            (#"{"constraint_id":"a","action":{"type":"annotate","metadata":{}}}"#, "/action/metadata"),
            (#"{"constraint_id":"a","when":"message.source","action":{"type":"block"}}"#, "/when"),
            (#"{"constraint_id":"a","action":{"type":"block","topic":"x"}}"#, "/action/topic"),
            (#"{"constraint_id":"a","when":"message.data.matches('(')","action":{"type":"block"}}"#, "/when"),
            (#"{"constraint_id":"a","action":"block"}"#, "/action"), (#"{"constraint_id":"a"}"#, "/action"), (#"[]"#, ""),
            (#"{"constraint_id":"a","action":{"type":"annotate","metadata":{"x":"{{ 1 + }}"}}}"#, "/action/metadata/x"),
            (#"{"constraint_id":"a","action":{"type":"limit","rate":1,"period_ms":1,"burst":1e30}}"#, "/action/burst"),
        ])
    func conflicts(_ document: String, _ pointer: String) throws {
        #expect(try #require(refusal(document)).violations.map(\.pointer) == [pointer])
    }

    @Test("Defaults are what the documentation says") func defaults() throws {
        let limit = try PolicyRig.read(PolicyRig.rule("a", #""action":{"type":"limit","rate":5,"period_ms":1000}"#))
        #expect(limit.priority == 0 && limit.mode == .enforce && limit.stage == .initial && limit.when == nil && limit.scope == ConstraintScope())
        guard case .limit(let action) = limit.action else { throw Refusal() }
        #expect(action.rate.burst == 5 && action.over == .block && action.key == nil)
    }

    @Test(
        "Braces and quotes of an expression do not end its template",
        arguments: [
            ("{{ {'a': {'b': 1}}.a.b }}x", 2), ("{{ '}}' }}", 1), ("a {{ 1 }} b {{ 2 }}", 4), ("no braces } { at all", 1), ("", 0),
        ])
    func templates(_ source: String, _ pieces: Int) throws {
        #expect(try #require(PolicyTemplate.split(source)).count == pieces)
    }

    @Test(
        "A constraint built to explode is refused or bounded",
        arguments: [
            String(repeating: "(", count: 500) + "1" + String(repeating: ")", count: 500), "[" + String(repeating: "1,", count: 9_000) + "1].size() > 0",
            String(repeating: "a", count: 20_000),
            "message.data.matches('((((a{100}){100}){100}){100})')",
        ])
    func hostile(_ when: String) {
        #expect(refusal(PolicyRig.rule("a", #""when":"\#(when)","action":{"type":"block"}"#)) != nil)
    }

    @Test(
        "Evaluations that would take forever end in an error that blocks",
        arguments: [
            "message.data.list.all(a, message.data.list.all(b, a + b >= 0 && message.size > 0))",
            "message.data.list.map(a, message.data.list.map(b, message.data.list)).size() < 0",
            "message.data.text.split('').size() < 0", "[message.data.text].map(t, t + t + t + t).exists(t, t.matches('(a|b|ab)*c'))",
        ])
    func runaway(_ when: String) throws {
        let data = #"{"list":[\#((0..<400).map(String.init).joined(separator: ","))],"text":"\#(String(repeating: "ab", count: 450_000))"}"#
        let decision = try PolicyRig.decide([PolicyRig.rule("a", #""when":"\#(when)","action":{"type":"block"}"#)], PolicyRig.message(data: data))
        #expect(decision.outcome == .block)
        #expect(decision.faults.map(\.rule) == ["a"])
        #expect(decision.cost <= Limits.policyCostMax)
    }
}
