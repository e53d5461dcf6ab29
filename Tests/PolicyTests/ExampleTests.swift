import Core
import Foundation
import TestSupport
import Testing
import Yams

@Suite("Policy: the example")
struct ExampleTests {
    /// A YAML file of the repository as JSON: the structure maps one to one.
    private func json(_ path: String) throws -> JSONNode {
        let text = try #require(Repository.text(path))
        let value = try #require(try Yams.load(yaml: text))
        return try JSONDocument([UInt8](JSONSerialization.data(withJSONObject: value))).root
    }

    @Test("Its cases pass, and lint finds nothing") func cases() throws {
        let policy = try json("examples/policy.yaml")
        let cases = try json("examples/policy.test.yaml")
        let suite = try PolicyTestSuite(cases, constraints: policy, compiler: PolicyRig.compiler)
        for result in suite.run() { #expect(result.passed, "\(result.name)\n\(result.text)") }
        #expect(ConstraintLint.check(suite.set.constraints) == [])
    }

    @Test(
        "On the real conversations every kind of rule decides about some message",
        .enabled(if: Repository.conversations != nil, "the data is not there: set MESHLOG_CONVERSATIONS"))
    func conversations() throws {
        let read = PolicyTestSuite.constraints(try json("examples/policy.yaml"), "", PolicyRig.compiler)
        #expect(read.refusal.isEmpty)
        let set = PolicySet(PolicyRig.compiler, constraints: read.read)
        var machine = PolicyMachine(PolicyRig.compiler)
        var limiter = LimiterState()
        let context = PolicyRig.context()
        var rules: [String: Int] = [:]
        var annotated = 0
        var shadows = 0
        for (index, body) in Repository.messages(5_000).enumerated() {
            let message = try Envelope.admit(body, arrival: Arrival(via: "http")) { MessageUUID(high: 1, low: 1) }.entry
            // The logs carry no times: a message each half second.
            let decision = machine.decide(message, at: Position(ms: PolicyRig.start + UInt64(index) * 500, seq: 0), set, context, &limiter)
            rules[decision.rule, default: 0] += 1
            if !decision.annotations.isEmpty { annotated += 1 }
            shadows += decision.shadows.count
            #expect(decision.faults == [])
        }
        print("example policy on real messages: \(rules.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }), annotated \(annotated), shadow \(shadows)")
        #expect(rules["hold-terminations"] == 31)
        #expect(rules["questions-to-the-desk"] == 58)
        #expect(rules["no-secrets-in-output", default: 0] > 0)
        #expect(rules["chatty-agents", default: 0] > 0)
        #expect(annotated > 0 && shadows > 0)
    }
}
