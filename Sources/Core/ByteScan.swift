/// Finds bytes eight at a time.
///
/// - Source: S. E. Anderson, "Bit Twiddling Hacks", "Determine if a word has a zero byte".
package enum ByteScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The high bits of the bytes of `word` that equal `byte`; the lowest is exact, above it a borrow may show false ones.
    @inline(__always)
    static func hits(_ byte: UInt8, in word: UInt64) -> UInt64 { zeros(word ^ ones &* UInt64(byte)) }

    /// The high bits of the bytes that are zero; as exact as `hits`.
    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highs }

    /// Where the first `byte` at or behind `start` stands; nil when there is none.
    package static func firstIndex(of byte: UInt8, in text: Span<UInt8>, from start: Int) -> Int? {
        var at = start
        while at &+ 8 <= text.count {
            let hit = hits(byte, in: JSONWords.word(text, at))
            if hit != 0 { return at &+ hit.trailingZeroBitCount / 8 }
            at &+= 8
        }
        while at < text.count {
            if text[at] == byte { return at }
            at &+= 1
        }
        return nil
    }

    /// Where `part` first occurs in `text` at or behind `start`; nil when it does not.
    ///
    /// Its first and its last byte are looked for at eight places at once, and only where both stand the rest is compared.
    /// - Cost: text × part in the worst case.
    /// - Source: W. Muła, "SIMD-friendly algorithms for substring searching", the generic form.
    package static func firstIndex(of part: Span<UInt8>, in text: Span<UInt8>, from start: Int) -> Int? {
        guard !part.isEmpty else { return start }
        let reach = part.count &- 1
        let (first, last) = (ones &* UInt64(part[0]), ones &* UInt64(part[reach]))
        var at = start
        while at &+ reach &+ 8 <= text.count {
            var hits = zeros((JSONWords.word(text, at) ^ first) | (JSONWords.word(text, at &+ reach) ^ last))
            while hits != 0 {
                let place = at &+ hits.trailingZeroBitCount / 8
                if JSONWords.equal(text, place, part, 0, part.count) { return place }
                hits &= hits &- 1
            }
            at &+= 8
        }
        while at &+ reach < text.count {
            if text[at] == part[0], JSONWords.equal(text, at, part, 0, part.count) { return at }
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
