/// A decision as the entry that stands in the log.
extension PolicyDecision {
    /// - Parameters:
    ///   - uuid: the message's.
    ///   - topic: the message's own, on which it goes out where no rule says otherwise.
    package func verdict(uuid: MessageUUID, topic: some Collection<UInt8>) -> VerdictEntry {
        VerdictEntry(
            messageUUID: uuid, outcome: outcome, rule: rule, reason: plainReason, policyRevision: revision.description, targets: targets,
            subject: subject ?? Array(topic), detail: detail)
    }

    /// Without U+0000, which a payload may bring in and no text of the archive can hold.
    private var plainReason: String {
        reason.utf8.contains(0) ? String(String.UnicodeScalarView(reason.unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 })) : reason
    }

    /// - Cost: nothing for a message that no rule concerns.
    package var detail: VerdictDetail {
        var detail = VerdictDetail()
        if !shadows.isEmpty { detail.shadow = Self.array(shadows.map(\.json)) }
        if !limits.isEmpty { detail.limits = Self.array(limits.map { $0.json }) }
        if !annotations.isEmpty { detail.annotations = annotationsJSON }
        if !withheld.isEmpty { detail.withheld = Self.array(withheld.map(\.json)) }
        if !faults.isEmpty { detail.error = Self.errorJSON(onError ?? .block, faults) }
        if let destinations { detail.destinations = Self.strings(destinations) }
        if let hold { detail.hold = hold.json }
        if let retryAt { detail.retryAt = Array(String(retryAt).utf8) }
        return detail
    }

    /// `{"name": value}`
    package var annotationsJSON: [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "{")]
        for (index, annotation) in annotations.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            JSONText.append(annotation.name, to: &out)
            out.append(UInt8(ascii: ":"))
            out.append(contentsOf: annotation.value)
        }
        out.append(UInt8(ascii: "}"))
        return out
    }

    static func errorJSON(_ onError: PolicyOnError, _ faults: [Fault], openSessionsMax: Int? = nil) -> [UInt8] {
        var object = JSONObject()
        object.add("on_error", onError.rawValue)
        object.add(
            "rules",
            raw: array(
                faults.map { fault in
                    var rule = JSONObject()
                    rule.add("rule", fault.rule)
                    rule.add("detail", fault.detail)
                    return rule.finish()
                }))
        if let openSessionsMax { object.add("open_sessions_max", openSessionsMax) }
        return object.finish()
    }

    /// JSON texts as an array.
    static func array(_ items: [[UInt8]]) -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "[")]
        for (index, item) in items.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            out.append(contentsOf: item)
        }
        out.append(UInt8(ascii: "]"))
        return out
    }

    static func strings(_ items: [String]) -> [UInt8] {
        array(
            items.map { item in
                var out: [UInt8] = []
                JSONText.append(item, to: &out)
                return out
            })
    }
}

extension PolicyDecision.Shadow {
    fileprivate var json: [UInt8] {
        var object = JSONObject()
        object.add("rule", rule)
        object.add("would", would)
        if let recipient { object.add("recipient", recipient) }
        object.add("detail", detail)
        return object.finish()
    }
}

extension PolicyDecision.Withheld {
    fileprivate var json: [UInt8] {
        var object = JSONObject()
        object.add("recipient", recipient)
        object.add("rule", rule)
        object.add("reason", reason)
        return object.finish()
    }
}

extension ConstraintAction.Hold {
    fileprivate var json: [UInt8] {
        var object = JSONObject()
        if let timeoutMs { object.add("timeout_ms", Int(timeoutMs)) }
        object.add("on_expiry", onExpiry.rawValue)
        object.add("approvers", raw: PolicyDecision.strings(approvers))
        if let channel { object.add("channel", channel) }
        return object.finish()
    }
}
