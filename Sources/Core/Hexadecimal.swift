/// Bytes as pairs of lower-case hexadecimal digits.
package enum Hexadecimal {
    // Concrete rather than generic: other modules would get the unspecialised form, several times slower.

    package static func encode(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.append(addingCapacity: 2 * bytes.count) { out in
            for byte in bytes {
                out.append(digit(byte >> 4))
                out.append(digit(byte & 0xF))
            }
        }
        return out
    }

    package static func encode(_ bytes: [UInt8]) -> [UInt8] { encode(bytes[...]) }

    private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

    /// Empty when the text is something else.
    package static func decode(_ text: [UInt8]) -> [UInt8] {
        guard text.count.isMultiple(of: 2) else { return [] }
        var out: [UInt8] = []
        out.reserveCapacity(text.count / 2)
        for index in stride(from: 0, to: text.count, by: 2) {
            guard let high = hexValue(text[index]), let low = hexValue(text[index + 1]) else { return [] }
            out.append(high << 4 | low)
        }
        return out
    }
}
