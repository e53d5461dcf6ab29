/// Looks for constraints that are right each by itself, but probably do not say what was meant.
package enum ConstraintLint {
    package struct Finding: Sendable, Equatable {
        package enum Code: String, Sendable {
            case unreachable, constant, contradiction
            case oldShadow = "old-shadow"
            case unknownConfig = "unknown-config"
        }
        package let code: Code
        package let constraint: String
        /// The other one concerned.
        package let other: String?
        package let message: String

        package var json: [UInt8] {
            var object = JSONObject()
            object.add("code", code.rawValue)
            object.add("constraint_id", constraint)
            if let other { object.add("other", other) }
            object.add("message", message)
            return object.finish()
        }
    }

    /// What is known besides the constraints.
    package struct Surroundings: Sendable {
        /// Names that are set in the configuration.
        package var configNames: [String]
        /// Days since a constraint last changed, by id.
        package var ageDays: [String: Int64]
        /// A shadow that is older has been looked at long enough.
        package var shadowDaysMax: Int64

        package init(configNames: [String] = [], ageDays: [String: Int64] = [:], shadowDaysMax: Int64 = 30) {
            self.configNames = configNames
            self.ageDays = ageDays
            self.shadowDaysMax = shadowDaysMax
        }
    }

    /// The findings in the order in which constraints are looked at.
    ///
    /// - Cost: each constraint with each before it, at most `Limits.lintPairsMax` pairs.
    package static func check(_ constraints: [Constraint], _ surroundings: Surroundings = Surroundings()) -> [Finding] {
        let sorted = constraints.sorted(by: Constraint.precedes)
        var findings: [Finding] = []
        var pairs = 0
        for (index, constraint) in sorted.enumerated() {
            findings += alone(constraint, surroundings)
            for other in sorted[..<index] where other.stage == constraint.stage {
                pairs += 1
                if pairs > Limits.lintPairsMax { break }
                if let finding = pair(other, constraint) {
                    findings.append(finding)
                    break
                }
            }
        }
        return findings
    }

    private static func alone(_ constraint: Constraint, _ surroundings: Surroundings) -> [Finding] {
        var findings: [Finding] = []
        if let when = constraint.when, when.isConstant {
            let value = constant(constraint).map { $0 ? "true" : "false" } ?? "an error"
            findings.append(
                Finding(code: .constant, constraint: constraint.id, other: nil, message: "its condition reads nothing of the message: it is always \(value)"))
        }
        if constraint.mode == .shadow, let age = surroundings.ageDays[constraint.id], age > surroundings.shadowDaysMax {
            findings.append(
                Finding(code: .oldShadow, constraint: constraint.id, other: nil, message: "it has been a shadow for \(age) days; enforce it, or take it out"))
        }
        let known = Set(KnownSetting.allCases.map(\.rawValue) + surroundings.configNames)
        for name in constraint.needs.configNames ?? [] where !known.contains(name) {
            let near = CELSuggestion.near(name, known.sorted()).map { "; " + $0 } ?? ""
            findings.append(
                Finding(
                    code: .unknownConfig, constraint: constraint.id, other: nil,
                    message: "it reads config.\(name), which is set nowhere: without has() reading it is an error, which blocks\(near)"))
        }
        return findings
    }

    /// The condition's value when it is the same for every message; nil otherwise, and when it cannot be evaluated.
    private static func constant(_ constraint: Constraint) -> Bool? {
        guard let when = constraint.when else { return true }
        guard when.isConstant else { return nil }
        return try? when.program.isTrue(CELActivation(variables: 0), costMax: Limits.policyCostMax)
    }

    /// Ends the matter for every message of its scope.
    private static func isAlwaysDecided(_ constraint: Constraint) -> Bool {
        guard constraint.mode == .enforce, let value = constant(constraint) else { return false }
        switch constraint.action {
        case .block, .hold, .reroute: return value
        case .require: return !value
        case .limit, .annotate: return false
        }
    }

    private static func pair(_ first: Constraint, _ second: Constraint) -> Finding? {
        if isAlwaysDecided(first), first.scope.covers(second.scope) {
            return Finding(
                code: .unreachable, constraint: second.id, other: first.id,
                message: "never looked at: '\(first.id)' comes before it and always decides (\(first.action.kind.rawValue))")
        }
        guard first.priority == second.priority, first.mode == .enforce, second.mode == .enforce, first.scope.overlaps(second.scope),
            first.when == nil || second.when == nil || first.when?.source == second.when?.source, let conflict = conflict(first.action, second.action)
        else { return nil }
        return Finding(
            code: .contradiction, constraint: second.id, other: first.id,
            message: "both apply to some messages at the same priority and \(conflict); '\(first.id)' decides. Give one a higher priority to say which is meant"
        )
    }

    private static func conflict(_ first: ConstraintAction, _ second: ConstraintAction) -> String? {
        switch (first, second) {
        case (.block, .hold), (.block, .reroute), (.hold, .reroute): "one says \(first.kind.rawValue), the other \(second.kind.rawValue)"
        case (.reroute(let a), .reroute(let b)):
            a.topic?.source == b.topic?.source && a.backbone?.source == b.backbone?.source && a.destinations?.map(\.source) == b.destinations?.map(\.source)
                ? nil : "send it different ways"
        case (.hold(let a), .hold(let b)): a == b ? nil : "ask different people, or for different times"
        default: nil
        }
    }
}
