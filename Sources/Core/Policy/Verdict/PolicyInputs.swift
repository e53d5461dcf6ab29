/// What a decision was made from, as bytes to be hashed: whoever has the log can make them again and compare.
///
/// The fields of the message, its position, the revision of `control`, and the limits' states, each with its length before it.
package enum PolicyInputs {
    package static func bytes(_ message: MessageEntry, at position: Position, _ decision: PolicyDecision) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(message.fieldBytes + 256)
        for field in MessageField.allCases {
            // The archive keeps recipients as a list, without the spaces that a client may have written into it.
            if field == .destinations, message.count(field) > 0 {
                append(PolicyDecision.strings(message.destinationNames), to: &out)
            } else {
                append(message.slice(field), to: &out)
            }
        }
        append(position.description.utf8, to: &out)
        append(decision.revision.description.utf8, to: &out)
        for touch in decision.limits { append(touch.json, to: &out) }
        return out
    }

    private static func append(_ value: some Collection<UInt8>, to out: inout [UInt8]) {
        let count = UInt32(truncatingIfNeeded: value.count)
        for shift in [24, 16, 8, 0] as [UInt32] { out.append(UInt8(truncatingIfNeeded: count >> shift)) }
        out.append(contentsOf: value)
    }
}
