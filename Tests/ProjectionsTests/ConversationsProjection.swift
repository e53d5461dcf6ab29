import Core
import Log
import Projections

/// How every conversation stands: its messages, its turns, who spoke last. A conversation is the `task` in a message's metadata.
struct ConversationsProjection: Projection {
    var definition: ProjectionDefinition {
        ProjectionDefinition(
            name: "conversations", version: 1, streams: [.messages], purpose: "Every conversation: messages, turns, who spoke last and when.",
            columns: [
                ProjectionColumn("messages", .integer), ProjectionColumn("last_turn", .integer), ProjectionColumn("last_speaker", .text),
                ProjectionColumn("last_seen", .time),
            ])
    }

    /// A message belongs to the conversation that its metadata names; one that names none concerns no row.
    func keys(of event: LogEvent) throws(ProjectionFault) -> [String] {
        guard case .message(let message) = event.content, !message.isReleased, let metadata = try? JSONDocument(Array(message.slice(.metadata))).root
        else { return [] }
        return metadata["task"]?.string.map { [$0] } ?? []
    }

    func apply(_ event: LogEvent, to row: inout Conversation?, key: String) throws(ProjectionFault) {
        guard case .message(let message) = event.content, !message.isReleased, let metadata = try? JSONDocument(Array(message.slice(.metadata))).root
        else { return }
        guard let turn = metadata["turn"]?.integer else { throw ProjectionFault("its metadata has no turn") }
        var conversation = row ?? Conversation()
        conversation.messages += 1
        conversation.lastTurn = max(conversation.lastTurn, turn)
        conversation.lastSpeaker = message.string(.source)
        conversation.lastSeen = Timestamp.rfc3339(microseconds: event.position.microseconds)
        row = conversation
    }
}

struct Conversation: ProjectionRow {
    var messages = 0
    var lastTurn: Int64 = 0
    var lastSpeaker = ""
    var lastSeen = ""

    init() {}

    var json: [UInt8] {
        var object = JSONObject()
        object.add("messages", messages)
        object.add("last_turn", Int(lastTurn))
        object.add("last_speaker", lastSpeaker)
        object.add("last_seen", lastSeen)
        return object.finish()
    }

    init?(json: [UInt8]) {
        guard let root = try? JSONDocument(json).root, let messages = root["messages"]?.integer, let turn = root["last_turn"]?.integer,
            let speaker = root["last_speaker"]?.string, let seen = root["last_seen"]?.string
        else { return nil }
        self.messages = Int(messages)
        lastTurn = turn
        lastSpeaker = speaker
        lastSeen = seen
    }
}
