internal import Core
internal import Log

/// Who talks to whom, by the minute.
package struct TrafficProjection: Projection {
    package init() {}

    package var definition: ProjectionDefinition {
        ProjectionDefinition(
            name: "traffic", version: 1, streams: [.messages],
            purpose: "Who talks to whom: messages and bytes from one subject to another, by the minute of log time.",
            columns: [
                ProjectionColumn("minute", .time), ProjectionColumn("source", .text), ProjectionColumn("destination", .text),
                ProjectionColumn("messages", .integer), ProjectionColumn("bytes", .integer),
            ])
    }

    /// `2026-11-22T03:30:00Z|alice|bob`: in order of time. A name's own `|` and `%` are percent-encoded; who is not named is empty.
    package func keys(of event: LogEvent) throws(ProjectionFault) -> [String] {
        guard let message = try event.message() else { return [] }
        let parties = MessageParties(message)
        let start =
            Timestamp.rfc3339(microseconds: event.position.microseconds / 60_000_000 * 60_000_000) + "|" + TrafficRow.encoded(parties.source ?? "") + "|"
        return parties.destinations.isEmpty ? [start] : parties.destinations.map { start + TrafficRow.encoded($0) }
    }

    package func apply(_ event: LogEvent, to row: inout TrafficRow?, key: String) throws(ProjectionFault) {
        guard let message = try event.message() else { return }
        guard var pair = row ?? TrafficRow(key: key) else { throw ProjectionFault("its minute has no form") }
        pair.messages += 1
        pair.bytes += Int64(message.count(.data))
        row = pair
    }
}

package struct TrafficRow: ProjectionRow, Equatable {
    /// RFC 3339.
    package let minute: String
    package let source: String
    package let destination: String
    package var messages: Int64 = 0
    package var bytes: Int64 = 0

    init?(key: String) {
        let parts = key.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false).map {
            String($0).replacing("%7C", with: "|").replacing("%25", with: "%")
        }
        guard parts.count == 3 else { return nil }
        minute = parts[0]
        source = parts[1]
        destination = parts[2]
    }

    static func encoded(_ name: String) -> String {
        name.utf8.contains { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "|") } ? name.replacing("%", with: "%25").replacing("|", with: "%7C") : name
    }

    package var json: [UInt8] {
        var object = JSONObject()
        object.add("minute", minute)
        object.add("source", source)
        object.add("destination", destination)
        object.add("messages", messages)
        object.add("bytes", bytes)
        return object.finish()
    }

    package init?(json: [UInt8]) {
        guard let row = RowReader(json), let minute = row.text("minute"), let source = row.text("source"), let destination = row.text("destination"),
            let messages = row.integer("messages"), let bytes = row.integer("bytes")
        else { return nil }
        self.minute = minute
        self.source = source
        self.destination = destination
        self.messages = messages
        self.bytes = bytes
    }
}
