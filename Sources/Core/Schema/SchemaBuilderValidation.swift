/// The validation vocabulary and formats.
extension SchemaBuilder {
    mutating func addValidation(_ source: SchemaSource, _ parts: inout SchemaParts) throws(SchemaFault) {
        if options.assertsFormats || source.dialect.vocabularies.contains(.formatAssertion), let name = try source.text("format"),
            let format = SchemaFormat(name: name)
        {
            parts.strings.append(.format(format))
        }
        guard source.dialect.vocabularies.contains(.validation) else { return }
        try addTypes(source, &parts)
        try addNumbers(source, &parts)
        try addStrings(source, &parts)
        if let value = source.node["const"] {
            tables.consts.append(ConstPlan(document: Int32(source.document), node: Int32(value.index)))
            parts.common.append(.const(Int32(tables.consts.count - 1)))
        }
        if let values = try source.array("enum") {
            var sorted = values.items.map { (hash: source.node.document.hash($0.index), node: Int32($0.index)) }
            sorted.sort { $0.hash == $1.hash ? $0.node < $1.node : $0.hash < $1.hash }
            tables.enums.append(EnumPlan(document: Int32(source.document), node: Int32(values.index), values: sorted))
            parts.common.append(.enumeration(Int32(tables.enums.count - 1)))
        }
        if let dependencies = try source.object("dependentRequired") {
            var plan = DependencyPlan(keyword: "dependentRequired")
            for (key, value) in dependencies.members {
                plan.entries.append(.init(name: key.stringBytes ?? [], needed: try source.names("dependentRequired", value)))
            }
            tables.dependencies.append(plan)
            parts.objects.append(.dependentRequired(Int32(tables.dependencies.count - 1)))
        }
    }

    private func addTypes(_ source: SchemaSource, _ parts: inout SchemaParts) throws(SchemaFault) {
        guard let value = source.node["type"] else { return }
        var types: SchemaTypes = []
        for item in value.kind == .array ? Array(value.items) : [value] {
            guard let type = item.string.flatMap({ SchemaTypes(name: $0) }) else {
                throw source.malformed("type", "must be one of null, boolean, integer, number, string, array, object, or an array of them")
            }
            types.formUnion(type)
        }
        if types.contains(.number) { types.remove(.integer) }
        parts.types = types
    }

    private mutating func addNumbers(_ source: SchemaSource, _ parts: inout SchemaParts) throws(SchemaFault) {
        let plan = NumberPlan(
            minimum: try source.bound("minimum"), exclusiveMinimum: try source.bound("exclusiveMinimum"), maximum: try source.bound("maximum"),
            exclusiveMaximum: try source.bound("exclusiveMaximum"), multipleOf: try source.bound("multipleOf"))
        if let divisor = plan.multipleOf?.value, divisor.isZero || divisor.isNegative { throw source.malformed("multipleOf", "must be greater than 0") }
        guard plan.minimum != nil || plan.exclusiveMinimum != nil || plan.maximum != nil || plan.exclusiveMaximum != nil || plan.multipleOf != nil else {
            return
        }
        tables.numbers.append(SharedPlan(plan))
        parts.numbers.append(.numberRange(Int32(tables.numbers.count - 1)))
    }

    private mutating func addStrings(_ source: SchemaSource, _ parts: inout SchemaParts) throws(SchemaFault) {
        let length = LengthPlan(min: try source.count("minLength") ?? 0, max: try source.count("maxLength") ?? .max)
        if length.min > 0 || length.max < .max {
            tables.lengths.append(length)
            parts.strings.append(.textLength(Int32(tables.lengths.count - 1)))
        }
        if let pattern = try source.text("pattern") { parts.strings.append(.pattern(try self.pattern(pattern, "pattern", source))) }
    }

    /// The number of a compiled pattern; the same text is compiled once.
    mutating func pattern(_ text: String, _ keyword: String, _ source: SchemaSource) throws(SchemaFault) -> Int32 {
        if let known = patternNumbers[text] { return known }
        guard tables.patterns.count < Limits.schemaPatternsMax else { throw .tooLarge(what: "regular expressions", max: Limits.schemaPatternsMax) }
        let translated: String
        do { translated = try ECMAPattern.translate(text) } catch {
            throw .pattern(location: source.location + "/" + keyword, pattern: text, reason: error.detail)
        }
        let compiled: any TextPattern
        do { compiled = try patterns.compile(translated) } catch {
            throw .pattern(location: source.location + "/" + keyword, pattern: text, reason: error.detail)
        }
        patternSize += compiled.programSize
        guard patternSize <= Limits.schemaPatternSizeMax else {
            throw .tooLarge(what: "instructions in its regular expressions", max: Limits.schemaPatternSizeMax)
        }
        // Most texts run through a cached automaton; the program's size tells what the slow way would cost.
        tables.patterns.append(PatternPlan(source: text, pattern: compiled, cost: 64 + compiled.programSize))
        let number = Int32(tables.patterns.count - 1)
        patternNumbers[text] = number
        return number
    }
}
