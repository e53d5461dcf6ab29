/// A session has ended: what `session.decided`, `session.expired` and `session.released` say.
package struct SessionClosing: Sendable, Equatable {
    /// What a person may say.
    package enum Decision: String, Sendable, CaseIterable { case approve, edit, deny }

    package enum Cause: Sendable, Equatable {
        /// A person decided.
        case decided(Decision, by: String, via: String, comment: String, digest: String)
        /// Nobody did in time, or the message could not be released: `reason` says why then.
        case expired(ConstraintAction.Hold.Expiry, reason: String)
        /// The time that a limit delayed the message to has come.
        case released
    }

    /// Position of the held entry: the session's id.
    package var session: Position
    package var cause: Cause
    /// Position of the entry with which the message goes on; nil when it does not. Written by the log itself.
    package var released: Position?

    package init(_ session: Position, _ cause: Cause, released: Position? = nil) {
        self.session = session
        self.cause = cause
        self.released = released
    }

    package static let version = "1"
    package static let decided = "session.decided"
    package static let expired = "session.expired"
    package static let released = "session.released"

    package var event: String {
        switch cause {
        case .decided: SessionClosing.decided
        case .expired: SessionClosing.expired
        case .released: SessionClosing.released
        }
    }

    // MARK: In the log

    package static func requiredNames(_ event: String) -> [StaticString] {
        switch event {
        case decided: ["event", "v", "session_id", "decision", "digest"]
        case expired: ["event", "v", "session_id", "outcome"]
        default: ["event", "v", "session_id", "released"]
        }
    }

    package static func optionalNames(_ event: String) -> [StaticString] {
        switch event {
        case decided: ["by", "via", "comment", "released"]
        case expired: ["reason", "released"]
        default: []
        }
    }

    /// Names and values as they stand in the log; what has no value is left out.
    package var fields: [(name: StaticString, value: [UInt8])] {
        func text(_ value: String) -> [UInt8] { Array(value.utf8) }
        var out: [(name: StaticString, value: [UInt8])] = [
            ("event", text(event)), ("v", text(SessionClosing.version)), ("session_id", text(session.description)),
        ]
        func add(_ name: StaticString, _ value: String) { if !value.isEmpty { out.append((name, text(value))) } }
        switch cause {
        case .decided(let decision, let by, let via, let comment, let digest):
            out.append(("decision", text(decision.rawValue)))
            out.append(("digest", text(digest)))
            add("by", by)
            add("via", via)
            add("comment", comment)
        case .expired(let outcome, let reason):
            out.append(("outcome", text(outcome.rawValue)))
            add("reason", reason)
        case .released: break
        }
        if let released { out.append(("released", text(released.description))) }
        return out
    }

    /// - Throws: what is wrong with the fields of an entry.
    package init(fields: @escaping (StaticString) -> ArraySlice<UInt8>?) throws(SessionFault) {
        let reader = SessionFields(fields)
        session = try reader.position("session_id")
        released = try reader.optionalPosition("released")
        switch try reader.text("event") {
        case SessionClosing.decided:
            cause = .decided(
                try reader.choice("decision"), by: reader.optional("by") ?? "", via: reader.optional("via") ?? "", comment: reader.optional("comment") ?? "",
                digest: try reader.text("digest"))
        case SessionClosing.expired: cause = .expired(try reader.choice("outcome"), reason: reader.optional("reason") ?? "")
        case SessionClosing.released: cause = .released
        case let other: throw SessionFault("'\(other)' does not end a session")
        }
    }
}

/// One entry of `sessions`.
package enum SessionEvent: Sendable, Equatable {
    case opened(SessionOpening)
    case closed(SessionClosing)

    /// Every event type of the stream.
    package static let types = [SessionOpening.event, SessionClosing.decided, SessionClosing.expired, SessionClosing.released]

    /// Position of the held entry.
    package var session: Position {
        switch self {
        case .opened(let opening): opening.position
        case .closed(let closing): closing.session
        }
    }

    package var fields: [(name: StaticString, value: [UInt8])] {
        switch self {
        case .opened(let opening): opening.fields
        case .closed(let closing): closing.fields
        }
    }

    /// - Throws: what is wrong with the fields of an entry.
    package init(fields: @escaping (StaticString) -> ArraySlice<UInt8>?) throws(SessionFault) {
        let reader = SessionFields(fields)
        let type = try reader.text("event")
        guard SessionEvent.types.contains(type) else { throw SessionFault("'\(type)' is no event of the stream sessions") }
        let version = try reader.text("v")
        guard version == SessionOpening.version else { throw SessionFault("\(type) is of version \(version), this process knows \(SessionOpening.version)") }
        self = type == SessionOpening.event ? .opened(try SessionOpening(fields: fields)) : .closed(try SessionClosing(fields: fields))
    }
}
