package import Core

/// How a generation of a projection stands.
package enum GenerationStatus: String, Sendable, CaseIterable {
    /// Folded from the beginning beside the one that serves.
    case building
    case serving
    /// Serves what it has and does not move: an event or a row is in its way.
    case stopped
    /// Could not be built; the one that serves is untouched.
    case failed
    case cancelled
    /// Served until a newer one took over.
    case replaced
}

/// One generation of a projection, as its row in `projection` says.
package struct GenerationRow: Sendable, Equatable {
    package var name: String
    package var generation: Int
    /// Of the code that folds it.
    package var version: Int
    package var status: GenerationStatus
    /// Everything up to here is in the rows.
    package var position: Position
    /// Entries read, whether they concerned it or not.
    package var entries: Int64
    /// Events that concerned it.
    package var events: Int64
    package var rows: Int64
    package var skipped: Int64
    /// Parked events that still wait.
    package var parked: Int64
    /// 32 bytes in hexadecimal.
    package var digest: String
    package var epoch: Int64
    /// The head of its streams when it was last seen, and how many entries these had.
    package var target: Position
    package var targetEntries: Int64
    /// Entries folded in memory, ahead of the last commit while it catches up.
    package var foldedEntries: Int64
    /// Entries a second while it catches up; 0 at the head.
    package var pace: Double
    /// The first entry it has, when older ones were gone from log and archive as it was built.
    package var begins: Position?
    package var failure: String?
    package var failureAt: Position?
    /// Somebody decided to pass over the event here.
    package var passOver: Position?
    /// µs since the Unix epoch.
    package var startedAt: Int64
    package var updatedAt: Int64
    package var finishedAt: Int64?

    /// Part of the way done, 0…1.
    package var progress: Double { targetEntries <= 0 ? 1 : min(1, Double(max(foldedEntries, entries)) / Double(targetEntries)) }

    /// Seconds until it has caught up, as far as the pace tells.
    package var secondsLeft: Double? { pace > 0 ? Double(max(0, targetEntries - foldedEntries)) / pace : nil }
}

/// A projection as people look at it: the generation that serves, the one being built, and how far behind the log it is.
package struct ProjectionStatus: Sendable {
    package enum Liveness: String, Sendable {
        /// At the head of the log.
        case live
        /// On its way there.
        case catchingUp = "catching_up"
        /// The log goes on and it does not.
        case stalled
        case stopped
        /// No process has started it yet.
        case absent
    }

    package let definition: ProjectionDefinition
    package let serving: GenerationRow?
    package let building: GenerationRow?
    /// Earlier generations, newest first.
    package let earlier: [GenerationRow]
    /// Entries of its streams behind the checkpoint; nil when the log cannot tell.
    package let lagEntries: Int64?
    /// Milliseconds since the oldest entry that is not folded came into the log; 0 at the head.
    package let lagMs: Int64
    /// Milliseconds since the checkpoint was last written.
    package let checkpointAgeMs: Int64?
    package let liveness: Liveness
}
