/// CEL's view of strings: sequences of code points, compared by their UTF-8 bytes, whose order is that of the code points.
enum UTF8Text {
    @inline(__always)
    static func equal(_ left: String, _ right: String) -> Bool {
        equal(left.utf8Span.span, right.utf8Span.span)
    }

    @inline(__always)
    static func equal(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        left.count == right.count && agree(left, 0, right)
    }

    /// Whether `text` holds `part` at byte `at`; there is room for it.
    @inline(__always)
    private static func agree(_ text: Span<UInt8>, _ at: Int, _ part: Span<UInt8>) -> Bool {
        var index = 0
        while index < part.count {
            if text[at &+ index] != part[index] { return false }
            index &+= 1
        }
        return true
    }

    static func hasPrefix(_ text: Span<UInt8>, _ part: Span<UInt8>) -> Bool {
        text.count >= part.count && agree(text, 0, part)
    }

    static func hasSuffix(_ text: Span<UInt8>, _ part: Span<UInt8>) -> Bool {
        text.count >= part.count && agree(text, text.count - part.count, part)
    }

    /// Below zero, zero or above, as `left` sorts before, with or behind `right`.
    static func compare(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
        let shared = min(left.count, right.count)
        var index = 0
        while index < shared {
            if left[index] != right[index] { return left[index] < right[index] ? -1 : 1 }
            index &+= 1
        }
        return left.count - right.count
    }

    /// Code points of `text`.
    static func count(_ text: String) -> Int {
        let bytes = text.utf8Span.span
        var count = 0
        for index in bytes.indices where bytes[index] & 0xC0 != 0x80 { count &+= 1 }
        return count
    }
}
