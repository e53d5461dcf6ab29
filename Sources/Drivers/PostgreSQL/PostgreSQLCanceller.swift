import CLibpq

/// Cancels what a session is doing, from any thread, also after the session has gone.
package final class PostgreSQLCanceller: @unchecked Sendable {
    // libpq never changes a PGcancel once made, and PQcancel is documented as safe from any thread.
    private let handle: OpaquePointer

    init?(_ connection: OpaquePointer) {
        guard let handle = PQgetCancel(connection) else { return nil }
        self.handle = handle
    }

    deinit { PQfreeCancel(handle) }

    /// Asks the server to cancel the session's current statement, which then fails with SQLSTATE 57014.
    ///
    /// - Cost: one new connection to the server, blocking.
    /// - Returns: whether the request was sent; whether it found a statement to cancel is not known.
    @discardableResult
    package func cancel() -> Bool {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { PQcancel(handle, $0.baseAddress, 256) == 1 }
    }
}
