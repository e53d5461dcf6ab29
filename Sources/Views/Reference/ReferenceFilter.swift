internal import Core
internal import Web

/// The filter of `POST /backbones`: equality of members, dotted paths into `metadata`, and `{"$in": […]}`. Nothing else is evaluated.
enum ReferenceFilter {
    /// - Throws: 400 that says what is understood.
    static func read(_ root: JSONNode) throws(ProblemDocument) -> DocumentFilter {
        var filter = DocumentFilter()
        var refusal = Refusal()
        for (key, value) in root.members {
            let name = key.string ?? ""
            let pointer = Violation.pointer(to: name)
            let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            if name.hasPrefix("$") {
                refusal.add(
                    .unknownField, pointer, "the operator is not understood; a filter names members: {\"name\": …, \"metadata.region\": {\"$in\": […]}}")
            } else if !ReferenceRecord.members.contains(path[0]) || path.contains("") || path.contains(where: { $0.hasPrefix("$") }) {
                refusal.add(.unknownField, pointer, "no such member; known are \(ReferenceRecord.members.joined(separator: ", ")), and metadata.NAME")
            } else if path.count > 1, path[0] != "metadata" {
                refusal.add(.unknownField, pointer, "only metadata has members")
            } else if let values = values(value, path, pointer, &refusal) {
                filter.add(.init(path: path, test: .among, values: values))
            }
            if filter.conditions.count > ViewLimits.filterConditionsMax {
                throw ControlProblem.refused(Refusal(.tooLarge, pointer, "at most \(ViewLimits.filterConditionsMax) conditions are allowed"), "filter")
            }
        }
        guard refusal.isEmpty else { throw ControlProblem.refused(refusal, "filter") }
        return filter
    }

    private static func values(_ value: JSONNode, _ path: [String], _ pointer: String, _ refusal: inout Refusal) -> [FilterValue]? {
        guard value.kind == .object, value.members.contains(where: { $0.key.string?.hasPrefix("$") == true }) else { return [inward(value, path)] }
        guard value.count == 1, let list = value["$in"], list.kind == .array else {
            refusal.add(.malformed, pointer, "a value, or {\"$in\": [values]}; other operators are not understood")
            return nil
        }
        guard list.count <= ViewLimits.filterValuesMax else {
            refusal.add(.tooLarge, pointer, "at most \(ViewLimits.filterValuesMax) values can be named")
            return nil
        }
        return list.items.map { inward($0, path) }
    }

    private static func inward(_ value: JSONNode, _ path: [String]) -> FilterValue {
        guard path == ["org_ids"], let text = value.string, let names = try? JSONDocument(ReferenceRecord.names(text)) else { return .json(value) }
        return .json(names.root)
    }
}
