/// The Redis keys of one log. Everything of one partition shares a hash tag, so that it lies on one node of a cluster.
package struct LogKeys: Sendable, Hashable {
    package let prefix: String

    package init(prefix: String = "meshlog") { self.prefix = prefix }

    /// `meshlog:{m0}:messages`
    package func stream(_ name: StreamName, partition: Int = 0) -> String { "\(prefix):{m\(partition)}:\(name.rawValue)" }

    /// What tells this log from every other: an id that is made once.
    package var identity: String { "\(prefix):{m0}:log-id" }

    /// Holds "<epoch> <instance>" while one process acts for a stage.
    package func lease(_ name: String) -> String { "\(prefix):{m0}:lease:\(name)" }

    package func epoch(_ name: String) -> String { "\(prefix):{m0}:epoch:\(name)" }

    /// Hash of "<kind>/<key>" to the stream id of the document's last change: what an expected version is compared with.
    package var controlVersions: String { "\(prefix):{m0}:control-versions" }

    /// Hash of the id of each session that is open to what its `session.opened` says, as a JSON array of names and values.
    package var openSessions: String { "\(prefix):{m0}:sessions-open" }

    /// Sorted set of the open sessions that have an end, by it (µs since the epoch).
    package var dueSessions: String { "\(prefix):{m0}:sessions-due" }

    /// What the router's limits remember, as of a verdict: a start reads the verdicts behind it instead of all.
    package var limits: String { "\(prefix):{m0}:limits" }

    /// What is to be delivered to webhooks: when each is due, what it is, and how many each webhook has.
    package var webhookDue: String { "\(prefix):{m0}:webhook-due" }
    package var webhookDeliveries: String { "\(prefix):{m0}:webhook-deliveries" }
    package var webhookCounts: String { "\(prefix):{m0}:webhook-counts" }

    /// Remembers a name of a message for the dedupe window: "<stream id> <digest>".
    package var namePrefix: String { "\(prefix):{m0}:name:" }
}

/// The streams of the log.
package enum StreamName: String, Sendable, CaseIterable {
    case messages, verdicts, deliveries, control, sessions, rejected, operations, notifications
}

/// The consumer groups of the log.
package struct GroupName: RawRepresentable, Sendable, Hashable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package static let router = GroupName(rawValue: "router")
    package static let archive = GroupName(rawValue: "archive")
    package static let republish = GroupName(rawValue: "republish")
    package static let deliveryArchive = GroupName(rawValue: "delivery-archive")
    package static let webhooks = GroupName(rawValue: "webhooks")

    /// Those that `streams/` declares.
    package static let declared: [GroupName] = [.router, .archive, .republish, .deliveryArchive, .webhooks]

    /// Of a backbone of the registry, on `verdicts`.
    package static func republish(_ id: String) -> GroupName { GroupName(rawValue: republishPrefix + id) }

    package static let republishPrefix = "republish."

    /// A projection's, on each stream that it reads.
    package static func projection(_ name: String) -> GroupName { GroupName(rawValue: projectionPrefix + name) }

    package static let projectionPrefix = "projection."

    /// Is it a group that no file of `streams/` declares, since projections and backbones come and go?
    package static func isMadeOnTheWay(_ name: String) -> Bool { name.hasPrefix(projectionPrefix) || name.hasPrefix(republishPrefix) }
}
