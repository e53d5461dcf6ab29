/// One schema as it is written, with readers for its keywords' values.
struct SchemaSource {
    let node: JSONNode
    let resource: Int
    let document: Int
    let dialect: SchemaDialect
    let uri: String
    let root: Int

    /// Absolute location, for errors: a walk from the document's root.
    var location: String {
        let pointer = node.pointer.dropFirst(JSONNode(document: node.document, index: root).pointer.count)
        return uri + "#" + String(decoding: pointer, as: UTF8.self)
    }

    func malformed(_ keyword: String, _ message: String) -> SchemaFault { .malformed(location: location + "/" + keyword, message: message) }

    /// A count of things: an integer of at least 0, also written `2.0`.
    func count(_ keyword: String) throws(SchemaFault) -> Int? {
        guard let value = node[keyword] else { return nil }
        guard let number = value.number, number.isInteger, !number.isNegative else { throw malformed(keyword, "must be an integer of at least 0") }
        return number.int64.map(Int.init) ?? Int.max
    }

    func bound(_ keyword: String) throws(SchemaFault) -> NumberPlan.Bound? {
        guard let value = node[keyword] else { return nil }
        guard let number = value.number else { throw malformed(keyword, "must be a number") }
        guard number.digitCount <= Limits.schemaDigitsMax else { throw .tooLarge(what: "digits in \(keyword)", max: Limits.schemaDigitsMax) }
        return NumberPlan.Bound(value: number, integer: number.int64, node: Int32(value.index))
    }

    func bool(_ keyword: String) throws(SchemaFault) -> Bool {
        guard let value = node[keyword] else { return false }
        guard let bool = value.bool else { throw malformed(keyword, "must be true or false") }
        return bool
    }

    func text(_ keyword: String) throws(SchemaFault) -> String? {
        guard let value = node[keyword] else { return nil }
        guard let text = value.string else { throw malformed(keyword, "must be a string") }
        return text
    }

    func object(_ keyword: String) throws(SchemaFault) -> JSONNode? {
        guard let value = node[keyword] else { return nil }
        guard value.kind == .object else { throw malformed(keyword, "must be an object") }
        return value
    }

    func array(_ keyword: String) throws(SchemaFault) -> JSONNode? {
        guard let value = node[keyword] else { return nil }
        guard value.kind == .array else { throw malformed(keyword, "must be an array") }
        return value
    }

    func names(_ keyword: String, _ value: JSONNode) throws(SchemaFault) -> [[UInt8]] {
        guard value.kind == .array else { throw malformed(keyword, "must be an array of strings") }
        var names: [[UInt8]] = []
        for item in value.items {
            guard let name = item.stringBytes else { throw malformed(keyword, "must be an array of strings") }
            names.append(name)
        }
        return names
    }
}
