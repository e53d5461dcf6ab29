/// Why a part of an expression has no value.
package enum CELReason: Error, Equatable, Sendable {
    /// No form of the function takes these types.
    case noOverload(function: String, types: [String])
    case notBool(type: String)
    /// The type has no fields.
    case noFields(type: String)
    case noField(String)
    case noKey(String)
    case noIndex(Int64)
    case badIndex(type: String)
    case badKey(type: String)
    case repeatedKey(String)
    /// A declared variable that the activation lacks.
    case unbound(String)
    /// A name or function that nobody declared, in an expression that was not checked.
    case unknownName(String)
    case unknownFunction(String)
    case overflow
    case divideByZero
    case moduloByZero
    /// A value that cannot become another type, or would leave its range.
    case conversion(of: String, to: String)
    case range(of: String)
    case notUTF8
    case notBase64
    case negativeShift(Int64)
    case badSubstring(start: Int64, end: Int64)
    case format(String)
    case pattern(PatternFault)
    /// The environment has no regular expressions.
    case noPatterns
    case zone(String)
    /// Never absorbed by `&&` and `||`.
    case costExceeded(max: Int)

    package var detail: String {
        switch self {
        case .noOverload(let function, let types): "no such overload: \(CELOperator.shown(function)) does not take (\(types.joined(separator: ", ")))"
        case .notBool(let type): "no such overload: a bool is needed here, the value is of type \(type)"
        case .noFields(let type): "a value of type \(type) has no fields"
        case .noField(let name): "no such field: '\(name)'"
        case .noKey(let key): "no such key: \(key)"
        case .noIndex(let index): "index out of range: \(index)"
        case .badIndex(let type): "a list's index is a whole number, the value is of type \(type)"
        case .badKey(let type): "unsupported key type: \(type)"
        case .repeatedKey(let key): "repeated key: \(key)"
        case .unbound(let name): "no value was given for '\(name)'"
        case .unknownName(let name): "undeclared reference to '\(name)'"
        case .unknownFunction(let name): "unknown function '\(name)'"
        case .overflow: "the result does not fit its type"
        case .divideByZero: "divide by zero"
        case .moduloByZero: "modulus by zero"
        case .conversion(let value, let type): "\(value) cannot be converted to \(type)"
        case .range(let type): "the result is outside the range of \(type)"
        case .notUTF8: "the bytes are not UTF-8"
        case .notBase64: "the text is not base64"
        case .negativeShift(let count): "a shift by \(count) is negative"
        case .badSubstring(let start, let end): "invalid substring range: \(start) to \(end)"
        case .format(let reason): "format: \(reason)"
        case .pattern(let fault): fault.detail
        case .noPatterns: "regular expressions are not available here"
        case .zone(let name): "unknown time zone: \(name)"
        case .costExceeded(let max): "the evaluation costs more than \(max) units"
        }
    }

    /// Whether `&&`, `||` and their macros may disregard it.
    var isAbsorbed: Bool { if case .costExceeded = self { false } else { true } }

    static func noOverload(_ function: CELFunction, _ values: CELValue...) -> CELReason {
        .noOverload(function: function.rawValue, types: values.map(\.typeName))
    }

    /// A value as an error repeats it, cut where it is long.
    static func shown(_ value: CELValue) -> String {
        switch value {
        case .string(let text): "'" + shown(text) + "'"
        case .int(let number): String(number)
        case .uint(let number): String(number) + "u"
        case .bool(let flag): String(flag)
        case .double(let number): CELNumberText.shortest(number)
        default: value.typeName
        }
    }

    static func shown(_ text: String) -> String {
        text.utf8.count <= CELLimits.shownBytesMax ? text : String(decoding: text.utf8.prefix(CELLimits.shownBytesMax), as: UTF8.self) + "…"
    }
}

/// Why an evaluation gave no value, and where in the source.
package struct CELError: Error, Equatable, Sendable {
    package let reason: CELReason
    /// Byte offset in the source of the part that failed.
    package let offset: Int

    package init(reason: CELReason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var detail: String { reason.detail }
}
