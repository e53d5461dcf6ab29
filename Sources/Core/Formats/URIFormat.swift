/// URIs and IRIs, absolute or relative.
///
/// - Source: RFC 3986, appendix A; RFC 3987, 2.2.
struct URIFormat {
    let allowsUnicode: Bool
    let allowsRelative: Bool

    func accepts(_ text: Span<UInt8>) -> Bool {
        var at = 0
        let count = text.count
        while at < count, !isOneOf(text[at], ":/?#") { at += 1 }
        if at < count, text[at] == UInt8(ascii: ":") {
            guard isScheme(text, at) else { return false }
            at += 1
        } else {
            guard allowsRelative else { return false }
            at = 0
        }
        if at + 1 < count, text[at] == UInt8(ascii: "/"), text[at + 1] == UInt8(ascii: "/") {
            at += 2
            let start = at
            while at < count, !isOneOf(text[at], "/?#") { at += 1 }
            guard isAuthority(text, start..<at) else { return false }
        }
        guard skip(text, &at, "/:@", until: "?#") else { return false }
        if at < count, text[at] == UInt8(ascii: "?") {
            at += 1
            guard skip(text, &at, "/:@?", until: "#", isQuery: true) else { return false }
        }
        if at < count {
            at += 1
            guard skip(text, &at, "/:@?", until: "") else { return false }
        }
        return at == count
    }

    private func isScheme(_ text: Span<UInt8>, _ end: Int) -> Bool {
        guard end > 0, FormatText.isLetter(text[0]) else { return false }
        for index in 0..<end where !FormatText.isLetter(text[index]) && !FormatText.isDigit(text[index]) && !isOneOf(text[index], "+-.") { return false }
        return true
    }

    private func isAuthority(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var host = range.lowerBound
        if let sign = range.first(where: { text[$0] == UInt8(ascii: "@") }) {
            var at = host
            guard skip(text, &at, ":", until: "@"), at == sign else { return false }
            host = sign + 1
        }
        var at = host
        if host < range.upperBound, text[host] == UInt8(ascii: "[") {
            guard let close = (host..<range.upperBound).first(where: { text[$0] == UInt8(ascii: "]") }) else { return false }
            guard AddressFormat.isIPv6(text, (host + 1)..<close) || isFutureAddress(text, (host + 1)..<close) else { return false }
            at = close + 1
        } else {
            while at < range.upperBound, text[at] != UInt8(ascii: ":") { at += 1 }
            var end = host
            guard skip(text, &end, "", until: ":/?#"), end == at else { return false }
        }
        guard at < range.upperBound else { return true }
        guard text[at] == UInt8(ascii: ":") else { return false }
        return ((at + 1)..<range.upperBound).allSatisfy { FormatText.isDigit(text[$0]) }
    }

    private func isFutureAddress(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count >= 4, text[range.lowerBound] | 0x20 == UInt8(ascii: "v"), let dot = range.first(where: { text[$0] == UInt8(ascii: ".") }),
            dot > range.lowerBound + 1, dot + 1 < range.upperBound
        else { return false }
        for index in (range.lowerBound + 1)..<dot where hexValue(text[index]) == nil { return false }
        for index in (dot + 1)..<range.upperBound where !isPlain(text[index]) && text[index] != UInt8(ascii: ":") { return false }
        return true
    }

    /// Moves over unreserved characters, sub-delimiters, percent-encoded bytes and `extra`; false when something else comes before `until`.
    private func skip(_ text: Span<UInt8>, _ at: inout Int, _ extra: StaticString, until: StaticString, isQuery: Bool = false) -> Bool {
        while at < text.count {
            let byte = text[at]
            if isOneOf(byte, until) { return true }
            if byte == UInt8(ascii: "%") {
                guard FormatText.isPercentEncoded(text, at, text.count) else { return false }
                at += 3
            } else if byte >= 0x80 {
                guard allowsUnicode, isInternational(FormatText.scalar(text, &at), isQuery) else { return false }
            } else {
                guard isPlain(byte) || isOneOf(byte, extra) else { return false }
                at += 1
            }
        }
        return true
    }

    private func isPlain(_ byte: UInt8) -> Bool { FormatText.isLetter(byte) || FormatText.isDigit(byte) || isOneOf(byte, "-._~!$&'()*+,;=") }

    private func isInternational(_ scalar: UInt32, _ isQuery: Bool) -> Bool {
        switch scalar {
        case 0xA0...0xD7FF, 0xF900...0xFDCF, 0xFDF0...0xFFEF: true
        case 0xE000...0xF8FF, 0xF0000...0xFFFFD, 0x100000...0x10FFFD: isQuery
        case 0x10000...0xDFFFD: scalar & 0xFFFF <= 0xFFFD
        case 0xE1000...0xEFFFD: true
        default: false
        }
    }

    private func isOneOf(_ byte: UInt8, _ set: StaticString) -> Bool { set.withUTF8Buffer { $0.contains(byte) } }
}
