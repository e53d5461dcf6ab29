/// A message that was refused because its payload breaks the templates of its topic, for whoever is told of such things.
package struct ValidationFailure: Sendable, Equatable {
    /// As it stands in an entry's `via`; `session` for a held message that somebody edited.
    package let door: String
    package let topic: String
    /// The sender; empty when the message names none.
    package let source: String
    package let messageUUID: MessageUUID
    /// 1…`Limits.violationsMax`, by template.
    package let violations: [TemplateSet.Violation]

    package init(door: String, message: MessageEntry, uuid: MessageUUID, violations: [TemplateSet.Violation]) {
        self.door = door
        topic = message.string(.topic)
        source = message.string(.source)
        messageUUID = uuid
        self.violations = violations
    }
}
