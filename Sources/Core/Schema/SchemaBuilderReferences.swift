/// `$ref`, `$dynamicRef`.
extension SchemaBuilder {
    mutating func addReferences(_ source: SchemaSource, _ parts: inout SchemaParts) throws(SchemaFault) {
        if let reference = try source.text("$ref") { parts.common.append(.ref(try target(reference, "$ref", source).schema)) }
        if source.dialect.is2019 {
            guard source.node["$recursiveRef"] == nil else { throw source.malformed("$recursiveRef", "is not supported; $dynamicRef of draft 2020-12 is") }
            return
        }
        guard let reference = try source.text("$dynamicRef") else { return }
        let found = try target(reference, "$dynamicRef", source)
        guard let anchor = found.anchor else {
            parts.common.append(.ref(found.schema))
            return
        }
        let number = anchorNumbers[anchor] ?? Int32(anchorNumbers.count)
        anchorNumbers[anchor] = number
        tables.isDynamic = true
        tables.dynamicRefs.append(DynamicRefPlan(anchor: number, fallback: found.schema))
        parts.common.append(.dynamicRef(Int32(tables.dynamicRefs.count - 1)))
    }

    private mutating func target(_ reference: String, _ keyword: String, _ source: SchemaSource) throws(SchemaFault) -> (schema: Int32, anchor: String?) {
        guard let found = registry.resolve(reference, from: source.resource) else {
            let base = URIText(registry.resources[source.resource].uri)
            let target = URIText(reference).resolved(against: base)
            let absolute = target.absolute + (target.fragment.map { "#" + $0 } ?? "")
            throw .unresolved(reference: absolute, location: source.location + "/" + keyword)
        }
        let document = registry.resources[found.resource].document
        let node = JSONNode(document: registry.documents[document], index: found.node)
        guard node.kind == .object || node.kind == .boolean else {
            throw source.malformed(keyword, "must lead to a schema: an object, true or false; \(reference) leads to \(node.kind.name)")
        }
        return (try number(node, found.resource, document), found.anchor)
    }
}
