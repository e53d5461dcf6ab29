/// What a decision was made from, as bytes to be hashed: whoever has the log or the archive can make them again and compare.
///
/// The fields of the message, its position, the revision of `control`, and the limits' states, each with its length before it. Recipients
/// stand as a compact JSON array, however the client wrote them, since the archive keeps them as a list.
package enum PolicyInputs {
    package static func bytes(_ message: MessageEntry, at position: Position, _ verdict: VerdictEntry) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(message.fieldBytes + verdict.detail.limits.count + 128)
        for index in message.ranges.indices {
            if index == MessageField.destinations.rawValue, message.count(.destinations) > 0 {
                append(PolicyDecision.strings(message.destinationNames)[...], to: &out)
            } else {
                append(message.bytes[message.ranges[at: index]], to: &out)
            }
        }
        var place: [UInt8] = []
        position.append(to: &place)
        append(place[...], to: &out)
        append(Array(verdict.policyRevision.utf8)[...], to: &out)
        append(verdict.detail.limits[...], to: &out)
        return out
    }

    private static func append(_ value: ArraySlice<UInt8>, to out: inout [UInt8]) {
        let count = UInt32(truncatingIfNeeded: value.count)
        out.append(addingCapacity: 4) { out in
            for shift in 0..<4 as Range<UInt32> { out.append(UInt8(truncatingIfNeeded: count >> (24 &- 8 &* shift))) }
        }
        out.append(contentsOf: value)
    }
}
