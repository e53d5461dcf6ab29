/// The fields of a message entry, in the order in which they stand in the log.
package enum MessageField: Int, CaseIterable, Sendable {
    case event, version, messageUUID, topic, source, destinations, type, originTS, metadata, data, contentType, via, principal
    case correlationID, causation, traceparent, release

    /// The name in the log, readable by a person with `XRANGE`.
    package var name: StaticString {
        switch self {
        case .event: "event"
        case .version: "v"
        case .messageUUID: "message_uuid"
        case .topic: "topic"
        case .source: "source_subject_id"
        case .destinations: "destination_subject_ids"
        case .type: "message_type"
        case .originTS: "origin_ts"
        case .metadata: "message_metadata"
        case .data: "message_data"
        case .contentType: "content_type"
        case .via: "via"
        case .principal: "principal"
        case .correlationID: "correlation_id"
        case .causation: "causation"
        case .traceparent: "traceparent"
        case .release: "release"
        }
    }

    /// Stands in the log only when it has a value.
    package var isOptional: Bool {
        switch self {
        case .event, .version, .messageUUID, .topic, .data, .contentType, .via: false
        case .source, .destinations, .type, .originTS, .metadata, .principal, .correlationID, .causation, .traceparent, .release: true
        }
    }

    /// The field with this name in the log.
    package static func named(_ name: some Collection<UInt8>) -> MessageField? {
        table.first { $0.name.elementsEqual(name) }?.field
    }

    private static let table: [(name: [UInt8], field: MessageField)] = allCases.map { field in
        (field.name.withUTF8Buffer { Array($0) }, field)
    }
}

/// Where the fields of a message stand in a block of bytes.
package struct FieldRanges: Sendable {
    private struct Place: Sendable {
        var start: UInt32 = 0
        var count: UInt32 = 0
    }
    private var places = InlineArray<17, Place>(repeating: Place())

    package init() {}

    package subscript(field: MessageField) -> Range<Int> {
        get { self[at: field.rawValue] }
        set { places[field.rawValue] = Place(start: UInt32(newValue.lowerBound), count: UInt32(newValue.count)) }
    }

    /// Of the field that stands at this place of the order in the log.
    package subscript(at index: Int) -> Range<Int> {
        let place = places[index]
        return Int(place.start)..<(Int(place.start) &+ Int(place.count))
    }

    package func count(_ field: MessageField) -> Int { Int(places[field.rawValue].count) }

    /// Bytes of all fields.
    package var bytes: Int {
        var sum = 0
        for index in places.indices { sum &+= Int(places[index].count) }
        return sum
    }

    /// Places in the order of the log.
    package var indices: Range<Int> { places.indices }
}

/// One message as it stands in the log: all fields in one block of bytes, so that an entry costs one allocation on every way.
///
/// - `destinations`: JSON array of strings, or empty. `metadata`: JSON object, or empty. `originTS`: µs since the epoch in decimal, or empty.
/// - `release`: JSON object, or empty: see `Release`.
/// - `data`: the client's own bytes. Absent optional fields are empty here and left out in the log.
package struct MessageEntry: Sendable {
    /// Holds every field; may hold more (the envelope they were lifted from).
    package private(set) var bytes: [UInt8]
    package private(set) var ranges: FieldRanges

    /// An entry whose fields stand in `bytes` already, or will be pointed into them.
    package init(bytes: consuming [UInt8] = [], ranges: FieldRanges = FieldRanges()) {
        self.bytes = bytes
        self.ranges = ranges
    }

    package func range(_ field: MessageField) -> Range<Int> { ranges[field] }

    package func count(_ field: MessageField) -> Int { ranges.count(field) }

    package func slice(_ field: MessageField) -> ArraySlice<UInt8> { bytes[range(field)] }

    package func string(_ field: MessageField) -> String { String(decoding: slice(field), as: UTF8.self) }

    /// Points a field at bytes which `bytes` already holds.
    package mutating func point(_ field: MessageField, at range: Range<Int>) {
        precondition(range.upperBound <= bytes.count, "a field lies within the entry's bytes")
        ranges[field] = range
    }

    /// Appends `value` to the block and points the field at it.
    package mutating func set(_ field: MessageField, _ value: some Collection<UInt8>) {
        let start = bytes.count
        bytes.append(contentsOf: value)
        ranges[field] = start..<bytes.count
    }

    package mutating func set(_ field: MessageField, _ value: Int64) {
        let start = bytes.count
        DecimalDigits.append(value, to: &bytes)
        ranges[field] = start..<bytes.count
    }

    package mutating func set(_ field: MessageField, _ value: MessageUUID) {
        let start = bytes.count
        value.append(to: &bytes)
        ranges[field] = start..<bytes.count
    }

    package mutating func set(_ field: MessageField, _ value: StaticString) {
        let start = bytes.count
        value.withUTF8Buffer { bytes.append(contentsOf: $0) }
        ranges[field] = start..<bytes.count
    }

    package mutating func set(_ field: MessageField, _ value: String) { set(field, value.utf8) }

    package mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    /// Bytes of all fields.
    package var fieldBytes: Int { ranges.bytes }

    package var uuid: MessageUUID? { MessageUUID(utf8: slice(.messageUUID).span) }

    /// µs since the Unix epoch; nil when the client gave none.
    package var originTS: Int64? {
        guard count(.originTS) > 0 else { return nil }
        return Int64(string(.originTS))
    }

    /// The recipients as text.
    package var destinationNames: [String] {
        guard count(.destinations) > 0 else { return [] }
        return JSONText.decodeStrings(slice(.destinations).span)?.map { String(decoding: $0, as: UTF8.self) } ?? []
    }

    /// Is the payload JSON text (rather than bytes of another type)?
    package var isJSON: Bool { ContentType.isJSON(slice(.contentType)) }

    /// Why this is no message entry that stages can read; nil when it is one.
    package var fault: String? {
        let event = string(.event)
        if event == MessageEntry.released {
            if count(.release) == 0 { return "it is released, but does not say by what" }
        } else if event != MessageEntry.accepted {
            return "its event is '\(PolicyText.bounded(event, Limits.faultTextBytesMax))', not '\(MessageEntry.accepted)' or '\(MessageEntry.released)'"
        }
        if uuid == nil { return "its message_uuid is not a UUID" }
        if let fault = Subject.topicFault(slice(.topic).span) { return "its topic is not one: \(fault)" }
        if count(.originTS) > 0, originTS == nil { return "its origin_ts is not a number of microseconds" }
        if fieldBytes > Limits.entryBytesMax { return "it has \(fieldBytes) bytes, at most \(Limits.entryBytesMax) are possible" }
        if let fault = namesFault { return fault }
        if UTF8Check.firstFault(bytes.span) != nil, isJSON { return "it is not UTF-8" }
        return nil
    }

    /// What no door would have let in: it stands in verdicts, sessions and columns, which have their bounds by those of names.
    private var namesFault: String? {
        for field in [MessageField.source, .type, .correlationID, .causation, .contentType] where count(field) > 0 {
            if count(field) > Limits.nameBytesMax { return "its \(field.name) has \(count(field)) bytes, at most \(Limits.nameBytesMax) are possible" }
            if slice(field).contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "its \(field.name) holds control characters" }
        }
        guard count(.destinations) > 0 else { return nil }
        let recipients = slice(.destinations)
        // The scanner first: what counts the names takes well-formed text for granted.
        guard recipients.first == UInt8(ascii: "["), (try? JSONScanner.validate(recipients.span)) != nil, let names = JSONText.plainStrings(recipients.span)
        else { return "its destination_subject_ids are not a JSON array of strings" }
        if names.count > Limits.destinationsMax { return "it has \(names.count) recipients, at most \(Limits.destinationsMax) are possible" }
        return names.faulty.first.map { "its recipient \($0) is no name of 1 to \(Limits.nameBytesMax) bytes without control characters" }
    }

    package static let accepted = "message.accepted"
    /// A message that was held, on its way again: the same message under the same id, with what let it go in `release`.
    package static let released = "message.released"

    /// Stands in the log a second time?
    package var isReleased: Bool { count(.release) > 0 }

    /// Points event and version at their values, and the content type at JSON's when it has none: one append for all three.
    mutating func setConstants() {
        let start = bytes.count
        bytes.append(contentsOf: MessageEntry.constants)
        ranges[.event] = start..<(start + 16)
        ranges[.version] = (start + 16)..<(start + 17)
        if count(.contentType) == 0 { ranges[.contentType] = (start + 17)..<(start + 33) }
    }

    private static let constants = Array((accepted + "1" + ContentType.json).utf8)
}

/// Media types.
package enum ContentType {
    package static let json = "application/json"

    /// `application/json`, `…/…+json` or `text/json`, with or without parameters; an absent type is JSON.
    package static func isJSON(_ type: some Collection<UInt8>) -> Bool {
        if type.isEmpty || type.elementsEqual(json.utf8) { return true }
        let essence = type.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 }.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
        let text = String(decoding: essence, as: UTF8.self)
        return text.hasSuffix("/json") || text.hasSuffix("+json")
    }
}
