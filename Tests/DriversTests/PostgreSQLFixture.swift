internal import Foundation
internal import PostgreSQLDriver
internal import TestSupport

/// Runs `body` with the URL of an empty database, on a thread of its own, and drops the database afterwards.
func withPostgreSQL(_ body: @escaping @Sendable (String) throws -> Void) async throws {
    try await SharedStack.withDatabase { url in
        try await onThread { try body(url) }
    }
}

/// Runs `body` with a session of an empty database.
func withPostgreSQLSession(_ body: @escaping @Sendable (PostgreSQLSession) throws -> Void) async throws {
    try await withPostgreSQL { url in try body(PostgreSQLSession(conninfo: url, applicationName: "meshlog tests")) }
}

/// The error that `body` ends with; nil when it does not.
func postgreSQLError(_ body: () throws(PostgreSQLError) -> Void) -> PostgreSQLError? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}
