/// Reads the members of one JSON object and notes everything that is wrong with them.
struct DocumentReader {
    let node: JSONNode
    /// JSON Pointer of the object.
    let pointer: String
    var refusal: Refusal

    init(_ node: JSONNode, _ pointer: String, _ refusal: Refusal) {
        self.node = node
        self.pointer = pointer
        self.refusal = refusal
    }

    func at(_ name: String) -> String { pointer + Violation.pointer(to: name) }

    /// Notes members that nobody knows; a near name is suggested.
    mutating func allow(_ names: [String], of what: String) {
        for (key, _) in node.members {
            let name = key.string ?? ""
            if names.contains(name) { continue }
            let near = CELSuggestion.near(name, names).map { "; " + $0 } ?? ""
            refusal.add(.unknownField, at(name), "\(what) has no member of this name\(near); known are \(names.joined(separator: ", "))")
        }
    }

    /// The member; nil when it is absent or null.
    func member(_ name: String) -> JSONNode? { node[name].flatMap { $0.isNull ? nil : $0 } }

    mutating func text(_ name: String, isRequired: Bool = false, bytesMax: Int = CELLimits().sourceBytesMax) -> String? {
        guard let value = member(name) else {
            if isRequired { refusal.add(.missing, at(name), "'\(name)' is needed: a text") }
            return nil
        }
        guard let text = value.string else {
            refusal.add(.wrongType, at(name), "a text is expected, this is of type \(value.kind.name)")
            return nil
        }
        guard text.utf8.count <= bytesMax else {
            refusal.add(.tooLarge, at(name), "it has \(text.utf8.count) bytes, at most \(bytesMax) are allowed")
            return nil
        }
        return text
    }

    /// A name that is not empty.
    mutating func name(_ name: String, isRequired: Bool = false) -> String? {
        guard let text = text(name, isRequired: isRequired, bytesMax: Limits.nameBytesMax * 2) else { return nil }
        if let fault = DocumentRules.keyFault(text) {
            refusal.add(.malformed, at(name), fault)
            return nil
        }
        return text
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int64>, isRequired: Bool = false) -> Int64? {
        guard let value = member(name) else {
            if isRequired { refusal.add(.missing, at(name), "'\(name)' is needed: a whole number from \(range.lowerBound) to \(range.upperBound)") }
            return nil
        }
        guard let number = value.integer, range.contains(number) else {
            refusal.add(value.kind == .number ? .malformed : .wrongType, at(name), "a whole number from \(range.lowerBound) to \(range.upperBound) is expected")
            return nil
        }
        return number
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String, _ type: Choice.Type, isRequired: Bool = false) -> Choice? {
        let all = type.allCases.map(\.rawValue)
        guard let value = member(name) else {
            if isRequired { refusal.add(.missing, at(name), "'\(name)' is needed: one of \(all.joined(separator: ", "))") }
            return nil
        }
        if let choice = value.string.flatMap(Choice.init(rawValue:)) { return choice }
        let near = value.string.flatMap { CELSuggestion.near($0, all) }.map { "; " + $0 } ?? ""
        refusal.add(value.kind == .string ? .malformed : .wrongType, at(name), "one of \(all.joined(separator: ", ")) is expected\(near)")
        return nil
    }

    /// A list of names that are not empty.
    mutating func names(_ name: String) -> [String]? {
        guard let value = member(name) else { return nil }
        guard value.kind == .array else {
            refusal.add(.wrongType, at(name), "a list of texts is expected, this is of type \(value.kind.name)")
            return nil
        }
        guard value.count <= Limits.scopeNamesMax else {
            refusal.add(.tooLarge, at(name), "it has \(value.count) items, at most \(Limits.scopeNamesMax) are allowed")
            return nil
        }
        var out: [String] = []
        for (index, item) in value.items.enumerated() {
            guard let text = item.string, !text.isEmpty, text.utf8.count <= Limits.nameBytesMax else {
                refusal.add(item.kind == .string ? .malformed : .wrongType, "\(at(name))/\(index)", "a text of 1 to \(Limits.nameBytesMax) bytes is expected")
                continue
            }
            out.append(text)
        }
        return out
    }

    /// The object under a name, to be read by a reader of its own.
    mutating func object(_ name: String, isRequired: Bool = false) -> JSONNode? {
        guard let value = member(name) else {
            if isRequired { refusal.add(.missing, at(name), "'\(name)' is needed: an object") }
            return nil
        }
        guard value.kind == .object else {
            refusal.add(.wrongType, at(name), "an object is expected, this is of type \(value.kind.name)")
            return nil
        }
        return value
    }
}
