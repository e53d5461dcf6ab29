internal import Core
internal import Hummingbird
internal import Log
internal import PostgreSQLDriver
internal import Projections
internal import RedisDriver
internal import Replay
internal import Web

/// Reads projections for the routes: the present from their rows in PostgreSQL, the past by folding the log.
struct ProjectionDesk: Sendable {
    let stores: Stores
    let positions: Positions
    let reader: ProjectionReader
    /// Threads for folds of the past, which may take a minute.
    let folds: BlockingPool<ProjectionPlace>
    let endpoint: RedisEndpoint

    /// - Throws: 404 that names the projections there are.
    func runtime(_ encoded: String) throws(ProblemDocument) -> any ProjectionRuntime {
        do throws(ProjectionError) {
            return try reader.catalog.runtime(PercentText.decode(encoded, plusIsSpace: false) ?? encoded)
        } catch {
            throw ProjectionProblem.problem(error)
        }
    }

    /// Waits until the rows are as new as the request asks, if it asks.
    func wait(_ request: Request, _ definition: ProjectionDefinition) async throws -> Position? {
        try await positions.wait(forProjection: definition.name, of: definition.streams, request) {
            // A row that nobody has, with the checkpoint beside it.
            try await rows { [reader] session throws(ProjectionError) in try reader.row(definition, key: "", on: session).position }
        }
    }

    /// Reads or changes what lies in PostgreSQL.
    func rows<R: Sendable>(_ body: @escaping @Sendable (PostgreSQLSession) throws(ProjectionError) -> R) async throws -> R {
        let result: Result<R, ProjectionError> = try await stores.archive { session in
            do throws(ProjectionError) {
                return .success(try body(session))
            } catch {
                // For what the store itself throws the stores have words, and the connection goes.
                switch error {
                case .database(let inner): throw inner
                case .archive(let inner): throw inner
                default: return .failure(error)
                }
            }
        }
        return try ProjectionDesk.value(result)
    }

    /// The same with a connection to the log beside it: people look at how projections stand, programs do not do it a thousand times a second.
    func rowsAndLog<R: Sendable>(_ body: @escaping @Sendable (RedisSession, PostgreSQLSession) throws(ProjectionError) -> R) async throws -> R {
        try await rows { [endpoint] session throws(ProjectionError) in
            let redis: RedisSession
            do throws(RedisError) { redis = try RedisSession(endpoint, name: "meshlog-projections") } catch { throw .log(error) }
            return try body(redis, session)
        }
    }

    /// Folds the past.
    func past<R: Sendable>(_ body: @escaping @Sendable (ProjectionPlace) throws(ProjectionError) -> R) async throws -> R {
        let result: Result<R, ProjectionError>
        do {
            result = try await folds.run { place in
                do throws(ProjectionError) { return .success(try body(place)) } catch { return .failure(error) }
            }
        } catch LogError.overloaded {
            throw ProblemDocument(
                "overloaded", status: 503, title: "Too many questions about the past are waiting", detail: "Nothing was read. Try again in a second.",
                headers: [.retryAfter: "1"])
        }
        return try ProjectionDesk.value(result)
    }

    /// - Throws: `ProblemDocument`, or what is a fault of ours.
    private static func value<R>(_ result: Result<R, ProjectionError>) throws -> R {
        switch result {
        case .success(let value): return value
        case .failure(let error):
            switch error {
            case .log, .database, .archive: throw error.isRetryable ? ProjectionProblem.problem(error) : error
            default: throw ProjectionProblem.problem(error)
            }
        }
    }
}
