internal import Core

/// Percent-encoding of URLs.
///
/// - Source: RFC 3986, 2.1; WHATWG URL, 5.1 for `+` in query strings.
enum PercentText {
    /// Undoes the encoding; nil when a `%` is not followed by two digits or the bytes are not UTF-8.
    ///
    /// - Parameter plusIsSpace: as in a query string.
    static func decode(_ text: some StringProtocol, plusIsSpace: Bool) -> String? {
        if !text.utf8.contains(where: { $0 == UInt8(ascii: "%") || plusIsSpace && $0 == UInt8(ascii: "+") }) { return String(text) }
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "%"):
                guard at + 2 < bytes.count, let high = hexValue(bytes[at + 1]), let low = hexValue(bytes[at + 2]) else { return nil }
                out.append(high << 4 | low)
                at += 3
                continue
            case UInt8(ascii: "+") where plusIsSpace: out.append(0x20)
            case let byte: out.append(byte)
            }
            at += 1
        }
        guard UTF8Check.firstFault(out.span) == nil else { return nil }
        return String(decoding: out, as: UTF8.self)
    }

    /// Encodes everything but unreserved characters, so that the result may stand anywhere in a URL.
    static func encode(_ text: String) -> String {
        var out: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): out.append(byte)
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
