/// A place in a parsed JSON text: a value of one of the six types.
package struct JSONNode: Sendable {
    package let document: JSONDocument
    /// Index on the document's tape.
    let index: Int

    var node: JSONTapeNode { document.nodes[index] }

    package var kind: JSONKind { node.kind }

    /// The value's own bytes in the text.
    package var text: ArraySlice<UInt8> { document.text[textRange] }

    package var textRange: Range<Int> {
        let start = Int(node.offset)
        switch node.kind {
        case .null: return start..<(start + 4)
        case .boolean: return start..<(start + (node.flag ? 4 : 5))
        case .string: return (start - 1)..<(start + node.count + 1)
        case .number: return start..<numberEnd
        case .array, .object:
            var at = start
            // The value has passed the parser, so the scanner cannot fail on it.
            let text = document.text
            guard (try? JSONScanner.skipValue(text.span, &at, Limits.nestingMax)) != nil else { return start..<start }
            return start..<at
        }
    }

    private var numberEnd: Int {
        var at = Int(node.offset)
        guard node.flag else { return at + Int(node.payload) }
        while at < document.text.count, document.text[at] == UInt8(ascii: "-") || (0x30...0x39).contains(document.text[at]) { at += 1 }
        return at
    }

    package var isNull: Bool { kind == .null }

    /// The boolean; nil for other types.
    package var bool: Bool? { kind == .boolean ? node.flag : nil }

    /// The integer when the number is mathematically one and fits 64 bits: `1`, `1.0` and `10e-1` all give 1; nil for everything else.
    package var integer: Int64? {
        guard kind == .number else { return nil }
        return node.flag ? node.integer : number?.int64
    }

    /// The number with all its digits; nil for other types.
    package var number: JSONNumber? { kind == .number ? document.number(index) : nil }

    /// The nearest double (infinite when beyond its range); nil for other types.
    package var double: Double? {
        guard kind == .number else { return nil }
        if node.flag { return Double(node.integer) }
        return Double(String(decoding: text, as: UTF8.self))
    }

    /// The string's UTF-8, escapes resolved; nil for other types.
    package var stringBytes: [UInt8]? { kind == .string ? document.string(index) : nil }

    package var string: String? { stringBytes.map { String(decoding: $0, as: UTF8.self) } }

    /// Items of an array or members of an object; 0 for other types.
    package var count: Int { kind == .array || kind == .object ? node.count : 0 }

    /// The items of an array in order; none for other types.
    package var items: JSONItems { JSONItems(document: document, at: index + 1, end: kind == .array ? node.end : index + 1) }

    /// The members of an object in the order of the text, doubles included; none for other types.
    package var members: JSONMembers { JSONMembers(document: document, at: index + 1, end: kind == .object ? node.end : index + 1) }

    /// The value of the last member with this key; nil for other types.
    package subscript(_ key: some Collection<UInt8>) -> JSONNode? {
        guard kind == .object else { return nil }
        let bytes = Array(key)
        return document.member(index, bytes.span).map { JSONNode(document: document, index: $0) }
    }

    package subscript(_ key: String) -> JSONNode? { self[key.utf8] }

    /// The item at a position: walks from the first; nil when there is none.
    package func item(_ position: Int) -> JSONNode? {
        guard kind == .array, position >= 0, position < node.count else { return nil }
        var at = index + 1
        for _ in 0..<position { at = document.end(at) }
        return JSONNode(document: document, index: at)
    }
}

/// Items of an array, first to last.
package struct JSONItems: Sequence, IteratorProtocol, Sendable {
    let document: JSONDocument
    var at: Int
    let end: Int

    package mutating func next() -> JSONNode? {
        guard at < end else { return nil }
        defer { at = document.end(at) }
        return JSONNode(document: document, index: at)
    }
}

/// Members of an object in the order of the text: key (a string node) and value.
package struct JSONMembers: Sequence, IteratorProtocol, Sendable {
    let document: JSONDocument
    var at: Int
    let end: Int

    package mutating func next() -> (key: JSONNode, value: JSONNode)? {
        guard at < end else { return nil }
        defer { at = document.end(at + 1) }
        return (JSONNode(document: document, index: at), JSONNode(document: document, index: at + 1))
    }
}

extension JSONDocument {
    /// The string or key at a tape index, escapes resolved.
    func string(_ index: Int) -> [UInt8] {
        let text = self.text
        return nodes[index].flag ? JSONString.unescaped(text.span, nodes[index].range) : Array(text[nodes[index].range])
    }

    /// The number at a tape index.
    @inline(__always)
    func number(_ index: Int) -> JSONNumber {
        let node = nodes[index]
        if node.flag { return JSONNumber(node.integer) }
        let text = self.text
        return JSONNumber(text.span, Int(node.offset)..<(Int(node.offset) + Int(node.payload)))
    }
}
