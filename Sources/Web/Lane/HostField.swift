/// What a `Host` field may say: `uri-host [ ":" port ]`; also nothing.
///
/// - Source: RFC 9112, 3.2; RFC 3986, 3.2.2.
enum HostField {
    static func isValid(_ text: Span<UInt8>, _ value: Range<Int>) -> Bool {
        var at = value.lowerBound
        let end = value.upperBound
        if at < end, text[at] == UInt8(ascii: "[") {
            at += 1
            while at < end, isName(text[at]) || text[at] == UInt8(ascii: ":") { at += 1 }
            guard at < end, text[at] == UInt8(ascii: "]") else { return false }
            at += 1
        } else {
            while at < end, isName(text[at]) { at += 1 }
        }
        guard at < end else { return true }
        guard text[at] == UInt8(ascii: ":") else { return false }
        at += 1
        while at < end, (0x30...0x39).contains(text[at]) { at += 1 }
        return at == end
    }

    /// Unreserved characters, `%` and sub-delimiters.
    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x24...0x2E, 0x3B, 0x3D, 0x5F, 0x7E: true
        default: false
        }
    }
}
