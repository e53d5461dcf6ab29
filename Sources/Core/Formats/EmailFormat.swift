/// E-mail addresses.
///
/// - Source: RFC 5321, 4.1.2 (Mailbox) and 4.5.3.1; RFC 6531, 3.3 for characters beyond ASCII.
enum EmailFormat {
    private static let localBytesMax = 64

    static func accepts(_ text: Span<UInt8>, international: Bool) -> Bool {
        guard let local = localEnd(text, international), local >= 1, local <= localBytesMax, local < text.count, text[local] == UInt8(ascii: "@")
        else { return false }
        return isDomain(text, (local + 1)..<text.count, international)
    }

    /// Where the local part ends: words with dots between them, or a quoted string.
    private static func localEnd(_ text: Span<UInt8>, _ international: Bool) -> Int? {
        guard text.count > 0 else { return nil }
        return text[0] == UInt8(ascii: "\"") ? quotedEnd(text, international) : wordsEnd(text, international)
    }

    private static func quotedEnd(_ text: Span<UInt8>, _ international: Bool) -> Int? {
        var at = 1
        while at < text.count {
            switch text[at] {
            case UInt8(ascii: "\""): return at + 1
            case UInt8(ascii: "\\"):
                guard at + 1 < text.count, (0x20...0x7E).contains(text[at + 1]) else { return nil }
                at += 2
            case 0x20...0x7E: at += 1
            case 0x80...: if international { at += 1 } else { return nil }
            default: return nil
            }
        }
        return nil
    }

    private static func wordsEnd(_ text: Span<UInt8>, _ international: Bool) -> Int? {
        var at = 0
        var length = 0
        while at < text.count, text[at] != UInt8(ascii: "@") {
            switch text[at] {
            case UInt8(ascii: "."):
                guard length > 0 else { return nil }
                length = -1
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: break
            case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"),
                UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "?"), UInt8(ascii: "^"), UInt8(ascii: "_"),
                UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"), UInt8(ascii: "~"):
                break
            case 0x80...: if !international { return nil }
            default: return nil
            }
            length += 1
            at += 1
        }
        return length > 0 ? at : nil
    }

    private static func isDomain(_ text: Span<UInt8>, _ range: Range<Int>, _ international: Bool) -> Bool {
        guard !range.isEmpty else { return false }
        if text[range.lowerBound] == UInt8(ascii: "[") {
            guard range.count > 2, text[range.upperBound - 1] == UInt8(ascii: "]") else { return false }
            let inside = (range.lowerBound + 1)..<(range.upperBound - 1)
            let tag: [UInt8] = Array("ipv6:".utf8)
            let isIPv6 = inside.count > tag.count && tag.indices.allSatisfy { text[inside.lowerBound + $0] | 0x20 == tag[$0] | 0x20 }
            return isIPv6 ? AddressFormat.isIPv6(text, (inside.lowerBound + tag.count)..<inside.upperBound) : AddressFormat.isIPv4(text, inside)
        }
        return HostnameFormat.isName(text, range, international: international)
    }
}
