/// Something that webhooks are told of; an entry of `notifications`.
package enum NotificationEntry: Sendable, Equatable {
    /// A door refused a message whose payload breaks the templates of its topic, or a session such an edit.
    case validationFailed(ValidationNotice)
    /// Somebody wants to see whether a webhook works.
    case test(WebhookTest)

    package struct ValidationNotice: Sendable, Equatable {
        package var door: String
        package var topic: String
        package var source: String
        package var messageUUID: String
        /// JSON array of {template, version, pointer, message}, of at most `Limits.noticeViolationsBytesMax` bytes.
        package var violations: [UInt8]
        /// Violations that found no room.
        package var further: Int
    }

    package struct WebhookTest: Sendable, Equatable {
        package var webhook: String
        /// Who asked for it; empty when nobody was named.
        package var principal: String

        package init(webhook: String, principal: String) {
            self.webhook = webhook
            self.principal = principal
        }
    }

    package static let validationFailedEvent = "validation.failed"
    package static let testEvent = "webhook.test"

    /// What a webhook can ask for; a test goes to the one it names.
    package static let subscribable = [validationFailedEvent]

    /// The event's name, which is the `type` of what is sent.
    package var type: String {
        switch self {
        case .validationFailed: NotificationEntry.validationFailedEvent
        case .test: NotificationEntry.testEvent
        }
    }

    package init(_ failure: ValidationFailure) {
        var violations: [UInt8] = [UInt8(ascii: "[")]
        var told = 0
        for violation in failure.violations {
            var object = JSONObject()
            object.add("template", NotificationEntry.cut(violation.template))
            object.add("version", Int(clamping: violation.version))
            object.add("pointer", NotificationEntry.cut(violation.pointer))
            object.add("message", NotificationEntry.cut(violation.message))
            let text = object.finish()
            if violations.count + text.count + 2 > Limits.noticeViolationsBytesMax { break }
            if told > 0 { violations.append(UInt8(ascii: ",")) }
            violations.append(contentsOf: text)
            told += 1
        }
        violations.append(UInt8(ascii: "]"))
        self = .validationFailed(
            ValidationNotice(
                door: failure.door, topic: failure.topic, source: failure.source, messageUUID: failure.messageUUID.description, violations: violations,
                further: failure.violations.count - told))
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count <= Limits.noticeTextBytesMax ? text : String(text.prefix(Limits.noticeTextBytesMax / 4)) + "…"
    }

    // MARK: The entry

    package static func fieldNames(_ event: String) -> [StaticString] {
        event == testEvent
            ? ["event", "v", "webhook_id", "principal"] : ["event", "v", "door", "topic", "source_subject_id", "message_uuid", "violations", "further"]
    }

    /// Names and values, in order.
    package var fields: [(StaticString, [UInt8])] {
        let values: [[UInt8]]
        switch self {
        case .validationFailed(let notice):
            values =
                [type, "1", notice.door, notice.topic, notice.source, notice.messageUUID].map { Array($0.utf8) } + [
                    notice.violations, Array(String(notice.further).utf8),
                ]
        case .test(let test): values = [type, "1", test.webhook, test.principal].map { Array($0.utf8) }
        }
        return Array(zip(NotificationEntry.fieldNames(type), values))
    }

    /// Reads the fields of a log entry; nil when one is missing or malformed.
    package init?(fields: (StaticString) -> ArraySlice<UInt8>?) {
        func text(_ name: StaticString) -> String? { fields(name).map { String(decoding: $0, as: UTF8.self) } }
        switch text("event") {
        case NotificationEntry.validationFailedEvent:
            guard let door = text("door"), let topic = text("topic"), let source = text("source_subject_id"), let uuid = text("message_uuid"),
                let violations = fields("violations").map({ Array($0) }), (try? JSONDocument(violations))?.root.kind == .array,
                violations.count <= Limits.noticeViolationsBytesMax, let further = text("further").flatMap({ Int($0) })
            else { return nil }
            self = .validationFailed(
                ValidationNotice(door: door, topic: topic, source: source, messageUUID: uuid, violations: violations, further: further))
        case NotificationEntry.testEvent:
            guard let webhook = text("webhook_id"), let principal = text("principal") else { return nil }
            self = .test(WebhookTest(webhook: webhook, principal: principal))
        default: return nil
        }
    }

    // MARK: What is sent

    /// The body of the request: `{"type", "timestamp", "data"}`, the same for every attempt.
    ///
    /// - Source: Standard Webhooks 1.0.0, payload structure; below its 20 kB, since every part is bounded.
    package func body(at position: Position) -> [UInt8] {
        var data = JSONObject()
        data.add("position", position.description)
        switch self {
        case .validationFailed(let notice):
            data.add("door", notice.door)
            data.add("topic", notice.topic)
            data.add("source_subject_id", notice.source)
            data.add("message_uuid", notice.messageUUID)
            data.add("violations", raw: notice.violations)
            data.add("further_violations", notice.further)
        case .test(let test):
            data.add("webhook_id", test.webhook)
            data.add("principal", test.principal)
        }
        var object = JSONObject()
        object.add("type", type)
        object.add("timestamp", Timestamp.rfc3339(microseconds: position.microseconds))
        object.add("data", raw: data.finish())
        return object.finish()
    }
}
