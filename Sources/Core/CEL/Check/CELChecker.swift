/// Finds out the type of every part of an expression, what its names mean and which functions it calls.
///
/// Goes on after a finding, so that all are told at once. When the expression is not to be checked, every type is `dyn` and what nobody
/// knows is an error at run time only.
/// - Cost: one pass over the tree, times the forms of each function.
struct CELChecker {
    let environment: CELEnvironment
    let isChecked: Bool
    var unifier = CELUnifier()
    var scope: CELScope
    var checked: CELChecked
    private(set) var findings: [CELFinding] = []

    /// - Throws: everything that is wrong.
    static func check(_ root: CELExpression, source: String, _ environment: CELEnvironment, isChecked: Bool) throws(CELFault) -> CELChecked {
        var checker = CELChecker(environment, isChecked, nodes: root.id + 1)
        _ = checker.type(of: root)
        guard checker.findings.isEmpty else { throw CELFault(source, Array(checker.findings.prefix(CELLimits.findingsMax))) }
        checker.checked.slotCount = checker.scope.slots
        for index in checker.checked.types.indices { checker.checked.types[index] = checker.unifier.resolve(checker.checked.types[index], final: true) }
        return checker.checked
    }

    private init(_ environment: CELEnvironment, _ isChecked: Bool, nodes: Int) {
        self.environment = environment
        self.isChecked = isChecked
        scope = CELScope(environment)
        // The root is made last, so its id is the highest.
        checked = CELChecked(nodes: nodes)
    }

    mutating func find(_ offset: Int, _ message: String, _ suggestion: String? = nil) {
        if isChecked { findings.append(CELFinding(offset: offset, message: message, suggestion: suggestion)) }
    }

    mutating func type(of expression: CELExpression) -> CELType {
        let found = infer(expression)
        let type: CELType = isChecked ? found : .dyn
        checked.types[expression.id] = type
        return type
    }

    private mutating func infer(_ expression: CELExpression) -> CELType {
        switch expression.kind {
        case .literal(let value): return Self.type(of: value)
        case .identifier(let name, let isRoot): return identifier(expression, name, isRoot)
        case .select(let operand, let field, let isTest): return select(expression, operand, field, isTest)
        case .call(let name, let target, let arguments): return call(expression, name, target, arguments)
        case .list(let elements):
            return .list(together(elements))
        case .map(let entries):
            let key = together(entries.map(\.key))
            for entry in entries { checkKey(entry.key) }
            return .map(key, together(entries.map(\.value)))
        case .and(let operands), .or(let operands):
            for operand in operands { expectBool(operand, "an operand of '&&' and '||'") }
            return .bool
        case .conditional(let condition, let first, let second):
            expectBool(condition, "a condition")
            let left = type(of: first)
            let right = type(of: second)
            guard unifier.fits(right, left) else {
                find(expression.offset, "the two sides of a condition have the types \(name(left)) and \(name(right))", "make them one, or wrap one in dyn()")
                return .dyn
            }
            return unifier.join(left, right)
        case .macro(let macro): return self.macro(expression, macro)
        }
    }

    private static func type(of literal: CELValue) -> CELType {
        switch literal {
        case .null: .null
        case .bool: .bool
        case .int: .int
        case .uint: .uint
        case .double: .double
        case .string: .string
        case .bytes: .bytes
        default: .dyn
        }
    }

    /// The type of elements that stand together in a list or map.
    private mutating func together(_ elements: [CELExpression]) -> CELType {
        var joined: CELType?
        for element in elements {
            let type = type(of: element)
            joined = joined.map { unifier.join($0, type) } ?? type
        }
        return joined ?? unifier.fresh()
    }

    private mutating func checkKey(_ key: CELExpression) {
        switch unifier.resolve(checked.types[key.id]) {
        case .int, .uint, .bool, .string, .dyn, .unknown: break
        case let other: find(key.offset, "a map's key is an int, uint, bool or string, not \(name(other))")
        }
    }

    mutating func expectBool(_ expression: CELExpression, _ role: String) {
        let type = type(of: expression)
        if !unifier.fits(type, .bool) { find(expression.offset, "\(role) is a bool, this is \(name(type))", "compare it with something") }
    }

    func name(_ type: CELType) -> String { unifier.resolve(type, final: true).name }

    // MARK: Names

    private mutating func identifier(_ expression: CELExpression, _ name: String, _ isRoot: Bool) -> CELType {
        guard let found = scope.find(name, isRoot: isRoot) else {
            find(expression.offset, "'\(name)' is no variable here", suggestion(forName: name))
            return .dyn
        }
        checked.meanings[expression.id] = found.meaning
        return found.type
    }

    private func suggestion(forName name: String) -> String? {
        for variable in environment.variables {
            guard case .record(let type) = variable.type, let record = environment.records[type] else { continue }
            if record.index(of: name) != nil { return "did you mean '\(variable.name).\(name)'?" }
        }
        let known = environment.variables.map(\.name) + scope.locals.map(\.name)
        if let near = CELSuggestion.near(name, known) { return near }
        if CELFunction(rawValue: name) != nil { return "'\(name)' is a function, call it with parentheses" }
        return known.isEmpty || known.count > 8 ? nil : "there are " + known.sorted().map { "'\($0)'" }.joined(separator: ", ")
    }

    private mutating func select(_ expression: CELExpression, _ operand: CELExpression, _ field: String, _ isTest: Bool) -> CELType {
        if !isTest, let (name, isRoot) = expression.qualifiedName, let found = scope.find(name, isRoot: isRoot) {
            checked.meanings[expression.id] = found.meaning
            return found.type
        }
        let operandType = unifier.resolve(type(of: operand))
        let fieldType: CELType
        switch operandType {
        case .dyn, .unknown: fieldType = .dyn
        case .map(let key, let value):
            if !unifier.fits(.string, key) { find(expression.offset, "the map's keys are \(name(key)), not string", "index it: […]") }
            fieldType = value
        case .record(let name):
            guard let record = environment.records[name], let index = record.index(of: field) else {
                let fields = environment.records[name]?.fields.map(\.name) ?? []
                let listed = fields.count <= 12 ? "it has " + fields.map { "'\($0)'" }.joined(separator: ", ") : nil
                find(expression.offset, "'\(name)' has no field '\(field)'", CELSuggestion.near(field, fields) ?? listed)
                return isTest ? .bool : .dyn
            }
            fieldType = record.fields[index].type
        default:
            find(expression.offset, "a value of type \(name(operandType)) has no fields", operandType == .null ? nil : "fields are of maps and records")
            fieldType = .dyn
        }
        return isTest ? .bool : fieldType
    }

    // MARK: Macros

    private mutating func macro(_ expression: CELExpression, _ macro: CELMacro) -> CELType {
        let range = unifier.resolve(type(of: macro.range))
        let element: CELType
        switch range {
        case .list(let type): element = type
        case .map(let key, _): element = key
        case .dyn, .unknown: element = .dyn
        default:
            find(expression.offset, "'\(macro.kind.rawValue)' goes through a list or the keys of a map, this is \(name(range))")
            element = .dyn
        }
        checked.slots[expression.id] = scope.enter(macro.variable, isChecked ? element : .dyn)
        defer { scope.leave() }
        if let predicate = macro.predicate { expectBool(predicate, "the condition of '\(macro.kind.rawValue)'") }
        let transformed = macro.transform.map { type(of: $0) }
        return switch macro.kind {
        case .all, .exists, .existsOne: .bool
        case .filter: .list(element)
        case .map: .list(transformed ?? .dyn)
        }
    }
}
