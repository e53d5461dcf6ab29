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
        self.init(
            rule: decision.rule, reason: decision.reason, position: position, isFault: decision.faults.contains { $0.rule == decision.rule },
            retryAt: decision.retryAt, limits: decision.limits, set[decision.rule].map(ConstraintTerms.init), disclosesConditions)
    }

    /// The same from the verdict as it stands in the log; nil when the message passes, or waits.
    ///
    /// - Parameter terms: what a constraint asks, by its id; asked for only where the verdict itself does not tell what would pass. The
    ///   constraint as it is now is the better answer: that is what the next message meets.
    package init?(_ verdict: VerdictEntry, at position: Position, disclosesConditions: Bool, terms: (_ rule: String) -> ConstraintTerms?) {
        guard verdict.outcome == .block else { return nil }
        let isFault = Self.isFault(verdict)
        let limits = LimitTouch.list(verdict.detail.limits) ?? []
        let retryAt = verdict.detail.retryAtMicroseconds
        self.init(
            rule: verdict.rule, reason: verdict.reason, position: position, isFault: isFault, retryAt: retryAt, limits: limits,
            isFault || retryAt != nil ? nil : terms(verdict.rule), disclosesConditions)
    }

    private init(
        rule: String, reason: String, position: Position, isFault: Bool, retryAt: Int64?, limits: [LimitTouch], _ terms: ConstraintTerms?,
        _ disclosesConditions: Bool
    ) {
        self.rule = rule
        self.position = position
        self.reason = reason
        kind = isFault ? .error : retryAt != nil ? .limited : .forbidden
        retryAfterMs = retryAt.map { at in
            // Strangers may write into the log as well: a time may be any.
            let (wait, overflow) = at.subtractingReportingOverflow(position.microseconds)
            return overflow || wait <= 0 ? 0 : (wait - 1) / 1_000 + 1
        }
        let touch = limits.last { $0.key.rule == rule && !$0.key.isShadow }
        if isFault {
            wouldPass = nil
        } else if let touch, kind == .limited {
            wouldPass = "at most \(touch.limit.rate) messages in \(touch.limit.periodMs) ms, \(touch.limit.burst) of them at once"
        } else {
            wouldPass = terms?.wouldPass(disclosingConditions: disclosesConditions)
        }
    }

    /// Could the rule that blocked it not be evaluated?
    private static func isFault(_ verdict: VerdictEntry) -> Bool {
        guard !verdict.detail.error.isEmpty, let root = try? JSONDocument(verdict.detail.error).root else { return false }
        return root["rules"]?.items.contains { $0["rule"]?.string == verdict.rule } ?? false
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
