internal import Core
internal import Replay

/// What a query or a follower asks of messages. All conditions must hold; nil asks nothing.
struct MessageFilter: Sendable {
    var topic: SubjectPattern?
    var source: String?
    var destination: String?
    /// Sender or one of the recipients.
    var subject: String?
    var type: String?
    var outcome: Outcome?

    init() {}

    /// Reads `topic`, `source`, `destination`, `subject`, `type` and `outcome`.
    init(_ query: inout QueryReader) {
        topic = query.topic("topic").map { SubjectPattern($0.utf8) }
        source = query.name("source")
        destination = query.name("destination")
        subject = query.name("subject")
        type = query.name("type")
        outcome = query.choice("outcome", of: Outcome.self)
    }

    /// Does it let only some messages through?
    var asks: Bool { topic != nil || source != nil || destination != nil || subject != nil || type != nil || outcome != nil }

    func matches(_ entry: FeedEntry) -> Bool {
        if let outcome, outcome != entry.outcome { return false }
        if let topic, !topic.matches(entry.topic) { return false }
        if let type, type != entry.type { return false }
        if let source, source != entry.source { return false }
        if let destination, !entry.destinations.contains(destination) { return false }
        if let subject, subject != entry.source, !entry.destinations.contains(subject) { return false }
        return true
    }

    /// The same question to the archive.
    var archived: ArchiveFilter {
        var filter = ArchiveFilter()
        filter.topic = topic?.text
        filter.source = source
        filter.destination = destination
        filter.subject = subject
        filter.type = type
        filter.outcome = outcome
        return filter
    }
}
