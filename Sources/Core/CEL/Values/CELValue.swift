/// A value of the Common Expression Language.
///
/// Equality of Swift (`==`) is CEL's: numbers compare across their types, `NaN` equals nothing, strings compare by code points.
/// - Source: github.com/google/cel-spec, doc/langdef.md.
package enum CELValue: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    /// Compared and counted by code points; never by Swift's canonical equivalence.
    case string(String)
    case bytes([UInt8])
    case timestamp(CELTimestamp)
    case duration(CELDuration)
    case list(CELList)
    case map(CELMap)
    /// An object of the host, whose fields are declared by its type.
    case record(any CELRecord)
    /// A type as a value, by its name (`int`, `google.protobuf.Timestamp`).
    case type(String)

    package static func list(_ elements: [CELValue]) -> CELValue { .list(.array(elements)) }

    /// The name of the value's type, as `type()` gives it.
    package var typeName: String {
        switch self {
        case .null: "null_type"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: "google.protobuf.Timestamp"
        case .duration: "google.protobuf.Duration"
        case .list: "list"
        case .map: "map"
        case .record(let record): record.type.name
        case .type: "type"
        }
    }
}

extension CELValue: Equatable {
    package static func == (left: CELValue, right: CELValue) -> Bool { CELOrder.equal(left, right) }
}
