/// How one case went.
package struct PolicyTestResult: Sendable, Equatable {
    /// A member of the decision that is not as expected; both sides as JSON text.
    package struct Difference: Sendable, Equatable {
        package let member: String
        package let expected: [UInt8]
        package let actual: [UInt8]
    }

    package let name: String
    package let differences: [Difference]
    /// The decision's rules that could not be evaluated, for whoever looks for the reason.
    package let faults: [PolicyDecision.Fault]

    package var passed: Bool { differences.isEmpty }

    /// `outcome: expected "block", got "deliver"`, a line for each difference; empty when the case passed.
    package var text: String {
        differences.map { difference in
            "\(difference.member): expected \(String(decoding: difference.expected, as: UTF8.self)), got \(String(decoding: difference.actual, as: UTF8.self))"
        }.joined(separator: "\n") + (passed ? "" : faults.map { "\n\($0.rule): \($0.detail)" }.joined())
    }

    package var json: [UInt8] {
        var object = JSONObject()
        object.add("name", name)
        object.add("passed", passed)
        object.add(
            "differences",
            raw: PolicyDecision.array(
                differences.map { difference in
                    var object = JSONObject()
                    object.add("member", difference.member)
                    object.add("expected", raw: difference.expected)
                    object.add("actual", raw: difference.actual)
                    return object.finish()
                }))
        return object.finish()
    }
}
