internal import Core
internal import Log

/// Who speaks: every subject that sent or was sent a message, how much, and when first and last.
package struct SubjectsProjection: Projection {
    package init() {}

    package var definition: ProjectionDefinition {
        ProjectionDefinition(
            name: "subjects", version: 1, streams: [.messages], purpose: "Every subject that sent or was sent a message: how much, when first and last.",
            columns: [
                ProjectionColumn("sent", .integer), ProjectionColumn("received", .integer), ProjectionColumn("sent_bytes", .integer),
                ProjectionColumn("received_bytes", .integer), ProjectionColumn("first_seen", .time), ProjectionColumn("last_seen", .time),
            ])
    }

    package func keys(of event: LogEvent) throws(ProjectionFault) -> [String] {
        guard let message = try event.message() else { return [] }
        return MessageParties(message).all
    }

    package func apply(_ event: LogEvent, to row: inout SubjectRow?, key: String) throws(ProjectionFault) {
        guard let message = try event.message() else { return }
        let bytes = Int64(message.count(.data))
        let time = event.position.microseconds
        var subject = row ?? SubjectRow(firstSeen: time)
        let isSource = message.slice(.source).elementsEqual(key.utf8)
        if isSource {
            subject.sent += 1
            subject.sentBytes += bytes
        }
        // The key is one of the message's, so what is not its source is a destination; only a source has to be looked for.
        if !isSource || MessageParties(message).destinations.contains(where: { $0.utf8.elementsEqual(key.utf8) }) {
            subject.received += 1
            subject.receivedBytes += bytes
        }
        subject.lastSeen = time
        row = subject
    }
}

package struct SubjectRow: ProjectionRow, Equatable {
    package var sent: Int64 = 0
    package var received: Int64 = 0
    package var sentBytes: Int64 = 0
    package var receivedBytes: Int64 = 0
    /// µs since the Unix epoch.
    package var firstSeen: Int64
    package var lastSeen: Int64

    init(firstSeen: Int64) {
        self.firstSeen = firstSeen
        lastSeen = firstSeen
    }

    package var json: [UInt8] {
        var object = JSONObject()
        object.add("sent", sent)
        object.add("received", received)
        object.add("sent_bytes", sentBytes)
        object.add("received_bytes", receivedBytes)
        object.add("first_seen", time: firstSeen)
        object.add("last_seen", time: lastSeen)
        return object.finish()
    }

    package init?(json: [UInt8]) {
        guard let row = RowReader(json), let sent = row.integer("sent"), let received = row.integer("received"), let sentBytes = row.integer("sent_bytes"),
            let receivedBytes = row.integer("received_bytes"), let first = row.time("first_seen"), let last = row.time("last_seen")
        else { return nil }
        self.sent = sent
        self.received = received
        self.sentBytes = sentBytes
        self.receivedBytes = receivedBytes
        firstSeen = first
        lastSeen = last
    }
}
