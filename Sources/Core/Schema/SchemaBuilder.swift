/// Turns schemas into the tables of a program, one after another from a list of work: no recursion, so no schema can exhaust the stack.
struct SchemaBuilder {
    struct Place: Hashable {
        let document: Int
        let node: Int
    }

    let registry: SchemaRegistry
    let patterns: any PatternCompiler
    let options: SchemaCompiler.Options
    var tables = SchemaTables()
    private var numbers: [Place: Int32] = [:]
    private var built = 0
    private var dialects: [String: SchemaDialect] = [:]
    /// Numbers of the patterns by their text.
    var patternNumbers: [String: Int32] = [:]
    var patternSize = 0
    var anchorNumbers: [String: Int32] = [:]
    private var usedResources: Set<Int> = []

    init(_ registry: SchemaRegistry, _ patterns: any PatternCompiler, _ options: SchemaCompiler.Options) {
        self.registry = registry
        self.patterns = patterns
        self.options = options
        tables.documents = registry.documents
        tables.resources = registry.resources.map { SchemaTables.Resource(uri: $0.uri, root: $0.root) }
    }

    mutating func build(uri: String) throws(SchemaFault) -> CompiledSchema {
        guard let resource = registry.resource(uri: uri) else { throw .unresolved(reference: uri, location: "the call") }
        return try build(resource: resource)
    }

    mutating func build(resource: Int) throws(SchemaFault) -> CompiledSchema {
        let found = registry.resources[resource]
        _ = try number(JSONNode(document: registry.documents[found.document], index: found.root), resource, found.document)
        repeat {
            while built < tables.schemas.count {
                try build(number: built)
                built += 1
            }
            try addDynamicAnchors()
        } while built < tables.schemas.count
        try SchemaCircles.mark(&tables)
        return CompiledSchema(tables)
    }

    /// The documents that the program came from, each with the dialect of its root.
    func documentsUsed() -> [(JSONDocument, String)] {
        let documents = Set(usedResources.map { registry.resources[$0].document })
        return registry.resources.filter { $0.root == 0 && documents.contains($0.document) && !$0.uri.hasPrefix("https://json-schema.org/draft/2020-12/") }
            .map { (registry.documents[$0.document], $0.dialect) }
    }

    /// The number of the schema at a node; a new one joins the list of work.
    mutating func number(_ node: JSONNode, _ resource: Int, _ document: Int) throws(SchemaFault) -> Int32 {
        let place = Place(document: document, node: node.index)
        if let known = numbers[place] { return known }
        guard tables.schemas.count < Limits.schemaPartsMax else { throw .tooLarge(what: "subschemas", max: Limits.schemaPartsMax) }
        let number = Int32(tables.schemas.count)
        let owner = registry.resource(document: document, node: node.index) ?? resource
        usedResources.insert(owner)
        tables.schemas.append(SchemaCode(resource: Int32(owner), document: Int32(document), node: Int32(node.index)))
        numbers[place] = number
        return number
    }

    /// Every resource that an evaluation may pass through can answer a dynamic reference.
    private mutating func addDynamicAnchors() throws(SchemaFault) {
        for (anchor, anchorNumber) in anchorNumbers.sorted(by: { $0.value < $1.value }) {
            for resource in usedResources.sorted() {
                guard let node = registry.resources[resource].dynamicAnchors[anchor],
                    !tables.resources[resource].dynamicAnchors.contains(where: { $0.anchor == anchorNumber })
                else { continue }
                let document = registry.resources[resource].document
                let schema = try number(JSONNode(document: registry.documents[document], index: node), resource, document)
                tables.resources[resource].dynamicAnchors.append((anchorNumber, schema))
            }
        }
    }

    func dialect(_ uri: String) throws(SchemaFault) -> SchemaDialect {
        if uri == SchemaDialect.draft2020URI { return .draft2020 }
        if uri == SchemaDialect.draft2019URI { return .draft2019 }
        guard let resource = registry.resource(uri: uri) else { throw .unknownDialect(uri) }
        let found = registry.resources[resource]
        return try SchemaDialect(metaSchema: JSONNode(document: registry.documents[found.document], index: found.root))
    }

    private mutating func build(number: Int) throws(SchemaFault) {
        let code = tables.schemas[number]
        let document = Int(code.document)
        let node = JSONNode(document: registry.documents[document], index: Int(code.node))
        if let bool = node.bool {
            tables.schemas[number].form = bool ? .always : .never
            return
        }
        let resource = Int(code.resource)
        let uri = registry.resources[resource].dialect
        let dialect: SchemaDialect
        if let known = dialects[uri] {
            dialect = known
        } else {
            dialect = try self.dialect(uri)
            dialects[uri] = dialect
        }
        let found = registry.resources[resource]
        let source = SchemaSource(node: node, resource: resource, document: document, dialect: dialect, uri: found.uri, root: found.root)
        guard node.kind == .object else { throw .malformed(location: source.location, message: "must be a schema: an object, true or false") }
        var parts = SchemaParts()
        try addValidation(source, &parts)
        try addReferences(source, &parts)
        try addApplicators(source, &parts)
        finish(number, parts)
    }

    private mutating func finish(_ number: Int, _ parts: SchemaParts) {
        func place(_ ops: [SchemaOp]) -> Range<Int32> {
            let start = Int32(tables.ops.count)
            tables.ops += ops
            return start..<Int32(tables.ops.count)
        }
        tables.schemas[number].types = parts.types
        tables.schemas[number].numbers = place(parts.numbers)
        tables.schemas[number].strings = place(parts.strings)
        tables.schemas[number].arrays = place(parts.arrays)
        tables.schemas[number].objects = place(parts.objects)
        tables.schemas[number].common = place(parts.common)
        tables.schemas[number].lateArrays = place(parts.lateArrays)
        tables.schemas[number].lateObjects = place(parts.lateObjects)
        if parts.isEmpty { tables.schemas[number].form = parts.types == .all ? .always : .onlyTypes }
    }
}

/// The ops of one schema while they are gathered.
struct SchemaParts {
    var types = SchemaTypes.all
    var numbers: [SchemaOp] = []
    var strings: [SchemaOp] = []
    var arrays: [SchemaOp] = []
    var objects: [SchemaOp] = []
    var common: [SchemaOp] = []
    var lateArrays: [SchemaOp] = []
    var lateObjects: [SchemaOp] = []

    var isEmpty: Bool {
        numbers.isEmpty && strings.isEmpty && arrays.isEmpty && objects.isEmpty && common.isEmpty && lateArrays.isEmpty && lateObjects.isEmpty
    }
}
