/// A message that was refused because its payload breaks the templates of its topic, for whoever is told of such things.
package struct ValidationFailure: Sendable, Equatable {
    /// As it stands in an entry's `via`.
    package let door: String
    package let topic: String
    /// The sender; empty when the message names none.
    package let source: String
    package let messageUUID: MessageUUID
    /// 1…`Limits.violationsMax`, by template.
    package let violations: [TemplateSet.Violation]

    package init(door: String, message: AdmittedMessage, violations: [TemplateSet.Violation]) {
        self.door = door
        topic = message.entry.string(.topic)
        source = message.entry.string(.source)
        messageUUID = message.uuid
        self.violations = violations
    }
}
