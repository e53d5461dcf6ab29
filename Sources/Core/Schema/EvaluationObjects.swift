/// Keywords that look at objects.
extension Evaluation {
    mutating func checkObject(_ number: Int, _ schemaNumber: Int32, _ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> Bool {
        let shared = schema.tables.objects[number]
        var valid = true
        if node.count < shared.plan.minProperties {
            guard collecting else { return false }
            valid = false
            report(schemaNumber, "minProperties", index) { _ in
                "must have at least \(ViolationText.count(shared.plan.minProperties, "property", "properties")), has \(node.count)"
            }
        }
        if node.count > shared.plan.maxProperties {
            guard collecting else { return false }
            valid = false
            report(schemaNumber, "maxProperties", index) { _ in
                "must have at most \(ViolationText.count(shared.plan.maxProperties, "property", "properties")), has \(node.count)"
            }
        }
        guard shared.plan.walks else { return valid }
        if shared.plan.required.count <= 64 {
            var seen: UInt64 = 0
            if try !checkMembers(shared, schemaNumber, node, index, &seen) {
                guard collecting else { return false }
                valid = false
            }
            let all: UInt64 = shared.plan.required.count == 64 ? .max : 1 << UInt64(shared.plan.required.count) - 1
            if seen == all { return valid }
            guard collecting else { return false }
        } else {
            var seen: UInt64 = 0
            if try !checkMembers(shared, schemaNumber, node, index, &seen) {
                guard collecting else { return false }
                valid = false
            }
        }
        // Many required names, or some are missing: look each of them up.
        try spend(shared.plan.required.count)
        for slot in shared.plan.required where document.member(index, named: shared.plan.slots[Int(slot)].name) == nil {
            guard collecting else { return false }
            valid = false
            report(schemaNumber, "required", index) { _ in "is missing the required property " + ViolationText.quoted(shared.plan.slots[Int(slot)].name) }
        }
        return valid
    }

    /// One walk over the members; `seen` gets the bits of the required names that are there.
    private mutating func checkMembers(
        _ shared: SharedPlan<ObjectPlan>, _ number: Int32, _ node: JSONTapeNode, _ index: Int, _ seen: inout UInt64
    ) throws(EvaluationFault) -> Bool {
        var valid = true
        var at = index + 1
        var position = 0
        try spend(node.count)
        while at < node.end {
            var isKnown = false
            if !shared.plan.table.isEmpty, let found = find(shared, at) {
                if shared.plan.slots[found].required >= 0 { seen |= 1 << UInt64(truncatingIfNeeded: shared.plan.slots[found].required) }
                let target = shared.plan.slots[found].schema
                if target >= 0 {
                    isKnown = true
                    if try !checkChild(target, at + 1) {
                        guard collecting else { return false }
                        valid = false
                    }
                }
            }
            for entry in shared.plan.patterns where try matches(Int(entry.pattern), at) {
                isKnown = true
                if try !checkChild(entry.schema, at + 1) {
                    guard collecting else { return false }
                    valid = false
                }
            }
            if !isKnown, shared.plan.additional >= 0 {
                isKnown = true
                if try !checkAdditional(shared, number, at) {
                    guard collecting else { return false }
                    valid = false
                }
            }
            if isKnown, track >= 0 { marks[track + position] = true }
            if shared.plan.propertyNames >= 0, try !checkChild(shared.plan.propertyNames, at) {
                guard collecting else { return false }
                valid = false
            }
            at = document.end(at + 1)
            position += 1
        }
        return valid
    }

    private mutating func checkAdditional(_ shared: SharedPlan<ObjectPlan>, _ number: Int32, _ key: Int) throws(EvaluationFault) -> Bool {
        guard schema.tables.schemas[Int(shared.plan.additional)].form == .never else { return try checkChild(shared.plan.additional, key + 1) }
        if collecting {
            report(number, "additionalProperties", key + 1) { _ in
                let names = shared.plan.slots.filter { $0.schema >= 0 }.map { ViolationText.quoted($0.name) }
                return "is a property that is not allowed here" + (names.isEmpty ? "" : "; allowed are " + ViolationText.list(names))
            }
        }
        return false
    }

    /// The slot of the key at a tape index.
    @inline(__always)
    private func find(_ shared: SharedPlan<ObjectPlan>, _ key: Int) -> Int? {
        let node = document.nodes[key]
        let hash = UInt32(truncatingIfNeeded: node.payload)
        let mask = shared.plan.table.count - 1
        var at = Int(hash) & mask
        let text = document.text
        while shared.plan.table[at] >= 0 {
            let slot = Int(shared.plan.table[at])
            if shared.plan.slots[slot].hash == hash {
                let name = shared.plan.slots[slot].name
                if JSONKeyIndex.isKey(text.span, node, name.span) { return slot }
            }
            at = (at + 1) & mask
        }
        return nil
    }

    mutating func checkDependentRequired(_ number: Int, _ schemaNumber: Int32, _ index: Int) -> Bool {
        var valid = true
        let plan = schema.tables.dependencies[number]
        for entry in plan.entries where document.member(index, named: entry.name) != nil {
            for name in entry.needed where document.member(index, named: name) == nil {
                guard collecting else { return false }
                valid = false
                report(schemaNumber, plan.keyword, index) { _ in
                    "is missing the property \(ViolationText.quoted(name)), which is required when \(ViolationText.quoted(entry.name)) is there"
                }
            }
        }
        return valid
    }

    mutating func checkDependentSchemas(_ number: Int, _ index: Int) throws(EvaluationFault) -> Bool {
        var valid = true
        for entry in schema.tables.dependencies[number].entries where document.member(index, named: entry.name) != nil {
            if try !check(entry.schema, index) {
                guard collecting else { return false }
                valid = false
            }
        }
        return valid
    }

    mutating func checkUnevaluatedProperties(_ target: Int32, _ number: Int32, _ node: JSONTapeNode, _ index: Int) throws(EvaluationFault) -> Bool {
        let never = schema.tables.schemas[Int(target)].form == .never
        var valid = true
        var at = index + 1
        var position = 0
        while at < node.end {
            if !marks[track + position] {
                if never {
                    valid = false
                    if collecting { report(number, "unevaluatedProperties", at + 1) { _ in "is a property that no schema here allows" } }
                } else if try !checkChild(target, at + 1) {
                    valid = false
                }
                guard valid || collecting else { return false }
                marks[track + position] = true
            }
            at = document.end(at + 1)
            position += 1
        }
        return valid
    }
}
