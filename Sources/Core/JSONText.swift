/// Writes JSON text into bytes, and reads JSON strings back; for answers and entries, not for payloads, which are never re-encoded.
package enum JSONText {
    /// Appends `text` as a JSON string with its quotes.
    // Concrete rather than generic: other modules would get the unspecialised form, several times slower.

    package static func append(_ text: ArraySlice<UInt8>, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        var at = text.startIndex
        while true {
            let end = text.startIndex &+ ByteScan.endOfUnescaped(text.span, at &- text.startIndex)
            out.append(contentsOf: text[at..<end])
            guard end < text.endIndex else { break }
            escape(text[end], to: &out)
            at = end &+ 1
        }
        out.append(UInt8(ascii: "\""))
    }

    package static func append(_ text: [UInt8], to out: inout [UInt8]) { append(text[...], to: &out) }

    package static func append(_ text: String, to out: inout [UInt8]) {
        let span = text.utf8Span.span
        guard ByteScan.endOfUnescaped(span, 0) == span.count else { return append(Array(text.utf8)[...], to: &out) }
        out.append(UInt8(ascii: "\""))
        out.append(contentsOf: text.utf8)
        out.append(UInt8(ascii: "\""))
    }

    /// One byte that may not stand in a JSON string as it is.
    private static func escape(_ byte: UInt8, to out: inout [UInt8]) {
        out.append(0x5C)
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(byte)
        case 0x0A: out.append(0x6E)
        case 0x0D: out.append(0x72)
        case 0x09: out.append(0x74)
        default:
            out.append(contentsOf: [0x75, 0x30, 0x30, 0x30 + (byte >> 4)])
            out.append(byte & 0xF < 10 ? 0x30 + (byte & 0xF) : 0x57 + (byte & 0xF))
        }
    }

    /// Decodes the JSON string `text[range]`, quotes included, which has passed the scanner; nil for a lone surrogate or U+0000.
    package static func decode(_ text: Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
        var isText = true
        let out = JSONString.unescaped(text, (range.lowerBound + 1)..<(range.upperBound - 1), isText: &isText)
        return isText ? out : nil
    }

    /// Reads an array of strings that has passed the scanner; nil when it is anything else.
    package static func decodeStrings(_ text: Span<UInt8>) -> [[UInt8]]? {
        var at = 0
        var out: [[UInt8]] = []
        JSONScanner.skipSpace(text, &at)
        guard at < text.count, text[at] == UInt8(ascii: "[") else { return nil }
        at += 1
        JSONScanner.skipSpace(text, &at)
        if at < text.count, text[at] == UInt8(ascii: "]") { return out }
        while at < text.count, text[at] == UInt8(ascii: "\"") {
            let start = at
            guard (try? JSONScanner.skipString(text, &at)) != nil, let item = decode(text, start..<at) else { return nil }
            out.append(item)
            guard let ended = try? JSONScanner.skipComma(text, &at, closing: UInt8(ascii: "]")) else { return nil }
            if ended { return out }
        }
        return nil
    }

    /// Counts the names of a JSON array of strings that has passed the scanner, and finds those that are empty, longer than
    /// `Limits.nameBytesMax` or hold control characters; nil when it is anything else, or a string says nothing readable.
    static func plainStrings(_ text: Span<UInt8>) -> (count: Int, faulty: [Int])? {
        var at = 1
        var count = 0
        var faulty: [Int] = []
        JSONScanner.skipSpace(text, &at)
        if at < text.count, text[at] == UInt8(ascii: "]") { return (0, []) }
        while at < text.count, text[at] == UInt8(ascii: "\"") {
            let start = at
            guard let escaped = try? JSONScanner.skipString(text, &at) else { return nil }
            if escaped {
                guard let name = decode(text, start..<at) else { return nil }
                if !isName(name.span) { faulty.append(count) }
            } else if !isName(text.extracting((start + 1)..<(at - 1))) {
                faulty.append(count)
            }
            count += 1
            guard let ended = try? JSONScanner.skipComma(text, &at, closing: UInt8(ascii: "]")) else { return nil }
            if ended { return (count, faulty) }
        }
        return nil
    }

    private static func isName(_ text: Span<UInt8>) -> Bool {
        guard !text.isEmpty, text.count <= Limits.nameBytesMax else { return false }
        for index in text.indices where text[index] < 0x20 || text[index] == 0x7F { return false }
        return true
    }
}

/// Builds one JSON object, member by member.
package struct JSONObject: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {
        // Room for most, instead of growing four times.
        bytes.reserveCapacity(240)
        bytes.append(UInt8(ascii: "{"))
    }

    package mutating func add(_ key: StaticString, _ value: String) {
        self.key(key)
        JSONText.append(value, to: &bytes)
    }

    package mutating func add(_ key: StaticString, text value: ArraySlice<UInt8>) {
        self.key(key)
        JSONText.append(value, to: &bytes)
    }

    package mutating func add(_ key: StaticString, text value: [UInt8]) { add(key, text: value[...]) }

    package mutating func add(_ key: StaticString, _ value: Int) {
        self.key(key)
        DecimalDigits.append(Int64(value), to: &bytes)
    }

    package mutating func add(_ key: StaticString, numbers: InlineArray<3, Int64>) {
        self.key(key)
        for index in numbers.indices {
            bytes.append(UInt8(ascii: index == 0 ? "[" : ","))
            DecimalDigits.append(numbers[index], to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    package mutating func add(_ key: StaticString, _ value: Bool) {
        self.key(key)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// `value` is JSON already.
    package mutating func add(_ key: StaticString, raw value: some Collection<UInt8>) {
        self.key(key)
        bytes.append(contentsOf: value)
    }

    package mutating func addNull(_ key: StaticString) {
        self.key(key)
        bytes.append(contentsOf: "null".utf8)
    }

    /// The object with its closing brace.
    package consuming func finish() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private mutating func key(_ key: StaticString) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        key.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }
}
