internal import Core
internal import HTTPTypes
package import Log
package import PostgreSQLDriver
package import RedisDriver
internal import Replay
internal import Web

/// The two stores that views read, each behind its pool; what goes wrong there becomes a problem document.
package struct Stores: Sendable {
    package let redis: BlockingPool<RedisSession>
    package let postgresql: BlockingPool<PostgreSQLSession>

    package init(redis: BlockingPool<RedisSession>, postgresql: BlockingPool<PostgreSQLSession>) {
        self.redis = redis
        self.postgresql = postgresql
    }

    /// Reads the log.
    ///
    /// - Parameter body: a throw costs a connection, so expected outcomes are returned.
    /// - Throws: `ProblemDocument` 503, or what is a fault of ours.
    func log<R: Sendable>(_ body: @escaping @Sendable (RedisSession) throws -> R) async throws -> R {
        do { return try await redis.run(body) } catch { throw Stores.logProblem(error) }
    }

    /// Reads the archive.
    func archive<R: Sendable>(_ body: @escaping @Sendable (PostgreSQLSession) throws -> R) async throws -> R {
        do { return try await postgresql.run(body) } catch { throw Stores.archiveProblem(error) }
    }

    // MARK: Problems

    private static func logProblem(_ error: any Error) -> any Error {
        switch error {
        case LogError.overloaded: overloaded
        case is LogError: unavailable("log-unavailable", "The log cannot be reached", "Redis does not answer; /readyz says since when.")
        case let error as RedisError where error.isRetryable:
            unavailable("log-unavailable", "The log cannot be reached", "Redis does not answer; /readyz says since when.")
        default: error
        }
    }

    private static func archiveProblem(_ error: any Error) -> any Error {
        switch error {
        case LogError.overloaded: return overloaded
        case is LogError: return archiveAway
        case let error as PostgreSQLError: return archiveProblem(error) ?? error
        case ArchiveError.database(let inner): return archiveProblem(inner) ?? error
        default: return error
        }
    }

    private static func archiveProblem(_ error: PostgreSQLError) -> ProblemDocument? {
        switch error.sqlState {
        case "57014":
            unavailable("archive-slow", "The archive took too long", "Narrow the query: a time range (from, to), a topic or a subject.")
        case "42P01", "42703", "42883":
            unavailable("archive-unavailable", "The archive is not set up", "Its tables are missing or old: run `meshlog migrate`.")
        default: error.isRetryable ? archiveAway : nil
        }
    }

    private static var archiveAway: ProblemDocument {
        unavailable(
            "archive-unavailable", "The archive cannot be reached",
            "PostgreSQL does not answer; messages go on being accepted, and /readyz says since when.")
    }

    private static var overloaded: ProblemDocument {
        unavailable("overloaded", "Too many reads are waiting", "Nothing was read. Try again in a second.")
    }

    private static func unavailable(_ slug: String, _ title: String, _ detail: String) -> ProblemDocument {
        ProblemDocument(slug, status: 503, title: title, detail: detail, headers: [.retryAfter: "1"])
    }
}
