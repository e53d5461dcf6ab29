/// Turns a checked syntax tree into code: names become indexes, constant parts become values, frequent forms get nodes of their own.
struct CELLowering {
    private let checked: CELChecked
    private let environment: CELEnvironment
    private let isChecked: Bool
    private let services: CELServices
    private var builder = CELCodeBuilder()
    private(set) var findings: [CELFinding] = []
    private(set) var reads: Set<[String]> = []

    struct Result {
        let code: CELCode
        let root: Int32
        let reads: Set<[String]>
    }

    /// - Throws: constant patterns that are none.
    static func lower(
        _ expression: CELExpression, _ checked: CELChecked, source: String, _ environment: CELEnvironment, isChecked: Bool
    ) throws(CELFault) -> Result {
        var lowering = CELLowering(checked, environment, isChecked)
        let root = lowering.lower(expression)
        guard lowering.findings.isEmpty else { throw CELFault(source, lowering.findings) }
        return Result(code: CELCode(lowering.builder, slots: checked.slotCount, services: lowering.services), root: root, reads: lowering.reads)
    }

    private init(_ checked: CELChecked, _ environment: CELEnvironment, _ isChecked: Bool) {
        self.checked = checked
        self.environment = environment
        self.isChecked = isChecked
        services = CELServices(patterns: environment.patterns, zones: environment.zones)
    }

    /// - Parameter isOperand: the operand of a selection, which has noted the whole path as read already.
    private mutating func lower(_ expression: CELExpression, isOperand: Bool = false) -> Int32 {
        if !isOperand, let path = path(expression) { reads.insert(path) }
        let offset = Int32(truncatingIfNeeded: expression.offset)
        if let meaning = checked.meanings[expression.id] { return lower(meaning, offset) }
        switch expression.kind {
        case .literal(let value): return constant(value, offset)
        case .identifier(let name, _): return builder.add(CELNode(opcode: .missingName, a: builder.add(name: name), offset: offset))
        case .select(let operand, let field, let isTest): return select(operand, field, isTest, offset)
        case .call(let name, let target, let arguments): return call(expression, name, target, arguments)
        case .list(let elements):
            let start = builder.nodes.count
            let items = elements.map { lower($0) }
            return emit(CELNode(opcode: .list, a: builder.add(operands: items), b: Int32(items.count), offset: offset), items, from: start)
        case .map(let entries):
            let start = builder.nodes.count
            let items = entries.flatMap { [lower($0.key), lower($0.value)] }
            return emit(CELNode(opcode: .map, a: builder.add(operands: items), b: Int32(entries.count), offset: offset), items, from: start)
        case .and(let operands), .or(let operands):
            let start = builder.nodes.count
            let items = operands.map { lower($0) }
            let opcode: CELOpcode = if case .and = expression.kind { .and } else { .or }
            return emit(CELNode(opcode: opcode, a: builder.add(operands: items), b: Int32(items.count), offset: offset), items, from: start)
        case .conditional(let condition, let first, let second):
            let start = builder.nodes.count
            let items = [lower(condition), lower(first), lower(second)]
            return emit(CELNode(opcode: .conditional, a: items[0], b: items[1], c: items[2], offset: offset), items, from: start)
        case .macro(let macro): return self.macro(expression, macro)
        }
    }

    // MARK: Names

    private mutating func lower(_ meaning: CELScope.Meaning, _ offset: Int32) -> Int32 {
        switch meaning {
        case .variable(let index):
            builder.add(CELNode(opcode: .variable, a: Int32(index), b: builder.add(name: environment.variables[index].name), offset: offset))
        case .local(let slot): builder.add(CELNode(opcode: .local, a: Int32(slot), offset: offset))
        case .type(let name): constant(.type(name), offset)
        }
    }

    /// `["message", "data", "amount"]` for selections that start at a variable; its name may be dotted.
    private func path(_ expression: CELExpression) -> [String]? {
        if case .variable(let index)? = checked.meanings[expression.id] { return [environment.variables[index].name] }
        guard case .select(let operand, let field, _) = expression.kind, let path = path(operand) else { return nil }
        return path + [field]
    }

    private mutating func select(_ operand: CELExpression, _ field: String, _ isTest: Bool, _ offset: Int32) -> Int32 {
        let start = builder.nodes.count
        let node = lower(operand, isOperand: true)
        if case .record(let type) = checked.types[operand.id], let index = environment.records[type]?.index(of: field) {
            if !isTest, case .variable(let variable)? = checked.meanings[operand.id] {
                builder.nodes.removeSubrange(start...)
                let name = builder.add(name: environment.variables[variable].name)
                return builder.add(CELNode(opcode: .variableField, a: Int32(variable), b: Int32(index), c: name, offset: offset))
            }
            return builder.add(CELNode(opcode: isTest ? .hasField : .field, a: node, b: Int32(index), c: builder.add(name: field), offset: offset))
        }
        return emit(CELNode(opcode: isTest ? .has : .select, a: node, b: builder.add(name: field), offset: offset), [node], from: start)
    }

    // MARK: Constants

    private mutating func constant(_ value: CELValue, _ offset: Int32) -> Int32 {
        builder.add(CELNode(opcode: .constant, a: builder.add(constant: value), offset: offset))
    }

    private func constant(_ node: Int32) -> CELValue? {
        let node = builder.nodes[Int(node)]
        return node.opcode == .constant ? builder.constants[Int(node.a)] : nil
    }

    private func text(_ node: Int32) -> String? { if case .string(let text)? = constant(node) { text } else { nil } }

    /// Adds the node; when all that it needs are constants, its value instead. What fails or costs too much is left to the evaluation.
    private mutating func emit(_ node: CELNode, _ inputs: [Int32], from start: Int) -> Int32 {
        let index = builder.add(node)
        guard inputs.allSatisfy({ constant($0) != nil }) else { return index }
        var evaluation = CELEvaluation(CELCode(builder, slots: 0, services: services), CELActivation(variables: 0), costMax: CELLimits.foldingCostMax)
        guard let value = try? evaluation.value(index) else { return index }
        builder.nodes.removeSubrange(start...)
        return constant(value, node.offset)
    }

    // MARK: Calls

    private mutating func call(_ expression: CELExpression, _ name: String, _ target: CELExpression?, _ arguments: [CELExpression]) -> Int32 {
        let offset = Int32(truncatingIfNeeded: expression.offset)
        guard let function = checked.functions[expression.id] else {
            return builder.add(CELNode(opcode: .missingFunction, a: builder.add(name: name), offset: offset))
        }
        let start = builder.nodes.count
        let all = (checked.isQualified[expression.id] ? [] : target.map { [$0] } ?? []) + arguments
        let nodes = all.map { lower($0) }
        let node = special(function, nodes, all, offset) ?? general(function, nodes, offset)
        return emit(node, nodes, from: start)
    }

    private mutating func general(_ function: CELFunction, _ nodes: [Int32], _ offset: Int32) -> CELNode {
        switch (function, nodes.count) {
        case (.size, _): CELNode(opcode: .size, function: function, a: nodes[0], offset: offset)
        case (.not, _): CELNode(opcode: .not, function: function, a: nodes[0], offset: offset)
        case (.equal, _), (.notEqual, _): CELNode(opcode: .equality, function: function, a: nodes[0], b: nodes[1], offset: offset)
        case (.less, _), (.lessOrEqual, _), (.greater, _), (.greaterOrEqual, _):
            CELNode(opcode: .ordering, function: function, a: nodes[0], b: nodes[1], offset: offset)
        case (.contained, _): CELNode(opcode: .contained, function: function, a: nodes[0], b: nodes[1], offset: offset)
        case (.index, _): CELNode(opcode: .index, function: function, a: nodes[0], b: nodes[1], offset: offset)
        case (.greatest, _), (.least, _): CELNode(opcode: .many, function: function, a: builder.add(operands: nodes), b: Int32(nodes.count), offset: offset)
        case (_, 1): CELNode(opcode: .unary, function: function, a: nodes[0], offset: offset)
        case (_, 2): CELNode(opcode: .binary, function: function, a: nodes[0], b: nodes[1], offset: offset)
        default: CELNode(opcode: .many, function: function, a: builder.add(operands: nodes), b: Int32(nodes.count), offset: offset)
        }
    }

    /// A node of its own for a frequent form with a constant; nil when it is another form.
    private mutating func special(_ function: CELFunction, _ nodes: [Int32], _ arguments: [CELExpression], _ offset: Int32) -> CELNode? {
        guard nodes.count == 2, let left = nodes.first, let right = nodes.last else { return nil }
        switch function {
        case .equal, .notEqual:
            guard let side = text(right) != nil ? left : text(left) != nil ? right : nil else { return nil }
            let other = builder.nodes[Int(side == left ? right : left)].a
            return CELNode(opcode: .equalText, function: function, a: side, b: other, c: function == .notEqual ? 1 : 0, offset: offset)
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard arguments.allSatisfy({ checked.types[$0.id] == .int }) else { return nil }
            return CELNode(opcode: .integerOrdering, function: function, a: left, b: right, offset: offset)
        case .contained:
            guard case .list(let list)? = constant(right) else { return nil }
            guard let set = CELKeySet(list.elements) else { return nil }
            builder.sets.append(set)
            return CELNode(opcode: .inSet, function: function, a: left, b: Int32(builder.sets.count - 1), c: builder.nodes[Int(right)].a, offset: offset)
        case .startsWith, .endsWith, .contains:
            guard text(right) != nil else { return nil }
            return CELNode(opcode: .textTest, function: function, a: left, b: builder.nodes[Int(right)].a, offset: offset)
        case .matches: return pattern(left, right, offset)
        case .getFullYear, .getMonth, .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getHours, .getMinutes, .getSeconds, .getMilliseconds:
            guard let name = text(right), let zone = CELZone.named(name, services.zones) else { return nil }
            builder.zones.append(zone)
            return CELNode(opcode: .zoned, function: function, a: left, b: Int32(builder.zones.count - 1), offset: offset)
        default: return nil
        }
    }

    private mutating func pattern(_ left: Int32, _ right: Int32, _ offset: Int32) -> CELNode? {
        guard let source = text(right), let compiler = services.patterns else { return nil }
        do throws(PatternFault) {
            builder.patterns.append(try compiler.compile(source))
            return CELNode(opcode: .matches, function: .matches, a: left, b: Int32(builder.patterns.count - 1), offset: offset)
        } catch {
            if isChecked { findings.append(CELFinding(offset: Int(builder.nodes[Int(right)].offset), message: error.detail, suggestion: nil)) }
            return nil
        }
    }

    private mutating func macro(_ expression: CELExpression, _ macro: CELMacro) -> Int32 {
        let range = lower(macro.range)
        let predicate = macro.predicate.map { lower($0) } ?? -1
        let transform = macro.transform.map { lower($0) } ?? -1
        let opcode: CELOpcode =
            switch macro.kind {
            case .all: .all
            case .exists: .exists
            case .existsOne: .existsOne
            case .map: .collect
            case .filter: .filter
            }
        let operands = builder.add(operands: [range, Int32(checked.slots[expression.id]), predicate, transform])
        return builder.add(CELNode(opcode: opcode, a: operands, offset: Int32(truncatingIfNeeded: expression.offset)))
    }
}

extension CELValue {
    /// Whether the value equals exactly what its map key equals; a double does not, for it may also equal a neighbour of its integer.
    var isExactKey: Bool {
        switch self {
        case .int, .uint, .bool, .string: true
        default: false
        }
    }
}
