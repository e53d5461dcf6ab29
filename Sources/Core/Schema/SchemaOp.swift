/// One assertion or applicator of a compiled schema; numbers are indexes into the program's tables. 12 bytes.
enum SchemaOp: Sendable {
    case numberRange(Int32)
    case textLength(Int32)
    case pattern(Int32)
    case format(SchemaFormat)
    case array(Int32)
    case object(Int32)
    case dependentRequired(Int32)
    case dependentSchemas(Int32)
    case const(Int32)
    case enumeration(Int32)
    case ref(Int32)
    /// A reference that can lead back to this schema without a step into the instance.
    case refInCircle(Int32)
    case dynamicRef(Int32)
    case allOf(Int32)
    case anyOf(Int32)
    case oneOf(Int32)
    case not(Int32)
    case conditional(Int32)
    case unevaluatedItems(Int32)
    case unevaluatedProperties(Int32)
}

/// One schema: the types it allows, and its ops by the type of instance they look at.
struct SchemaCode: Sendable {
    enum Form: UInt8, Sendable { case always, never, onlyTypes, ops }

    var form = Form.ops
    /// Bits of `SchemaTypes`.
    var types = SchemaTypes.all
    var resource: Int32
    var document: Int32
    /// Tape index of the schema in its document.
    var node: Int32
    var numbers: Range<Int32> = 0..<0
    var strings: Range<Int32> = 0..<0
    var arrays: Range<Int32> = 0..<0
    var objects: Range<Int32> = 0..<0
    var common: Range<Int32> = 0..<0
    /// `unevaluatedItems` or `unevaluatedProperties`; they come after everything else.
    var lateArrays: Range<Int32> = 0..<0
    var lateObjects: Range<Int32> = 0..<0
}

/// A set of JSON Schema's types; `integer` is a part of `number`.
struct SchemaTypes: OptionSet, Sendable {
    let rawValue: UInt8
    static let null = SchemaTypes(rawValue: 1)
    static let boolean = SchemaTypes(rawValue: 2)
    static let number = SchemaTypes(rawValue: 4)
    static let string = SchemaTypes(rawValue: 8)
    static let array = SchemaTypes(rawValue: 16)
    static let object = SchemaTypes(rawValue: 32)
    static let integer = SchemaTypes(rawValue: 64)
    static let all = SchemaTypes(rawValue: 63)

    /// The bit of a kind: kinds are numbered in the order of the bits.
    @inline(__always)
    init(_ kind: JSONKind) { rawValue = 1 << kind.rawValue }

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init?(name: String) {
        switch name {
        case "null": self = .null
        case "boolean": self = .boolean
        case "number": self = .number
        case "string": self = .string
        case "array": self = .array
        case "object": self = .object
        case "integer": self = .integer
        default: return nil
        }
    }

    var names: [String] {
        let pairs: [(SchemaTypes, String)] = [
            (.null, "null"), (.boolean, "boolean"), (.integer, "integer"), (.number, "number"), (.string, "string"), (.array, "array"), (.object, "object"),
        ]
        return pairs.filter { contains($0.0) }.map(\.1)
    }
}
