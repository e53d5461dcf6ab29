extension CELValue {
    /// A JSON value as CEL sees it, without converting what is inside: an object is a map, an array a list; a number written without
    /// fraction and exponent is an int when it fits, any other a double.
    ///
    /// - Cost: constant, but a string or a number is read from the text.
    package init(json node: JSONNode) {
        switch node.kind {
        case .null: self = .null
        case .boolean: self = .bool(node.bool ?? false)
        case .number: self = Self.number(node)
        case .string: self = .string(node.directString)
        case .array: self = .list(.json(node))
        case .object: self = .map(.json(node))
        }
    }

    private static func number(_ node: JSONNode) -> CELValue {
        // The document keeps a plain integer that fits as such.
        if node.isPlainInteger, let value = node.integer { return .int(value) }
        return .double(node.double ?? .nan)
    }
}

extension JSONNode {
    /// Whether the number is written with digits only and fits Int64.
    var isPlainInteger: Bool { kind == .number && node.flag }

    /// Bytes of the text that are read to make a value of it: those of a string, and of a number that is not kept as such.
    var readBytes: Int {
        switch kind {
        case .string: node.count
        case .number: node.flag ? 0 : Int(node.payload)
        default: 0
        }
    }

    /// The same of all items of an array.
    var itemsReadBytes: Int { items.reduce(0) { $0 + $1.readBytes } }

    /// The string; without an escape it is read from the text in one step.
    var directString: String {
        let node = self.node
        return node.flag ? string ?? "" : String(decoding: document.text[node.range], as: UTF8.self)
    }

    func member(_ key: Span<UInt8>) -> JSONNode? {
        guard kind == .object else { return nil }
        return document.member(index, key).map { JSONNode(document: document, index: $0) }
    }

    /// The keys of an object in the order of the text, of those written twice only the last.
    ///
    /// - Cost: one look-up for each member.
    var distinctMembers: [JSONNode] {
        var out: [JSONNode] = []
        out.reserveCapacity(count)
        for (key, value) in members {
            let name = key.stringBytes ?? []
            if document.member(index, name.span) == value.index { out.append(key) }
        }
        return out
    }
}
