/// What becomes of a message.
package enum Outcome: String, Sendable, CaseIterable {
    case deliver, block, reroute, hold, expire
}

/// What the router decided about a message. Its entry in `verdicts` has the same stream id as the message in `messages`,
/// so the two are joined by position and a verdict can be written only once.
package struct VerdictEntry: Sendable, Equatable {
    package static let event = "message.decided"
    package static let version = "1"
    private static let eventBytes = Array(event.utf8)
    private static let versionBytes = Array(version.utf8)

    package var messageUUID: MessageUUID
    package var outcome: Outcome
    /// Name of the deciding rule; `default` when none applied.
    package var rule: String
    /// For people; empty when the default decided.
    package var reason: String
    /// Position in `control` whose state was used, `0-0-0` before the first control entry.
    package var policyRevision: String
    /// Names of the backbones it goes to.
    package var targets: [String]
    /// The NATS subject it goes out on.
    package var subject: [UInt8]
    package var detail: VerdictDetail

    package init(
        messageUUID: MessageUUID, outcome: Outcome, rule: String, reason: String, policyRevision: String, targets: [String], subject: [UInt8],
        detail: VerdictDetail = VerdictDetail()
    ) {
        self.messageUUID = messageUUID
        self.outcome = outcome
        self.rule = rule
        self.reason = reason
        self.policyRevision = policyRevision
        self.targets = targets
        self.subject = subject
        self.detail = detail
    }

    /// The names of the fields in the log, in order.
    package static let fieldNames: [StaticString] = [
        "event", "v", "message_uuid", "outcome", "rule", "reason", "policy_revision", "targets", "subject",
    ]

    /// Names and values as they stand in the log: details without value are left out.
    package var loggedFields: [(name: StaticString, value: [UInt8])] {
        var out: [(name: StaticString, value: [UInt8])] = []
        out.reserveCapacity(VerdictEntry.fieldNames.count + VerdictDetail.fieldNames.count)
        func add(_ value: [UInt8]) { out.append((VerdictEntry.fieldNames[out.count], value)) }
        add(VerdictEntry.eventBytes)
        add(VerdictEntry.versionBytes)
        var uuid: [UInt8] = []
        messageUUID.append(to: &uuid)
        add(uuid)
        add(Array(outcome.rawValue.utf8))
        add(Array(rule.utf8))
        add(Array(reason.utf8))
        add(Array(policyRevision.utf8))
        add(targetsJSON)
        add(subject)
        for (index, value) in detail.fieldValues.enumerated() where !value.isEmpty { out.append((VerdictDetail.fieldNames[index], value)) }
        return out
    }

    /// `targets` as a JSON array.
    package var targetsJSON: [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "[")]
        for (index, target) in targets.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            JSONText.append(target, to: &out)
        }
        out.append(UInt8(ascii: "]"))
        return out
    }

    /// Reads the fields of a log entry; nil when one is missing or malformed.
    package init?(fields: (StaticString) -> ArraySlice<UInt8>?) {
        func text(_ name: StaticString) -> String? { fields(name).map { String(decoding: $0, as: UTF8.self) } }
        guard text("event") == VerdictEntry.event,
            let uuid = fields("message_uuid").flatMap({ MessageUUID(utf8: $0.span) }),
            let outcome = text("outcome").flatMap(Outcome.init(rawValue:)),
            let rule = text("rule"), let reason = text("reason"), let revision = text("policy_revision"),
            let targets = fields("targets").flatMap({ JSONText.decodeStrings($0.span) }),
            let subject = fields("subject")
        else { return nil }
        self.init(
            messageUUID: uuid, outcome: outcome, rule: rule, reason: reason, policyRevision: revision,
            targets: targets.map { String(decoding: $0, as: UTF8.self) }, subject: Array(subject), detail: VerdictDetail(fields: fields))
    }
}

/// A message and what was decided about it, at one position. An object: batches of them pass from stage to stage without being copied.
package final class DecidedMessage: Sendable {
    package let position: Position
    package let message: MessageEntry
    package let verdict: VerdictEntry

    package init(position: Position, message: MessageEntry, verdict: VerdictEntry) {
        self.position = position
        self.message = message
        self.verdict = verdict
    }
}
