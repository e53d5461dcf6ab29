package import Core

/// Decides what becomes of a message. Pure: the same message and the same state give the same verdict on every machine.
///
/// The state is empty until policies exist: every message is delivered to the default backbone on its own topic.
package struct RouterMachine: Sendable {
    /// Name of the backbone that takes what no rule sends elsewhere.
    package let defaultTarget: String

    package init(defaultTarget: String) { self.defaultTarget = defaultTarget }

    package func decide(_ position: Position, _ message: MessageEntry, uuid: MessageUUID) -> VerdictEntry {
        VerdictEntry(
            messageUUID: uuid, outcome: .deliver, rule: "default", reason: "", policyRevision: Position.zero.description, targets: [defaultTarget],
            subject: Array(message.slice(.topic)))
    }
}
