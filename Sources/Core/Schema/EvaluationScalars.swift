/// Keywords that look at numbers and strings.
extension Evaluation {
    mutating func checkNumber(_ plan: Int, _ number: Int32, _ node: JSONTapeNode, _ index: Int) -> Bool {
        let shared = schema.tables.numbers[plan]
        var valid = true
        func fails(_ bound: NumberPlan.Bound?, _ integers: (Int64, Int64) -> Bool, _ numbers: (JSONNumber, JSONNumber) -> Bool) -> Bool {
            guard let bound else { return false }
            if node.flag, let integer = bound.integer { return !integers(node.integer, integer) }
            return !numbers(document.number(index), bound.value)
        }
        if fails(shared.plan.minimum, { $0 >= $1 }, { $0 >= $1 }) { valid = fail(number, "minimum", index, shared.plan.minimum, "must be at least ") }
        if valid || collecting, fails(shared.plan.maximum, { $0 <= $1 }, { $0 <= $1 }) {
            valid = fail(number, "maximum", index, shared.plan.maximum, "must be at most ")
        }
        if valid || collecting, fails(shared.plan.exclusiveMinimum, { $0 > $1 }, { $0 > $1 }) {
            valid = fail(number, "exclusiveMinimum", index, shared.plan.exclusiveMinimum, "must be greater than ")
        }
        if valid || collecting, fails(shared.plan.exclusiveMaximum, { $0 < $1 }, { $0 < $1 }) {
            valid = fail(number, "exclusiveMaximum", index, shared.plan.exclusiveMaximum, "must be less than ")
        }
        if valid || collecting, fails(shared.plan.multipleOf, { $0 % $1 == 0 }, { $0.isMultiple(of: $1) }) {
            valid = fail(number, "multipleOf", index, shared.plan.multipleOf, "must be a multiple of ")
        }
        return valid
    }

    private mutating func fail(_ number: Int32, _ keyword: StaticString, _ index: Int, _ bound: NumberPlan.Bound?, _ text: String) -> Bool {
        if collecting, let bound {
            report(number, keyword, index) { walk in
                text + ViolationText.value(walk.schema.tables.documents[Int(walk.schema.tables.schemas[Int(number)].document)], Int(bound.node))
            }
        }
        return false
    }

    mutating func checkLength(_ plan: Int, _ number: Int32, _ node: JSONTapeNode, _ index: Int) -> Bool {
        let bounds = schema.tables.lengths[plan]
        // An escape takes at most twelve bytes for a character, UTF-8 at most four: most texts need not be counted.
        if node.count / (node.flag ? 12 : 4) >= bounds.min, node.count <= bounds.max { return true }
        let text = document.text
        let length: Int
        if node.flag {
            let plain = JSONString.unescaped(text.span, node.range)
            length = JSONString.scalars(plain.span, 0..<plain.count)
        } else {
            length = JSONString.scalars(text.span, node.range)
        }
        if length < bounds.min {
            if collecting { report(number, "minLength", index) { _ in "must have at least \(ViolationText.count(bounds.min, "character")), has \(length)" } }
            return false
        }
        if length > bounds.max {
            if collecting { report(number, "maxLength", index) { _ in "must have at most \(ViolationText.count(bounds.max, "character")), has \(length)" } }
            return false
        }
        return true
    }

    mutating func checkPattern(_ plan: Int, _ number: Int32, _ index: Int) throws(EvaluationFault) -> Bool {
        if try matches(plan, index) { return true }
        if collecting { report(number, "pattern", index) { walk in "must match the regular expression \(walk.schema.tables.patterns[plan].source)" } }
        return false
    }

    /// Whether the string or key at `index` matches.
    mutating func matches(_ plan: Int, _ index: Int) throws(EvaluationFault) -> Bool {
        let node = document.nodes[index]
        try spend(node.count * schema.tables.patterns[plan].cost >> 12)
        let text = document.text
        guard node.flag else { return schema.tables.patterns[plan].pattern.matches(text.span.extracting(node.range)) }
        let plain = JSONString.unescaped(text.span, node.range)
        return schema.tables.patterns[plan].pattern.matches(plain.span)
    }

    mutating func checkFormat(_ format: SchemaFormat, _ number: Int32, _ index: Int) throws(EvaluationFault) -> Bool {
        let node = document.nodes[index]
        try spend(node.count >> 6)
        let text = document.text
        let valid: Bool
        if node.flag {
            let plain = JSONString.unescaped(text.span, node.range)
            valid = format.accepts(plain.span)
        } else {
            valid = format.accepts(text.span.extracting(node.range))
        }
        if !valid, collecting { report(number, "format", index) { _ in "must be \(format.description)" } }
        return valid
    }
}
