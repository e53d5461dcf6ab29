/// What a constraint asks of messages, in words for their senders; read from its document, of which nothing need be compiled for that.
package struct ConstraintTerms: Sendable, Equatable {
    package let description: String
    /// Source of its condition; nil: it concerns every message of its scope.
    package let condition: String?
    /// The condition has to hold for a message to pass, rather than not to.
    package let isRequirement: Bool

    package init(_ constraint: Constraint) {
        description = constraint.description
        condition = constraint.when?.source
        if case .require = constraint.action { isRequirement = true } else { isRequirement = false }
    }

    /// Nil when the text is no JSON object.
    package init?(document: [UInt8]) {
        guard let root = try? JSONDocument(document).root, root.kind == .object else { return nil }
        description = root["description"]?.string ?? ""
        condition = root["when"]?.string
        isRequirement = root["action"]?["type"]?.string == ConstraintAction.Kind.require.rawValue
    }

    /// What would pass; nil when there is nothing that can be said, or may be.
    func wouldPass(disclosingConditions: Bool) -> String? {
        if !description.isEmpty { return PolicyText.bounded(description, Limits.reasonBytesMax) }
        guard disclosingConditions, let condition else { return nil }
        let source = PolicyText.bounded(condition, Limits.reasonBytesMax)
        return isRequirement ? "a message for which this holds: \(source)" : "a message for which this does not hold: \(source)"
    }
}
