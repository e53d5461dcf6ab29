internal import Core

/// A message of the feed or a list, as a person sees it.
package struct MessageLine: Sendable {
    package let position: String
    package let uuid: String
    /// Time of the entry, `HH:MM:SS.mmm` UTC.
    package let time: String
    /// Day of the entry, `YYYY-MM-DD`.
    package let day: String
    package let topic: String
    package let source: String
    package let destinations: [String]
    package let type: String
    package let outcome: String
    package let payload: String

    /// Reads a message as queries and the feed have it.
    package init(_ json: JSONSlice) {
        func text(_ name: String) -> String { json[name]?.string ?? "" }
        position = text("position")
        uuid = text("message_uuid")
        topic = text("topic")
        source = text("source_subject_id")
        destinations = (json["destination_subject_ids"]?.elements ?? []).map(\.plain)
        type = text("message_type")
        outcome = text("outcome")
        payload = json["message_data_base64"].map { "base64 \($0.plain)" } ?? json["message_data"]?.text ?? ""
        let stamp = Position(position).map { Timestamp.rfc3339(microseconds: Int64($0.ms) * 1000) } ?? ""
        day = String(stamp.prefix(10))
        var clock = String(stamp.dropFirst(11).prefix { $0 != "Z" })
        if clock.count == 8 { clock += ".000" }
        time = clock
    }

    /// `03:30:02.123  0-1763782202123-0  tasks.1  a → b, c  statement  {"…`, at most `width` columns. Colours take no width.
    package func text(width: Int, ink: Ink) -> String {
        let parties = source.isEmpty && destinations.isEmpty ? "" : "\(source) → \(destinations.joined(separator: ", "))"
        let parts: [(String, Ink.Colour?)] = [
            (time, .dim), (position, .dim), (topic, .cyan), (parties, .green), (type, .magenta), (outcome == "deliver" ? "" : outcome, .yellow), (payload, nil),
        ]
        var out = ""
        var left = width
        for (text, colour) in parts where !text.isEmpty && left > 0 {
            if !out.isEmpty {
                guard left > 2 else { break }
                out += "  "
                left -= 2
            }
            // A payload may be a megabyte: only what can be seen is looked at.
            let shown = DisplayText.cut(DisplayText.line(text.prefix(4 * left + 16)), to: left)
            left -= DisplayText.width(shown)
            out += colour.map { ink.paint(shown, $0) } ?? shown
        }
        return out
    }
}
