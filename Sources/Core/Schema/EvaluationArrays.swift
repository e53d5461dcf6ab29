/// Keywords that look at arrays.
extension Evaluation {
    mutating func checkArray(_ number: Int, _ schemaNumber: Int32, _ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> Bool {
        let shared = schema.tables.arrays[number]
        var valid = true
        if node.count < shared.plan.minItems {
            guard collecting else { return false }
            valid = false
            report(schemaNumber, "minItems", index) { _ in "must have at least \(ViolationText.count(shared.plan.minItems, "item")), has \(node.count)" }
        }
        if node.count > shared.plan.maxItems {
            guard collecting else { return false }
            valid = false
            report(schemaNumber, "maxItems", index) { _ in "must have at most \(ViolationText.count(shared.plan.maxItems, "item")), has \(node.count)" }
        }
        if shared.plan.isUnique, node.count > 1, let pair = try equalItems(node, index) {
            guard collecting else { return false }
            valid = false
            report(schemaNumber, "uniqueItems", index) { _ in "must not have equal items, those at \(pair.0) and \(pair.1) are" }
        }
        if shared.plan.items >= 0 || !shared.plan.prefix.isEmpty, try !checkItems(shared, schemaNumber, node, index) {
            guard collecting else { return false }
            valid = false
        }
        if shared.plan.contains >= 0, try !checkContains(shared, schemaNumber, node, index) {
            guard collecting else { return false }
            valid = false
        }
        return valid
    }

    private mutating func checkItems(_ shared: SharedPlan<ArrayPlan>, _ number: Int32, _ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> Bool {
        var valid = true
        var at = index + 1
        var position = 0
        while at < node.end {
            let target = position < shared.plan.prefix.count ? shared.plan.prefix[position] : shared.plan.items
            if target < 0 { break }
            if try !checkChild(target, at) {
                guard collecting else { return false }
                valid = false
            }
            if track >= 0 { marks[track + position] = true }
            at = document.end(at)
            position += 1
        }
        return valid
    }

    private mutating func checkContains(_ shared: SharedPlan<ArrayPlan>, _ number: Int32, _ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> Bool {
        var count = 0
        var at = index + 1
        var position = 0
        let wasCollecting = collecting
        collecting = false
        while at < node.end {
            if try checkChild(shared.plan.contains, at) {
                count += 1
                if track >= 0 {
                    marks[track + position] = true
                } else if !wasCollecting, count > shared.plan.maxContains || (count >= shared.plan.minContains && shared.plan.maxContains == .max) {
                    break
                }
            }
            at = document.end(at)
            position += 1
        }
        collecting = wasCollecting
        if count < shared.plan.minContains {
            if collecting {
                report(number, shared.plan.minContains == 1 ? "contains" : "minContains", index) { _ in
                    "must contain at least \(ViolationText.count(shared.plan.minContains, "item")) that match the schema under \"contains\", has \(count)"
                }
            }
            return false
        }
        if count > shared.plan.maxContains {
            if collecting {
                report(number, "maxContains", index) { _ in
                    "must contain at most \(ViolationText.count(shared.plan.maxContains, "item")) that match the schema under \"contains\", has \(count)"
                }
            }
            return false
        }
        return true
    }

    /// Up to here, comparing each item with each other one is faster than hashing and sorting.
    private static let comparedItemsMax = 8

    private mutating func equalPair(_ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> (Int, Int)? {
        var left = index + 1
        var position = 0
        while left < node.end {
            var right = document.end(left)
            try spend(1 + (right - left) / 4 * (node.count - position))
            var other = position + 1
            while right < node.end {
                if document.equal(left, document, right) { return (position, other) }
                right = document.end(right)
                other += 1
            }
            left = document.end(left)
            position += 1
        }
        return nil
    }

    /// The positions of two equal items: few items are compared with each other, many are sorted by a hash first.
    private mutating func equalItems(_ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> (Int, Int)? {
        if node.count <= Self.comparedItemsMax { return try equalPair(node, index) }
        try spend(node.count + (node.end - index) / 4)
        var items: [(hash: UInt64, at: Int, position: Int)] = []
        items.reserveCapacity(node.count)
        var at = index + 1
        while at < node.end {
            items.append((document.hash(at), at, items.count))
            at = document.end(at)
        }
        items.sort { $0.hash == $1.hash ? $0.position < $1.position : $0.hash < $1.hash }
        for left in items.indices {
            var right = left + 1
            while right < items.count, items[right].hash == items[left].hash {
                // Unequal items of equal hash are made on purpose: they cost steps.
                try spend(1 + (document.end(items[left].at) - items[left].at) / 4)
                if document.equal(items[left].at, document, items[right].at) { return (items[left].position, items[right].position) }
                right += 1
            }
        }
        return nil
    }

    mutating func checkUnevaluatedItems(_ target: Int32, _ number: Int32, _ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> Bool {
        let never = schema.tables.schemas[Int(target)].form == .never
        var valid = true
        var at = index + 1
        var position = 0
        while at < node.end {
            if !marks[track + position] {
                if never {
                    valid = false
                    if collecting { report(number, "unevaluatedItems", at) { _ in "is an item that no schema here allows" } }
                } else if try !checkChild(target, at) {
                    valid = false
                }
                guard valid || collecting else { return false }
                marks[track + position] = true
            }
            at = document.end(at)
            position += 1
        }
        return valid
    }
}
