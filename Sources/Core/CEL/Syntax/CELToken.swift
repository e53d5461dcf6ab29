/// A word of an expression.
struct CELToken: Sendable {
    enum Kind: Sendable, Equatable {
        case identifier(String)
        /// Between backquotes, only allowed as a field's name.
        case quoted(String)
        case int(UInt64)
        case uint(UInt64)
        case double(Double)
        case string(String)
        case bytes([UInt8])
        /// An operator or bracket.
        case sign(CELSign)
        case end
    }

    let kind: Kind
    /// Byte offset of its first byte, and behind its last.
    let offset: Int
    let end: Int

    /// How it is named in a finding.
    var description: String {
        switch kind {
        case .identifier(let name): "'\(name)'"
        case .quoted(let name): "'`\(name)`'"
        case .int, .uint, .double: "a number"
        case .string: "a string"
        case .bytes: "a bytes literal"
        case .sign(let sign): "'\(sign.rawValue)'"
        case .end: "the end of the expression"
        }
    }
}

enum CELSign: String, Sendable, CaseIterable {
    case equal = "=="
    case notEqual = "!="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case and = "&&"
    case or = "||"
    case less = "<"
    case greater = ">"
    case plus = "+"
    case minus = "-"
    case times = "*"
    case divide = "/"
    case modulo = "%"
    case not = "!"
    case question = "?"
    case colon = ":"
    case dot = "."
    case comma = ","
    case openParenthesis = "("
    case closeParenthesis = ")"
    case openBracket = "["
    case closeBracket = "]"
    case openBrace = "{"
    case closeBrace = "}"
}
