/// The schemas that references may lead to, by URI. There is no network: what is not here is unknown.
///
/// Every registry knows the meta-schemas of draft 2020-12.
package struct SchemaRegistry: Sendable {
    /// One schema resource: a document's root, or a subschema with its own `$id`.
    struct Resource: Sendable {
        let uri: String
        let document: Int
        let root: Int
        /// The `$schema` that holds here.
        let dialect: String
        var anchors: [String: Int] = [:]
        var dynamicAnchors: [String: Int] = [:]
    }

    /// In the order they were added, the meta-schemas first.
    package private(set) var documents: [JSONDocument] = []
    private(set) var resources: [Resource] = []
    private var byURI: [String: Int] = [:]
    /// For each document: the resource of every subschema, by tape index.
    private var positions: [[Int: Int]] = []

    package init() { self = Self.metaSchemas }

    private init(empty: Void) {}

    private static let metaSchemas: SchemaRegistry = {
        var registry = SchemaRegistry(empty: ())
        for text in MetaSchemas.all {
            // A constant of the program, and a test loads each of them.
            guard let document = try? JSONDocument(text), (try? registry.add(document)) != nil else {
                preconditionFailure("a meta-schema of the program does not load")
            }
        }
        return registry
    }()

    /// Makes a document known by `uri`, by its `$id`, and by those of the schemas in it.
    /// - Throws: `.duplicate` when two schemas of the document have the same URI or anchor, `.tooLarge`.
    package mutating func add(_ document: JSONDocument, uri: String = "") throws(SchemaFault) {
        _ = try load(document, uri: uri, keepEmpty: false)
    }

    /// - Returns: the resource of the document's root.
    mutating func load(_ document: JSONDocument, uri: String, keepEmpty: Bool) throws(SchemaFault) -> Int {
        guard document.text.count <= Limits.schemaBytesMax else { throw .tooLarge(what: "bytes", max: Limits.schemaBytesMax) }
        let number = documents.count
        documents.append(document)
        positions.append([:])
        let retrieval = URIText(uri)
        let id = Self.identifier(document.root)
        let base = id.map { URIText($0).resolved(against: retrieval) } ?? retrieval
        let dialect = document.root["$schema"]?.string.map { URIText($0).absolute } ?? SchemaDialect.draft2020URI
        let resource = resources.count
        resources.append(Resource(uri: base.absolute, document: number, root: 0, dialect: dialect))
        if keepEmpty || !base.absolute.isEmpty { byURI[base.absolute] = resource }
        if !uri.isEmpty { byURI[retrieval.absolute] = resource }
        try index(document.root, resource, isRoot: true)
        return resource
    }

    private static func identifier(_ schema: JSONNode) -> String? {
        guard let id = schema["$id"]?.string, !id.hasPrefix("#") else { return nil }
        return id
    }

    /// Walks the subschemas at the places where keywords have them.
    private mutating func index(_ schema: JSONNode, _ parent: Int, isRoot: Bool) throws(SchemaFault) {
        guard schema.kind == .object || schema.kind == .boolean else { return }
        var resource = parent
        let document = resources[parent].document
        if !isRoot, let id = Self.identifier(schema) {
            let uri = URIText(id).resolved(against: URIText(resources[parent].uri)).absolute
            if let other = byURI[uri], resources[other].document == document { throw .duplicate(uri: uri) }
            let dialect = schema["$schema"]?.string.map { URIText($0).absolute } ?? resources[parent].dialect
            resource = resources.count
            resources.append(Resource(uri: uri, document: document, root: schema.index, dialect: dialect))
            byURI[uri] = resource
        }
        positions[document][schema.index] = resource
        guard schema.kind == .object else { return }
        for (keyword, isDynamic) in [("$anchor", false), ("$dynamicAnchor", true)] {
            guard let name = schema[keyword]?.string else { continue }
            if let other = resources[resource].anchors[name], other != schema.index { throw .duplicate(uri: resources[resource].uri + "#" + name) }
            resources[resource].anchors[name] = schema.index
            if isDynamic { resources[resource].dynamicAnchors[name] = schema.index }
        }
        for (key, value) in schema.members {
            switch SchemaKeyword.shapes[key.string ?? ""] {
            case .schema: try index(value, resource, isRoot: false)
            case .list: for item in value.items { try index(item, resource, isRoot: false) }
            case .map: for (_, item) in value.members { try index(item, resource, isRoot: false) }
            case .schemaOrList:
                if value.kind == .array {
                    for item in value.items { try index(item, resource, isRoot: false) }
                } else {
                    try index(value, resource, isRoot: false)
                }
            case nil: continue
            }
        }
    }

    /// The resource a subschema belongs to; nil for values that stand where no keyword has a schema.
    func resource(document: Int, node: Int) -> Int? { positions[document][node] }

    func resource(uri: String) -> Int? { byURI[uri] }

    /// Where a reference from within `resource` leads: the node, the resource it belongs to, and whether it was named by a dynamic anchor.
    func resolve(_ reference: String, from resource: Int) -> (node: Int, resource: Int, anchor: String?)? {
        let target = URIText(reference).resolved(against: URIText(resources[resource].uri))
        let absolute = target.absolute
        guard let found = absolute == resources[resource].uri ? resource : byURI[absolute] else { return nil }
        guard let fragment = target.fragment, !fragment.isEmpty else { return (resources[found].root, found, nil) }
        let decoded = URIText.percentDecoded(fragment)
        guard decoded.first == UInt8(ascii: "/") else {
            let name = String(decoding: decoded, as: UTF8.self)
            guard let node = resources[found].anchors[name] else { return nil }
            return (node, found, resources[found].dynamicAnchors[name] == node ? name : nil)
        }
        guard let tokens = JSONPointer.tokens(decoded) else { return nil }
        let number = resources[found].document
        var node = JSONNode(document: documents[number], index: resources[found].root)
        var owner = found
        for token in tokens {
            guard let next = node.kind == .array ? JSONPointer.position(token).flatMap({ node.item($0) }) : node[token] else { return nil }
            node = next
            owner = positions[number][node.index] ?? owner
        }
        return (node.index, owner, nil)
    }
}
