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
            let word = JSONWords.word(text, at) ^ pattern
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
            let plain = JSONWords.plainBytes(JSONWords.word(text, at))
            if plain < 8 { return at &+ plain }
            at &+= 8
        }
        while at < text.count {
            let byte = text[at]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 || byte >= 0x80 { return at }
            at &+= 1
        }
        return at
    }
}
