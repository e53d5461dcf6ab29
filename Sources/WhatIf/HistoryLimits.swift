package import Core

/// How much of the past one run looks at before it says how far it came.
package struct HistoryLimits: Sendable {
    package let messagesMax: Int
    package let timeMax: Duration

    package init(messagesMax: Int, timeMax: Duration) {
        self.messagesMax = messagesMax
        self.timeMax = timeMax
    }

    package static let none = HistoryLimits(messagesMax: .max, timeMax: .seconds(1 << 40))
    package static let request = HistoryLimits(messagesMax: Limits.historyMessagesMax, timeMax: .seconds(Limits.historyRequestSeconds))
}

/// How far a run is.
package struct HistoryProgress: Sendable {
    package let messages: Int
    package let position: Position
    package let from: Position
    package let through: Position
    package let elapsed: Duration

    /// By time of the messages, 0 … 1: how many there are, nobody knows.
    package var share: Double {
        guard through.ms > from.ms else { return 1 }
        return min(1, Double(position.ms - min(position.ms, from.ms)) / Double(through.ms - from.ms))
    }
}
