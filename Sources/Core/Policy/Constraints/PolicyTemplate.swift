/// Text with expressions in it: `{{ message.source }} may not write here`.
package struct PolicyTemplate: Sendable {
    package enum Part: Sendable {
        case text(String)
        case expression(PolicyExpression)
    }

    package let source: String
    package let parts: [Part]

    package var expressions: [PolicyExpression] {
        parts.compactMap { part -> PolicyExpression? in
            if case .expression(let expression) = part { expression } else { nil }
        }
    }

    /// The one expression that is all of it: its value keeps its type.
    package var whole: PolicyExpression? {
        if parts.count == 1, case .expression(let expression) = parts[0] { expression } else { nil }
    }

    /// The text when there is no expression in it.
    package var literal: String? {
        if parts.isEmpty { return "" }
        if parts.count == 1, case .text(let text) = parts[0] { return text }
        return nil
    }

    /// What stands between `{{` and `}}`, and the text around it.
    ///
    /// - Returns: nil when a `{{` has no end.
    package static func split(_ source: String) -> [(text: String, isExpression: Bool)]? {
        let bytes = Array(source.utf8)
        var out: [(String, Bool)] = []
        var start = 0
        var at = 0
        func piece(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        while at < bytes.count {
            guard bytes[at] == UInt8(ascii: "{"), at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "{") else {
                at += 1
                continue
            }
            guard let end = end(bytes, at + 2) else { return nil }
            if start < at { out.append((piece(start..<at), false)) }
            out.append((piece((at + 2)..<end), true))
            at = end + 2
            start = at
        }
        if start < bytes.count { out.append((piece(start..<bytes.count), false)) }
        return out
    }

    /// Where the closing `}}` stands: braces and quotes of the expression itself are passed over.
    private static func end(_ bytes: [UInt8], _ start: Int) -> Int? {
        var depth = 0
        var quote: UInt8 = 0
        var at = start
        while at < bytes.count {
            let byte = bytes[at]
            if quote != 0 {
                if byte == UInt8(ascii: "\\") { at += 1 } else if byte == quote { quote = 0 }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            } else if byte == UInt8(ascii: "{") {
                depth += 1
            } else if byte == UInt8(ascii: "}") {
                if depth == 0 { return at + 1 < bytes.count && bytes[at + 1] == byte ? at : nil }
                depth -= 1
            }
            at += 1
        }
        return nil
    }
}
