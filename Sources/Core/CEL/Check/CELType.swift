/// The static type of an expression.
package indirect enum CELType: Hashable, Sendable {
    /// Known at run time only; fits everywhere.
    case dyn
    case null, bool, int, uint, double, string, bytes, timestamp, duration
    case list(CELType)
    case map(CELType, CELType)
    /// An object of the host, by its type's name.
    case record(String)
    /// A type as a value.
    case type
    /// A type that the checker still looks for, by number; in a function's declaration, one of its parameters.
    case unknown(Int)

    /// How it is written in findings: `list(string)`.
    package var name: String {
        switch self {
        case .dyn, .unknown: "dyn"
        case .null: "null_type"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: "timestamp"
        case .duration: "duration"
        case .list(let element): "list(\(element.name))"
        case .map(let key, let value): "map(\(key.name), \(value.name))"
        case .record(let name): name
        case .type: "type"
        }
    }

    /// The types that stand for themselves as values, by the names under which an expression may use them.
    static let named: [String: String] = Dictionary(
        uniqueKeysWithValues: [
            "int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type", "dyn",
            "google.protobuf.Timestamp", "google.protobuf.Duration",
        ].map { ($0, $0) })
}
