/// What went wrong between this process and a Redis server.
package enum RedisError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The address is not of the form `redis://[user:password@]host:port[/database]`.
    case badAddress(String)
    /// No connection, or it broke: whether the last commands took effect is unknown.
    case unavailable(String)
    /// The server did not answer in time; the connection is closed because a late answer would be taken for the next one.
    case timedOut(String)
    /// The server refused one command with this text (`MOVED …`, `OOM …`, `NOSCRIPT …`).
    case server(String)
    /// The reply had another shape than the command's documentation says.
    case unexpectedReply(String)

    package var isRetryable: Bool {
        switch self {
        case .unavailable, .timedOut: true
        case .server(let text): RedisError.isTransient(text)
        case .badAddress, .unexpectedReply: false
        }
    }

    /// Refusals that pass by themselves: loading, failover, memory that may be freed.
    private static func isTransient(_ text: String) -> Bool {
        ["LOADING", "BUSY", "MASTERDOWN", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "OOM", "MISCONF", "NOREPLICAS"].contains { text.hasPrefix($0) }
    }

    package var description: String {
        switch self {
        case .badAddress(let text): "not a Redis address: \(text) (expected redis://[user:password@]host:port[/database])"
        case .unavailable(let text): "Redis is not reachable: \(text)"
        case .timedOut(let text): "Redis did not answer in time: \(text)"
        case .server(let text): "Redis refused: \(text)"
        case .unexpectedReply(let text): "unexpected reply from Redis: \(text)"
        }
    }
}
