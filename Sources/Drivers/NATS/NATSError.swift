/// What went wrong on the way to or in a NATS server.
package enum NATSError: Error, Equatable, Sendable {
    /// No connection to a server: refused, lost, closed. What was under way has an unknown outcome.
    case unavailable(reason: String)
    /// The server refused the credentials or the permission.
    case refused(reason: String)
    /// No answer in time; the outcome is unknown.
    case timedOut(operation: String)
    /// Nobody listens on `subject`: for a JetStream publish, no stream covers it; for the JetStream API, it is disabled.
    case noResponders(subject: String)
    /// More bytes (headers included) than the server takes.
    case payloadTooLarge(bytes: Int, limit: Int)
    /// A subject the protocol cannot carry.
    case invalidSubject(String)
    /// JetStream refused: `status` is HTTP-like, `code` says what exactly.
    case jetStream(status: Int, code: JetStreamErrorCode, description: String)
    /// An answer that does not have the documented form.
    case unexpectedReply(String)
    /// Any other status of nats.c, in its own words.
    case client(operation: String, text: String)

    static func notPermitted(_ subject: String) -> NATSError { .refused(reason: "to publish to \(subject) is not permitted") }

    /// Whether the same call can succeed later without a change by the caller.
    package var isRetryable: Bool {
        switch self {
        case .unavailable, .timedOut, .noResponders: true
        // An account that is full (said with 400) and too many requests (429) pass: messages expire, somebody makes room.
        case .jetStream(_, .accountResourcesExceeded, _), .jetStream(429, _, _): true
        case .jetStream(let status, let code, _): status >= 500 && code != .notEnabled && code != .notEnabledForAccount
        case .refused, .payloadTooLarge, .invalidSubject, .unexpectedReply, .client: false
        }
    }

    /// One sentence for a log line or a delivery entry.
    package var reason: String {
        switch self {
        case .unavailable(let reason): "NATS is not reachable: \(reason)"
        case .refused(let reason): "NATS refused: \(reason)"
        case .timedOut(let operation): "no answer in time: \(operation)"
        case .noResponders(let subject): "nobody listens on \(subject)"
        case .payloadTooLarge(let bytes, let limit): "\(bytes) bytes with headers, the server takes at most \(limit) (max_payload)"
        case .invalidSubject(let subject): "not a NATS subject to publish to: \(subject)"
        case .jetStream(_, let code, let description): "JetStream refused (\(code.rawValue)): \(description)"
        case .unexpectedReply(let reply): "unexpected reply: \(reply)"
        case .client(let operation, let text): "\(operation): \(text)"
        }
    }
}

/// `err_code` of a JetStream answer.
///
/// - Source: nats-server errors.json.
package struct JetStreamErrorCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    package static let accountResourcesExceeded = JetStreamErrorCode(rawValue: 10_002)
    package static let consumerNotFound = JetStreamErrorCode(rawValue: 10_014)
    package static let noMessageFound = JetStreamErrorCode(rawValue: 10_037)
    package static let notEnabledForAccount = JetStreamErrorCode(rawValue: 10_039)
    package static let messageTooLarge = JetStreamErrorCode(rawValue: 10_054)
    package static let streamNameInUse = JetStreamErrorCode(rawValue: 10_058)
    package static let streamNotFound = JetStreamErrorCode(rawValue: 10_059)
    package static let subjectsOverlap = JetStreamErrorCode(rawValue: 10_065)
    package static let notEnabled = JetStreamErrorCode(rawValue: 10_076)
    package static let storeFailed = JetStreamErrorCode(rawValue: 10_077)
}
