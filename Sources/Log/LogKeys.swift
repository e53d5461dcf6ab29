
/// The Redis keys of one log. Everything of one partition shares a hash tag, so that it lies on one node of a cluster.
package struct LogKeys: Sendable, Hashable {
    package let prefix: String

    package init(prefix: String = "meshlog") { self.prefix = prefix }

    /// `meshlog:{m0}:messages`
    package func stream(_ name: StreamName, partition: Int = 0) -> String { "\(prefix):{m\(partition)}:\(name.rawValue)" }

    /// Holds "<epoch> <instance>" while one process acts for a stage.
    package func lease(_ name: String) -> String { "\(prefix):{m0}:lease:\(name)" }

    package func epoch(_ name: String) -> String { "\(prefix):{m0}:epoch:\(name)" }

    /// Remembers a name of a message for the dedupe window: "<stream id> <digest>".
    package var namePrefix: String { "\(prefix):{m0}:name:" }
}

/// The streams of the log.
package enum StreamName: String, Sendable, CaseIterable {
    case messages, verdicts, deliveries, rejected, operations
}

/// The consumer groups of the log.
package enum GroupName: String, Sendable, CaseIterable {
    case router, archive, republish
    case deliveryArchive = "delivery-archive"
}
