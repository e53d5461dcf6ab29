/// The applicator and unevaluated vocabularies, and what the validation vocabulary says about the number of items and members.
extension SchemaBuilder {
    mutating func addApplicators(_ source: SchemaSource, _ parts: inout SchemaParts) throws(SchemaFault) {
        try addArrays(source, &parts)
        try addObjects(source, &parts)
        let vocabularies = source.dialect.vocabularies
        if vocabularies.contains(.applicator) { try addCombining(source, &parts) }
        if vocabularies.contains(.unevaluated) {
            if let value = source.node["unevaluatedItems"] { parts.lateArrays.append(.unevaluatedItems(try subschema(value, source))) }
            if let value = source.node["unevaluatedProperties"] { parts.lateObjects.append(.unevaluatedProperties(try subschema(value, source))) }
        }
    }

    private mutating func subschema(_ node: JSONNode, _ source: SchemaSource) throws(SchemaFault) -> Int32 {
        try number(node, source.resource, source.document)
    }

    private mutating func optional(_ keyword: String, _ source: SchemaSource) throws(SchemaFault) -> Int32 {
        guard let value = source.node[keyword] else { return -1 }
        return try subschema(value, source)
    }

    private mutating func list(_ keyword: String, _ source: SchemaSource) throws(SchemaFault) -> [Int32]? {
        guard let value = try source.array(keyword) else { return nil }
        var list: [Int32] = []
        for item in value.items { list.append(try subschema(item, source)) }
        return list
    }

    private mutating func addCombining(_ source: SchemaSource, _ parts: inout SchemaParts) throws(SchemaFault) {
        for (keyword, op) in [("allOf", SchemaOp.allOf), ("anyOf", SchemaOp.anyOf), ("oneOf", SchemaOp.oneOf)] as [(String, (Int32) -> SchemaOp)] {
            guard let list = try list(keyword, source) else { continue }
            tables.lists.append(list)
            parts.common.append(op(Int32(tables.lists.count - 1)))
        }
        if let value = source.node["not"] { parts.common.append(.not(try subschema(value, source))) }
        if let value = source.node["if"] {
            let plan = ConditionalPlan(condition: try subschema(value, source), then: try optional("then", source), otherwise: try optional("else", source))
            tables.conditionals.append(plan)
            parts.common.append(.conditional(Int32(tables.conditionals.count - 1)))
        }
        if let value = try source.object("dependentSchemas") {
            var plan = DependencyPlan(keyword: "dependentSchemas")
            for (key, item) in value.members { plan.entries.append(.init(name: key.stringBytes ?? [], schema: try subschema(item, source))) }
            add(plan, to: &parts, SchemaOp.dependentSchemas)
        }
        try addDependencies(source, &parts)
    }

    /// `dependencies` of earlier drafts: what became dependentRequired and dependentSchemas.
    private mutating func addDependencies(_ source: SchemaSource, _ parts: inout SchemaParts) throws(SchemaFault) {
        guard let value = try source.object("dependencies") else { return }
        var needed = DependencyPlan(keyword: "dependencies")
        var schemas = DependencyPlan(keyword: "dependencies")
        for (key, item) in value.members {
            let name = key.stringBytes ?? []
            if item.kind == .array {
                needed.entries.append(.init(name: name, needed: try source.names("dependencies", item)))
            } else {
                schemas.entries.append(.init(name: name, schema: try subschema(item, source)))
            }
        }
        if !needed.entries.isEmpty { add(needed, to: &parts, SchemaOp.dependentRequired) }
        if !schemas.entries.isEmpty { add(schemas, to: &parts, SchemaOp.dependentSchemas) }
    }

    private mutating func add(_ plan: DependencyPlan, to parts: inout SchemaParts, _ op: (Int32) -> SchemaOp) {
        tables.dependencies.append(plan)
        parts.objects.append(op(Int32(tables.dependencies.count - 1)))
    }

    private mutating func addArrays(_ source: SchemaSource, _ parts: inout SchemaParts) throws(SchemaFault) {
        var plan = ArrayPlan()
        let vocabularies = source.dialect.vocabularies
        if vocabularies.contains(.validation) {
            plan.minItems = try source.count("minItems") ?? 0
            plan.maxItems = try source.count("maxItems") ?? .max
            plan.isUnique = try source.bool("uniqueItems")
        }
        if vocabularies.contains(.applicator) {
            if source.dialect.is2019, source.node["items"]?.kind == .array {
                plan.prefix = try list("items", source) ?? []
                plan.items = try optional("additionalItems", source)
            } else {
                if !source.dialect.is2019 { plan.prefix = try list("prefixItems", source) ?? [] }
                plan.items = try optional("items", source)
            }
            plan.contains = try optional("contains", source)
            if vocabularies.contains(.validation) {
                plan.minContains = try source.count("minContains") ?? 1
                plan.maxContains = try source.count("maxContains") ?? .max
            }
        }
        guard plan.minItems > 0 || plan.maxItems < .max || plan.isUnique || !plan.prefix.isEmpty || plan.items >= 0 || plan.contains >= 0 else { return }
        tables.arrays.append(SharedPlan(plan))
        parts.arrays.append(.array(Int32(tables.arrays.count - 1)))
    }

    private mutating func addObjects(_ source: SchemaSource, _ parts: inout SchemaParts) throws(SchemaFault) {
        var plan = ObjectPlan()
        var slots: [[UInt8]: Int] = [:]
        func slot(_ name: [UInt8]) -> Int {
            if let known = slots[name] { return known }
            slots[name] = plan.add(name)
            return plan.slots.count - 1
        }
        if source.dialect.vocabularies.contains(.validation) {
            plan.minProperties = try source.count("minProperties") ?? 0
            plan.maxProperties = try source.count("maxProperties") ?? .max
            if let value = try source.array("required") {
                for name in try source.names("required", value) {
                    let slot = slot(name)
                    guard plan.slots[slot].required < 0 else { continue }
                    plan.slots[slot].required = Int32(plan.required.count)
                    plan.required.append(Int32(slot))
                }
            }
        }
        if source.dialect.vocabularies.contains(.applicator) {
            if let value = try source.object("properties") {
                for (key, item) in value.members { plan.slots[slot(key.stringBytes ?? [])].schema = try subschema(item, source) }
            }
            if let value = try source.object("patternProperties") {
                for (key, item) in value.members {
                    plan.patterns.append((try pattern(key.string ?? "", "patternProperties", source), try subschema(item, source)))
                }
            }
            plan.additional = try optional("additionalProperties", source)
            plan.propertyNames = try optional("propertyNames", source)
        }
        guard plan.walks || plan.minProperties > 0 || plan.maxProperties < .max else { return }
        plan.buildTable()
        tables.objects.append(SharedPlan(plan))
        parts.objects.append(.object(Int32(tables.objects.count - 1)))
    }
}
