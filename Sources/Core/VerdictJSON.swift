/// The one form in which answers show a verdict.
extension VerdictEntry {
    /// `{"outcome", "rule", "reason", "policy_revision", "targets", "subject"}` and, where the policy noted something,
    /// `shadow`, `limits`, `annotations`, `withheld`, `error`, `destinations`, `hold`, `retry_at` (RFC 3339) and `digest`.
    package var json: [UInt8] {
        var object = JSONObject()
        object.add("outcome", outcome.rawValue)
        object.add("rule", rule)
        if reason.isEmpty { object.addNull("reason") } else { object.add("reason", reason) }
        object.add("policy_revision", policyRevision)
        object.add("targets", raw: targetsJSON)
        object.add("subject", String(decoding: subject, as: UTF8.self))
        detail.add(to: &object)
        return object.finish()
    }
}

extension VerdictDetail {
    /// Strangers may write into the log as well: what is not of its kind is left out, since the answer must be JSON.
    fileprivate func add(to object: inout JSONObject) {
        Self.add("shadow", shadow, .array, to: &object)
        Self.add("limits", limits, .array, to: &object)
        Self.add("annotations", annotations, .object, to: &object)
        Self.add("withheld", withheld, .array, to: &object)
        Self.add("error", error, .object, to: &object)
        Self.add("destinations", destinations, .array, to: &object)
        Self.add("hold", hold, .object, to: &object)
        if let retryAtMicroseconds { object.add("retry_at", Timestamp.rfc3339(microseconds: retryAtMicroseconds)) }
        if !digest.isEmpty { object.add("digest", String(decoding: digest, as: UTF8.self)) }
    }

    /// `retryAt` as a number: µs since the epoch; nil when it is empty, or none.
    package var retryAtMicroseconds: Int64? { retryAt.isEmpty ? nil : Int64(String(decoding: retryAt, as: UTF8.self)) }

    private static func add(_ key: StaticString, _ text: [UInt8], _ kind: JSONKind, to object: inout JSONObject) {
        guard !text.isEmpty, let document = try? JSONDocument(text), document.root.kind == kind else { return }
        object.add(key, raw: text)
    }
}
