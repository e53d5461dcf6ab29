/// Finds bytes, eight or more at a time.
///
/// - Source: S. E. Anderson, "Bit Twiddling Hacks", "Determine if a word has a zero byte".
package enum ByteScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    private static let wideOnes = SIMD4<UInt64>(repeating: ones)
    private static let wideHighs = SIMD4<UInt64>(repeating: highs)

    /// The 32 bytes from `at` on, as four words. The load checks its bounds; put together from bytes it takes three times as long.
    @inline(__always)
    private static func wide(_ text: Span<UInt8>, _ at: Int) -> SIMD4<UInt64> { text.bytes.unsafeLoadUnaligned(fromByteOffset: at, as: SIMD4<UInt64>.self) }

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
    /// Its first and its last byte are looked for at 32 places at once, and only where both stand the rest is compared. Words of eight
    /// bytes in one vector, since comparing vectors of bytes becomes a loop over them in this compiler.
    /// - Cost: text × part in the worst case.
    /// - Source: W. Muła, "SIMD-friendly algorithms for substring searching", the generic form.
    package static func firstIndex(of part: Span<UInt8>, in text: Span<UInt8>, from start: Int) -> Int? {
        guard !part.isEmpty else { return start }
        let reach = part.count &- 1
        let (first, last) = (wideOnes &* UInt64(part[0]), wideOnes &* UInt64(part[reach]))
        var at = start
        while at &+ reach &+ 32 <= text.count {
            let differences =
                (wide(text, at) ^ first)
                | (wide(text, at &+ reach) ^ last)
            let hits = (differences &- wideOnes) & ~differences & wideHighs
            if hits[0] | hits[1] | hits[2] | hits[3] != 0 {
                for lane in 0..<4 {
                    var left = hits[lane]
                    while left != 0 {
                        let place = at &+ 8 &* lane &+ left.trailingZeroBitCount / 8
                        if JSONWords.equal(text, place, part, 0, part.count) { return place }
                        left &= left &- 1
                    }
                }
            }
            at &+= 32
        }
        while at &+ reach < text.count {
            if text[at] == part[0], JSONWords.equal(text, at, part, 0, part.count) { return at }
            at &+= 1
        }
        return nil
    }

    package static func isASCII(_ text: Span<UInt8>) -> Bool {
        var at = 0
        while at &+ 32 <= text.count {
            let part = wide(text, at) & wideHighs
            if part[0] | part[1] | part[2] | part[3] != 0 { return false }
            at &+= 32
        }
        while at < text.count {
            if text[at] >= 0x80 { return false }
            at &+= 1
        }
        return true
    }

    /// Whether `part`, in which no letter is a capital one, occurs in the ASCII text whatever the case of its letters.
    ///
    /// As `firstIndex(of:in:from:)`, but for the bit that tells capitals from small letters, which is left out where places are looked for.
    /// - Cost: text × part in the worst case.
    package static func contains(lowercase part: Span<UInt8>, in text: Span<UInt8>) -> Bool {
        guard !part.isEmpty else { return true }
        let reach = part.count &- 1
        let (first, last) = (wideOnes &* UInt64(part[0] | 0x20), wideOnes &* UInt64(part[reach] | 0x20))
        let small = wideOnes &* 0x20
        var at = 0
        while at &+ reach &+ 32 <= text.count {
            let differences =
                ((wide(text, at) | small) ^ first)
                | ((wide(text, at &+ reach) | small) ^ last)
            let hits = (differences &- wideOnes) & ~differences & wideHighs
            if hits[0] | hits[1] | hits[2] | hits[3] != 0 {
                for place in at..<(at &+ 32) where isEqual(lowercase: part, text, place) { return true }
            }
            at &+= 32
        }
        while at &+ reach < text.count {
            if isEqual(lowercase: part, text, at) { return true }
            at &+= 1
        }
        return false
    }

    private static func isEqual(lowercase part: Span<UInt8>, _ text: Span<UInt8>, _ place: Int) -> Bool {
        for index in part.indices {
            let byte = text[place &+ index]
            if part[index] != (byte &- 0x41 < 26 ? byte | 0x20 : byte) { return false }
        }
        return true
    }

    /// The first place at or behind `start` that is a quote, a backslash or a control character; the end when there is none.
    static func endOfUnescaped(_ text: Span<UInt8>, _ start: Int) -> Int {
        var at = start
        while at &+ 8 <= text.count {
            let word = JSONWords.word(text, at)
            // Below a byte that is found no borrow comes in, so the lowest one found is one.
            let controls = (word &- ones &* 0x20) & ~word & highs
            let found = controls | hits(UInt8(ascii: "\""), in: word) | hits(UInt8(ascii: "\\"), in: word)
            if found != 0 { return at &+ found.trailingZeroBitCount / 8 }
            at &+= 8
        }
        while at < text.count {
            let byte = text[at]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return at }
            at &+= 1
        }
        return at
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
