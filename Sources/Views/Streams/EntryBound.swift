internal import Core

/// One end of a range of a stream, as Redis takes it.
enum EntryBound {
    static let expectation = "none of: an id such as 1767225600000-0 or 1767225600000, a position such as 0-1767225600000-0, an RFC 3339 time, '-' or '+'"

    /// Nil when the text is none of the forms. A time stands for the entries of its millisecond, all of which are in the range.
    static func parse(_ text: String) -> String? {
        if text == "-" || text == "+" { return text }
        if let position = PositionText.parse(text) { return position.streamID }
        // Written anew: Redis takes no id of more than 127 bytes, and leading zeros have no bound here.
        if let position = Position(streamID: text) { return position.streamID }
        if text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let ms = UInt64(text) { return String(ms) }
        return QueryReader.time(text).map { String(max(0, $0) / 1000) }
    }
}
