package import Core

/// Which messages of the past.
package struct HistoryRange: Sendable, Equatable {
    package let from: Position
    /// nil: as far as messages are decided when the reading begins.
    package let through: Position?
    /// Topics that are asked about; none for all.
    package let topics: [SubjectPattern]

    package init(from: Position = .zero, through: Position? = nil, topics: [SubjectPattern] = []) {
        self.from = from
        self.through = through
        self.topics = topics
    }

    func isAbout(_ message: MessageEntry) -> Bool {
        if topics.isEmpty { return true }
        let bytes = message.bytes
        let topic = bytes.span.extracting(message.range(.topic))
        return topics.contains { $0.matches(topic) }
    }
}

/// Reads the members that questions about the past have in common, and notes what is wrong with them.
struct QuestionReader {
    private let root: JSONNode
    var refusal = Refusal()

    init(_ root: JSONNode, _ members: [String]) {
        self.root = root
        guard root.kind == .object else {
            refusal.add(.wrongType, "", "a question is a JSON object with \(members.joined(separator: ", "))")
            return
        }
        for (key, _) in root.members {
            let name = key.string ?? ""
            guard !members.contains(name) else { continue }
            let near = CELSuggestion.near(name, members).map { "; " + $0 } ?? ""
            refusal.add(.unknownField, Violation.pointer(to: name), "no such member\(near); known are \(members.joined(separator: ", "))")
        }
    }

    mutating func text(_ name: String) -> String? {
        guard let node = root[name], !node.isNull else { return nil }
        guard let text = node.string else {
            refusal.add(.wrongType, "/\(name)", "a text is expected")
            return nil
        }
        return text
    }

    mutating func names(_ name: String) -> [String] {
        guard let node = root[name], !node.isNull else { return [] }
        guard node.kind == .array, node.count <= Limits.scopeNamesMax else {
            refusal.add(.wrongType, "/\(name)", "a list of at most \(Limits.scopeNamesMax) texts is expected")
            return []
        }
        var names: [String] = []
        for (index, item) in node.items.enumerated() {
            if let text = item.string { names.append(text) } else { refusal.add(.wrongType, "/\(name)/\(index)", "a text is expected") }
        }
        return names
    }

    mutating func range(now: UInt64) -> HistoryRange {
        let from = bound("since")?.first(now: now) ?? .zero
        let through = bound("until")?.last(now: now)
        if let through, through < from { refusal.add(.malformed, "/until", "it lies before 'since'; the range is \(from) to \(through)") }
        let topics = names("topics")
        for (index, topic) in topics.enumerated() where !Subject.isPattern(topic.utf8) {
            refusal.add(.malformed, "/topics/\(index)", "no topic and no pattern such as 'tasks.>' or 'tasks.*.question'")
        }
        return HistoryRange(from: from, through: through, topics: topics.filter { Subject.isPattern($0.utf8) }.map { SubjectPattern($0.utf8) })
    }

    private mutating func bound(_ name: String) -> HistoryBound? {
        guard let text = text(name) else { return nil }
        guard let bound = HistoryBound(text) else {
            refusal.add(.malformed, "/\(name)", "\(HistoryBound.expectation) is expected")
            return nil
        }
        return bound
    }
}
