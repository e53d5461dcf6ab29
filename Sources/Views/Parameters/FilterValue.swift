internal import Core

/// A value that a filter compares members with.
enum FilterValue: Sendable {
    /// From a query string, where a number looks like a text: it stands for whatever it can be read as.
    case text(String)
    /// With its JSON type.
    case json(JSONNode)

    /// Is a member equal to it? An array is when one of its items is, unless whole arrays are compared.
    func equals(_ node: JSONNode) -> Bool {
        switch self {
        case .json(let value): value.equals(node)
        case .text(let text):
            switch node.kind {
            case .string: node.string == text
            case .number: FilterValue.number(text).map { $0 == node.number } ?? false
            case .boolean: text == (node.bool == true ? "true" : "false")
            case .null: text == "null"
            case .array: node.items.contains { equals($0) }
            case .object: false
            }
        }
    }

    /// How a member is ordered against it: below 0, 0, above 0; nil when they cannot be compared.
    func order(_ node: JSONNode) -> Int? {
        guard case .text(let text) = self else { return nil }
        switch node.kind {
        case .number:
            guard let value = FilterValue.number(text), let number = node.number else { return nil }
            return number < value ? -1 : value < number ? 1 : 0
        case .string:
            guard let found = node.string else { return nil }
            return found == text ? 0 : found.utf8.lexicographicallyPrecedes(text.utf8) ? -1 : 1
        default: return nil
        }
    }

    /// A text as a JSON number.
    static func number(_ text: String) -> JSONNumber? {
        guard let root = try? JSONDocument(text).root else { return nil }
        return root.number
    }
}
