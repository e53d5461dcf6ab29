import Core
import Testing

@Suite("Policy: what one rule has read, the next need not")
struct MemoTests {
    @Test("A machine that decides about many messages says and spends what a new one for each says and spends") func same() throws {
        let conditions = [
            "message.data.a == 'x'", "message.data.a.contains('x') && message.data.b.c == 1", "message.metadata.a == 'x'", "message.data.b.a == 'x'",
            "message.data.a != message.metadata.a",
            "message.data.c > 3 || message.data.d", "message.data.e[0] == 'x'", "has(message.data.f) && message.data.f.size() > 1000",
            "message.data.a == 'x' && message.data.g == 'x'",
            "message.data.a.startsWith(principal)",
        ]
        // In force and as shadows, so that what each says stands in the decision; errors let the next one be asked.
        let rules = conditions.enumerated().map { index, condition in
            PolicyRig.rule(
                "r-\(index)",
                #""when":"\#(condition)","mode":"\#(index % 2 == 0 ? "shadow" : "enforce")","action":{"type":"annotate","metadata":{"k\#(index)":"{{ message.data.a }}"}}"#
            )
        }
        let long = String(repeating: "long ", count: 5_000)
        let payloads = [
            #"{"a":"x","b":{"a":"x","c":1},"c":4,"d":false,"e":["x"],"f":"y","g":"x"}"#, #"{"a":"y","b":{"a":"x","c":2},"c":1,"d":true,"e":["y"],"g":"x"}"#,
            #"{"a":7,"b":"x","c":"4"}"#, "{}",
            #"{"b":{"a":"\#(long)x"},"a":"\#(long)","f":"\#(long)"}"#, #"{"a":"x","a":"y"}"#, "[1]",
            #"{"a":"x","c":9,"d":false,"e":["x"],"f":"y","g":"x","b":{"a":"x","c":1}}"#,
        ]
        let set = try PolicyRig.set(rules)
        let context = PolicyRig.context([(ConfigAddress(.global, name: "policy_on_error"), #""deliver""#)])
        var machine = PolicyMachine(PolicyRig.compiler)
        var (limiter, other) = (LimiterState(), LimiterState())
        var annotated = 0
        for (index, payload) in (payloads + payloads.reversed()).enumerated() {
            let message = PolicyRig.message(data: payload, metadata: index % 3 == 0 ? #"{"a":"x"}"# : #"{"a":"z"}"#, principal: index % 2 == 0 ? "x" : "q")
            let position = Position(ms: PolicyRig.start + UInt64(index), seq: 0)
            let decision = machine.decide(message, at: position, set, context, &limiter)
            var fresh = PolicyMachine(PolicyRig.compiler)
            #expect(decision == fresh.decide(message, at: position, set, context, &other))
            annotated += decision.annotations.count + decision.shadows.count
        }
        #expect(annotated > 20)
    }
}
