/// What a decision was made from, as bytes to be hashed: whoever has the log can make them again and compare.
///
/// The fields of the message, its position, the revision of `control`, and the limits' states, each with its length before it. Recipients
/// count as names, not as the text in which they came: the archive keeps them as an array.
package enum PolicyInputs {
    package static func bytes(_ message: MessageEntry, at position: Position, _ decision: PolicyDecision) -> [UInt8] {
        bytes(message, at: position, revision: decision.revision.description, limits: decision.limits)
    }

    /// The same from what stands in the log; nil when the verdict's limits are not readable.
    package static func bytes(_ decided: DecidedMessage) -> [UInt8]? {
        guard let limits = LimitTouch.list(decided.verdict.detail.limits) else { return nil }
        return bytes(decided.message, at: decided.position, revision: decided.verdict.policyRevision, limits: limits)
    }

    private static func bytes(_ message: MessageEntry, at position: Position, revision: String, limits: [LimitTouch]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(message.fieldBytes + 256)
        for field in MessageField.allCases where field != .destinations { append(message.slice(field), to: &out) }
        let names = message.destinationNames
        append(names.isEmpty ? [] : PolicyDecision.strings(names), to: &out)
        append(position.description.utf8, to: &out)
        append(revision.utf8, to: &out)
        for touch in limits { append(touch.json, to: &out) }
        return out
    }

    private static func append(_ value: some Collection<UInt8>, to out: inout [UInt8]) {
        let count = UInt32(truncatingIfNeeded: value.count)
        for shift in [24, 16, 8, 0] as [UInt32] { out.append(UInt8(truncatingIfNeeded: count >> shift)) }
        out.append(contentsOf: value)
    }
}
