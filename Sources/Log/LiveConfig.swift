package import Core
internal import NIOConcurrencyHelpers

/// The configuration and the validation templates in force, for those who act on them: one per process, put in by the follower of `control`.
///
/// Every reader sees one consistent state; a change is in force with the next message after it was put in.
package final class LiveConfig: Sendable {
    /// A table, with what the hot path needs at hand. A class, so that taking it costs one reference.
    package final class State: Sendable {
        package let table: ConfigTable
        /// The validation templates in force; nil when there are none.
        private let templates: TemplateSet?
        /// How far `control` is folded in it.
        package let position: Position
        let messageBytesMax: Int
        let isMessageSizeVaried: Bool
        let dedupeWindowMs: UInt64?
        let isDedupeWindowVaried: Bool

        package init(table: ConfigTable = ConfigTable(), templates: TemplateSet? = nil, position: Position = .zero) {
            self.table = table
            self.templates = templates.flatMap { $0.count > 0 ? $0 : nil }
            self.position = position
            messageBytesMax = table.integer(.messageBytesMax).map { Int($0) } ?? Limits.messageBytesMax
            isMessageSizeVaried = table.isVaried(.messageBytesMax)
            dedupeWindowMs = table.integer(.dedupeWindow).map { UInt64($0) }
            isDedupeWindowVaried = table.isVaried(.dedupeWindow)
        }

        /// Why a message is too large for its topic or its sender; nil when it is not. What counts are the bytes of its fields.
        package func sizeFault(_ message: MessageEntry) -> String? {
            guard isMessageSizeVaried || messageBytesMax < Limits.messageBytesMax else { return nil }
            let size = message.fieldBytes
            let (topic, source) = (message.string(.topic), message.string(.source))
            guard let limit = table.integer(.messageBytesMax, topic: topic, subject: source), size > limit else { return nil }
            let address = table.setting(KnownSetting.messageBytesMax.rawValue, topic: topic, subject: source)?.address
            let place = address.map { $0.level == .global ? "globally" : "for \($0.level.rawValue) '\($0.scope)'" } ?? "globally"
            return "the message has \(size) bytes, at most \(limit) are allowed (\(KnownSetting.messageBytesMax.rawValue), set \(place))"
        }

        /// Everything in which a message breaks the templates of its topic; empty when it passes.
        package func violations(_ message: MessageEntry) -> [TemplateSet.Violation] { templates?.check(message) ?? [] }

        /// How long the message's id is remembered; nil where the configuration says nothing.
        package func dedupeWindowMs(of message: MessageEntry) -> UInt64? {
            guard isDedupeWindowVaried else { return dedupeWindowMs }
            return table.integer(.dedupeWindow, topic: message.string(.topic), subject: message.string(.source)).map { UInt64($0) }
        }
    }

    private let box = NIOLockedValueBox(State())

    package init() {}

    package var state: State { box.withLockedValue { $0 } }

    package func put(_ state: State) { box.withLockedValue { $0 = state } }
}
