/// A message that does not pass, for whoever sent it: which rule, why, what would pass and when to try again. Enough for an agent to do
/// better, and nothing of the message or of other messages.
package struct PolicyRefusal: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case forbidden
        /// More than a limit allows.
        case limited
        /// A rule could not be evaluated: the sender can do nothing about it.
        case error
    }

    package let kind: Kind
    package let rule: String
    package let position: Position
    package let reason: String
    /// In words, or as a condition; nil when there is nothing that would.
    package let wouldPass: String?
    package let retryAfterMs: Int64?

    /// nil when the message passes, or waits.
    ///
    /// - Parameter disclosesConditions: whether the sender may see the rule's condition where its author described nothing; who may not
    ///   read constraints should not read them here.
    package init?(_ decision: PolicyDecision, at position: Position, _ set: borrowing PolicySet, disclosesConditions: Bool) {
        guard decision.outcome == .block else { return nil }
        rule = decision.rule
        self.position = position
        reason = decision.reason
        let isFault = decision.faults.contains { $0.rule == decision.rule }
        kind = isFault ? .error : decision.retryAt != nil ? .limited : .forbidden
        retryAfterMs = decision.retryAt.map { max(0, ($0 - position.microseconds + 999) / 1_000) }
        let touch = decision.limits.last { $0.key.rule == decision.rule && !$0.key.isShadow }
        if isFault {
            wouldPass = nil
        } else if let touch, kind == .limited {
            wouldPass = "at most \(touch.limit.rate) messages in \(touch.limit.periodMs) ms, \(touch.limit.burst) of them at once"
        } else {
            wouldPass = set[decision.rule].flatMap { Self.wouldPass($0, disclosesConditions) }
        }
    }

    private static func wouldPass(_ constraint: Constraint, _ disclosesConditions: Bool) -> String? {
        if !constraint.description.isEmpty { return PolicyText.bounded(constraint.description, Limits.reasonBytesMax) }
        guard disclosesConditions, let when = constraint.when else { return nil }
        let source = PolicyText.bounded(when.source, Limits.reasonBytesMax)
        if case .require = constraint.action { return "a message for which this holds: \(source)" }
        return "a message for which this does not hold: \(source)"
    }

    /// The HTTP status that says it: 403, 429, 500.
    package var status: Int {
        switch kind {
        case .forbidden: 403
        case .limited: 429
        case .error: 500
        }
    }

    /// Members for a problem document: `rule`, `position`, `would_pass`, `retry_after_ms`.
    package func add(to object: inout JSONObject) {
        object.add("rule", rule)
        object.add("position", position.description)
        if let wouldPass { object.add("would_pass", wouldPass) }
        if let retryAfterMs { object.add("retry_after_ms", Int(retryAfterMs)) }
    }
}
