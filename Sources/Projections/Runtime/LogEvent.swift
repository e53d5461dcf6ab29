package import Core
package import Log

/// One entry of the log on its way into projections.
package struct LogEvent: Sendable {
    package enum Content: Sendable {
        case message(MessageEntry)
        case decided(MessageEntry, VerdictEntry)
        case control(ControlEvent)
        /// The entry is not what its stream holds; `text` is its fields as JSON.
        case unreadable(reason: String, text: [UInt8])
    }
    package let stream: StreamName
    package let position: Position
    package let content: Content

    package init(stream: StreamName, position: Position, content: Content) {
        self.stream = stream
        self.position = position
        self.content = content
    }
}
