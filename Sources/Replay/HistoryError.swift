package import Core
package import RedisDriver

/// Why a part of the past cannot be read.
package enum HistoryError: Error, Sendable, CustomStringConvertible {
    /// Entries behind `after` are neither in the log nor in the archive any more; the first that is left.
    case gap(after: Position, first: Position)
    /// The archive has not yet taken in what the log has let go.
    case archiveBehind(archive: Position, log: Position)
    /// The archive has a message, but nothing that was decided about it.
    case undecided(Position)
    /// More than one run may read; the text says what to do.
    case tooMuch(String)
    case log(RedisError)
    case archive(ArchiveError)

    /// May the same read succeed later, on new connections?
    package var isRetryable: Bool {
        switch self {
        case .archiveBehind: true
        case .gap, .undecided, .tooMuch: false
        case .log(let error): error.isRetryable
        case .archive(let error): error.isRetryable
        }
    }

    package var description: String {
        switch self {
        case .gap(let after, let first): "messages behind \(after) are neither in the log nor in the archive any more; the first one left is \(first)"
        case .archiveBehind(let archive, let log): "the archive ends at \(archive), the log begins at \(log): what lies between is not archived yet"
        case .undecided(let position): "the verdict about \(position) is not in the archive"
        case .tooMuch(let text): text
        case .log(let error): error.description
        case .archive(let error): error.description
        }
    }
}
