/// The entries of a CEL map: held here, or read where they lie in a JSON text.
package enum CELMap: Sendable {
    case table(CELTable)
    /// An object; of a key that is written twice, the last counts.
    case json(JSONNode)

    /// - Cost: of a JSON object as `keys`.
    package var count: Int {
        switch self {
        case .table(let table): table.count
        case .json(let node): node.distinctMembers.count
        }
    }

    /// The value under `key`; nil when the map lacks it, also when nothing of its type can be a key.
    package subscript(key: CELValue) -> CELValue? {
        switch self {
        case .table(let table): CELMapKey(key).flatMap { table[$0] }
        case .json: if case .string(let name) = key { self[name] } else { nil }
        }
    }

    @inline(__always)
    package subscript(name: String) -> CELValue? {
        switch self {
        case .table(let table): table[.string(name)]
        case .json(let node): node.member(name.utf8Span.span).map { CELValue(json: $0) }
        }
    }

    package func has(_ name: String) -> Bool {
        switch self {
        case .table(let table): table.position(.string(name)) != nil
        case .json(let node): node.member(name.utf8Span.span) != nil
        }
    }

    package var keys: [CELValue] {
        switch self {
        case .table(let table): table.keys.map(\.value)
        case .json(let node): node.distinctMembers.map { CELValue(json: $0) }
        }
    }
}
