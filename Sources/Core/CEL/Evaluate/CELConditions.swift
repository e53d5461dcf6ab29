/// Evaluation of what is true or false.
extension CELEvaluation {
    mutating func bool(_ index: Int32) throws(CELReason) -> Bool {
        let node = code.nodes[Int(index)]
        switch node.opcode {
        case .and: return try chain(node, until: false)
        case .or: return try chain(node, until: true)
        case .not:
            try meter.charge(1)
            return try !bool(node.a)
        case .conditional:
            try meter.charge(1)
            return try bool(bool(node.a) ? node.b : node.c)
        case .equality: return try equality(node)
        case .ordering: return try ordering(node, index)
        case .integerOrdering:
            let left = try int(node.a)
            let right = try int(node.b)
            try meter.charge(1)
            return Self.holds(node.function, left < right ? -1 : left > right ? 1 : 0)
        case .equalText: return try equalText(node)
        case .inSet: return try inSet(node)
        case .contained: return try contained(node, index)
        case .textTest: return try textTest(node, index)
        case .matches: return try matches(node, index)
        case .has: return try has(node, index)
        case .hasField:
            guard case .record(let record) = try value(node.a) else { return false }
            try meter.charge(1)
            return record.field(Int(node.b)) != nil
        case .all: return try search(node, until: false)
        case .exists: return try search(node, until: true)
        case .existsOne: return try existsOne(node)
        default: return try other(index)
        }
    }

    /// A value that happens to be a bool.
    private mutating func other(_ index: Int32) throws(CELReason) -> Bool {
        let value = try value(index)
        if case .bool(let flag) = value { return flag }
        throw fail(index, .notBool(type: value.typeName))
    }

    /// Operands from the left until one is `end`; an error counts only when no later operand decides.
    private mutating func chain(_ node: CELNode, until end: Bool) throws(CELReason) -> Bool {
        var failure: CELReason?
        var failedAt: Int32 = 0
        try meter.charge(1)
        for operand in node.a..<(node.a &+ node.b) {
            do throws(CELReason) {
                if try bool(code.operands[Int(operand)]) == end { return end }
            } catch {
                guard error.isAbsorbed else { throw error }
                if failure == nil { (failure, failedAt) = (error, at) }
            }
        }
        if let failure { throw fail(failedAt, failure) }
        return !end
    }

    // MARK: Comparisons

    @inline(__always)
    private static func holds(_ function: CELFunction, _ order: Int) -> Bool {
        switch function {
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        default: order >= 0
        }
    }

    private mutating func equality(_ node: CELNode) throws(CELReason) -> Bool {
        let left = try value(node.a)
        let right = try value(node.b)
        try meter.charge(1 + CELMeter.comparison(left, right))
        return CELOrder.equal(left, right) == (node.function == .equal)
    }

    private mutating func ordering(_ node: CELNode, _ index: Int32) throws(CELReason) -> Bool {
        let left = try value(node.a)
        let right = try value(node.b)
        try meter.charge(1 + min(CELMeter.weight(left), CELMeter.weight(right)))
        var isUnordered = false
        guard let order = CELOrder.compare(left, right, isUnordered: &isUnordered) else {
            // NaN is neither less nor greater than anything (IEEE 754).
            if isUnordered { return false }
            throw fail(index, .noOverload(node.function, left, right))
        }
        return Self.holds(node.function, order)
    }

    private mutating func equalText(_ node: CELNode) throws(CELReason) -> Bool {
        let left = try value(node.a)
        try meter.charge(1)
        guard case .string(let left) = left, case .string(let right) = code.constants[Int(node.b)] else { return node.c == 1 }
        try meter.charge(bytes: min(left.utf8.count, right.utf8.count))
        return UTF8Text.equal(left, right) == (node.c == 0)
    }

    // MARK: Membership

    private mutating func inSet(_ node: CELNode) throws(CELReason) -> Bool {
        let element = try value(node.a)
        try meter.charge(1 + CELMeter.weight(element))
        if case .double = element, case .list(let list) = code.constants[Int(node.c)] {
            try meter.charge(list.count)
            return list.elements.contains { CELOrder.equal($0, element) }
        }
        return code.sets[Int(node.b)].contains(element)
    }

    private mutating func contained(_ node: CELNode, _ index: Int32) throws(CELReason) -> Bool {
        let element = try value(node.a)
        let container = try value(node.b)
        let weight = CELMeter.weight(element)
        try meter.charge(1 + weight)
        switch container {
        case .list(let list):
            try meter.charge(list.count, times: 1 + weight)
            try chargeElements(list)
            // What is inside the elements is compared with what is inside the element, as far as it goes.
            if weight > 0, case .json(let array) = list { try meter.charge(array.weight) }
            return list.elements.contains { CELOrder.equal($0, element) }
        case .map(.json(let object)): if case .string(let name) = element { return object.member(name.utf8Span.span) != nil } else { return false }
        case .map(.table(let table)): return CELMapKey(element).flatMap { table.position($0) } != nil
        default: throw fail(index, .noOverload(.contained, element, container))
        }
    }

    private mutating func has(_ node: CELNode, _ index: Int32) throws(CELReason) -> Bool {
        let operand = try value(node.a)
        try meter.charge(1)
        switch operand {
        case .map(let map): return map.has(code.names[Int(node.b)])
        case .record(let record): return record.type.index(of: code.names[Int(node.b)]).map { record.field($0) != nil } ?? false
        default: throw fail(index, .noFields(type: operand.typeName))
        }
    }

    // MARK: Text

    private mutating func textTest(_ node: CELNode, _ index: Int32) throws(CELReason) -> Bool {
        let operand = try value(node.a)
        try meter.charge(1)
        guard case .string(let text) = operand, case .string(let part) = code.constants[Int(node.b)] else {
            throw fail(index, .noOverload(node.function, operand, code.constants[Int(node.b)]))
        }
        return try CELText.test(node.function, text, part, &meter)
    }

    private mutating func matches(_ node: CELNode, _ index: Int32) throws(CELReason) -> Bool {
        let operand = try value(node.a)
        guard case .string(let text) = operand else { throw fail(index, .noOverload(.matches, operand, .string(""))) }
        return try CELText.matches(text, code.patterns[Int(node.b)], &meter)
    }
}
