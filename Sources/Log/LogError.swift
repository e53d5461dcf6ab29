package import RedisDriver

/// What can go wrong with the log.
package enum LogError: Error, Sendable, CustomStringConvertible {
    /// The log is not reachable; whether the last append took effect is unknown. Repeat with the same ids: they deduplicate.
    case unavailable(String)
    /// The bounded queue in front of the log is full; nothing was taken in.
    case overloaded(String)
    /// Another process has taken the stage's lease: this one must not write any more.
    case fenced(String)
    /// The declarations under `streams/` are not usable, or do not fit the server.
    case declaration(String)
    /// The server answered what its documentation does not allow.
    case protocolFault(String)

    package init(_ error: RedisError) {
        switch error {
        case .server(let text) where text.hasPrefix("FENCED"): self = .fenced(text)
        case .server, .unavailable, .timedOut: self = .unavailable(error.description)
        case .badAddress: self = .declaration(error.description)
        case .unexpectedReply(let text): self = .protocolFault(text)
        }
    }

    package var isRetryable: Bool {
        switch self {
        case .unavailable, .overloaded: true
        case .fenced, .declaration, .protocolFault: false
        }
    }

    package var description: String {
        switch self {
        case .unavailable(let text): text
        case .overloaded(let text): text
        case .fenced(let text): text
        case .declaration(let text): text
        case .protocolFault(let text): text
        }
    }
}
