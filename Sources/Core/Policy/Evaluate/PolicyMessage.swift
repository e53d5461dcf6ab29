/// The variable `message`: the entry's fields, each made when an expression asks for it first.
///
/// One object serves one message after the other, so that a message costs no allocation of its own. It belongs to one `PolicyMachine`,
/// which nobody can copy, and leaves it in no result.
package final class PolicyMessage: CELRecord {
    package static let type = CELRecordType(
        "message",
        [
            CELRecordType.Field("topic", .string, sizeMax: Limits.topicBytesMax),
            CELRecordType.Field("source", .string, sizeMax: Limits.nameBytesMax),
            CELRecordType.Field("destinations", .list(.string), sizeMax: Limits.destinationsMax),
            CELRecordType.Field("type", .string, sizeMax: Limits.nameBytesMax),
            CELRecordType.Field("metadata", .dyn),
            CELRecordType.Field("data", .dyn),
            CELRecordType.Field("content_type", .string, sizeMax: Limits.nameBytesMax),
            CELRecordType.Field("size", .int),
            CELRecordType.Field("time", .timestamp),
            CELRecordType.Field("uuid", .string, sizeMax: 36),
            CELRecordType.Field("correlation_id", .string, sizeMax: Limits.nameBytesMax),
            CELRecordType.Field("via", .string, sizeMax: Limits.nameBytesMax),
        ])

    nonisolated(unsafe) private var entry = MessageEntry()
    nonisolated(unsafe) private var position = Position.zero
    nonisolated(unsafe) private var values: [CELValue?] = Array(repeating: nil, count: PolicyMessage.type.fields.count)
    /// Which of `values` are there, by bit.
    nonisolated(unsafe) private var made: UInt32 = 0

    init() {}

    package var type: CELRecordType { Self.type }

    func begin(_ entry: MessageEntry, _ position: Position) {
        self.entry = entry
        self.position = position
        guard made != 0 else { return }
        for index in values.indices where made & 1 << UInt32(index) != 0 { values[index] = nil }
        made = 0
    }

    /// Is the payload still unread? Its first reader pays for parsing it.
    var isDataUnread: Bool { made & 1 << 5 == 0 }
    var isMetadataUnread: Bool { made & 1 << 4 == 0 }

    package func field(_ index: Int) -> CELValue? {
        if made & 1 << UInt32(index) != 0 { return values[index] }
        let value = make(index)
        values[index] = value
        made |= 1 << UInt32(index)
        return value
    }

    private func make(_ index: Int) -> CELValue {
        switch index {
        case 0: .string(entry.string(.topic))
        case 1: .string(entry.string(.source))
        case 2: .list(entry.destinationNames.map(CELValue.string))
        case 3: .string(entry.string(.type))
        case 4: metadata
        case 5: data
        case 6: .string(entry.string(.contentType))
        case 7: .int(Int64(entry.count(.data)))
        case 8: .timestamp(time)
        case 9: .string(entry.string(.messageUUID))
        case 10: .string(entry.string(.correlationID))
        default: .string(entry.string(.via))
        }
    }

    /// Absent metadata are an empty object, so that `has(message.metadata.x)` is false rather than an error.
    private var metadata: CELValue {
        guard entry.count(.metadata) > 0, let document = try? JSONDocument(Array(entry.slice(.metadata))) else { return .map(.table(CELTable())) }
        return CELValue(json: document.root)
    }

    /// JSON as such, other payloads as bytes, none as null.
    private var data: CELValue {
        if entry.count(.data) == 0 { return .null }
        let bytes = Array(entry.slice(.data))
        guard entry.isJSON, let document = try? JSONDocument(bytes) else { return .bytes(bytes) }
        return CELValue(json: document.root)
    }

    /// The client's time, else the entry's.
    private var time: CELTimestamp {
        entry.originTS.flatMap { CELTimestamp(microseconds: $0) } ?? PolicyMessage.time(of: position)
    }

    /// The entry's time; what lies beyond the year 9999 is its end.
    static func time(of position: Position) -> CELTimestamp {
        if let time = CELTimestamp(microseconds: position.microseconds) { return time }
        guard let last = CELTimestamp(seconds: CELTimestamp.secondsRange.upperBound) else { preconditionFailure("the range's end is a time") }
        return last
    }
}
