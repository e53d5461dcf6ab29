/// The parts of a violation's sentence.
enum ViolationText {
    private static let valueBytesMax = 80
    private static let valuesMax = 10

    static func count(_ count: Int, _ one: String, _ many: String? = nil) -> String { "\(count) \(count == 1 ? one : many ?? one + "s")" }

    static func quoted(_ text: [UInt8]) -> String {
        var out: [UInt8] = []
        JSONText.append(text, to: &out)
        return shortened(String(decoding: out, as: UTF8.self))
    }

    /// At most ten of them.
    static func list(_ items: [String]) -> String {
        guard items.count > valuesMax else { return items.joined(separator: ", ") }
        return items.prefix(valuesMax).joined(separator: ", ") + " and \(items.count - valuesMax) more"
    }

    static func value(_ document: JSONDocument, _ index: Int) -> String {
        let node = JSONNode(document: document, index: index)
        return shortened(String(decoding: node.kind == .number ? Array(node.text) : node.canonical, as: UTF8.self))
    }

    private static func shortened(_ text: String) -> String {
        text.utf8.count <= valueBytesMax ? text : String(text.prefix(valueBytesMax / 2)) + "…"
    }

    static func values(_ walk: Evaluation, _ plan: Int) -> String {
        let plan = walk.schema.tables.enums[plan]
        let document = walk.schema.tables.documents[Int(plan.document)]
        return list(JSONNode(document: document, index: Int(plan.node)).items.prefix(1_000).map { value(document, $0.index) })
    }

    static func type(_ types: SchemaTypes, _ document: JSONDocument, _ index: Int) -> String {
        let names = types.names
        let kind = document.nodes[index].kind
        let found = kind == .number ? (names.contains("integer") ? "a number with a fraction" : "a number") : withArticle(kind.name)
        return "must be \(names.map(withArticle).joined(separator: " or ")), is \(found)"
    }

    private static func withArticle(_ name: String) -> String {
        switch name {
        case "null": name
        case "integer", "array", "object": "an " + name
        default: "a " + name
        }
    }

    /// What the branches ask for when they differ by type alone or by one value.
    static func alternatives(_ walk: Evaluation, _ list: Int) -> String {
        let tables = walk.schema.tables
        var types: [String] = []
        for target in tables.lists[list] {
            let code = tables.schemas[Int(target)]
            guard code.form == .onlyTypes else { return "" }
            types += code.types.names
        }
        return types.isEmpty ? "" : ": " + types.joined(separator: ", ")
    }
}
