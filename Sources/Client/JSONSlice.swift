internal import Core

/// A JSON value that stays as the bytes it came as, and is looked into on demand.
///
/// - Cost: a look-up walks the members before it.
package struct JSONSlice: Sendable {
    package let bytes: ArraySlice<UInt8>

    /// Nil when the text is no JSON.
    package init?(_ text: [UInt8]) {
        guard (try? JSONScanner.validate(text.span)) != nil else { return nil }
        var start = 0
        var end = text.count
        while start < end, JSONSlice.isSpace(text[start]) { start += 1 }
        while end > start, JSONSlice.isSpace(text[end - 1]) { end -= 1 }
        bytes = text[start..<end]
    }

    private init(checked bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    package var isNull: Bool { bytes.first == UInt8(ascii: "n") }
    package var isObject: Bool { bytes.first == UInt8(ascii: "{") }

    /// The value as JSON text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The text of a string; nil for other values.
    package var string: String? {
        guard bytes.first == UInt8(ascii: "\"") else { return nil }
        let copy = Array(bytes)
        return JSONText.decode(copy.span, 0..<copy.count).map { String(decoding: $0, as: UTF8.self) }
    }

    package var int: Int? { Int(text) }
    package var bool: Bool? { Bool(text) }

    /// A string without its quotes, any other value as it stands.
    package var plain: String { string ?? text }

    /// The member of an object; nil when there is none.
    package subscript(key: String) -> JSONSlice? { members.first { $0.name == key }?.value }

    /// Members in their order; empty for other values than objects.
    package var members: [(name: String, value: JSONSlice)] {
        var out: [(name: String, value: JSONSlice)] = []
        walk(UInt8(ascii: "{"), UInt8(ascii: "}")) { name, value in out.append((JSONSlice(checked: name).string ?? "", JSONSlice(checked: value))) }
        return out
    }

    /// Elements of an array; empty for other values.
    package var elements: [JSONSlice] {
        var out: [JSONSlice] = []
        walk(UInt8(ascii: "["), UInt8(ascii: "]")) { _, value in out.append(JSONSlice(checked: value)) }
        return out
    }

    private func walk(_ opening: UInt8, _ closing: UInt8, _ body: (_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Void) {
        guard bytes.first == opening else { return }
        let copy = Array(bytes)
        let text = copy.span
        var at = 1
        JSONScanner.skipSpace(text, &at)
        if at < text.count, text[at] == closing { return }
        do {
            while true {
                var name = copy[at..<at]
                if opening == UInt8(ascii: "{") {
                    let start = at
                    _ = try JSONScanner.skipString(text, &at)
                    name = copy[start..<at]
                    try JSONScanner.skipColon(text, &at)
                }
                let start = at
                try JSONScanner.skipValue(text, &at, Limits.nestingMax)
                body(name, copy[start..<at])
                if try JSONScanner.skipComma(text, &at, closing: closing) { return }
            }
        } catch {
            preconditionFailure("the text was checked when the value was made: \(error)")
        }
    }
}
