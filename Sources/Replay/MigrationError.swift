package import PostgreSQLDriver

/// Why the schema of the archive cannot be brought, or trusted, to its state.
package enum MigrationError: Error, Equatable, Sendable {
    /// The folder of migrations cannot be read, or holds a name that is none.
    case folder(String)
    /// A numbered file differs from what was applied under its name: add a new file instead.
    case changed(String)
    /// The database has a numbered step that this version does not know: it belongs to a newer one.
    case unknown(String)
    /// Steps which are not applied yet.
    case pending([String])
    /// The database uses TimescaleDB, but the server does not preload it: rows would silently be missing.
    case notPreloaded
    /// A step failed; it left nothing behind, the steps before it are applied.
    case failed(step: String, PostgreSQLError)
    case database(PostgreSQLError)

    package var isRetryable: Bool {
        switch self {
        case .folder, .changed, .unknown, .pending, .notPreloaded: false
        case .failed(_, let error), .database(let error): error.isRetryable
        }
    }
}

extension MigrationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .folder(let text): "migrations: \(text)"
        case .changed(let name): "migrations: \(name) was changed after it was applied; put it back and add a new file"
        case .unknown(let name): "migrations: the database has \(name), which this version of Meshlog does not know"
        case .pending(let names): "migrations: not applied yet: \(names.joined(separator: ", ")); run `meshlog migrate`"
        case .notPreloaded:
            "this database uses timescaledb, but the server does not preload it: add it to shared_preload_libraries and restart the server"
        case .failed(let step, let error): "migrations: \(step): \(error)"
        case .database(let error): error.description
        }
    }
}
