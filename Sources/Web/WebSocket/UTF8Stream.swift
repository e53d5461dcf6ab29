/// Checks UTF-8 as it arrives, so that a fault shows at its first byte and not at the message's end.
///
/// - Source: RFC 3629; Unicode 15, table 3-7.
struct UTF8Stream {
    /// Continuation bytes that the current character still needs.
    private var missing = 0
    /// What the next continuation byte may be; narrower after E0, ED, F0 and F4.
    private var lower: UInt8 = 0x80
    private var upper: UInt8 = 0xBF

    /// Whether the bytes so far end with a whole character.
    var isComplete: Bool { missing == 0 }

    /// False at the first byte that no continuation could make valid.
    ///
    /// - Cost: one pass; eight ASCII bytes at a time.
    mutating func accept(_ bytes: Span<UInt8>) -> Bool {
        var at = 0
        while at < bytes.count {
            if missing == 0 {
                while at + 8 <= bytes.count, Self.areASCII(bytes, at) { at += 8 }
                guard at < bytes.count else { break }
            }
            guard accept(bytes[at]) else { return false }
            at += 1
        }
        return true
    }

    private static func areASCII(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
        let low = bytes[at] | bytes[at + 1] | bytes[at + 2] | bytes[at + 3]
        let high = bytes[at + 4] | bytes[at + 5] | bytes[at + 6] | bytes[at + 7]
        return (low | high) < 0x80
    }

    private mutating func accept(_ byte: UInt8) -> Bool {
        guard missing == 0 else {
            guard byte >= lower, byte <= upper else { return false }
            missing -= 1
            (lower, upper) = (0x80, 0xBF)
            return true
        }
        switch byte {
        case 0x00...0x7F: break
        case 0xC2...0xDF: missing = 1
        case 0xE0: (missing, lower) = (2, 0xA0)
        case 0xED: (missing, upper) = (2, 0x9F)
        case 0xE1...0xEF: missing = 2
        case 0xF0: (missing, lower) = (3, 0x90)
        case 0xF4: (missing, upper) = (3, 0x8F)
        case 0xF1...0xF3: missing = 3
        default: return false
        }
        return true
    }
}
