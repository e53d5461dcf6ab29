package import Core
internal import Log

/// What is spoken about: every topic with its messages, sizes, rate and last message.
package struct TopicsProjection: Projection {
    package init() {}

    package var definition: ProjectionDefinition {
        ProjectionDefinition(
            name: "topics", version: 1, streams: [.messages],
            purpose: "Every topic that messages were published on: how many, how large, how often, the last one.",
            columns: [
                ProjectionColumn("messages", .integer), ProjectionColumn("bytes", .integer), ProjectionColumn("largest", .integer),
                ProjectionColumn("first_seen", .time), ProjectionColumn("last_seen", .time), ProjectionColumn("last_message", .text),
                ProjectionColumn("first_position", .text), ProjectionColumn("last_position", .text), ProjectionColumn("minute", .time),
                ProjectionColumn("minute_messages", .integer), ProjectionColumn("minute_before", .integer), ProjectionColumn("hour_messages", .integer),
                ProjectionColumn("hour_before", .integer),
            ])
    }

    package func keys(of event: LogEvent) throws(ProjectionFault) -> [String] {
        guard let message = try event.message() else { return [] }
        return [message.string(.topic)]
    }

    package func apply(_ event: LogEvent, to row: inout TopicRow?, key: String) throws(ProjectionFault) {
        guard let message = try event.message() else { return }
        let bytes = Int64(message.count(.data))
        var topic = row ?? TopicRow(first: event.position)
        topic.messages += 1
        topic.bytes += bytes
        topic.largest = max(topic.largest, bytes)
        topic.count(event.position)
        topic.last = event.position
        topic.lastMessage = message.string(.messageUUID)
        row = topic
    }
}

package struct TopicRow: ProjectionRow, Equatable {
    package var messages: Int64 = 0
    package var bytes: Int64 = 0
    package var largest: Int64 = 0
    package var first: Position
    package var last: Position
    package var lastMessage = ""
    /// Messages in the minute and the hour of the last message, and in those right before: rates in log time, in constant space.
    package var minuteMessages: Int64 = 0
    package var minuteBefore: Int64 = 0
    package var hourMessages: Int64 = 0
    package var hourBefore: Int64 = 0

    init(first: Position) {
        self.first = first
        last = first
    }

    /// Counts a message into its minute and hour; `last` is still that of the message before.
    mutating func count(_ position: Position) {
        func turn(_ length: UInt64, _ now: inout Int64, _ before: inout Int64) {
            let steps = position.ms / length - min(last.ms, position.ms) / length
            if steps > 0 {
                before = steps == 1 ? now : 0
                now = 0
            }
            now += 1
        }
        turn(60_000, &minuteMessages, &minuteBefore)
        turn(3_600_000, &hourMessages, &hourBefore)
    }

    package var json: [UInt8] {
        var object = JSONObject()
        object.add("messages", messages)
        object.add("bytes", bytes)
        object.add("largest", largest)
        object.add("first_position", first.description)
        object.add("first_seen", time: first.microseconds)
        object.add("last_position", last.description)
        object.add("last_seen", time: last.microseconds)
        object.add("last_message", lastMessage)
        object.add("minute", time: last.microseconds / 60_000_000 * 60_000_000)
        object.add("minute_messages", minuteMessages)
        object.add("minute_before", minuteBefore)
        object.add("hour_messages", hourMessages)
        object.add("hour_before", hourBefore)
        return object.finish()
    }

    package init?(json: [UInt8]) {
        guard let row = RowReader(json), let messages = row.integer("messages"), let bytes = row.integer("bytes"), let largest = row.integer("largest"),
            let first = row.position("first_position"), let last = row.position("last_position"), let lastMessage = row.text("last_message"),
            let minuteMessages = row.integer("minute_messages"), let minuteBefore = row.integer("minute_before"),
            let hourMessages = row.integer("hour_messages"), let hourBefore = row.integer("hour_before")
        else { return nil }
        self.messages = messages
        self.bytes = bytes
        self.largest = largest
        self.first = first
        self.last = last
        self.lastMessage = lastMessage
        self.minuteMessages = minuteMessages
        self.minuteBefore = minuteBefore
        self.hourMessages = hourMessages
        self.hourBefore = hourBefore
    }
}
