/// One evaluation: walks the code, keeps the macros' variables and counts the cost.
///
/// Conditions are evaluated as Bool and comparisons of ints as Int64, so that most of a rule makes no `CELValue`.
struct CELEvaluation {
    let code: CELCode
    let activation: CELActivation
    var meter: CELMeter
    private var locals: [CELValue]
    /// The node that failed, once one has.
    private(set) var at: Int32 = 0

    init(_ code: CELCode, _ activation: CELActivation, costMax: Int) {
        self.code = code
        self.activation = activation
        meter = CELMeter(costMax)
        locals = code.slots == 0 ? [] : Array(repeating: .null, count: code.slots)
    }

    // MARK: Values

    mutating func value(_ index: Int32) throws(CELReason) -> CELValue {
        let node = code.nodes[Int(index)]
        switch node.opcode {
        case .constant:
            try meter.charge(1)
            return code.constants[Int(node.a)]
        case .variable: return try variable(node, index)
        case .local:
            try meter.charge(1)
            return locals[Int(node.a)]
        case .variableField: return try variableField(node, index)
        case .field: return try field(node, index)
        case .select: return try select(node, index)
        case .index: return try indexed(node, index)
        case .list: return try list(node)
        case .map: return try map(node, index)
        case .conditional:
            try meter.charge(1)
            return try value(bool(node.a) ? node.b : node.c)
        case .size: return .int(try size(node, index))
        case .unary: return try unary(node, index)
        case .binary: return try binary(node, index)
        case .many: return try many(node, index)
        case .zoned: return try zoned(node, index)
        case .collect, .filter: return .list(try collect(node))
        case .missingName: throw fail(index, .unknownName(code.names[Int(node.a)]))
        case .missingFunction: throw fail(index, .unknownFunction(code.names[Int(node.a)]))
        default: return .bool(try bool(index))
        }
    }

    /// Remembers where, and gives the reason back to be thrown.
    @inline(never)
    mutating func fail(_ index: Int32, _ reason: CELReason) -> CELReason {
        at = index
        return reason
    }

    private mutating func variable(_ node: CELNode, _ index: Int32) throws(CELReason) -> CELValue {
        try meter.charge(1)
        guard let value = activation.value(Int(node.a)) else { throw fail(index, .unbound(code.names[Int(node.b)])) }
        return value
    }

    private mutating func variableField(_ node: CELNode, _ index: Int32) throws(CELReason) -> CELValue {
        try meter.charge(2)
        switch activation.value(Int(node.a)) {
        case .record(let record)?:
            guard let value = record.field(Int(node.b)) else { throw fail(index, .noField(record.type.fields[Int(node.b)].name)) }
            return value
        case let other?: throw fail(index, .noFields(type: other.typeName))
        case nil: throw fail(index, .unbound(code.names[Int(node.c)]))
        }
    }

    private mutating func field(_ node: CELNode, _ index: Int32) throws(CELReason) -> CELValue {
        guard case .record(let record) = try value(node.a) else { throw fail(index, .noField(code.names[Int(node.c)])) }
        try meter.charge(1)
        guard let value = record.field(Int(node.b)) else { throw fail(index, .noField(code.names[Int(node.c)])) }
        return value
    }

    private mutating func select(_ node: CELNode, _ index: Int32) throws(CELReason) -> CELValue {
        let from = code.nodes[Int(node.a)]
        let isMemberOfField = from.opcode == .variableField
        if isMemberOfField, let memo = activation.memo, let member = memo.member(code.names[Int(node.b)], of: from.b, from.a) {
            // What the steps that it saves cost.
            try meter.charge(3)
            try meter.charge(bytes: member.readBytes)
            return member.value
        }
        let operand = try value(node.a)
        try meter.charge(1)
        switch operand {
        case .map(let map):
            let name = code.names[Int(node.b)]
            guard let value = try member(map, name) else { throw fail(index, .noKey("'" + CELReason.shown(name) + "'")) }
            if isMemberOfField, let memo = activation.memo, case .json(let object) = map, let bytes = object.member(name.utf8Span.span)?.readBytes {
                memo.keep(CELMemo.Member(variable: from.a, field: from.b, name: name, value: value, readBytes: bytes))
            }
            return value
        case .record(let record):
            let name = code.names[Int(node.b)]
            guard let field = record.type.index(of: name), let value = record.field(field) else { throw fail(index, .noField(CELReason.shown(name))) }
            return value
        default: throw fail(index, .noFields(type: operand.typeName))
        }
    }

    /// What a string or a number of a JSON text costs does not depend on whether it has been read before: the same rules cost the same.
    private mutating func member(_ map: CELMap, _ name: String) throws(CELReason) -> CELValue? {
        guard case .json(let object) = map else { return map[name] }
        guard let found = object.member(name.utf8Span.span) else { return nil }
        try meter.charge(bytes: found.readBytes)
        return activation.value(of: found)
    }

    private mutating func indexed(_ node: CELNode, _ index: Int32) throws(CELReason) -> CELValue {
        let operand = try value(node.a)
        let key = try value(node.b)
        try meter.charge(1)
        at = index
        switch operand {
        case .list(let list):
            guard let position = Self.whole(key) else { throw .badIndex(type: key.typeName) }
            if case .json(let array) = list {
                try meter.charge(list.count)
                try meter.charge(bytes: Int(exactly: position).flatMap { array.item($0) }?.readBytes ?? 0)
            }
            guard let element = list.element(position) else { throw .noIndex(position) }
            return element
        case .map(let map):
            try meter.charge(CELMeter.weight(key))
            let found: CELValue?
            if case .json = map { if case .string(let name) = key { found = try member(map, name) } else { found = nil } } else { found = map[key] }
            guard let value = found else { throw .noKey(CELReason.shown(key)) }
            return value
        default: throw .noOverload(.index, operand, key)
        }
    }

    /// A whole number of any numeric type.
    private static func whole(_ value: CELValue) -> Int64? {
        switch value {
        case .int(let number): number
        case .uint(let number): Int64(exactly: number) ?? Int64.max
        case .double(let number): Int64(exactly: number)
        default: nil
        }
    }

    private mutating func list(_ node: CELNode) throws(CELReason) -> CELValue {
        var elements: [CELValue] = []
        elements.reserveCapacity(Int(node.b))
        for operand in node.a..<(node.a + node.b) { elements.append(try value(code.operands[Int(operand)])) }
        try meter.charge(1 + elements.count)
        return .list(elements)
    }

    private mutating func map(_ node: CELNode, _ index: Int32) throws(CELReason) -> CELValue {
        var keys: [CELMapKey] = []
        var values: [CELValue] = []
        for pair in 0..<node.b {
            let key = try value(code.operands[Int(node.a + 2 * pair)])
            guard key.isExactKey, let exact = CELMapKey(key) else { throw fail(index, .badKey(type: key.typeName)) }
            keys.append(exact)
            values.append(try value(code.operands[Int(node.a + 2 * pair + 1)]))
        }
        try meter.charge(1 + 2 * keys.count)
        guard let table = CELTable(keys: keys, values: values) else { throw fail(index, .repeatedKey("in a map of \(keys.count)")) }
        return .map(.table(table))
    }

    // MARK: Functions

    mutating func int(_ index: Int32) throws(CELReason) -> Int64 {
        let node = code.nodes[Int(index)]
        if node.opcode == .size { return try size(node, index) }
        if case .int(let number) = try value(index) { return number }
        throw fail(index, .noOverload(function: CELFunction.int.rawValue, types: ["dyn"]))
    }

    private mutating func size(_ node: CELNode, _ index: Int32) throws(CELReason) -> Int64 {
        let operand = try value(node.a)
        try meter.charge(1)
        switch operand {
        case .list(let list): return Int64(list.count)
        case .string(let text):
            try meter.charge(bytes: text.utf8.count)
            return Int64(UTF8Text.count(text))
        case .bytes(let bytes): return Int64(bytes.count)
        case .map(let map):
            if case .json(let node) = map { try meter.charge(node.weight) }
            return Int64(map.count)
        default: throw fail(index, .noOverload(.size, operand))
        }
    }

    private mutating func unary(_ node: CELNode, _ index: Int32) throws(CELReason) -> CELValue {
        let operand = try value(node.a)
        try meter.charge(1)
        at = index
        return try CELLibrary.call(node.function, operand, &meter)
    }

    private mutating func binary(_ node: CELNode, _ index: Int32) throws(CELReason) -> CELValue {
        let left = try value(node.a)
        let right = try value(node.b)
        try meter.charge(1)
        at = index
        return try CELLibrary.call(node.function, left, right, &meter, code.services)
    }

    private mutating func many(_ node: CELNode, _ index: Int32) throws(CELReason) -> CELValue {
        var arguments: [CELValue] = []
        for operand in node.a..<(node.a + node.b) { arguments.append(try value(code.operands[Int(operand)])) }
        try meter.charge(1 + arguments.count)
        at = index
        return try CELLibrary.call(node.function, arguments, &meter)
    }

    private mutating func zoned(_ node: CELNode, _ index: Int32) throws(CELReason) -> CELValue {
        let operand = try value(node.a)
        try meter.charge(1)
        guard case .timestamp(let time) = operand else { throw fail(index, .noOverload(node.function, operand)) }
        return .int(CELTimes.part(node.function, time, code.zones[Int(node.b)]))
    }

    // MARK: Macros

    /// Making the elements of a JSON array reads each of them.
    mutating func chargeElements(_ list: CELList) throws(CELReason) {
        guard case .json(let array) = list else { return }
        try meter.charge(array.count)
        try meter.charge(bytes: array.itemsReadBytes)
    }

    /// The elements that a macro goes through.
    private mutating func range(_ operand: Int32) throws(CELReason) -> [CELValue] {
        let index = code.operands[Int(operand)]
        let range = try value(index)
        switch range {
        case .list(let list):
            try chargeElements(list)
            return list.elements
        case .map(let map):
            if case .json(let node) = map { try meter.charge(node.weight) } else { try meter.charge(map.count) }
            return map.keys
        default: throw fail(index, .noOverload(function: "a macro", types: [range.typeName]))
        }
    }

    /// Evaluates the macro's condition with each element until it is `end`: `all` ends at false, `exists` at true.
    ///
    /// An error counts only when nothing else decides.
    mutating func search(_ node: CELNode, until end: Bool) throws(CELReason) -> Bool {
        let elements = try range(node.a)
        let slot = Int(code.operands[Int(node.a) + 1])
        let predicate = code.operands[Int(node.a) + 2]
        var failure: CELReason?
        var failedAt: Int32 = 0
        for element in elements {
            try meter.charge(1)
            locals[slot] = element
            do throws(CELReason) {
                if try bool(predicate) == end { return end }
            } catch {
                guard error.isAbsorbed else { throw error }
                if failure == nil { (failure, failedAt) = (error, at) }
            }
        }
        if let failure { throw fail(failedAt, failure) }
        return !end
    }

    mutating func existsOne(_ node: CELNode) throws(CELReason) -> Bool {
        let elements = try range(node.a)
        let slot = Int(code.operands[Int(node.a) + 1])
        let predicate = code.operands[Int(node.a) + 2]
        var found = 0
        for element in elements {
            try meter.charge(1)
            locals[slot] = element
            if try bool(predicate) { found += 1 }
        }
        return found == 1
    }

    /// `map` and `filter`.
    private mutating func collect(_ node: CELNode) throws(CELReason) -> [CELValue] {
        let elements = try range(node.a)
        let slot = Int(code.operands[Int(node.a) + 1])
        let predicate = code.operands[Int(node.a) + 2]
        let transform = code.operands[Int(node.a) + 3]
        var out: [CELValue] = []
        for element in elements {
            try meter.charge(2)
            locals[slot] = element
            if predicate >= 0, try !bool(predicate) { continue }
            out.append(transform >= 0 ? try value(transform) : element)
        }
        return out
    }
}
