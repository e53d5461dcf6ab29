/// Reads an expression into a syntax tree, macros expanded.
///
/// - Cost: one pass; recursion is bounded by `CELLimits.depthMax`.
/// - Source: cel-spec langdef.md, "Syntax" and "Macros".
struct CELParser {
    private let tokens: [CELToken]
    private let limits: CELLimits
    private var at = 0
    private var nesting = 0
    private var nodes = 0

    /// - Throws: the first thing that does not fit the grammar, or the bounds.
    static func parse(_ source: String, _ limits: CELLimits) throws(CELFinding) -> CELExpression {
        guard source.utf8.count <= limits.sourceBytesMax else {
            throw CELFinding(
                offset: 0, message: "the expression has \(source.utf8.count) bytes, at most \(limits.sourceBytesMax) are allowed", suggestion: nil)
        }
        var parser = CELParser(tokens: try CELLexer.tokens(source), limits: limits)
        let expression = try parser.expression()
        guard parser.token.kind == .end else { throw parser.unexpected("an operator or the end of the expression") }
        return expression
    }

    private init(tokens: [CELToken], limits: CELLimits) {
        self.tokens = tokens
        self.limits = limits
    }

    // MARK: Tokens

    private var token: CELToken { tokens[at] }

    private func isSign(_ sign: CELSign) -> Bool { token.kind == .sign(sign) }

    private mutating func take(_ sign: CELSign) -> Bool {
        guard isSign(sign) else { return false }
        at += 1
        return true
    }

    private mutating func expect(_ sign: CELSign, _ purpose: String) throws(CELFinding) {
        guard take(sign) else { throw unexpected("'\(sign.rawValue)' \(purpose)") }
    }

    private func unexpected(_ expected: String, _ suggestion: String? = nil) -> CELFinding {
        CELFinding(offset: token.offset, message: "\(token.description) was found where \(expected) was expected", suggestion: suggestion)
    }

    // MARK: Nodes

    private mutating func make(_ offset: Int, _ kind: CELExpression.Kind, _ children: [CELExpression] = []) throws(CELFinding) -> CELExpression {
        let depth = 1 + (children.map(\.depth).max() ?? 0)
        guard depth <= limits.depthMax else { throw tooDeep(offset) }
        nodes += 1
        guard nodes <= limits.nodesMax else {
            throw CELFinding(offset: offset, message: "the expression has more than \(limits.nodesMax) parts", suggestion: "split it")
        }
        return CELExpression(id: nodes - 1, offset: offset, depth: depth, kind: kind)
    }

    private func tooDeep(_ offset: Int) -> CELFinding {
        CELFinding(
            offset: offset, message: "the expression is nested deeper than \(limits.depthMax) levels",
            suggestion: "a chain of one operator counts as well; a list with join() or a macro does the same in one level")
    }

    // MARK: Grammar

    private mutating func expression() throws(CELFinding) -> CELExpression {
        nesting += 1
        guard nesting <= limits.depthMax else { throw tooDeep(token.offset) }
        defer { nesting -= 1 }
        let condition = try binary(1)
        let offset = token.offset
        guard take(.question) else { return condition }
        let first = try binary(1)
        guard take(.colon) else {
            throw unexpected("':' of the condition", isSign(.question) ? "put the inner condition in parentheses" : nil)
        }
        let second = try expression()
        return try make(offset, .conditional(condition, first, second), [condition, first, second])
    }

    /// Operators by precedence, from `minimum` upwards; all group to the left, and a chain of `&&` or `||` becomes one node.
    private mutating func binary(_ minimum: Int) throws(CELFinding) -> CELExpression {
        var left = try unary()
        while let (sign, name, precedence) = infix, precedence >= minimum {
            let offset = token.offset
            if let sign, sign == .and || sign == .or {
                var operands = [left]
                while take(sign) { operands.append(try binary(precedence + 1)) }
                left = try make(offset, sign == .or ? .or(operands) : .and(operands), operands)
            } else {
                at += 1
                let right = try binary(precedence + 1)
                left = try make(offset, .call(name, target: nil, [left, right]), [left, right])
            }
        }
        return left
    }

    /// The operator between two operands that stands here.
    private var infix: (sign: CELSign?, name: String, precedence: Int)? {
        switch token.kind {
        case .sign(let sign): CELOperator.binary[sign].map { (sign, $0.name, $0.precedence) }
        case .identifier("in"): (nil, CELOperator.inName, CELOperator.inPrecedence)
        default: nil
        }
    }

    /// Signs in front. Two equal ones cancel each other, as in cel-go.
    private mutating func unary() throws(CELFinding) -> CELExpression {
        let offset = token.offset
        for (sign, name) in [(CELSign.not, CELOperator.not), (.minus, CELOperator.negate)] where isSign(sign) {
            var count = 0
            while isSign(sign) {
                // The last minus belongs to a number behind it, so that the smallest int can be written.
                if sign == .minus, isNumber(at + 1) { break }
                at += 1
                count += 1
            }
            let operand = try member()
            return count % 2 == 0 ? operand : try make(offset, .call(name, target: nil, [operand]), [operand])
        }
        return try member()
    }

    private func isNumber(_ index: Int) -> Bool {
        switch tokens[index].kind {
        case .int, .double: true
        default: false
        }
    }

    /// A primary with selections, calls and indexes behind it.
    private mutating func member() throws(CELFinding) -> CELExpression {
        var operand = try primary()
        while true {
            let offset = token.offset
            if take(.dot) {
                operand = try selection(of: operand)
            } else if take(.openBracket) {
                let index = try expression()
                try expect(.closeBracket, "behind the index")
                operand = try make(offset, .call(CELOperator.index, target: nil, [operand, index]), [operand, index])
            } else if isSign(.openBrace), operand.qualifiedName != nil {
                throw CELFinding(offset: offset, message: "messages cannot be built here", suggestion: "a map literal is '{\"key\": value}'")
            } else {
                return operand
            }
        }
    }

    private mutating func selection(of operand: CELExpression) throws(CELFinding) -> CELExpression {
        let offset = token.offset
        switch token.kind {
        case .identifier(let name) where !["in", "true", "false", "null"].contains(name):
            at += 1
            guard take(.openParenthesis) else { return try make(offset, .select(operand, field: name, isTest: false), [operand]) }
            let arguments = try self.arguments()
            if let macro = try macro(name, operand, arguments, offset) { return macro }
            return try make(offset, .call(name, target: operand, arguments), [operand] + arguments)
        case .quoted(let name):
            at += 1
            return try make(offset, .select(operand, field: name, isTest: false), [operand])
        default:
            throw unexpected("a field or a function behind '.'")
        }
    }

    private mutating func arguments() throws(CELFinding) -> [CELExpression] {
        var arguments: [CELExpression] = []
        if take(.closeParenthesis) { return [] }
        repeat { arguments.append(try expression()) } while take(.comma)
        guard take(.closeParenthesis) else { throw unexpected("',' or ')' of the call") }
        return arguments
    }

    private mutating func primary() throws(CELFinding) -> CELExpression {
        let start = token
        at += 1
        switch start.kind {
        case .int(let value):
            guard let value = Int64(exactly: value) else { throw outOfRange(start) }
            return try make(start.offset, .literal(.int(value)))
        case .uint(let value): return try make(start.offset, .literal(.uint(value)))
        case .double(let value): return try make(start.offset, .literal(.double(value)))
        case .string(let value): return try make(start.offset, .literal(.string(value)))
        case .bytes(let value): return try make(start.offset, .literal(.bytes(value)))
        case .identifier(let name): return try identifier(name, start.offset, isRoot: false)
        case .sign(.minus) where isNumber(at): return try negative(start)
        case .sign(.dot):
            guard case .identifier(let name) = token.kind else { throw unexpected("a name behind the leading '.'") }
            at += 1
            return try identifier(name, start.offset, isRoot: true)
        case .sign(.openParenthesis):
            let inner = try expression()
            try expect(.closeParenthesis, "behind the expression in parentheses")
            return inner
        case .sign(.openBracket): return try list(start.offset)
        case .sign(.openBrace): return try map(start.offset)
        default:
            at -= 1
            throw unexpected("a value")
        }
    }

    private func outOfRange(_ token: CELToken) -> CELFinding {
        CELFinding(offset: token.offset, message: "the number does not fit an int", suggestion: "an unsigned number ends in 'u', a double has '.0'")
    }

    /// A number behind its minus.
    private mutating func negative(_ minus: CELToken) throws(CELFinding) -> CELExpression {
        let number = token
        at += 1
        if case .double(let value) = number.kind { return try make(minus.offset, .literal(.double(-value))) }
        guard case .int(let magnitude) = number.kind, magnitude <= Int64.min.magnitude else { throw outOfRange(minus) }
        return try make(minus.offset, .literal(.int(Int64(truncatingIfNeeded: 0 &- magnitude))))
    }

    private static let reserved: Set<String> = [
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void",
        "while",
    ]

    private mutating func identifier(_ name: String, _ offset: Int, isRoot: Bool) throws(CELFinding) -> CELExpression {
        switch name {
        case "true" where !isRoot: return try make(offset, .literal(.bool(true)))
        case "false" where !isRoot: return try make(offset, .literal(.bool(false)))
        case "null" where !isRoot: return try make(offset, .literal(.null))
        case "in", "true", "false", "null":
            at -= 1
            throw unexpected("a value")
        case _ where Self.reserved.contains(name):
            throw CELFinding(offset: offset, message: "'\(name)' is a reserved word", suggestion: "it can only name a field, behind a '.'")
        default: break
        }
        guard take(.openParenthesis) else { return try make(offset, .identifier(name, isRoot: isRoot)) }
        let arguments = try self.arguments()
        if name == "has", !isRoot, arguments.count == 1 { return try has(arguments[0], offset) }
        return try make(offset, .call(isRoot ? "." + name : name, target: nil, arguments), arguments)
    }

    private mutating func list(_ offset: Int) throws(CELFinding) -> CELExpression {
        var elements: [CELExpression] = []
        while !take(.closeBracket) {
            elements.append(try expression())
            if !take(.comma), !isSign(.closeBracket) { throw unexpected("',' or ']' of the list") }
        }
        return try make(offset, .list(elements), elements)
    }

    private mutating func map(_ offset: Int) throws(CELFinding) -> CELExpression {
        var entries: [(key: CELExpression, value: CELExpression)] = []
        while !take(.closeBrace) {
            let key = try expression()
            try expect(.colon, "behind the key")
            entries.append((key, try expression()))
            if !take(.comma), !isSign(.closeBrace) { throw unexpected("',' or '}' of the map") }
        }
        return try make(offset, .map(entries), entries.flatMap { [$0.key, $0.value] })
    }

    // MARK: Macros

    private mutating func has(_ argument: CELExpression, _ offset: Int) throws(CELFinding) -> CELExpression {
        guard case .select(let operand, let field, false) = argument.kind else {
            throw CELFinding(offset: offset, message: "has() takes a field, such as has(a.b)", suggestion: "whether a map has a key is 'key in map'")
        }
        return try make(argument.offset, .select(operand, field: field, isTest: true), [operand])
    }

    /// The macro that a method call stands for; nil when it is an ordinary call.
    private mutating func macro(
        _ name: String, _ range: CELExpression, _ arguments: [CELExpression], _ offset: Int
    ) throws(CELFinding) -> CELExpression? {
        guard let kind = CELMacro.Kind(rawValue: name == "existsOne" ? "exists_one" : name),
            arguments.count == 2 || (kind == .map && arguments.count == 3)
        else { return nil }
        guard case .identifier(let variable, false) = arguments[0].kind else {
            throw CELFinding(offset: arguments[0].offset, message: "the first argument of '\(name)' must be a simple name for the element", suggestion: nil)
        }
        let macro = CELMacro(
            kind: kind, range: range, variable: variable, predicate: kind == .map && arguments.count == 2 ? nil : arguments[1],
            transform: kind == .map ? arguments.last : nil)
        return try make(offset, .macro(macro), [range] + arguments)
    }
}
