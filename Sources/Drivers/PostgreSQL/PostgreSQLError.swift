/// What went wrong on a PostgreSQL session.
///
/// Messages never hold the connection string. `detail` may hold values of rows: it is for people at the server, not for clients or logs.
package enum PostgreSQLError: Error, Equatable, Sendable {
    /// The connection string or a call's arguments are wrong: repeating does not help.
    case misuse(String)
    /// The server cannot be reached, or went away. After a commit or a COPY the outcome is unknown.
    case unavailable(String)
    /// The server refused a statement; the session goes on.
    case server(sqlState: String, message: String, detail: String?, hint: String?)

    /// May the same work succeed later, on a new session?
    ///
    /// - Source: PostgreSQL 15, appendix A: classes 08, 53, 57P; 40001, 40P01, 55P03, 57014; 25006 while a standby is promoted.
    package var isRetryable: Bool {
        switch self {
        case .misuse: return false
        case .unavailable: return true
        case .server(let state, _, _, _):
            if state.hasPrefix("08") || state.hasPrefix("53") || state.hasPrefix("57P") { return true }
            return ["40001", "40P01", "55P03", "57014", "25006"].contains(state)
        }
    }

    /// SQLSTATE of a refusal by the server.
    package var sqlState: String? {
        if case .server(let state, _, _, _) = self { state } else { nil }
    }
}

extension PostgreSQLError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .misuse(let text): "PostgreSQL: \(text)"
        case .unavailable(let text): "PostgreSQL is unavailable: \(text)"
        case .server(let state, let message, _, let hint): "PostgreSQL \(state): \(message)" + (hint.map { " (\($0))" } ?? "")
        }
    }
}
