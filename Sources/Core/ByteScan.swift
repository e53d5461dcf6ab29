/// Finds bytes eight at a time.
///
/// - Source: S. E. Anderson, "Bit Twiddling Hacks", "Determine if a word has a zero byte".
package enum ByteScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Where the first `byte` at or behind `start` stands; nil when there is none.
    package static func firstIndex(of byte: UInt8, in text: Span<UInt8>, from start: Int) -> Int? {
        var at = start
        let pattern = ones &* UInt64(byte)
        while at &+ 8 <= text.count {
            let word = word(text, at) ^ pattern
            let hit = (word &- ones) & ~word & highs
            // The lowest hit is exact; above it a borrow may show false ones.
            if hit != 0 { return at &+ hit.trailingZeroBitCount / 8 }
            at &+= 8
        }
        while at < text.count {
            if text[at] == byte { return at }
            at &+= 1
        }
        return nil
    }

    /// The first place at or behind `at` that is a quote, a backslash, a control character or no ASCII; the end when there is none.
    static func endOfPlainText(_ text: Span<UInt8>, _ start: Int) -> Int {
        var at = start
        while at &+ 8 <= text.count {
            let word = word(text, at)
            let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            let hit = ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash | (word &- ones &* 0x20) & ~word | word) & highs
            if hit != 0 { return at &+ hit.trailingZeroBitCount / 8 }
            at &+= 8
        }
        while at < text.count {
            let byte = text[at]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 || byte >= 0x80 { return at }
            at &+= 1
        }
        return at
    }

    @inline(__always)
    private static func word(_ text: Span<UInt8>, _ at: Int) -> UInt64 {
        let low = UInt64(text[at]) | UInt64(text[at &+ 1]) << 8 | UInt64(text[at &+ 2]) << 16 | UInt64(text[at &+ 3]) << 24
        let high = UInt64(text[at &+ 4]) | UInt64(text[at &+ 5]) << 8 | UInt64(text[at &+ 6]) << 16 | UInt64(text[at &+ 7]) << 24
        return low | high << 32
    }
}
