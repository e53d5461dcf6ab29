/// To which messages a constraint applies. An absent part applies to all; a message must fit every part that is there.
package struct ConstraintScope: Sendable, Equatable {
    /// Patterns with `*` and `>`; empty for all topics.
    package let topics: [SubjectPattern]
    /// Senders, exactly; empty for all.
    package let sources: Set<String>
    /// Recipients, exactly: one of the message's, in the reception stage the one at hand; empty for all.
    package let destinations: Set<String>
    /// Organisations that the topic belongs to, as topic groups say; empty for all.
    package let organisations: Set<String>

    package init(topics: [String] = [], sources: Set<String> = [], destinations: Set<String> = [], organisations: Set<String> = []) {
        self.topics = topics.map { SubjectPattern($0.utf8) }
        self.sources = sources
        self.destinations = destinations
        self.organisations = organisations
    }

    /// Is there a message that both apply to?
    package func overlaps(_ other: ConstraintScope) -> Bool {
        func share(_ left: Set<String>, _ right: Set<String>) -> Bool { left.isEmpty || right.isEmpty || !left.isDisjoint(with: right) }
        // Destinations do not part two scopes: a message may have several.
        guard share(sources, other.sources), share(organisations, other.organisations) else { return false }
        if topics.isEmpty || other.topics.isEmpty { return true }
        return topics.contains { topic in other.topics.contains { Subject.overlaps(topic.text.utf8, $0.text.utf8) } }
    }

    /// Does it apply wherever `other` does? True is certain; false may be wrong where only several patterns together cover another.
    package func covers(_ other: ConstraintScope) -> Bool {
        func cover(_ outer: Set<String>, _ inner: Set<String>) -> Bool { outer.isEmpty || (!inner.isEmpty && inner.isSubset(of: outer)) }
        guard cover(sources, other.sources), cover(destinations, other.destinations), cover(organisations, other.organisations) else { return false }
        if topics.isEmpty { return true }
        return !other.topics.isEmpty && other.topics.allSatisfy { inner in topics.contains { Subject.isSubset(inner.text.utf8, of: $0.text.utf8) } }
    }
}
