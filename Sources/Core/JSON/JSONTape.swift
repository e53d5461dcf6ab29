/// The six types of JSON.
package enum JSONKind: UInt8, Sendable {
    case null, boolean, number, string, array, object

    /// The type's name in JSON Schema.
    package var name: String {
        switch self {
        case .null: "null"
        case .boolean: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

/// One value, or one key, of a parsed JSON text: 16 bytes. A container stands before its contents; a key before its value.
///
/// | kind | `flag` | `offset` | `payload` |
/// |---|---|---|---|
/// | null | - | first byte | 0 |
/// | boolean | true | first byte | 0 |
/// | number | a plain integer that fits 64 bits | first byte | flag: the Int64; else the length of its text |
/// | string, key | holds an escape | behind the quote | high half: length without quotes; low half, keys only: hash of its text |
/// | array, object | has an index of its keys | first byte | high half: number of items or members; low half: tape index behind it |
struct JSONTapeNode: Sendable {
    var kind: JSONKind
    var flag: Bool
    var offset: UInt32
    var payload: UInt64

    init(_ kind: JSONKind, flag: Bool, offset: Int, payload: UInt64) {
        self.kind = kind
        self.flag = flag
        self.offset = UInt32(truncatingIfNeeded: offset)
        self.payload = payload
    }

    /// Bytes of a string, items of an array, members of an object.
    var count: Int { Int(payload >> 32) }

    /// Tape index behind a container.
    var end: Int { Int(payload & 0xFFFF_FFFF) }

    /// Text range of a string without its quotes.
    var range: Range<Int> { Int(offset)..<(Int(offset) + count) }

    var integer: Int64 { Int64(bitPattern: payload) }
}
