package import Core
package import Log
package import PostgreSQLDriver
package import RedisDriver
package import Replay

/// What can go wrong with a projection.
package enum ProjectionError: Error, Sendable, CustomStringConvertible {
    /// There is no projection of this name; the known ones.
    case unknown(String, known: [String])
    /// The projection has no rows to read yet: its first materializer has not started.
    case notStarted(String)
    /// Another process or another generation writes this projection now.
    case fenced(String)
    /// A row, or the checkpoint, is not what was committed: somebody else has written there.
    case damaged(projection: String, key: String, detail: String)
    /// An event that the projection's policy does not let pass.
    case refused(Position, ProjectionFault)
    /// Entries behind `after` are neither in the log nor in the archive; the first that is left.
    case gap(StreamName, after: Position, first: Position?)
    /// The archive has not yet taken in what the log has let go.
    case archiveBehind(archive: Position, log: Position)
    /// The state at a past moment is larger, or further away, than what is folded for one answer.
    case tooMuch(String)
    /// The request itself is wrong; `detail` says what would be right.
    case invalid(String)
    /// What is asked for does not fit the projection's present status.
    case status(String)
    case log(RedisError)
    case database(PostgreSQLError)
    case archive(ArchiveError)

    /// May the same work succeed later, on new connections?
    package var isRetryable: Bool {
        switch self {
        case .fenced, .archiveBehind, .notStarted: true
        case .log(let error): error.isRetryable
        case .database(let error): error.isRetryable
        case .archive(let error): error.isRetryable
        case .unknown, .damaged, .refused, .gap, .tooMuch, .invalid, .status: false
        }
    }

    package var description: String {
        switch self {
        case .unknown(let name, let known): "there is no projection '\(name)'; there are \(known.joined(separator: ", "))"
        case .notStarted(let name): "the projection '\(name)' has not started yet"
        case .fenced(let text): text
        case .damaged(let name, let key, let detail): "\(name): the row '\(key)' was changed by hand: \(detail)"
        case .refused(let position, let fault): "the event at \(position) cannot be applied: \(fault.detail)"
        case .gap(let stream, let after, let first):
            "entries of \(stream.rawValue) behind \(after) are neither in the log nor in the archive; the first one left is \(first?.description ?? "not there yet")"
        case .archiveBehind(let archive, let log): "the archive ends at \(archive), the log begins at \(log): what lies between is not archived yet"
        case .tooMuch(let text), .invalid(let text), .status(let text): text
        case .log(let error): error.description
        case .database(let error): error.description
        case .archive(let error): "\(error)"
        }
    }
}

/// Runs `body` and gives its error the target's type.
func database<R>(_ body: () throws(PostgreSQLError) -> R) throws(ProjectionError) -> R {
    do { return try body() } catch { throw .database(error) }
}

func redis<R>(_ body: () throws(RedisError) -> R) throws(ProjectionError) -> R {
    do { return try body() } catch { throw .log(error) }
}

func archive<R>(_ body: () throws(ArchiveError) -> R) throws(ProjectionError) -> R {
    do { return try body() } catch { throw .archive(error) }
}
