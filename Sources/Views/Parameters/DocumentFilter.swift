internal import Core

/// Conditions on the members of a JSON object, all of which must hold.
struct DocumentFilter: Sendable {
    struct Condition: Sendable {
        let path: [String]
        let test: FilterTest
        /// One value; of `among` any number.
        let values: [FilterValue]
    }

    private(set) var conditions: [Condition] = []

    var isEmpty: Bool { conditions.isEmpty }

    mutating func add(_ condition: Condition) { conditions.append(condition) }

    func matches(_ root: JSONNode) -> Bool { conditions.allSatisfy { DocumentFilter.holds($0, root) } }

    /// - Parameter document: JSON text of an object.
    func matches(_ document: [UInt8]) -> Bool {
        if isEmpty { return true }
        guard let root = try? JSONDocument(document).root else { return false }
        return matches(root)
    }

    private static func holds(_ condition: Condition, _ root: JSONNode) -> Bool {
        var node = root
        for name in condition.path {
            guard let next = node[name] else { return false }
            node = next
        }
        return condition.values.contains { value in holds(condition, node, value) }
    }

    private static func holds(_ condition: Condition, _ node: JSONNode, _ value: FilterValue) -> Bool {
        switch condition.test {
        case .equals, .among: return value.equals(node)
        case .prefix:
            guard case .text(let prefix) = value else { return false }
            func begins(_ node: JSONNode) -> Bool { node.string?.utf8.starts(with: prefix.utf8) == true }
            return node.kind == .array ? node.items.contains { begins($0) } : begins(node)
        case .above, .from, .below, .upTo:
            guard let order = value.order(node) else { return false }
            switch condition.test {
            case .above: return order > 0
            case .from: return order >= 0
            case .below: return order < 0
            default: return order <= 0
            }
        }
    }
}

extension QueryReader {
    /// Reads every parameter that was not asked for as a condition: `name=x`, `name.in=a,b`, `name.gt=5`, `meta.region.prefix=eu`.
    ///
    /// A last part that is an operator is one; a member with such a name is reached with `.eq` behind it.
    mutating func filter(_ fields: [FilterField]) -> DocumentFilter {
        var filter = DocumentFilter()
        let (values, known) = rest()
        for (name, value) in values {
            if filter.conditions.count >= ViewLimits.filterConditionsMax {
                fault(name, "there are more than \(ViewLimits.filterConditionsMax) conditions")
                break
            }
            switch QueryReader.condition(name, value, fields, known) {
            case .success(let condition): filter.add(condition)
            case .failure(let wrong): fault(name, wrong.detail)
            }
        }
        return filter
    }

    private struct Wrong: Error {
        let detail: String
    }

    private static func condition(
        _ name: String, _ value: String, _ fields: [FilterField], _ known: [String]
    ) -> Result<DocumentFilter.Condition, Wrong> {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        var test = FilterTest.equals
        if parts.count > 1, let named = FilterTest(rawValue: parts[parts.count - 1]) {
            test = named
            parts.removeLast()
        }
        guard let field = fields.first(where: { $0.name == parts[0] }) else {
            return .failure(
                Wrong(
                    detail:
                        "no such parameter or field; parameters are \(known.joined(separator: ", ")); fields are \(fields.map(\.name).joined(separator: ", "))")
            )
        }
        var kind = field.kind
        if parts.count > 1 {
            guard kind.hasMembers, !parts.contains("") else { return .failure(Wrong(detail: "'\(field.name)' is \(kind.words), it has no members to ask for")) }
            kind = .any
        }
        guard kind.tests.contains(test) else {
            let tests = kind.tests.map { $0 == .equals ? field.name : "\(field.name).\($0.rawValue)" }
            let hint = kind == .object ? "ask for its members: \(field.name).NAME=VALUE" : "what can be asked is \(tests.joined(separator: ", "))"
            return .failure(Wrong(detail: "'\(field.name)' is \(kind.words); \(hint)"))
        }
        let texts = test == .among ? value.split(separator: ",", omittingEmptySubsequences: false).map(String.init) : [value]
        guard texts.count <= ViewLimits.filterValuesMax else { return .failure(Wrong(detail: "at most \(ViewLimits.filterValuesMax) values can be named")) }
        if let wrong = texts.first(where: { !kind.takes($0) }) { return .failure(Wrong(detail: "'\(wrong)' is not \(kind.words)")) }
        return .success(.init(path: parts, test: test, values: texts.map { .text($0) }))
    }
}
