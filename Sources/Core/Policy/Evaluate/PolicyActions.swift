/// What each action does.
extension PolicyMachine {
    /// Applies one constraint.
    ///
    /// - Parameters:
    ///   - fault: why it cannot be evaluated at all.
    ///   - recipient: in the reception stage.
    /// - Returns: whether it decided.
    mutating func applies(
        _ constraint: Constraint, _ fault: String?, _ recipient: String?, _ pass: inout PolicyPass, _ decision: inout PolicyDecision,
        _ limiter: inout LimiterState
    ) -> Bool {
        if pass.passed.contains(constraint.id) { return false }
        do throws(PolicyFault) {
            if let fault { throw PolicyFault(fault) }
            try values.charge(1, constraint)
            var holds = true
            if let when = constraint.when { holds = try values.isTrue(when, constraint) }
            if case .require = constraint.action { holds.toggle() }
            guard holds else { return false }
            return try act(constraint, recipient, &pass, &decision, &limiter)
        } catch {
            return failed(constraint, recipient, error, &pass, &decision)
        }
    }

    /// An error never lets a message pass that the rule might have stopped, unless the topic's configuration wants it so.
    private mutating func failed(
        _ constraint: Constraint, _ recipient: String?, _ fault: PolicyFault, _ pass: inout PolicyPass, _ decision: inout PolicyDecision
    ) -> Bool {
        let detail = PolicyText.bounded(fault.detail, Limits.reasonBytesMax)
        if constraint.mode == .shadow {
            note(PolicyDecision.Shadow(rule: constraint.id, would: "error", recipient: recipient, detail: detail), &decision)
            return false
        }
        if decision.faults.count < Limits.verdictErrorsMax { decision.faults.append(PolicyDecision.Fault(rule: constraint.id, detail: detail)) }
        if pass.onError == .deliver {
            pass.isExhausted = fault.isExhausted
            return false
        }
        decision.outcome = .block
        decision.rule = constraint.id
        decision.reason = PolicyText.bounded("the rule could not be evaluated, so nothing passes it: \(detail)", Limits.reasonBytesMax)
        return true
    }

    private func note(_ shadow: PolicyDecision.Shadow, _ decision: inout PolicyDecision) {
        if decision.shadows.count < Limits.verdictShadowsMax { decision.shadows.append(shadow) }
    }

    /// The constraint's condition holds.
    private mutating func act(
        _ constraint: Constraint, _ recipient: String?, _ pass: inout PolicyPass, _ decision: inout PolicyDecision, _ limiter: inout LimiterState
    ) throws(PolicyFault) -> Bool {
        let isShadow = constraint.mode == .shadow
        switch constraint.action {
        case .block:
            return decide(constraint, .block, recipient, "'\(constraint.id)' blocks it", &decision)
        case .require:
            return decide(constraint, .block, recipient, "what '\(constraint.id)' requires does not hold", &decision)
        case .hold(let hold):
            if !isShadow { decision.hold = hold }
            return decide(constraint, .hold, recipient, "'\(constraint.id)' asks a person to decide", &decision)
        case .reroute(let reroute):
            let way = try way(reroute, constraint, pass.context)
            if !isShadow {
                if let subject = way.subject { decision.subject = subject }
                if let destinations = way.destinations { decision.destinations = destinations }
                if let target = way.target { decision.targets = [target] }
            }
            return decide(constraint, .reroute, recipient, "'\(constraint.id)' sends it another way", &decision)
        case .limit(let limit):
            return try self.limit(limit, constraint, recipient, &pass, &decision, &limiter)
        case .annotate(let annotations):
            var added: [PolicyDecision.Annotation] = []
            for annotation in annotations { added.append(PolicyDecision.Annotation(name: annotation.name, value: try json(annotation.value, constraint))) }
            if isShadow {
                note(PolicyDecision.Shadow(rule: constraint.id, would: "annotate", recipient: recipient, detail: reason(constraint, "")), &decision)
                return false
            }
            try annotate(added, &decision)
            return false
        }
    }

    /// The constraint decides, or, as a shadow, would have.
    /// - Returns: whether it decided.
    private mutating func decide(_ constraint: Constraint, _ outcome: Outcome, _ recipient: String?, _ words: String, _ decision: inout PolicyDecision) -> Bool
    {
        let reason = reason(constraint, words)
        guard constraint.mode == .enforce else {
            note(PolicyDecision.Shadow(rule: constraint.id, would: outcome.rawValue, recipient: recipient, detail: reason), &decision)
            return false
        }
        decision.outcome = outcome
        decision.rule = constraint.id
        decision.reason = reason
        return true
    }

    private mutating func reason(_ constraint: Constraint, _ words: String) -> String {
        if let template = constraint.reason { return values.reason(template, constraint) }
        return PolicyText.bounded(words, Limits.reasonBytesMax)
    }

    // MARK: Reroute

    private struct Way {
        var subject: [UInt8]?
        var destinations: [String]?
        var target: String?
    }

    private mutating func way(_ reroute: ConstraintAction.Reroute, _ constraint: Constraint, _ context: PolicyContext) throws(PolicyFault) -> Way {
        var way = Way()
        if let topic = reroute.topic {
            let subject = Array(try values.text(topic, constraint, bytesMax: Limits.topicBytesMax * 4).utf8)
            if let fault = Subject.topicFault(subject.span) {
                throw PolicyFault("the new topic '\(PolicyText.bounded(String(decoding: subject, as: UTF8.self), 80))' is none: \(fault)")
            }
            way.subject = subject
        }
        if let templates = reroute.destinations { way.destinations = try destinations(templates, constraint) }
        if let backbone = reroute.backbone {
            let name = try values.text(backbone, constraint, bytesMax: Limits.nameBytesMax * 2)
            if let known = context.backbone(name) {
                way.target = known.name
            } else {
                guard name == context.defaultTarget else { throw PolicyFault("no backbone '\(PolicyText.bounded(name, 80))' is registered") }
                way.target = name
            }
        }
        return way
    }

    /// The recipients, each once. A template that is one expression may give a list of them.
    private mutating func destinations(_ templates: [PolicyTemplate], _ constraint: Constraint) throws(PolicyFault) -> [String] {
        var names: [String] = []
        for template in templates {
            if let whole = template.whole, case .list(let list) = try values.value(whole, constraint) {
                try values.charge(list.count, constraint)
                for element in list.elements {
                    guard case .string(let name) = element else { throw PolicyFault("a recipient is a text, '\(whole.source)' gives a \(element.typeName)") }
                    names.append(name)
                }
            } else {
                names.append(try values.text(template, constraint, bytesMax: Limits.nameBytesMax))
            }
        }
        var seen = Set<String>()
        names = names.filter { seen.insert($0).inserted }
        guard !names.isEmpty, names.count <= Limits.destinationsMax else {
            throw PolicyFault("1 to \(Limits.destinationsMax) recipients are possible, the rule gives \(names.count)")
        }
        for name in names where name.utf8.count > Limits.nameBytesMax || DocumentRules.keyFault(name) != nil {
            throw PolicyFault("a recipient's name is not one: 1 to \(Limits.nameBytesMax) bytes without control characters")
        }
        return names
    }

    // MARK: Limit

    private mutating func limit(
        _ limit: ConstraintAction.Limit, _ constraint: Constraint, _ recipient: String?, _ pass: inout PolicyPass, _ decision: inout PolicyDecision,
        _ limiter: inout LimiterState
    ) throws(PolicyFault) -> Bool {
        let isShadow = constraint.mode == .shadow
        try pass.countLimit(isShadow: isShadow)
        let key = LimiterState.Key(rule: constraint.id, key: try limitKey(limit, constraint, pass.message), isShadow: isShadow)
        let algorithm = GCRA(limit.rate)
        let answer = limiter.take(algorithm, key, at: pass.now)
        if answer.conforms {
            decision.limits.append(LimitTouch(key, limit.rate, answer))
            return false
        }
        let words = "'\(constraint.id)' allows \(limit.rate.rate) in \(limit.rate.periodMs) ms, \(limit.rate.burst) at once"
        let until = pass.now.addingReportingOverflow(answer.retryAfter).partialValue
        guard limit.over == .delay, answer.retryAfter <= limit.delayMsMax * 1_000 else {
            decision.limits.append(LimitTouch(key, limit.rate, answer))
            if !isShadow { decision.retryAt = until }
            return decide(constraint, .block, recipient, words, &decision)
        }
        let arrival = limiter.reserve(algorithm, key, at: pass.now)
        decision.limits.append(
            LimitTouch(key: key, limit: limit.rate, arrival: arrival, isTaken: true, remaining: 0, retryAfter: answer.retryAfter, reset: answer.reset))
        if isShadow {
            note(PolicyDecision.Shadow(rule: constraint.id, would: Outcome.hold.rawValue, recipient: recipient, detail: reason(constraint, words)), &decision)
        } else if until > pass.delayedUntil ?? .min {
            pass.delayedUntil = until
            pass.delayedBy = constraint.id
            pass.delayReason = reason(constraint, words)
        }
        // The message only waits: a rule behind may still stop it.
        return false
    }

    private mutating func limitKey(_ limit: ConstraintAction.Limit, _ constraint: Constraint, _ message: MessageEntry) throws(PolicyFault) -> String {
        guard let expression = limit.key else { return message.string(.source) }
        guard case .string(let key) = try values.value(expression, constraint) else { throw PolicyFault("the key '\(expression.source)' is no text") }
        guard key.utf8.count <= Limits.limitKeyBytesMax else {
            throw PolicyFault("the key '\(expression.source)' has \(key.utf8.count) bytes, at most \(Limits.limitKeyBytesMax) are possible")
        }
        return key
    }

    // MARK: Annotate

    private mutating func json(_ value: ConstraintAction.Annotation.Value, _ constraint: Constraint) throws(PolicyFault) -> [UInt8] {
        switch value {
        case .literal(let text): return text
        case .template(let template):
            var out: [UInt8] = []
            if let whole = template.whole {
                let value = try values.paid(whole, constraint)
                guard PolicyText.append(value, to: &out, bytesMax: Limits.annotationBytesMax) else {
                    throw PolicyFault("the value of '\(whole.source)' has no JSON of at most \(Limits.annotationBytesMax) bytes")
                }
            } else {
                JSONText.append(try values.text(template, constraint, bytesMax: Limits.annotationBytesMax), to: &out)
            }
            return out
        }
    }

    /// Adds to the verdict; of a name that several rules give, the first stays, since theirs is the higher priority.
    private func annotate(_ added: [PolicyDecision.Annotation], _ decision: inout PolicyDecision) throws(PolicyFault) {
        let new = added.filter { annotation in !decision.annotations.contains { $0.name == annotation.name } }
        let bytes = (decision.annotations + new).reduce(0) { $0 + $1.name.utf8.count + $1.value.count }
        guard bytes <= Limits.annotationBytesMax else {
            throw PolicyFault("the verdict's annotations have \(bytes) bytes, at most \(Limits.annotationBytesMax) are possible")
        }
        decision.annotations += new
    }
}
