/// Host names.
///
/// - Source: RFC 1123, 2.1; RFC 5890 to 5893 (IDNA 2008) for labels beyond ASCII and for `xn--` labels, which must stand for valid ones.
enum HostnameFormat {
    private static let nameBytesMax = 253
    private static let labelBytesMax = 63

    static func accepts(_ text: Span<UInt8>) -> Bool {
        guard isName(text, 0..<text.count, international: false) else { return false }
        var labels: [[UInt32]] = []
        for range in self.labels(text, 0..<text.count) {
            guard let label = unicode(FormatText.scalars(text, range)) else { return false }
            labels.append(label)
        }
        return IDNALabel.isBidiValid(labels)
    }

    static func acceptsInternational(_ text: Span<UInt8>) -> Bool {
        let dots: Set<UInt32> = [0x2E, 0x3002, 0xFF0E, 0xFF61]
        var labels: [[UInt32]] = []
        var bytes = -1
        for part in FormatText.scalars(text, 0..<text.count).split(omittingEmptySubsequences: false, whereSeparator: { dots.contains($0) }) {
            // Punycode is quadratic; a label's characters are never more than its bytes.
            guard part.count <= labelBytesMax, bytes <= nameBytesMax else { return false }
            let encoded = part.allSatisfy { $0 < 0x80 } ? part.count : (Punycode.encode(Array(part))?.count).map { $0 + 4 }
            guard let encoded, encoded >= 1, encoded <= labelBytesMax, let label = unicode(Array(part)) else { return false }
            bytes += encoded + 1
            labels.append(label)
        }
        return bytes <= nameBytesMax && IDNALabel.isBidiValid(labels)
    }

    /// The characters a label stands for; nil when it is not valid. Letters of ASCII labels come in lower case.
    private static func unicode(_ label: [UInt32]) -> [UInt32]? {
        guard label.allSatisfy({ $0 < 0x80 }) else { return IDNALabel.isValid(label) ? label : nil }
        let lower = label.map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }
        guard lower.first != 0x2D, lower.last != 0x2D, lower.allSatisfy({ $0 == 0x2D || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }) else {
            return nil
        }
        guard lower.count >= 4, lower[2] == 0x2D, lower[3] == 0x2D else { return lower }
        // The form ??-- is reserved; only xn-- has a meaning.
        guard lower[0] == 0x78, lower[1] == 0x6E, let decoded = Punycode.decode(Array(label.dropFirst(4))), decoded.contains(where: { $0 >= 0x80 }),
            IDNALabel.isValid(decoded), Punycode.encode(decoded) == Array(lower.dropFirst(4))
        else { return nil }
        return decoded
    }

    /// Letters, digits and hyphens between dots; with `international` also anything beyond ASCII.
    static func isName(_ text: Span<UInt8>, _ range: Range<Int>, international: Bool) -> Bool {
        guard !range.isEmpty, range.count <= nameBytesMax else { return false }
        for label in labels(text, range) {
            guard !label.isEmpty, label.count <= labelBytesMax, text[label.lowerBound] != UInt8(ascii: "-"), text[label.upperBound - 1] != UInt8(ascii: "-")
            else { return false }
            for index in label {
                let byte = text[index]
                guard FormatText.isLetter(byte) || FormatText.isDigit(byte) || byte == UInt8(ascii: "-") || (international && byte >= 0x80) else {
                    return false
                }
            }
        }
        return true
    }

    private static func labels(_ text: Span<UInt8>, _ range: Range<Int>) -> [Range<Int>] {
        var out: [Range<Int>] = []
        var start = range.lowerBound
        for index in range where text[index] == UInt8(ascii: ".") {
            out.append(start..<index)
            start = index + 1
        }
        out.append(start..<range.upperBound)
        return out
    }
}
