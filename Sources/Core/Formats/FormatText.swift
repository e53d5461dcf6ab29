/// Classes of ASCII characters that formats are made of.
enum FormatText {
    @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    @inline(__always) static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A }

    static func isPercentEncoded(_ text: Span<UInt8>, _ at: Int, _ end: Int) -> Bool {
        text[at] == UInt8(ascii: "%") && at + 2 < end && hexValue(text[at + 1]) != nil && hexValue(text[at + 2]) != nil
    }

    /// Two digits as a number; nil when there are none.
    static func pair(_ text: Span<UInt8>, _ at: Int) -> Int? {
        guard at + 2 <= text.count, isDigit(text[at]), isDigit(text[at + 1]) else { return nil }
        return Int(text[at] - 0x30) * 10 + Int(text[at + 1] - 0x30)
    }

    /// The character at `at`, and moves behind it; the text is UTF-8.
    static func scalar(_ text: Span<UInt8>, _ at: inout Int) -> UInt32 {
        let lead = text[at]
        let length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        var value = UInt32(length == 1 ? lead : lead & (0x7F >> UInt8(length)))
        for index in (at + 1)..<max(at + 1, min(at + length, text.count)) { value = value << 6 | UInt32(text[index] & 0x3F) }
        at += length
        return value
    }

    static func scalars(_ text: Span<UInt8>, _ range: Range<Int>) -> [UInt32] {
        var out: [UInt32] = []
        out.reserveCapacity(range.count)
        var at = range.lowerBound
        while at < range.upperBound { out.append(scalar(text, &at)) }
        return out
    }

    static func string(_ text: Span<UInt8>, _ range: Range<Int>) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        for index in range { bytes.append(text[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
