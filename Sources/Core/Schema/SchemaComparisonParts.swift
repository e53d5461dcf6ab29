/// Bounds, members and items of two schemas.
extension SchemaComparison {
    mutating func compareBounds(_ oldSchema: JSONNode, _ newSchema: JSONNode, _ pointer: String) {
        let alwaysAllowed: [String: JSONNumber] = ["minLength": JSONNumber(0), "minItems": JSONNumber(0), "minProperties": JSONNumber(0)]
        for (keyword, type, isLower) in [
            ("minimum", SchemaTypes.number, true), ("maximum", .number, false), ("exclusiveMinimum", .number, true), ("exclusiveMaximum", .number, false),
            ("minLength", .string, true), ("maxLength", .string, false), ("minItems", .array, true), ("maxItems", .array, false),
            ("minProperties", .object, true), ("maxProperties", .object, false),
        ] as [(String, SchemaTypes, Bool)] {
            guard let now = newSchema[keyword]?.number, applies(type, oldSchema) else { continue }
            if let always = alwaysAllowed[keyword], now <= always { continue }
            let before = strictest(keyword, oldSchema, isLower)
            guard let before else {
                breaks(pointer + "/" + keyword, "is new")
                continue
            }
            let isStricter = isLower ? before.value < now : now < before.value
            // Equal bounds: the new one may only exclude its end when the old one did.
            let excludesMore = before.value == now && keyword.hasPrefix("exclusive") && !before.excludes
            if isStricter || excludesMore { breaks(pointer + "/" + keyword, "is stricter than before") }
        }
        if let now = newSchema["multipleOf"]?.number, applies(.number, oldSchema) {
            let before = oldSchema["multipleOf"]?.number
            let integers = before == nil && oldSchema["type"]?.string == "integer" ? JSONNumber(1) : before
            if !(integers?.isMultiple(of: now) ?? false) { breaks(pointer + "/multipleOf", before == nil ? "is new" : "is stricter than before") }
        }
        if let now = newSchema["pattern"]?.stringBytes, applies(.string, oldSchema), oldSchema["pattern"]?.stringBytes != now {
            leaves(pointer + "/pattern", oldSchema["pattern"] == nil ? "is new" : "has changed")
        }
        if newSchema["uniqueItems"]?.bool == true, oldSchema["uniqueItems"]?.bool != true, applies(.array, oldSchema),
            !(oldSchema["maxItems"]?.integer.map { $0 < 2 } ?? false)
        {
            breaks(pointer + "/uniqueItems", "is new")
        }
    }

    /// The old bound on the same side, also the one that excludes or includes its end.
    private func strictest(_ keyword: String, _ schema: JSONNode, _ isLower: Bool) -> (value: JSONNumber, excludes: Bool)? {
        guard keyword.hasSuffix("imum") else { return schema[keyword]?.number.map { ($0, false) } }
        let plain = schema[isLower ? "minimum" : "maximum"]?.number
        let exclusive = schema[isLower ? "exclusiveMinimum" : "exclusiveMaximum"]?.number
        guard let plain else { return exclusive.map { ($0, true) } }
        guard let exclusive else { return (plain, false) }
        let exclusiveIsStricter = isLower ? plain <= exclusive : exclusive <= plain
        return exclusiveIsStricter ? (exclusive, true) : (plain, false)
    }

    /// Whether the old schema allows values of a type at all.
    private func applies(_ type: SchemaTypes, _ schema: JSONNode) -> Bool {
        guard let value = schema["type"] else { return true }
        let names = value.kind == .array ? value.items.compactMap(\.string) : [value.string ?? ""]
        return names.contains { name in
            guard let one = SchemaTypes(name: name) else { return false }
            return type.contains(one) || (type == .number && one == .integer)
        }
    }

    private func names(_ schema: JSONNode) -> Set<[UInt8]> { Set(schema["required"]?.items.compactMap(\.stringBytes) ?? []) }

    private func member(_ pointer: String, _ keyword: String, _ name: [UInt8]) -> String {
        var out = Array((pointer + "/" + keyword).utf8)
        JSONPointer.append(key: name, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    mutating func compareMembers(_ oldSchema: JSONNode, _ newSchema: JSONNode, _ pointer: String) {
        guard applies(.object, oldSchema) else { return }
        for name in names(newSchema).subtracting(names(oldSchema)).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            breaks(pointer + "/required", "has the new name \(ViolationText.quoted(name))")
        }
        let oldProperties = oldSchema["properties"]
        let newProperties = newSchema["properties"]
        let samePatterns = comparePatterns(oldSchema, newSchema, pointer)
        for (key, schema) in newProperties?.members.map({ ($0.key.stringBytes ?? [], $0.value) }) ?? [] {
            if let before = oldProperties?[key] {
                compare(before, schema, member(pointer, "properties", key))
            } else if oldSchema["patternProperties"] != nil {
                leaves(member(pointer, "properties", key), "is new, and earlier patterns may have matched it")
            } else if let before = oldSchema["additionalProperties"] {
                compare(before, schema, member(pointer, "properties", key))
            } else if schema.bool != true, !(schema.kind == .object && schema.count == 0) {
                breaks(member(pointer, "properties", key), "is a new property, which was free to have any value before")
            }
        }
        guard let rest = newSchema["additionalProperties"], rest.bool != true else { return }
        let place = pointer + "/additionalProperties"
        for (key, schema) in oldProperties?.members.map({ ($0.key.stringBytes ?? [], $0.value) }) ?? [] where newProperties?[key] == nil {
            if newSchema["patternProperties"] != nil {
                leaves(place, "may take the property \(ViolationText.quoted(key))")
            } else {
                compareRest(schema, rest, place, "does not allow the earlier property \(ViolationText.quoted(key))")
            }
        }
        if !samePatterns { leaves(place, "may take what earlier patterns took") }
        if let before = oldSchema["additionalProperties"] {
            compare(before, rest, place)
        } else {
            compareRest(nil, rest, place, "does not allow other properties any more")
        }
    }

    /// `patternProperties` are only compared where both have the same pattern; true when the old ones are all there.
    private mutating func comparePatterns(_ oldSchema: JSONNode, _ newSchema: JSONNode, _ pointer: String) -> Bool {
        let before = oldSchema["patternProperties"]
        let now = newSchema["patternProperties"]
        let oldProperties = oldSchema["properties"]?.count ?? 0
        for (key, schema) in now?.members.map({ ($0.key.stringBytes ?? [], $0.value) }) ?? [] {
            let place = member(pointer, "patternProperties", key)
            if let earlier = before?[key] {
                compare(earlier, schema, place)
            } else if schema.bool != true, !(oldSchema["additionalProperties"]?.bool == false && oldProperties == 0 && before == nil) {
                leaves(place, "is new")
            }
        }
        return before?.members.allSatisfy { now?[$0.key.stringBytes ?? []] != nil } ?? true
    }

    /// What was described elsewhere, or free, is now under `schema`.
    private mutating func compareRest(_ before: JSONNode?, _ schema: JSONNode, _ place: String, _ reason: String) {
        if before?.bool == false { return }
        if schema.bool == false { return breaks(place, reason) }
        if let before { return compare(before, schema, place) }
        if !(schema.kind == .object && schema.count == 0) { breaks(place, reason) }
    }

    mutating func compareItems(_ oldSchema: JSONNode, _ newSchema: JSONNode, _ pointer: String) {
        guard applies(.array, oldSchema), oldSchema["maxItems"]?.integer != 0 else { return }
        let before = oldSchema["prefixItems"].map { Array($0.items) } ?? []
        let now = newSchema["prefixItems"].map { Array($0.items) } ?? []
        let oldMax = oldSchema["maxItems"]?.integer.map { Int(clamping: $0) } ?? .max
        for position in 0..<max(before.count, now.count) where position < oldMax {
            let place = position < now.count ? pointer + "/prefixItems/\(position)" : pointer + "/items"
            guard let schema = position < now.count ? now[position] : newSchema["items"] else { continue }
            compareRest(position < before.count ? before[position] : oldSchema["items"], schema, place, "allows less than before for the item at \(position)")
        }
        guard let schema = newSchema["items"], max(before.count, now.count) < oldMax else { return }
        compareRest(oldSchema["items"], schema, pointer + "/items", "allows less than before for further items")
    }
}
