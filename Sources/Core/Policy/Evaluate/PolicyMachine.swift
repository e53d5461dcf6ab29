/// Decides about messages, one after the other. Pure: the same message, position, constraints, context and limiter state give the same
/// decision on every machine. What it keeps from one message to the next only saves work.
///
/// Constraints are looked at in the order of `Constraint.precedes`. The first that matches and ends the matter decides: `block`, `require`
/// whose condition is false, `hold`, `reroute`, and a `limit` that is exceeded. A limit that is not, or that only delays, and `annotate`
/// let the next one be looked at; so does a shadow constraint, always. What stands behind the deciding one is not looked at, be it in
/// force or shadow, so a shadow tells exactly what it would have done at its place. Limits count what comes by them.
/// A message that was held and released is asked about anew, except by the constraints that let it go.
///
/// - Cost: the candidates' conditions, at most `Limits.policyCostMax` units for those in force, and as many for shadows.
/// - Source: Cedar's promise (no hidden clock or I/O, forbid wins, errors do not allow); Envoy's `shadow_mode`.
package struct PolicyMachine: ~Copyable {
    var values: PolicyValues
    /// Ranks of the candidates of the message, or of the recipient.
    private var ranks: [Int32] = []
    private var keys = PolicyIndex.Keys()
    private var targets: [String] = []
    private var context: PolicyContext?

    /// - Parameter compiler: the one that compiled the constraints.
    package init(_ compiler: PolicyCompiler) { values = PolicyValues(compiler) }

    /// - Parameter limiter: asked and changed in log order.
    package mutating func decide(
        _ message: MessageEntry, at position: Position, _ set: borrowing PolicySet, _ context: PolicyContext, _ limiter: inout LimiterState
    ) -> PolicyDecision {
        if self.context !== context {
            self.context = context
            targets = [context.defaultTarget]
            values.begin(context)
        }
        values.begin(message, position)
        var decision = PolicyDecision(revision: context.revision, targets: targets)
        findInitial(message, set, context)
        var pass = PolicyPass(message: message, position: position, context: context)
        initial(set, &pass, &decision, &limiter)
        if decision.outcome != .block, set.reception.count > 0 { reception(set, &pass, &decision, &limiter) }
        if decision.outcome != .block, let until = pass.delayedUntil, decision.outcome != .hold {
            decision.outcome = .hold
            decision.retryAt = until
            decision.rule = pass.delayedBy
            decision.reason = pass.delayReason
        }
        if !decision.faults.isEmpty { decision.onError = pass.onError }
        decision.cost = Limits.policyCostMax - values.budget
        return decision
    }

    // MARK: Candidates

    private mutating func findInitial(_ message: MessageEntry, _ set: borrowing PolicySet, _ context: PolicyContext) {
        ranks.removeAll(keepingCapacity: true)
        guard set.initial.count > 0 else { return }
        keys.source.removeAll(keepingCapacity: true)
        keys.source.append(contentsOf: message.slice(.source))
        keys.destinations = set.initial.keyedByDestination > 0 ? values.destinations.map { Array($0.utf8) } : []
        keys.organisation = set.initial.keyedByOrganisation > 0 ? values.organisation : []
        let bytes = message.bytes
        set.initial.collect(bytes.span.extracting(message.range(.topic)), keys, into: &ranks)
        set.rank(&ranks)
    }

    /// Whether the rest of the scope fits, which the index does not look at.
    private mutating func fits(_ rule: PolicySet.Rule, recipient: String?) -> Bool {
        if !rule.sources.isEmpty, !rule.sources.contains(keys.source.span) { return false }
        if !rule.destinations.isEmpty {
            if let recipient {
                if !rule.destinations.contains(recipient.utf8Span.span) { return false }
            } else if !values.destinations.contains(where: { rule.destinations.contains($0.utf8Span.span) }) {
                return false
            }
        }
        if !rule.organisations.isEmpty {
            let organisation = values.organisation
            if !rule.organisations.contains(organisation.span) { return false }
        }
        return true
    }

    // MARK: Stages

    private mutating func initial(
        _ set: borrowing PolicySet, _ pass: inout PolicyPass, _ decision: inout PolicyDecision, _ limiter: inout LimiterState
    ) {
        var pending = values.defaultLimit
        for index in ranks.indices {
            let rule = set.rule(ranked: ranks[index])
            guard fits(rule, recipient: nil) else { continue }
            if let limit = pending, Constraint.precedes(limit, rule.constraint) {
                pending = nil
                if applies(limit, nil, nil, &pass, &decision, &limiter) { return }
            }
            if applies(rule.constraint, rule.fault, nil, &pass, &decision, &limiter) || pass.isExhausted { return }
        }
        if let limit = pending { _ = applies(limit, nil, nil, &pass, &decision, &limiter) }
    }

    /// Asks the constraints of the reception stage about each recipient; those who do not get the message are withheld.
    private mutating func reception(
        _ set: borrowing PolicySet, _ pass: inout PolicyPass, _ decision: inout PolicyDecision, _ limiter: inout LimiterState
    ) {
        let recipients = decision.destinations ?? values.destinations
        guard !recipients.isEmpty else { return }
        let bytes = pass.message.bytes
        if keys.source.isEmpty { keys.source.append(contentsOf: pass.message.slice(.source)) }
        keys.organisation = set.reception.keyedByOrganisation > 0 ? values.organisation : []
        var remaining: [String] = []
        var answered: [String: PolicyDecision.Withheld?] = [:]
        for recipient in recipients {
            if answered[recipient] == nil {
                ranks.removeAll(keepingCapacity: true)
                keys.destinations = [Array(recipient.utf8)]
                set.reception.collect(bytes.span.extracting(pass.message.range(.topic)), keys, into: &ranks)
                set.rank(&ranks)
                answered[recipient] = .some(withheld(recipient, set, &pass, &decision, &limiter))
            }
            if let withheld = answered[recipient] ?? nil {
                if !decision.withheld.contains(withheld) { decision.withheld.append(withheld) }
            } else {
                remaining.append(recipient)
            }
        }
        guard !decision.withheld.isEmpty else { return }
        decision.destinations = remaining
        guard remaining.isEmpty, let first = decision.withheld.first else { return }
        decision.outcome = .block
        decision.rule = first.rule
        decision.reason = PolicyText.bounded(
            decision.withheld.count == 1 ? first.reason : "every recipient is withheld; the first: \(first.reason)", Limits.reasonBytesMax)
        decision.hold = nil
        decision.retryAt = pass.receptionRetryAt
    }

    private mutating func withheld(
        _ recipient: String, _ set: borrowing PolicySet, _ pass: inout PolicyPass, _ decision: inout PolicyDecision, _ limiter: inout LimiterState
    ) -> PolicyDecision.Withheld? {
        values.begin(recipient: recipient)
        // A decision of its own, of which the outcome for this recipient is taken; what it gathers besides belongs to the message.
        var own = PolicyDecision(revision: decision.revision, targets: [])
        swap(&own.shadows, &decision.shadows)
        swap(&own.faults, &decision.faults)
        swap(&own.limits, &decision.limits)
        defer {
            swap(&own.shadows, &decision.shadows)
            swap(&own.faults, &decision.faults)
            swap(&own.limits, &decision.limits)
        }
        for index in ranks.indices {
            let rule = set.rule(ranked: ranks[index])
            guard fits(rule, recipient: recipient) else { continue }
            if applies(rule.constraint, rule.fault, recipient, &pass, &own, &limiter) {
                if let retry = own.retryAt { pass.receptionRetryAt = min(pass.receptionRetryAt ?? retry, retry) }
                return PolicyDecision.Withheld(recipient: recipient, rule: own.rule, reason: own.reason)
            }
            if pass.isExhausted { return nil }
        }
        return nil
    }
}
