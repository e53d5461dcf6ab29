/// A node of the syntax tree.
struct CELExpression: Sendable {
    indirect enum Kind: Sendable {
        case literal(CELValue)
        /// `isRoot`: written with a leading dot, so neither a macro's variable nor a name of the container.
        case identifier(String, isRoot: Bool)
        /// `isTest`: inside `has()`.
        case select(CELExpression, field: String, isTest: Bool)
        /// Operators are calls too, under the names of `CELOperator`.
        case call(String, target: CELExpression?, [CELExpression])
        case list([CELExpression])
        case map([(key: CELExpression, value: CELExpression)])
        /// Two or more operands: a chain of `&&` is one node, so its length costs no depth.
        case and([CELExpression])
        case or([CELExpression])
        case conditional(CELExpression, CELExpression, CELExpression)
        case macro(CELMacro)
    }

    /// Distinct within an expression, from 0.
    let id: Int
    /// Byte offset of the place that a finding points to: an operator's sign, a name's first letter.
    let offset: Int
    /// Levels below, itself included.
    let depth: Int
    let kind: Kind

    /// `a.b.c` when the expression is names and dots only.
    var qualifiedName: (name: String, isRoot: Bool)? {
        switch kind {
        case .identifier(let name, let isRoot): (name, isRoot)
        case .select(let operand, let field, false): operand.qualifiedName.map { ("\($0.name).\(field)", $0.isRoot) }
        default: nil
        }
    }
}

/// `range.all(variable, predicate)` and its like.
struct CELMacro: Sendable {
    enum Kind: String, Sendable {
        case all, exists, existsOne = "exists_one", map, filter
    }

    let kind: Kind
    let range: CELExpression
    let variable: String
    /// Absent in `map(x, transform)`.
    let predicate: CELExpression?
    /// Present in `map` only.
    let transform: CELExpression?
}

/// The names under which operators are called, and how they are written.
enum CELOperator {
    static let binary: [CELSign: (name: String, precedence: Int)] = [
        .or: ("_||_", 1), .and: ("_&&_", 2), .equal: ("_==_", 3), .notEqual: ("_!=_", 3), .less: ("_<_", 3), .lessOrEqual: ("_<=_", 3),
        .greater: ("_>_", 3), .greaterOrEqual: ("_>=_", 3), .plus: ("_+_", 4), .minus: ("_-_", 4), .times: ("_*_", 5), .divide: ("_/_", 5),
        .modulo: ("_%_", 5),
    ]
    static let inPrecedence = 3
    static let inName = "@in"
    static let not = "!_"
    static let negate = "-_"
    static let index = "_[_]"

    /// How a finding names the function: `operator '+'`, `'size'`.
    static func shown(_ function: String) -> String {
        switch function {
        case inName: "operator 'in'"
        case index: "operator '[]'"
        default:
            function.utf8.contains(UInt8(ascii: "_")) && !CELLexer.isLetter(function.utf8.first { $0 != UInt8(ascii: "_") } ?? 0x61)
                ? "operator '\(function.filter { $0 != "_" })'" : "'\(function)'"
        }
    }
}
