package import Core
package import PostgreSQLDriver

/// What went wrong between Meshlog and its archive.
package enum ArchiveError: Error, Equatable, Sendable {
    /// Somebody else has claimed the checkpoint or moved it on: stop, and claim it again before writing.
    case fenced(name: String, partition: Int)
    /// The batch does not continue the checkpoint in ascending order of position.
    case outOfOrder(Position)
    /// Not a NATS subject pattern, or a limit out of range.
    case invalidQuery(String)
    case database(PostgreSQLError)

    /// May the same work succeed later? After a retryable error the outcome of a write is unknown: claim again and compare positions.
    package var isRetryable: Bool {
        switch self {
        case .fenced, .outOfOrder, .invalidQuery: false
        case .database(let error): error.isRetryable
        }
    }
}

extension ArchiveError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .fenced(let name, let partition): "checkpoint \(name)/\(partition) has been taken over"
        case .outOfOrder(let position): "entry \(position) does not follow the checkpoint in order"
        case .invalidQuery(let text): text
        case .database(let error): error.description
        }
    }
}
