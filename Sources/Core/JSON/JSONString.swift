/// The characters of a JSON string as UTF-8.
package enum JSONString {
    /// Resolves the escapes of `text[range]`, the inside of a JSON string that has passed the parser.
    ///
    /// Half a surrogate pair becomes U+FFFD: it has no UTF-8 form.
    package static func unescaped(_ text: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var isText = true
        return unescaped(text, range, isText: &isText)
    }

    /// - Parameter isText: becomes false when an escape stands for half a surrogate pair or U+0000, of which no text consists that others take.
    static func unescaped(_ text: Span<UInt8>, _ range: Range<Int>, isText: inout Bool) -> [UInt8] {
        var out: [UInt8] = []
        // No escape is shorter than what it stands for.
        out.append(addingCapacity: range.count) { out in
            var at = range.lowerBound
            while true {
                copyPlain(text, &at, range.upperBound, &out)
                guard at + 1 < range.upperBound else { break }
                switch text[at + 1] {
                case UInt8(ascii: "n"): out.append(0x0A)
                case UInt8(ascii: "t"): out.append(0x09)
                case UInt8(ascii: "r"): out.append(0x0D)
                case UInt8(ascii: "b"): out.append(0x08)
                case UInt8(ascii: "f"): out.append(0x0C)
                case UInt8(ascii: "u"):
                    if let scalar = scalar(text, &at, range.upperBound) {
                        if scalar == 0 { isText = false }
                        append(scalar, to: &out)
                    } else {
                        isText = false
                        append(0xFFFD, to: &out)
                    }
                    continue
                case let other: out.append(other)
                }
                at += 2
            }
        }
        return out
    }

    /// Copies what stands before the next backslash, and moves there.
    @inline(__always)
    private static func copyPlain(_ text: Span<UInt8>, _ at: inout Int, _ end: Int, _ out: inout OutputSpan<UInt8>) {
        while at &+ 8 <= end {
            let word = JSONWords.word(text, at)
            if ByteScan.hits(UInt8(ascii: "\\"), in: word) != 0 { break }
            for shift in 0..<8 as Range<UInt64> { out.append(UInt8(truncatingIfNeeded: word >> (shift &* 8))) }
            at &+= 8
        }
        while at < end, text[at] != UInt8(ascii: "\\") {
            out.append(text[at])
            at &+= 1
        }
    }

    /// Reads `\uXXXX`, or a pair of them, and moves behind it; nil for half a pair.
    private static func scalar(_ text: Span<UInt8>, _ at: inout Int, _ end: Int) -> UInt32? {
        let first = unit(text, at + 2, end)
        at += 6
        guard first >= 0xD800, first < 0xE000 else { return first }
        guard first < 0xDC00, at + 6 <= end, text[at] == UInt8(ascii: "\\"), text[at + 1] == UInt8(ascii: "u") else { return nil }
        let second = unit(text, at + 2, end)
        guard second >= 0xDC00, second < 0xE000 else { return nil }
        at += 6
        return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }

    private static func unit(_ text: Span<UInt8>, _ at: Int, _ end: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in at..<min(at + 4, end) { value = value << 4 | UInt32(hexValue(text[index]) ?? 0) }
        return value
    }

    /// Appends `scalar`, which is no surrogate, as UTF-8.
    private static func append(_ scalar: UInt32, to out: inout OutputSpan<UInt8>) {
        switch scalar {
        case ..<0x80: out.append(UInt8(scalar))
        case ..<0x800:
            out.append(UInt8(0xC0 | scalar >> 6))
            out.append(UInt8(0x80 | scalar & 0x3F))
        case ..<0x10000:
            out.append(UInt8(0xE0 | scalar >> 12))
            out.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            out.append(UInt8(0x80 | scalar & 0x3F))
        default:
            out.append(UInt8(0xF0 | scalar >> 18 & 0x07))
            out.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            out.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            out.append(UInt8(0x80 | scalar & 0x3F))
        }
    }

    /// Characters (Unicode scalars) of well-formed UTF-8.
    package static func scalars(_ text: Span<UInt8>, _ range: Range<Int>) -> Int {
        var count = 0
        var at = range.lowerBound
        while at + 8 <= range.upperBound {
            // A continuation byte has bit 7 set and bit 6 clear.
            let word = JSONWords.word(text, at)
            count += 8 - (word & ~(word << 1) & 0x8080_8080_8080_8080).nonzeroBitCount
            at += 8
        }
        while at < range.upperBound {
            if text[at] & 0xC0 != 0x80 { count += 1 }
            at += 1
        }
        return count
    }
}
