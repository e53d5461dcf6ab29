/// A held message asks for a decision: what `session.opened` says. It stands in `sessions` from the very step that wrote the verdict.
///
/// The session's id is the position of the held entry as text: one position is the thread.
package struct SessionOpening: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A constraint asks a person.
        case approval
        /// A limit lets the message wait for its time.
        case delay
    }

    package static let event = "session.opened"
    package static let version = "1"

    package var kind: Kind
    /// Of the held entry.
    package var position: Position
    package var messageUUID: MessageUUID
    package var topic: String
    package var source: String
    package var rule: String
    package var reason: String
    /// SHA-256 of what was held, in hex: a decision names it, so that nobody decides about something else than he saw.
    package var digest: String
    /// Who may decide; empty: anybody.
    package var approvers: [String]
    package var channel: String
    /// µs since the epoch; nil: it waits for as long as it takes.
    package var expiresAt: Int64?
    package var onExpiry: ConstraintAction.Hold.Expiry
    /// Constraints that have had their say and are not asked again about the released message.
    package var passed: [String]

    package init(
        kind: Kind, position: Position, messageUUID: MessageUUID, topic: String, source: String = "", rule: String, reason: String = "", digest: String,
        approvers: [String] = [], channel: String = "", expiresAt: Int64? = nil, onExpiry: ConstraintAction.Hold.Expiry = .block, passed: [String]
    ) {
        self.kind = kind
        self.position = position
        self.messageUUID = messageUUID
        self.topic = topic
        self.source = source
        self.rule = rule
        self.reason = reason
        self.digest = digest
        self.approvers = approvers
        self.channel = channel
        self.expiresAt = expiresAt
        self.onExpiry = onExpiry
        self.passed = passed
    }

    package var sessionID: String { position.description }

    // MARK: In the log

    package static let requiredNames: [StaticString] = [
        "event", "v", "session_id", "kind", "position", "message_uuid", "topic", "rule", "digest", "on_expiry", "passed",
    ]
    package static let optionalNames: [StaticString] = ["source_subject_id", "reason", "approvers", "channel", "expires_at"]

    /// Names and values as they stand in the log; what has no value is left out.
    package var fields: [(name: StaticString, value: [UInt8])] {
        func text(_ value: String) -> [UInt8] { Array(value.utf8) }
        var out: [(name: StaticString, value: [UInt8])] = [
            ("event", text(SessionOpening.event)), ("v", text(SessionOpening.version)), ("session_id", text(sessionID)), ("kind", text(kind.rawValue)),
            ("position", text(position.description)), ("message_uuid", text(messageUUID.description)), ("topic", text(topic)), ("rule", text(rule)),
            ("digest", text(digest)), ("on_expiry", text(onExpiry.rawValue)), ("passed", PolicyDecision.strings(passed)),
        ]
        if !source.isEmpty { out.append(("source_subject_id", text(source))) }
        if !reason.isEmpty { out.append(("reason", text(reason))) }
        if !approvers.isEmpty { out.append(("approvers", PolicyDecision.strings(approvers))) }
        if !channel.isEmpty { out.append(("channel", text(channel))) }
        if let expiresAt { out.append(("expires_at", text(String(expiresAt)))) }
        return out
    }

    /// - Throws: what is wrong with the fields of an entry.
    package init(fields: @escaping (StaticString) -> ArraySlice<UInt8>?) throws(SessionFault) {
        let reader = SessionFields(fields)
        kind = try reader.choice("kind")
        position = try reader.position("position")
        guard let uuid = MessageUUID(try reader.text("message_uuid")) else { throw SessionFault("the message_uuid is no UUID") }
        messageUUID = uuid
        topic = try reader.text("topic")
        source = reader.optional("source_subject_id") ?? ""
        rule = try reader.text("rule")
        reason = reader.optional("reason") ?? ""
        digest = try reader.text("digest")
        approvers = try reader.strings("approvers") ?? []
        channel = reader.optional("channel") ?? ""
        expiresAt = try reader.integer("expires_at")
        onExpiry = try reader.choice("on_expiry")
        passed = try reader.strings("passed") ?? []
        guard try reader.text("session_id") == sessionID else { throw SessionFault("the session_id is not the position of what is held") }
    }
}

extension VerdictEntry {
    /// What is said about a message that would be held when too many are: it is blocked, whatever the topic's configuration says about errors,
    /// since nothing that a person should have seen first goes past him. `error` keeps the bound that was met: it is a fact of that time, which
    /// no policy tells.
    package func withoutSession(openMax: Int) -> VerdictEntry {
        var other = self
        let words = "\(openMax) held messages wait, which is the most there may be, so this one is not held but blocked"
        other.outcome = .block
        other.reason = words
        other.detail.hold = []
        other.detail.error = PolicyDecision.errorJSON(.block, [PolicyDecision.Fault(rule: rule, detail: words)], openSessionsMax: openMax)
        return other
    }

    /// The number of sessions that were open when this message would have been held and was blocked instead, as `withoutSession` notes it; nil
    /// for every other verdict, and for those of versions that did not note it.
    package var openSessionsMet: Int? {
        guard outcome == .block, !detail.error.isEmpty, let root = try? JSONDocument(detail.error).root else { return nil }
        return root["open_sessions_max"]?.integer.map { Int($0) }
    }
}

extension SessionOpening {
    /// What a verdict opens; nil when it holds nothing.
    ///
    /// A message that was released before and is held again keeps what it passed then: nobody asks twice.
    package init?(_ verdict: VerdictEntry, about message: MessageEntry, at position: Position) {
        guard verdict.outcome == .hold else { return nil }
        var passed = message.isReleased ? Release(message.slice(.release))?.passed ?? [] : []
        for touch in LimitTouch.list(verdict.detail.limits) ?? [] where touch.isTaken && !touch.key.isShadow && !passed.contains(touch.key.rule) {
            passed.append(touch.key.rule)
        }
        if !passed.contains(verdict.rule) { passed.append(verdict.rule) }
        let hold = try? JSONDocument(verdict.detail.hold).root
        self.init(
            kind: hold == nil ? .delay : .approval, position: position, messageUUID: verdict.messageUUID, topic: message.string(.topic),
            source: message.string(.source), rule: verdict.rule, reason: verdict.reason, digest: String(decoding: verdict.detail.digest, as: UTF8.self),
            approvers: hold?["approvers"]?.items.compactMap(\.string) ?? [], channel: hold?["channel"]?.string ?? "",
            expiresAt: hold == nil ? Int64(String(decoding: verdict.detail.retryAt, as: UTF8.self)) : nil,
            onExpiry: hold == nil ? .deliver : hold?["on_expiry"]?.string.flatMap { ConstraintAction.Hold.Expiry(rawValue: $0) } ?? .block, passed: passed)
    }

    /// How long the person has who is asked, ms; nil for no end. Counted from the opening, not from the message: a router that was away
    /// lets nobody come too late.
    package static func timeoutMs(_ verdict: VerdictEntry) -> Int64? {
        (try? JSONDocument(verdict.detail.hold).root["timeout_ms"]?.integer) ?? nil
    }
}
