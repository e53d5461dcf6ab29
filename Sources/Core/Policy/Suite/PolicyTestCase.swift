/// One case of a file of policy tests: a message in a state, and what the policy should say.
package struct PolicyTestCase: Sendable {
    /// A message at a time.
    package struct Input: Sendable {
        package let message: MessageEntry
        package let at: Position
    }

    package let name: String
    package let input: Input
    /// Messages before it, in order: what limits remember.
    package let earlier: [Input]
    package let context: PolicyContext
    /// The document's `expect`: only what it names is compared.
    package let expected: JSONNode

    /// Compares a decision with what is expected: the members that differ, with the value the decision has.
    package func differences(_ decision: PolicyDecision) -> [PolicyTestResult.Difference] {
        var out: [PolicyTestResult.Difference] = []
        for (key, value) in expected.members {
            let member = key.string ?? ""
            guard let actual = actual(member, decision) else { continue }
            guard let document = try? JSONDocument(actual), document.root.equals(value) else {
                out.append(PolicyTestResult.Difference(member: member, expected: value.canonical, actual: actual))
                continue
            }
        }
        return out
    }

    /// What can be expected.
    static let members = [
        "outcome", "rule", "reason", "annotations", "destinations", "targets", "subject", "withheld", "shadow", "errors", "retry_after_ms",
    ]

    private func actual(_ member: String, _ decision: PolicyDecision) -> [UInt8]? {
        func text(_ value: [UInt8]) -> [UInt8] {
            var out: [UInt8] = []
            JSONText.append(value, to: &out)
            return out
        }
        return switch member {
        case "outcome": text(Array(decision.outcome.rawValue.utf8))
        case "rule": text(Array(decision.rule.utf8))
        case "reason": text(Array(decision.reason.utf8))
        case "annotations": decision.annotationsJSON
        case "destinations": PolicyDecision.strings(decision.destinations ?? input.message.destinationNames)
        case "targets": PolicyDecision.strings(decision.targets)
        case "subject": text(decision.subject ?? Array(input.message.slice(.topic)))
        case "withheld": PolicyDecision.strings(decision.withheld.map(\.recipient))
        case "shadow": PolicyDecision.strings(decision.shadows.map(\.rule))
        case "errors": PolicyDecision.strings(decision.faults.map(\.rule))
        case "retry_after_ms": decision.retryAt.map { Array(String(max(0, ($0 - input.at.microseconds + 999) / 1_000)).utf8) } ?? Array("null".utf8)
        default: nil
        }
    }
}
