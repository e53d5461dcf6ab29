/// IP addresses and UUIDs.
///
/// - Source: RFC 2673, 3.2 (IPv4), RFC 4291, 2.2 (IPv6), RFC 4122 (UUID).
enum AddressFormat {
    static func isIPv4(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count >= 7, range.count <= 15 else { return false }
        var at = range.lowerBound
        for part in 0..<4 {
            if part > 0 {
                guard at < range.upperBound, text[at] == UInt8(ascii: ".") else { return false }
                at += 1
            }
            let start = at
            var value = 0
            while at < range.upperBound, at - start < 3, FormatText.isDigit(text[at]) {
                value = value * 10 + Int(text[at] - 0x30)
                at += 1
            }
            guard at > start, value <= 255, at - start == 1 || text[start] != 0x30 else { return false }
        }
        return at == range.upperBound
    }

    static func isIPv6(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count >= 2, range.count <= 45 else { return false }
        var at = range.lowerBound
        var groups = 0
        var isShortened = false
        let end = range.upperBound
        if text[at] == UInt8(ascii: ":") {
            guard text[at + 1] == UInt8(ascii: ":") else { return false }
            isShortened = true
            at += 2
        }
        while at < end {
            let start = at
            while at < end, hexValue(text[at]) != nil { at += 1 }
            if at < end, text[at] == UInt8(ascii: ".") {
                guard isIPv4(text, start..<end) else { return false }
                groups += 2
                at = end
                break
            }
            guard at > start, at - start <= 4 else { return false }
            groups += 1
            guard at < end else { break }
            guard text[at] == UInt8(ascii: ":"), at + 1 < end else { return false }
            at += 1
            if text[at] == UInt8(ascii: ":") {
                guard !isShortened else { return false }
                isShortened = true
                at += 1
            }
        }
        return isShortened ? groups <= 7 : groups == 8
    }

    static func isUUID(_ text: Span<UInt8>) -> Bool {
        guard text.count == 36 else { return false }
        for index in 0..<36 {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard text[index] == UInt8(ascii: "-") else { return false }
            } else {
                guard hexValue(text[index]) != nil else { return false }
            }
        }
        return true
    }
}
