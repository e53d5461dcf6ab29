/// A UUID as two big-endian words: the name that a client, or Meshlog as UUIDv7, gives a message.
///
/// - Source: RFC 9562.
package struct MessageUUID: Hashable, Sendable, CustomStringConvertible {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A UUIDv7: 48 bits of milliseconds, then 74 of the given random bits.
    package static func v7(ms: UInt64, random: (UInt64, UInt64)) -> MessageUUID {
        MessageUUID(high: ms << 16 | 0x7000 | random.0 & 0x0FFF, low: 0x8000_0000_0000_0000 | random.1 >> 2)
    }

    /// A UUIDv8 (custom) from the first 16 bytes of a digest: the same name always gives the same id.
    package static func v8(digest: [UInt8]) -> MessageUUID {
        precondition(digest.count >= 16, "a name's digest has at least 16 bytes")
        var high: UInt64 = 0
        var low: UInt64 = 0
        for index in 0..<8 {
            high = high << 8 | UInt64(digest[index])
            low = low << 8 | UInt64(digest[index + 8])
        }
        return MessageUUID(high: high & ~0xF000 | 0x8000, low: low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }

    /// The millisecond a UUIDv7 carries; nil for other versions.
    package var v7Milliseconds: UInt64? { (high >> 12) & 0xF == 7 ? high >> 16 : nil }

    /// Reads the 36-character form in either case; nil when it is anything else.
    package init?(utf8 text: Span<UInt8>) {
        guard text.count == 36 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        var nibbles = 0
        for index in text.indices {
            let byte = text[index]
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let nibble = hexValue(byte) else { return nil }
            if nibbles < 16 { words.0 = words.0 << 4 | UInt64(nibble) } else { words.1 = words.1 << 4 | UInt64(nibble) }
            nibbles += 1
        }
        self.init(high: words.0, low: words.1)
    }

    package init?(_ text: String) { self.init(utf8: Array(text.utf8).span) }

    package var bytes: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - ($0 & 7) * 8)) }
    }

    package var description: String {
        var out: [UInt8] = []
        append(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Appends the 36 characters, lower case.
    package func append(to out: inout [UInt8]) {
        out.append(addingCapacity: 36) { out in
            MessageUUID.hex(high, from: 60, digits: 8, &out)
            out.append(UInt8(ascii: "-"))
            MessageUUID.hex(high, from: 28, digits: 4, &out)
            out.append(UInt8(ascii: "-"))
            MessageUUID.hex(high, from: 12, digits: 4, &out)
            out.append(UInt8(ascii: "-"))
            MessageUUID.hex(low, from: 60, digits: 4, &out)
            out.append(UInt8(ascii: "-"))
            MessageUUID.hex(low, from: 44, digits: 12, &out)
        }
    }

    @inline(__always)
    private static func hex(_ word: UInt64, from shift: UInt64, digits: UInt64, _ out: inout OutputSpan<UInt8>) {
        for digit in 0..<digits {
            let value = UInt8(truncatingIfNeeded: word >> (shift &- digit &* 4)) & 0xF
            out.append(value < 10 ? 0x30 + value : 0x57 + value)
        }
    }
}

/// The value of a hexadecimal digit in either case.
package func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x61...0x66: byte - 0x57
    case 0x41...0x46: byte - 0x37
    default: nil
    }
}
