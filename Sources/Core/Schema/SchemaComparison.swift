/// One structural comparison of an old and a new schema.
struct SchemaComparison {
    let old: JSONDocument
    let new: JSONDocument
    private(set) var broken: [Compatibility.Finding] = []
    private(set) var unclear: [Compatibility.Finding] = []
    private var steps = Limits.compatibilityStepsMax
    private var depth = 0
    /// Pairs that are being compared: coming back to one adds nothing.
    private var open: Set<SchemaBuilder.Place> = []
    /// Whether `#/…` means the document's root everywhere, since no schema inside has an own `$id`.
    private let followsReferences: Bool

    init(old: JSONDocument, new: JSONDocument) {
        self.old = old
        self.new = new
        followsReferences = [old, new].allSatisfy { document in document.root.members.allSatisfy { !Self.hasKey($0.value, ["$id"]) } }
    }

    /// Keywords that assert nothing by themselves.
    private static let silent: Set<String> = [
        "$schema", "$id", "$comment", "$defs", "definitions", "$anchor", "$dynamicAnchor", "$vocabulary", "title", "description", "default", "deprecated",
        "readOnly",
        "writeOnly", "examples", "contentEncoding", "contentMediaType", "contentSchema",
    ]
    /// Keywords that are compared one by one.
    private static let compared: Set<String> = [
        "type", "enum", "const", "required", "properties", "additionalProperties", "items", "prefixItems", "minimum", "maximum", "exclusiveMinimum",
        "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "allOf",
        "patternProperties",
    ]

    mutating func breaks(_ pointer: String, _ reason: String) {
        if broken.count < Limits.violationsMax { broken.append(.init(pointer: pointer, reason: reason)) }
    }

    mutating func leaves(_ pointer: String, _ reason: String) {
        if unclear.count < Limits.violationsMax { unclear.append(.init(pointer: pointer, reason: reason)) }
    }

    /// Compares two schemas that apply to the same value; `pointer` is the place in the new one.
    mutating func compare(_ oldSchema: JSONNode, _ newSchema: JSONNode, _ pointer: String) {
        steps -= 1
        guard steps > 0, depth < Limits.nestingMax else { return leaves(pointer, "is beyond what is compared") }
        let pair = SchemaBuilder.Place(document: oldSchema.index, node: newSchema.index)
        guard open.insert(pair).inserted else { return }
        depth += 1
        defer {
            depth -= 1
            open.remove(pair)
        }
        guard let oldSchema = follow(oldSchema, old), let newSchema = follow(newSchema, new) else {
            return leaves(pointer, "has a reference that leads out of the schema")
        }
        if isOpen(newSchema) || oldSchema.bool == false || isWrittenAlike(oldSchema, newSchema) { return }
        if newSchema.bool == false { return breaks(pointer, "allows nothing any more") }
        compareOthers(oldSchema, newSchema, pointer)
        let known = broken.count
        compareValues(oldSchema, newSchema, pointer)
        let afterValues = broken.count
        compareBounds(oldSchema, newSchema, pointer)
        compareMembers(oldSchema, newSchema, pointer)
        compareItems(oldSchema, newSchema, pointer)
        compareAll(oldSchema, newSchema, pointer)
        // Where the old schema narrows its values in further ways, what is stricter now may not matter.
        let isNarrow = oldSchema.members.contains { Self.narrowing.contains($0.key.string ?? "") }
        let certain = isNarrow ? known : values(oldSchema) != nil ? afterValues : broken.count
        for finding in broken[certain...] { leaves(finding.pointer, finding.reason) }
        broken.removeSubrange(certain...)
    }

    /// Keywords of the old schema that make it unsure whether a difference elsewhere is ever met.
    private static let narrowing: Set<String> = [
        "$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas", "dependentRequired", "dependencies", "propertyNames", "contains",
        "unevaluatedItems", "unevaluatedProperties", "pattern", "format",
    ]

    /// Keywords that are only compatible when they are written alike.
    private mutating func compareOthers(_ oldSchema: JSONNode, _ newSchema: JSONNode, _ pointer: String) {
        for (key, now) in newSchema.members {
            let keyword = key.string ?? ""
            if Self.silent.contains(keyword) || Self.compared.contains(keyword) { continue }
            let isReference = keyword == "$ref" || keyword == "$dynamicRef"
            // What these ask for also depends on the keywords beside them.
            let isAlone = !keyword.hasPrefix("unevaluated") && (keyword != "contains" || alike(["minContains", "maxContains"], oldSchema, newSchema))
            if isAlone, !isReference, let before = oldSchema[keyword], before.equals(now), !refers(now) { continue }
            leaves(pointer + "/" + keyword, oldSchema[keyword] == nil ? "is new" : "may mean something else now")
        }
    }

    private func alike(_ keywords: [String], _ oldSchema: JSONNode, _ newSchema: JSONNode) -> Bool {
        keywords.allSatisfy { keyword in
            guard let before = oldSchema[keyword], let now = newSchema[keyword] else { return oldSchema[keyword] == nil && newSchema[keyword] == nil }
            return before.equals(now)
        }
    }

    private func isOpen(_ schema: JSONNode) -> Bool {
        schema.bool == true || (schema.kind == .object && schema.members.allSatisfy { Self.silent.contains($0.key.string ?? "") })
    }

    /// Follows a schema that is nothing but a reference within its document.
    private func follow(_ schema: JSONNode, _ document: JSONDocument) -> JSONNode? {
        var schema = schema
        for _ in 0..<Limits.nestingMax {
            guard let reference = schema["$ref"]?.string, schema.members.allSatisfy({ $0.key.string == "$ref" || Self.silent.contains($0.key.string ?? "") })
            else { return schema }
            guard followsReferences, reference == "#" || reference.hasPrefix("#/"),
                let next = document.root.at(pointer: URIText.percentDecoded(String(reference.dropFirst())))
            else { return nil }
            schema = next
        }
        return nil
    }

    /// Written alike, and without references, whose targets may differ.
    private func isWrittenAlike(_ oldSchema: JSONNode, _ newSchema: JSONNode) -> Bool {
        oldSchema.equals(newSchema) && (!refers(newSchema) || old.root.equals(new.root))
    }

    private func refers(_ node: JSONNode) -> Bool { Self.hasKey(node, ["$ref", "$dynamicRef"]) }

    /// Whether a key stands anywhere in a value.
    private static func hasKey(_ node: JSONNode, _ keys: Set<String>) -> Bool {
        node.items.contains { hasKey($0, keys) } || node.members.contains { keys.contains($0.key.string ?? "") || hasKey($0.value, keys) }
    }

    private func types(_ schema: JSONNode) -> SchemaTypes {
        guard let value = schema["type"] else { return .all }
        let names = value.kind == .array ? value.items.compactMap(\.string) : [value.string ?? ""]
        let types = names.compactMap { SchemaTypes(name: $0) }.reduce(into: SchemaTypes()) { $0.formUnion($1) }
        return types.contains(.number) ? types.subtracting(.integer) : types
    }

    /// The values a schema names one by one; nil when it does not.
    private func values(_ schema: JSONNode) -> [JSONNode]? {
        if let const = schema["const"] { return [const] }
        return schema["enum"].map { Array($0.items) }
    }

    func allows(_ types: SchemaTypes, _ value: JSONNode) -> Bool {
        types.contains(SchemaTypes(value.kind)) || (types.contains(.integer) && value.number?.isInteger == true)
    }

    private mutating func compareValues(_ oldSchema: JSONNode, _ newSchema: JSONNode, _ pointer: String) {
        let oldValues = values(oldSchema)
        let newTypes = types(newSchema)
        if let oldValues {
            for value in oldValues where !allows(newTypes, value) && allows(types(oldSchema), value) {
                breaks(pointer + "/type", "does not allow \(ViolationText.value(old, value.index)) any more")
            }
        } else {
            var lost = types(oldSchema).subtracting(newTypes)
            if newTypes.contains(.number) { lost.remove(.integer) }
            if !lost.isEmpty { breaks(pointer + "/type", "does not allow \(lost.names.joined(separator: ", ")) any more") }
        }
        guard let newValues = values(newSchema) else { return }
        let keyword = newSchema["const"] == nil ? "enum" : "const"
        guard let oldValues else { return breaks(pointer + "/" + keyword, "allows only certain values, which was not so before") }
        let known = Dictionary(grouping: newValues) { new.hash($0.index) }
        for value in oldValues where allows(types(oldSchema), value) {
            if !(known[old.hash(value.index)] ?? []).contains(where: { $0.equals(value) }) {
                breaks(pointer + "/" + keyword, "does not have \(ViolationText.value(old, value.index)) any more")
            }
        }
    }

    private mutating func compareAll(_ oldSchema: JSONNode, _ newSchema: JSONNode, _ pointer: String) {
        guard let list = newSchema["allOf"] else { return }
        let before = oldSchema["allOf"].map { Array($0.items) } ?? []
        for (position, part) in list.items.enumerated() {
            let place = pointer + "/allOf/\(position)"
            if before.contains(where: { isWrittenAlike($0, part) }) { continue }
            if position < before.count, before.count == list.count {
                compare(before[position], part, place)
            } else {
                // What the old schema said beside its own allOf still holds for the new part.
                var attempt = self
                attempt.broken = []
                attempt.unclear = []
                attempt.compare(oldSchema, part, place)
                if !(attempt.broken.isEmpty && attempt.unclear.isEmpty) { leaves(place, "is new") }
                steps = attempt.steps
            }
        }
    }
}
