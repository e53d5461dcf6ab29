/// UTF-8 by the letter of RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
package enum UTF8Check {
    /// The length (2…4) of the multi-byte sequence that starts at `at`; nil when it is not well-formed.
    package static func sequence(_ text: Span<UInt8>, _ at: Int) -> Int? {
        let lead = text[at]
        let left = text.count - at
        func tail(_ offset: Int) -> Bool { text[at + offset] & 0xC0 == 0x80 }
        switch lead {
        case 0xC2...0xDF:
            return left >= 2 && tail(1) ? 2 : nil
        case 0xE0...0xEF:
            guard left >= 3, tail(1), tail(2) else { return nil }
            if lead == 0xE0, text[at + 1] < 0xA0 { return nil }
            if lead == 0xED, text[at + 1] >= 0xA0 { return nil }
            return 3
        case 0xF0...0xF4:
            guard left >= 4, tail(1), tail(2), tail(3) else { return nil }
            if lead == 0xF0, text[at + 1] < 0x90 { return nil }
            if lead == 0xF4, text[at + 1] >= 0x90 { return nil }
            return 4
        default:
            return nil
        }
    }

    /// The offset of the first byte that is not UTF-8; nil when all of it is.
    package static func firstFault(_ text: Span<UInt8>) -> Int? {
        var at = 0
        while at < text.count {
            if text[at] < 0x80 {
                at += 1
            } else {
                guard let length = sequence(text, at) else { return at }
                at += length
            }
        }
        return nil
    }
}
