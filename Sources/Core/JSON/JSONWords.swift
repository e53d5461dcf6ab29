/// Looks at eight bytes of a text at once.
enum JSONWords {
    /// The eight bytes from `at` on, the first one lowest; one load and one bounds check in a release build.
    @inline(__always)
    static func word(_ text: Span<UInt8>, _ at: Int) -> UInt64 {
        let part = text.extracting(at..<(at + 8))
        let low = UInt64(part[0]) | UInt64(part[1]) << 8 | UInt64(part[2]) << 16 | UInt64(part[3]) << 24
        return low | UInt64(part[4]) << 32 | UInt64(part[5]) << 40 | UInt64(part[6]) << 48 | UInt64(part[7]) << 56
    }

    /// How many of the eight bytes, from the first on, are plain ASCII text inside a JSON string: no quote, backslash, control or
    /// non-ASCII byte. A subtraction's borrow only reaches bytes behind the first hit, so the first hit is exact.
    @inline(__always)
    static func plainBytes(_ word: UInt64) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let hits = ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((word &- ones &* 0x20) & ~word) | word
        return (hits & (ones &* 0x80)).trailingZeroBitCount >> 3
    }

    /// A hash of `text[range]`, 32 bits; not keyed, so what is indexed by it must stay correct and bounded when hashes collide.
    @inline(__always)
    static func hash(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt32 {
        var hash = UInt64(truncatingIfNeeded: range.count) &* 0x9E37_79B9_7F4A_7C15
        var at = range.lowerBound
        while at + 8 <= range.upperBound {
            hash = mix(hash ^ word(text, at))
            at += 8
        }
        if at < range.upperBound {
            var tail: UInt64 = 0
            while at < range.upperBound {
                tail = tail << 8 | UInt64(text[at])
                at += 1
            }
            hash = mix(hash ^ tail)
        }
        return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
    }

    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        let product = value &* 0xD6E8_FEB8_6659_FD93
        return product ^ product >> 32
    }

    /// Whether `a[aAt..<aAt + count]` and `b[bAt..<bAt + count]` hold the same bytes.
    @inline(__always)
    static func equal(_ a: Span<UInt8>, _ aAt: Int, _ b: Span<UInt8>, _ bAt: Int, _ count: Int) -> Bool {
        var done = 0
        while done + 8 <= count {
            if word(a, aAt + done) != word(b, bAt + done) { return false }
            done += 8
        }
        while done < count {
            if a[aAt + done] != b[bAt + done] { return false }
            done += 1
        }
        return true
    }
}
