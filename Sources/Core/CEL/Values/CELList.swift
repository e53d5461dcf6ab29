/// The elements of a CEL list: held here, or read where they lie in a JSON text.
package enum CELList: Sendable {
    case array([CELValue])
    case json(JSONNode)

    package var count: Int {
        switch self {
        case .array(let elements): elements.count
        case .json(let node): node.count
        }
    }

    /// The element at `index`; nil when there is none.
    /// - Cost: in a JSON text a walk from the first element; to visit all, take `elements`.
    package func element(_ index: Int64) -> CELValue? {
        switch self {
        case .array(let elements): index >= 0 && index < elements.count ? elements[Int(index)] : nil
        case .json(let node): Int(exactly: index).flatMap { node.item($0) }.map { CELValue(json: $0) }
        }
    }

    /// All elements in order; of a JSON array each is made, but not what is inside it.
    package var elements: [CELValue] {
        switch self {
        case .array(let elements): elements
        case .json(let node): node.items.map { CELValue(json: $0) }
        }
    }
}
