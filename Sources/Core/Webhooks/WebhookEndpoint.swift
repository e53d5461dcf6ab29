/// A webhook as its document says.
package struct WebhookEndpoint: Sendable, Equatable {
    package let id: String
    package let url: WebhookURL
    /// Types of notifications that it wants.
    package let events: Set<String>
    /// Topics that it wants to hear of; all when there is none.
    package let topics: [SubjectPattern]
    package let isDisabled: Bool
    /// Raised by whoever wants another secret.
    package let secretVersion: Int64

    /// - Parameter document: of the control stream.
    /// - Throws: everything that is wrong with it beyond its form, which `streams/documents/webhook.json` says.
    package init(_ document: JSONNode, key: String) throws(Refusal) {
        var refusal = Refusal()
        if !WebhookEndpoint.isID(key) {
            refusal.add(.malformed, "/webhook_id", "1 to \(Limits.webhookIDBytesMax) letters, digits, '-' and '_': it stands in the header webhook-id")
        }
        var url: WebhookURL?
        do throws(Refusal) {
            url = try WebhookURL(document["url"]?.string ?? "")
        } catch {
            refusal.add(.malformed, "/url", error.violations.first?.detail ?? "")
        }
        for (index, event) in (document["events"]?.items.compactMap(\.string) ?? []).enumerated() where !NotificationEntry.subscribable.contains(event) {
            let known = NotificationEntry.subscribable.joined(separator: ", ")
            refusal.add(.malformed, "/events/\(index)", "'\(event)' is no notification; there are: \(known)")
        }
        for (index, topic) in (document["topics"]?.items.compactMap(\.string) ?? []).enumerated() where !Subject.isPattern(topic.utf8) {
            refusal.add(.malformed, "/topics/\(index)", "'\(topic)' is no topic and no pattern of topics")
        }
        guard refusal.isEmpty, let url else { throw refusal }
        id = key
        self.url = url
        events = Set(document["events"]?.items.compactMap(\.string) ?? [])
        topics = document["topics"]?.items.compactMap(\.string).map { SubjectPattern($0.utf8) } ?? []
        isDisabled = document["disabled"]?.bool ?? false
        secretVersion = document["secret_version"]?.integer ?? 1
    }

    package static func isID(_ text: String) -> Bool {
        (1...Limits.webhookIDBytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    /// Is this notification for it?
    package func wants(_ notification: NotificationEntry) -> Bool {
        switch notification {
        case .test(let test): test.webhook == id
        case .validationFailed(let failure): events.contains(notification.type) && (topics.isEmpty || topics.contains { $0.matches(failure.topic.utf8) })
        }
    }
}
