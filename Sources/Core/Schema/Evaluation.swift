/// One walk of a compiled schema over one instance.
///
/// Schemas that apply to the same value share `track`, the marks of that value's items or members that have been evaluated; they are only
/// kept below a schema with `unevaluatedItems` or `unevaluatedProperties`.
struct Evaluation {
    let schema: CompiledSchema
    let document: JSONDocument
    /// Whether violations are collected; else the first one ends the walk.
    var collecting: Bool
    var violations: [SchemaViolation] = []
    var further = 0
    var steps = Limits.evaluationStepsMax
    var depth = 0
    /// Evaluated items or members, one frame behind another.
    var marks: [Bool] = []
    /// Where the frame of the value at hand begins; -1: nobody asks.
    var track = -1
    /// The resources entered, outermost first.
    var scope: [Int32] = []
    /// Circular references on the way, with the instance they were followed at.
    var circle: [(schema: Int32, node: Int)] = []

    init(_ schema: CompiledSchema, _ document: JSONDocument, collecting: Bool) {
        self.schema = schema
        self.document = document
        self.collecting = collecting
    }

    /// Whether the value at tape index `index` is valid under schema number `number`.
    mutating func check(_ number: Int32, _ index: Int) throws(EvaluationFault) -> Bool {
        let code = schema.tables.schemas[Int(number)]
        guard code.form != .always else { return true }
        steps -= 1
        guard steps >= 0 else { throw .steps }
        let node = document.nodes[index]
        guard code.form != .never, isAllowed(code.types, node, index) else {
            return failType(number, code, index)
        }
        guard code.form == .ops else { return true }
        depth += 1
        guard depth <= Limits.evaluationDepthMax else { throw .depth }
        let entered = schema.tables.isDynamic && scope.last != code.resource
        if entered { scope.append(code.resource) }
        let late = node.kind == .object ? code.lateObjects : node.kind == .array ? code.lateArrays : 0..<0
        let valid = late.isEmpty ? try run(number, code, node, index) : try runTracked(number, code, late, node, index)
        if entered { scope.removeLast() }
        depth -= 1
        return valid
    }

    @inline(__always)
    private func isAllowed(_ types: SchemaTypes, _ node: JSONTapeNode, _ index: Int) -> Bool {
        if types.contains(SchemaTypes(node.kind)) { return true }
        return node.kind == .number && types.contains(.integer) && (node.flag || document.number(index).isInteger)
    }

    private mutating func failType(_ number: Int32, _ code: SchemaCode, _ index: Int) -> Bool {
        if collecting {
            if code.form == .never {
                report(number, "", index) { _ in "is not allowed here" }
            } else {
                report(number, "type", index) { walk in ViolationText.type(code.types, walk.document, index) }
            }
        }
        return false
    }

    @inline(__always)
    private mutating func run(_ number: Int32, _ code: SchemaCode, _ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> Bool {
        var valid = true
        let own =
            switch node.kind {
            case .object: code.objects
            case .array: code.arrays
            case .string: code.strings
            case .number: code.numbers
            case .null, .boolean: Int32(0)..<0
            }
        for op in own where try !perform(schema.tables.ops[Int(op)], number, node, index) {
            guard collecting else { return false }
            valid = false
        }
        for op in code.common where try !perform(schema.tables.ops[Int(op)], number, node, index) {
            guard collecting else { return false }
            valid = false
        }
        return valid
    }

    /// Runs a schema with an unevaluated… keyword: opens a frame of marks, and hands the marks on when the value is valid.
    private mutating func runTracked(
        _ number: Int32, _ code: SchemaCode, _ late: Range<Int32>, _ node: JSONTapeNode, _ index: Int
    ) throws(EvaluationFault) -> Bool {
        let outer = track
        let frame = marks.count
        try spend(node.count)
        marks.append(contentsOf: repeatElement(false, count: node.count))
        track = frame
        var valid = try run(number, code, node, index)
        if valid || collecting {
            for op in late where try !perform(schema.tables.ops[Int(op)], number, node, index) { valid = false }
        }
        if outer >= 0, valid || collecting {
            for position in 0..<node.count where marks[frame + position] { marks[outer + position] = true }
        }
        marks.removeLast(node.count)
        track = outer
        return valid
    }

    private mutating func perform(_ op: SchemaOp, _ number: Int32, _ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> Bool {
        switch op {
        case .object(let plan): try checkObject(Int(plan), number, node, index)
        case .array(let plan): try checkArray(Int(plan), number, node, index)
        case .textLength(let plan): checkLength(Int(plan), number, node, index)
        case .pattern(let plan): try checkPattern(Int(plan), number, index)
        case .format(let format): try checkFormat(format, number, index)
        case .numberRange(let plan): checkNumber(Int(plan), number, node, index)
        case .const(let plan): checkConst(Int(plan), number, index)
        case .enumeration(let plan): try checkEnum(Int(plan), number, index)
        case .ref(let target): try check(target, index)
        case .refInCircle(let target): try checkCircle(target, number, index)
        case .dynamicRef(let plan): try checkDynamic(Int(plan), number, index)
        case .allOf(let list): try checkAll(Int(list), index)
        case .anyOf(let list): try checkAny(Int(list), number, node, index)
        case .oneOf(let list): try checkOne(Int(list), number, node, index)
        case .not(let target): try checkNot(target, number, node, index)
        case .conditional(let plan): try checkConditional(Int(plan), node, index)
        case .dependentRequired(let plan): checkDependentRequired(Int(plan), number, index)
        case .dependentSchemas(let plan): try checkDependentSchemas(Int(plan), index)
        case .unevaluatedItems(let target): try checkUnevaluatedItems(target, number, node, index)
        case .unevaluatedProperties(let target): try checkUnevaluatedProperties(target, number, node, index)
        }
    }

    /// Takes steps from what the evaluation may cost.
    @inline(__always)
    mutating func spend(_ count: Int) throws(EvaluationFault) {
        steps -= count
        guard steps >= 0 else { throw .steps }
    }

    /// Checks a child value: what is evaluated inside it says nothing about this one's items or members.
    @inline(__always)
    mutating func checkChild(_ number: Int32, _ index: Int) throws(EvaluationFault) -> Bool {
        let outer = track
        track = -1
        let valid = try check(number, index)
        track = outer
        return valid
    }

    /// Notes a violation; the message is only made when it will be kept.
    mutating func report(_ number: Int32, _ keyword: StaticString, _ index: Int, _ message: (Evaluation) -> String) {
        guard violations.count < Limits.violationsMax else {
            further += 1
            return
        }
        var location = schema.location(Int(number))
        var name = keyword.description
        if name.isEmpty {
            name = location.split(separator: "/").last.map(String.init) ?? "false"
        } else {
            location += "/" + name
        }
        let pointer = String(decoding: JSONNode(document: document, index: index).pointer, as: UTF8.self)
        violations.append(SchemaViolation(instance: pointer, schema: location, keyword: name, message: message(self)))
    }
}
