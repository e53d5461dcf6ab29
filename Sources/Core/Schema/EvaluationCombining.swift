/// References and the keywords that combine schemas at the same value.
extension Evaluation {
    mutating func checkAll(_ list: Int, _ index: Int) throws(EvaluationFault) -> Bool {
        var valid = true
        for target in schema.tables.lists[list] where try !check(target, index) {
            guard collecting else { return false }
            valid = false
        }
        return valid
    }

    mutating func checkAny(_ list: Int, _ number: Int32, _ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> Bool {
        var valid = false
        for target in schema.tables.lists[list] where try branch(target, node, index) {
            valid = true
            // What the others evaluate counts too.
            if track < 0 { break }
        }
        if !valid, collecting {
            report(number, "anyOf", index) { walk in
                "must match at least one of the \(walk.schema.tables.lists[list].count) schemas allowed\(ViolationText.alternatives(walk, list))"
            }
        }
        return valid
    }

    mutating func checkOne(_ list: Int, _ number: Int32, _ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> Bool {
        var first = -1
        var second = -1
        for (position, target) in schema.tables.lists[list].enumerated() where try branch(target, node, index) {
            if first >= 0 {
                second = position
                break
            }
            first = position
        }
        if first >= 0, second < 0 { return true }
        if collecting {
            report(number, "oneOf", index) { walk in
                let count = walk.schema.tables.lists[list].count
                if first < 0 { return "must match exactly one of the \(count) schemas allowed, matches none\(ViolationText.alternatives(walk, list))" }
                return "must match exactly one of the \(count) schemas allowed, matches those at positions \(first) and \(second)"
            }
        }
        return false
    }

    mutating func checkNot(_ target: Int32, _ number: Int32, _ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> Bool {
        // Nothing evaluated below `not` counts, but what is below it may ask for its own marks.
        let outer = track
        track = -1
        let matches = try branch(target, node, index)
        track = outer
        if matches, collecting { report(number, "not", index) { _ in "must not match the schema under \"not\"" } }
        return !matches
    }

    mutating func checkConditional(_ plan: Int, _ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> Bool {
        let conditional = schema.tables.conditionals[plan]
        let next = try branch(conditional.condition, node, index) ? conditional.then : conditional.otherwise
        return next < 0 ? true : try check(next, index)
    }

    /// Tries a schema without reporting; what it marks as evaluated is taken back when the value does not match.
    mutating func branch(_ target: Int32, _ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> Bool {
        let wasCollecting = collecting
        collecting = false
        defer { collecting = wasCollecting }
        guard track >= 0 else { return try check(target, index) }
        let copy = marks.count
        try spend(node.count)
        marks.append(contentsOf: marks[track..<(track + node.count)])
        let valid = try check(target, index)
        if !valid {
            for position in 0..<node.count { marks[track + position] = marks[copy + position] }
        }
        marks.removeLast(node.count)
        return valid
    }

    mutating func checkCircle(_ target: Int32, _ number: Int32, _ index: Int) throws(EvaluationFault) -> Bool {
        var at = circle.count - 1
        while at >= 0, circle[at].node == index {
            if circle[at].schema == target { throw .endless(location: schema.location(Int(number))) }
            at -= 1
        }
        circle.append((target, index))
        let valid = try check(target, index)
        circle.removeLast()
        return valid
    }

    /// The outermost resource of the dynamic scope that has the anchor decides.
    mutating func checkDynamic(_ plan: Int, _ number: Int32, _ index: Int) throws(EvaluationFault) -> Bool {
        let reference = schema.tables.dynamicRefs[plan]
        for resource in scope {
            for candidate in schema.tables.resources[Int(resource)].dynamicAnchors where candidate.anchor == reference.anchor {
                return try checkCircle(candidate.schema, number, index)
            }
        }
        return try checkCircle(reference.fallback, number, index)
    }

    mutating func checkConst(_ plan: Int, _ number: Int32, _ index: Int) -> Bool {
        let const = schema.tables.consts[plan]
        if document.equal(index, schema.tables.documents[Int(const.document)], Int(const.node)) { return true }
        if collecting {
            report(number, "const", index) { walk in "must be " + ViolationText.value(walk.schema.tables.documents[Int(const.document)], Int(const.node)) }
        }
        return false
    }

    mutating func checkEnum(_ plan: Int, _ number: Int32, _ index: Int) throws(EvaluationFault) -> Bool {
        if try isInEnum(plan, index) { return true }
        if collecting { report(number, "enum", index) { walk in "must be one of " + ViolationText.values(walk, plan) } }
        return false
    }

    private mutating func isInEnum(_ plan: Int, _ index: Int) throws(EvaluationFault) -> Bool {
        let values = schema.tables.enums[plan].values
        let other = schema.tables.documents[Int(schema.tables.enums[plan].document)]
        if values.count <= 4 {
            for value in values where document.equal(index, other, Int(value.node)) { return true }
            return false
        }
        try spend((document.end(index) - index) / 4)
        let hash = document.hash(index)
        var low = 0
        var high = values.count
        while low < high {
            let middle = (low + high) / 2
            if values[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        while low < values.count, values[low].hash == hash {
            if document.equal(index, other, Int(values[low].node)) { return true }
            low += 1
        }
        return false
    }
}
