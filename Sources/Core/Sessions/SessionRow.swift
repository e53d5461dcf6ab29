/// How a session stands: the fold of its events.
package struct SessionRow: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable {
        case pending, approved, edited, denied, expired, released
    }

    package var opening: SessionOpening
    /// Of the entry that opened it.
    package var opened: Position
    package var closing: SessionClosing?
    /// Of the entry that ended it.
    package var closed: Position?

    package init(_ opening: SessionOpening, opened: Position) {
        self.opening = opening
        self.opened = opened
    }

    package var status: Status {
        switch closing?.cause {
        case nil: .pending
        case .decided(.approve, _, _, _, _): .approved
        case .decided(.edit, _, _, _, _): .edited
        case .decided(.deny, _, _, _, _): .denied
        case .expired: .expired
        case .released: .released
        }
    }

    /// Members that have no value are null.
    package var json: [UInt8] {
        var object = JSONObject()
        func time(_ microseconds: Int64) -> String { Timestamp.rfc3339(microseconds: microseconds) }
        object.add("session_id", opening.sessionID)
        object.add("status", status.rawValue)
        object.add("kind", opening.kind.rawValue)
        object.add("position", opening.position.description)
        object.add("message_uuid", opening.messageUUID.description)
        object.add("topic", opening.topic)
        add("source_subject_id", opening.source, &object)
        object.add("rule", opening.rule)
        add("reason", opening.reason, &object)
        object.add("digest", opening.digest)
        object.add("approvers", raw: PolicyDecision.strings(opening.approvers))
        add("channel", opening.channel, &object)
        object.add("opened", opened.description)
        object.add("opened_at", time(opened.microseconds))
        if let expiresAt = opening.expiresAt { object.add("expires_at", time(expiresAt)) } else { object.addNull("expires_at") }
        object.add("on_expiry", opening.onExpiry.rawValue)
        object.add("passed", raw: PolicyDecision.strings(opening.passed))
        add("closed", closed?.description ?? "", &object)
        add("closed_at", closed.map { time($0.microseconds) } ?? "", &object)
        addCause(&object)
        add("released", closing?.released?.description ?? "", &object)
        return object.finish()
    }

    private func addCause(_ object: inout JSONObject) {
        var (decision, by, via, comment, digest, outcome, detail) = ("", "", "", "", "", "", "")
        switch closing?.cause {
        case .decided(let said, let who, let door, let why, let what): (decision, by, via, comment, digest) = (said.rawValue, who, door, why, what)
        case .expired(let became, let why): (outcome, detail) = (became.rawValue, why)
        case .released, nil: break
        }
        add("decision", decision, &object)
        add("decided_by", by, &object)
        add("decided_via", via, &object)
        add("comment", comment, &object)
        add("decided_digest", digest, &object)
        add("expiry", outcome, &object)
        add("expiry_reason", detail, &object)
    }

    private func add(_ name: StaticString, _ value: String, _ object: inout JSONObject) {
        if value.isEmpty { object.addNull(name) } else { object.add(name, value) }
    }

    /// Reads `json` back; nil when it is something else.
    package init?(json: [UInt8]) {
        guard let root = try? JSONDocument(json).root, root.kind == .object else { return nil }
        func text(_ name: String) -> String { root[name]?.string ?? "" }
        func time(_ name: String) -> Int64? { root[name]?.string.flatMap { Timestamp.parse(Array($0.utf8).span) } }
        func strings(_ name: String) -> [String] { root[name]?.items.compactMap(\.string) ?? [] }
        guard let kind = SessionOpening.Kind(rawValue: text("kind")), let position = Position(text("position")),
            let uuid = MessageUUID(text("message_uuid")), let opened = Position(text("opened")),
            let onExpiry = ConstraintAction.Hold.Expiry(rawValue: text("on_expiry"))
        else { return nil }
        opening = SessionOpening(
            kind: kind, position: position, messageUUID: uuid, topic: text("topic"), source: text("source_subject_id"), rule: text("rule"),
            reason: text("reason"), digest: text("digest"), approvers: strings("approvers"), channel: text("channel"), expiresAt: time("expires_at"),
            onExpiry: onExpiry, passed: strings("passed"))
        self.opened = opened
        guard let closed = Position(text("closed")) else { return }
        self.closed = closed
        let released = Position(text("released"))
        if let decision = SessionClosing.Decision(rawValue: text("decision")) {
            let cause = SessionClosing.Cause.decided(
                decision, by: text("decided_by"), via: text("decided_via"), comment: text("comment"), digest: text("decided_digest"))
            closing = SessionClosing(position, cause, released: released)
        } else if let outcome = ConstraintAction.Hold.Expiry(rawValue: text("expiry")) {
            closing = SessionClosing(position, .expired(outcome, reason: text("expiry_reason")), released: released)
        } else {
            closing = SessionClosing(position, .released, released: released)
        }
    }
}
