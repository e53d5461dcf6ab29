package import Core
internal import NIOConcurrencyHelpers

/// The configuration in force, for those who act on it: one per process, put in by the follower of `control`.
///
/// Every reader sees one consistent table; a change is in force with the next message after it was put in.
package final class LiveConfig: Sendable {
    /// A table, with what the hot path needs at hand.
    package struct State: Sendable {
        package let table: ConfigTable
        /// How far `control` is folded in it.
        package let position: Position
        let messageBytesMax: Int
        let isMessageSizeVaried: Bool
        let dedupeWindowMs: UInt64?
        let isDedupeWindowVaried: Bool

        package init(table: ConfigTable = ConfigTable(), position: Position = .zero) {
            self.table = table
            self.position = position
            messageBytesMax = table.integer(.messageBytesMax).map { Int($0) } ?? Limits.messageBytesMax
            isMessageSizeVaried = table.isVaried(.messageBytesMax)
            dedupeWindowMs = table.integer(.dedupeWindow).map { UInt64($0) }
            isDedupeWindowVaried = table.isVaried(.dedupeWindow)
        }

        /// The largest message that may be published, in bytes, envelope included.
        package func messageBytesMax(of message: MessageEntry) -> Int {
            guard isMessageSizeVaried else { return messageBytesMax }
            return table.integer(.messageBytesMax, topic: message.string(.topic), subject: message.string(.source)).map { Int($0) } ?? Limits.messageBytesMax
        }

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
