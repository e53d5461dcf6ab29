/// What a door knows about a message besides its bytes.
package struct Arrival: Sendable {
    /// `http`, `websocket`, `redis-list`, `nats`, `jetstream`.
    package var via: StaticString
    package var principal: String
    package var traceparent: String
    /// Topics that would come back in by a door, so that publishing them would loop.
    package var doorSubjects: [SubjectPattern]

    package init(via: StaticString, principal: String = "", traceparent: String = "", doorSubjects: [SubjectPattern] = []) {
        self.via = via
        self.principal = principal
        self.traceparent = traceparent
        self.doorSubjects = doorSubjects
    }
}

/// A message that has passed admission and may be appended.
package struct AdmittedMessage: Sendable {
    package var entry: MessageEntry
    package var uuid: MessageUUID
    /// The client named it, so a repeat must be recognised.
    package var isNamedByClient: Bool
    /// A second name under which a repeat must be recognised, made like an id (of an idempotency key); empty when there is none.
    package private(set) var idempotencyName: [UInt8] = []
    /// How long its names are remembered; nil for the process's setting.
    package var dedupeWindowMs: UInt64?

    package init(entry: MessageEntry, uuid: MessageUUID, isNamedByClient: Bool) {
        self.entry = entry
        self.uuid = uuid
        self.isNamedByClient = isNamedByClient
    }

    /// Lets a repeat be recognised by a name that came beside the message (an idempotency key, a place in another log).
    ///
    /// A message without an id of its own gets one made from the name, so that every repeat is answered with the same id. For one with an id
    /// that is the second name, so that both know each other.
    /// - Parameter digest: SHA-256.
    package mutating func recognise(by name: [UInt8], digest: ([UInt8]) -> [UInt8]) {
        let id = MessageUUID.v8(digest: digest(name))
        var text: [UInt8] = []
        id.append(to: &text)
        guard !isNamedByClient else {
            idempotencyName = text
            return
        }
        uuid = id
        entry.set(.messageUUID, text)
        isNamedByClient = true
    }
}

/// Reads a message in Meshlog's own form and lifts the envelope's fields out of it; the payload is left as it is.
///
/// The same bytes give the same entry by every door. Everything wrong with a message is named at once.
package struct Envelope {
    private var ranges = FieldRanges()
    /// Values that the text does not hold as they are (they had escapes); their ranges lie behind the text's.
    private var decoded: [UInt8] = []
    private let textCount: Int
    private var originTS: Int64?
    private var refusal = Refusal()
    private var seen: UInt32 = 0
    private var payload: (key: EnvelopeKey, range: Range<Int>)?
    private var uuid: MessageUUID?
    private let arrival: Arrival

    /// Admits one message.
    ///
    /// - Parameters:
    ///   - body: the message's JSON text, at most `Limits.messageBytesMax` bytes.
    ///   - freshID: the id to give when the client gave none.
    /// - Cost: one pass over the text, no allocation besides `body` when the envelope's strings have no escapes and `body` has
    ///   `roomBehind` bytes of capacity left.
    /// - Throws: `Refusal` with every violation.
    package static func admit(_ body: consuming [UInt8], arrival: Arrival, freshID: () -> MessageUUID) throws(Refusal) -> AdmittedMessage {
        if body.count > Limits.messageBytesMax {
            throw Refusal(.tooLarge, "", "the message has \(body.count) bytes, at most \(Limits.messageBytesMax) are allowed")
        }
        var envelope = Envelope(textCount: body.count, arrival: arrival)
        do {
            try envelope.scan(body.span)
        } catch {
            throw Refusal(error)
        }
        body.append(contentsOf: envelope.decoded)
        return try envelope.finish(MessageEntry(bytes: body, ranges: envelope.ranges), freshID: freshID)
    }

    /// What admission adds behind a text: id, event, version, time, door and type.
    package static let roomBehind = 192

    private init(textCount: Int, arrival: Arrival) {
        self.textCount = textCount
        self.arrival = arrival
    }

    // MARK: Scanning

    private mutating func scan(_ text: Span<UInt8>) throws(JSONFault) {
        var at = 0
        JSONScanner.skipSpace(text, &at)
        guard at < text.count else { throw JSONFault(reason: .unexpectedEnd, offset: at) }
        guard text[at] == UInt8(ascii: "{") else {
            try JSONScanner.skipValue(text, &at, Limits.nestingMax)
            refusal.add(.wrongType, "", "a message is a JSON object such as {\"topic\": \"internal.updates\", \"data\": {}}")
            return try end(text, &at)
        }
        at += 1
        JSONScanner.skipSpace(text, &at)
        if at < text.count, text[at] == UInt8(ascii: "}") {
            at += 1
        } else {
            while true {
                try member(text, &at)
                if try JSONScanner.skipComma(text, &at, closing: UInt8(ascii: "}")) { break }
            }
        }
        try end(text, &at)
    }

    private func end(_ text: Span<UInt8>, _ at: inout Int) throws(JSONFault) {
        JSONScanner.skipSpace(text, &at)
        if at < text.count { throw JSONFault(reason: .trailingBytes, offset: at) }
    }

    private mutating func member(_ text: Span<UInt8>, _ at: inout Int) throws(JSONFault) {
        guard at < text.count else { throw JSONFault(reason: .unexpectedEnd, offset: at) }
        guard text[at] == UInt8(ascii: "\"") else { throw JSONFault(reason: .expectedKey, offset: at) }
        let keyStart = at
        let escaped = try JSONScanner.skipString(text, &at)
        let keyEnd = at
        try JSONScanner.skipColon(text, &at)
        let start = at
        try JSONScanner.skipValue(text, &at, Limits.nestingMax - 1)
        let key: EnvelopeKey?
        if escaped {
            let name = JSONText.decode(text, keyStart..<keyEnd) ?? []
            key = EnvelopeKey.named(name.span, 0..<name.count)
        } else {
            key = EnvelopeKey.named(text, (keyStart + 1)..<(keyEnd - 1))
        }
        guard let key else {
            unknown(String(decoding: JSONText.decode(text, keyStart..<keyEnd) ?? [], as: UTF8.self))
            return
        }
        let bit: UInt32 = 1 << UInt32(key.rawValue)
        if seen & bit != 0 {
            refusal.add(.duplicateKey, "/\(key.name)", "the key stands twice, so it is not clear which value is meant")
            return
        }
        seen |= bit
        lift(key, text, start..<at)
    }

    private mutating func unknown(_ name: String) {
        // A body can hold a hundred thousand such keys; a suggestion costs more than the rest of admission.
        if refusal.isFull { return }
        let pointer = Violation.pointer(to: name)
        if let near = EnvelopeKey.suggestion(for: name) {
            refusal.add(.unknownField, pointer, "no such field; did you mean '\(near)'?")
        } else {
            refusal.add(.unknownField, pointer, "no such field; own facts about a message go into 'message_metadata', its content into 'data'")
        }
    }

    private mutating func lift(_ key: EnvelopeKey, _ text: Span<UInt8>, _ range: Range<Int>) {
        let first = text[range.lowerBound]
        if key == .data || key == .messageData || key == .dataBase64 {
            if let other = payload {
                refusal.add(.conflict, "/\(key.name)", "the payload is given in '\(other.key.name)' already")
            } else {
                payload = (key, range)
            }
            if key == .dataBase64, first != UInt8(ascii: "\"") { wrongType(key, "a base64 string", first) }
            return
        }
        if first == UInt8(ascii: "n") {
            if key == .topic { wrongType(key, "a string", first) }
            return
        }
        switch key {
        case .topic: name(key, .topic, text, range)
        case .source: name(key, .source, text, range)
        case .type: name(key, .type, text, range)
        case .contentType: name(key, .contentType, text, range)
        case .correlationID: name(key, .correlationID, text, range)
        case .causation: name(key, .causation, text, range)
        case .messageUUID: liftUUID(text, range)
        case .originTS: liftOriginTS(text, range)
        case .destinations: liftDestinations(text, range)
        case .metadata:
            guard first == UInt8(ascii: "{") else { return wrongType(key, "an object", first) }
            guard range.count <= Limits.metadataBytesMax else {
                return refusal.add(.tooLarge, "/\(key.name)", "it has \(range.count) bytes, at most \(Limits.metadataBytesMax) are allowed")
            }
            ranges[.metadata] = range
        case .data, .messageData, .dataBase64: break
        }
    }

    // MARK: Fields

    /// A non-empty string of at most `Limits.nameBytesMax` bytes without control characters.
    private mutating func name(_ key: EnvelopeKey, _ field: MessageField, _ text: Span<UInt8>, _ range: Range<Int>) {
        guard text[range.lowerBound] == UInt8(ascii: "\"") else { return wrongType(key, "a string", text[range.lowerBound]) }
        let inner = (range.lowerBound + 1)..<(range.upperBound - 1)
        guard Envelope.isEscaped(text, inner) else {
            ranges[field] = inner
            return check(key, text.extracting(inner))
        }
        guard let value = JSONText.decode(text, range) else {
            return refusal.add(.malformed, "/\(key.name)", "it holds \\u0000 or half of a surrogate pair")
        }
        let start = textCount + decoded.count
        ranges[field] = start..<(start + value.count)
        decoded.append(contentsOf: value)
        check(key, value.span)
    }

    private mutating func check(_ key: EnvelopeKey, _ value: Span<UInt8>) {
        if key == .topic { return checkTopic(value) }
        if value.isEmpty {
            refusal.add(.malformed, "/\(key.name)", "it is empty; leave the field out instead")
        } else if value.count > Limits.nameBytesMax {
            refusal.add(.tooLarge, "/\(key.name)", "it has \(value.count) bytes, at most \(Limits.nameBytesMax) are allowed")
        } else if Envelope.hasControlCharacter(value) {
            refusal.add(.malformed, "/\(key.name)", "it holds control characters")
        }
    }

    private mutating func checkTopic(_ topic: Span<UInt8>) {
        if let fault = Subject.topicFault(topic) {
            refusal.add(.malformed, "/topic", "\(fault); a topic is a NATS subject such as 'internal.updates'")
            return
        }
        for door in arrival.doorSubjects where door.matches(topic) {
            refusal.add(.malformed, "/topic", "'\(door.text)' is a door of Meshlog; a message sent out there would come in again")
            return
        }
    }

    private static func isEscaped(_ text: Span<UInt8>, _ inner: Range<Int>) -> Bool {
        ByteScan.firstIndex(of: UInt8(ascii: "\\"), in: text.extracting(inner), from: 0) != nil
    }

    private static func hasControlCharacter(_ text: Span<UInt8>) -> Bool {
        for index in text.indices where text[index] < 0x20 || text[index] == 0x7F { return true }
        return false
    }

    private mutating func liftUUID(_ text: Span<UInt8>, _ range: Range<Int>) {
        guard text[range.lowerBound] == UInt8(ascii: "\"") else { return wrongType(.messageUUID, "a UUID string", text[range.lowerBound]) }
        let inner = (range.lowerBound + 1)..<(range.upperBound - 1)
        if Envelope.isEscaped(text, inner) {
            uuid = JSONText.decode(text, range).flatMap { MessageUUID(utf8: $0.span) }
        } else {
            uuid = MessageUUID(utf8: text.extracting(inner))
        }
        if uuid == nil {
            refusal.add(.malformed, "/message_uuid", "not a UUID; write it like 0190163d-8694-739b-aea5-966c26f8ad91")
        }
    }

    private mutating func liftOriginTS(_ text: Span<UInt8>, _ range: Range<Int>) {
        let isText = text[range.lowerBound] == UInt8(ascii: "\"")
        let isNumber = text[range.lowerBound] >= 0x30 && text[range.lowerBound] <= 0x39
        guard isText || isNumber || text[range.lowerBound] == UInt8(ascii: "-") else {
            return wrongType(.originTS, "RFC 3339 text or an epoch number", text[range.lowerBound])
        }
        let inner = isText ? (range.lowerBound + 1)..<(range.upperBound - 1) : range
        if !isText {
            originTS = Timestamp.fromEpoch(text.extracting(inner))
        } else if Envelope.isEscaped(text, inner) {
            originTS = JSONText.decode(text, range).flatMap { Timestamp.parse($0.span) }
        } else {
            originTS = Timestamp.parse(text.extracting(inner))
        }
        if originTS == nil {
            refusal.add(
                .malformed, "/origin_ts", "not a time; write RFC 3339 like 2026-01-31T12:00:00.5Z, or a positive epoch number in s, ms, µs or ns")
        }
    }

    private mutating func liftDestinations(_ text: Span<UInt8>, _ range: Range<Int>) {
        guard text[range.lowerBound] == UInt8(ascii: "[") else { return wrongType(.destinations, "an array of strings", text[range.lowerBound]) }
        guard let names = JSONText.plainStrings(text.extracting(range)) else {
            return refusal.add(.wrongType, "/destination_subject_ids", "an array of strings is expected")
        }
        if names.count > Limits.destinationsMax {
            return refusal.add(.tooLarge, "/destination_subject_ids", "\(names.count) recipients, at most \(Limits.destinationsMax) are allowed")
        }
        for index in names.faulty {
            refusal.add(
                .malformed, "/destination_subject_ids/\(index)",
                "a recipient has 1 to \(Limits.nameBytesMax) bytes and no control characters")
        }
        ranges[.destinations] = range
    }

    private mutating func wrongType(_ key: EnvelopeKey, _ expected: String, _ first: UInt8) {
        let found =
            switch first {
            case UInt8(ascii: "\""): "a string"
            case UInt8(ascii: "{"): "an object"
            case UInt8(ascii: "["): "an array"
            case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
            case UInt8(ascii: "n"): "null"
            default: "a number"
            }
        refusal.add(.wrongType, "/\(key.name)", "\(expected) is expected, not \(found)")
    }

    // MARK: Finishing

    private mutating func finish(_ lifted: consuming MessageEntry, freshID: () -> MessageUUID) throws(Refusal) -> AdmittedMessage {
        let isObject = refusal.isEmpty || !refusal.violations.contains { $0.code == .wrongType && $0.pointer.isEmpty }
        if isObject, seen & (1 << UInt32(EnvelopeKey.topic.rawValue)) == 0 {
            refusal.add(.missing, "/topic", "every message names its topic, a NATS subject such as 'internal.updates'")
        }
        var entry = lifted
        if let originTS { entry.set(.originTS, originTS) }
        liftPayload(to: &entry)
        guard refusal.isEmpty else { throw refusal }
        let id = uuid ?? freshID()
        Envelope.seal(&entry, id: id, arrival: arrival)
        return AdmittedMessage(entry: entry, uuid: id, isNamedByClient: uuid != nil)
    }

    private mutating func liftPayload(to entry: inout MessageEntry) {
        guard let payload else { return entry.set(.data, "null" as StaticString) }
        let start = payload.range.lowerBound
        switch payload.key {
        case .dataBase64:
            // Another type was refused where it stood.
            guard entry.bytes[start] == UInt8(ascii: "\"") else { return }
            guard let bytes = JSONText.decode(entry.bytes.span, payload.range).flatMap({ Base64.decode($0) })
            else { return refusal.add(.malformed, "/data_base64", "not padded base64 of RFC 4648") }
            if entry.count(.contentType) == 0 { entry.set(.contentType, "application/octet-stream" as StaticString) }
            if entry.isJSON {
                do throws(JSONFault) { try JSONScanner.validate(bytes.span) } catch {
                    return refusal.add(.notJSON, "/data_base64", "the content type says JSON, but \(error.detail)")
                }
            }
            entry.set(.data, bytes)
        default:
            if entry.count(.contentType) == 0 || entry.isJSON { return entry.point(.data, at: payload.range) }
            guard entry.bytes[start] == UInt8(ascii: "\""), let text = JSONText.decode(entry.bytes.span, payload.range) else {
                return refusal.add(
                    .conflict, "/\(payload.key.name)", "content of type '\(entry.string(.contentType))' is given as a string, or as bytes in 'data_base64'")
            }
            entry.set(.data, text)
        }
    }

    /// Adds what every accepted message has: event, version, id, door, principal and trace.
    package static func seal(_ entry: inout MessageEntry, id: MessageUUID, arrival: Arrival) {
        entry.setConstants()
        entry.set(.messageUUID, id)
        entry.set(.via, arrival.via)
        if !arrival.principal.isEmpty { entry.set(.principal, arrival.principal) }
        if !arrival.traceparent.isEmpty { entry.set(.traceparent, arrival.traceparent) }
    }
}

/// The W3C trace context a door passes on.
package enum TraceParent {
    /// Is it `00-<32 hex>-<16 hex>-<2 hex>`, ids not all zero, lower case?
    /// - Source: W3C Trace Context, level 1.
    package static func isValid(_ text: some Collection<UInt8>) -> Bool {
        guard text.count == 55 else { return false }
        var traceID = false
        var spanID = false
        for (index, byte) in text.enumerated() {
            switch index {
            case 2, 35, 52:
                if byte != UInt8(ascii: "-") { return false }
            default:
                guard byte >= 0x30 && byte <= 0x39 || byte >= 0x61 && byte <= 0x66 else { return false }
                if index < 2, byte != 0x30 { return false }
                if index >= 3, index < 35, byte != 0x30 { traceID = true }
                if index >= 36, index < 52, byte != 0x30 { spanID = true }
            }
        }
        return traceID && spanID
    }
}
