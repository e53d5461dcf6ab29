package import Core

/// Which messages of the archive, in which order, from where on. All conditions must hold; nil asks nothing.
package struct ArchiveFilter: Sendable {
    package enum Order: Sendable { case newestFirst, oldestFirst }

    /// A NATS subject, with `*` and `>` or without.
    package var topic: String?
    package var source: String?
    package var destination: String?
    /// Sender or one of the recipients.
    package var subject: String?
    package var type: String?
    package var outcome: Outcome?
    package var partition: Int?
    /// Time of the entry in the log, µs since the epoch, inclusive.
    package var from: Int64?
    /// Time of the entry in the log, µs since the epoch, exclusive.
    package var to: Int64?
    package var order = Order.newestFirst
    /// The last position of the page before: rows behind it in the order asked for.
    package var cursor: Position?
    /// The last position to look at.
    package var through: Position?
    /// 1…`Limits.pageRowsMax`.
    package var limit = 100

    package init() {}
}

/// Some rows of the archive.
package struct ArchivePage: Sendable {
    package let messages: [ArchivedMessage]
    /// There may be more behind the last one. A page may be shorter than its limit, because it is also bounded in bytes.
    package let hasMore: Bool

    /// The cursor of the next page.
    package var next: Position? { hasMore ? messages.last?.position : nil }
}

/// A message as the archive keeps it, in the form in which it stood in the log.
package struct ArchivedMessage: Sendable {
    package let position: Position
    package let message: MessageEntry
    /// Nil only for a message archived without one.
    package let verdict: VerdictEntry?
    /// µs since the epoch when a backbone first acknowledged it.
    package let ackTS: Int64?
}

/// Where the archive begins and ends.
package struct ArchiveExtent: Sendable {
    /// How far it is, and how many messages it ever took.
    package let checkpoint: Checkpoint
    /// Nil while it has none.
    package let oldest: Position?
}
