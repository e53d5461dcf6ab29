/// A CloudEvent 1.0 on its way to becoming a message.
///
/// `type` becomes the message's type, `source` its sender, `time` its `origin_ts`; the topic is the extension attribute
/// `topic`, else `type`. `source` and `id` together name it, so a repeat deduplicates. All attributes stay readable in
/// `message_metadata.cloudevents`.
/// - Source: CloudEvents 1.0.2, HTTP binding and JSON format.
package struct CloudEvent: Sendable {
    /// An attribute in its canonical string form, the only one that every mode has: headers know no types.
    ///
    /// - Source: CloudEvents 1.0.2, type system.
    package enum Value: Sendable, Equatable {
        case string([UInt8])
        /// The JSON format had a boolean or an integer.
        case literal([UInt8])

        var text: [UInt8] {
            switch self {
            case .string(let bytes), .literal(let bytes): bytes
            }
        }
    }

    /// In the order in which they came.
    package private(set) var attributes: [(name: String, value: Value)] = []
    /// The payload's bytes; nil when the event has none.
    package var data: [UInt8]?
    /// The payload was given as JSON, so it is JSON also when `datacontenttype` is absent.
    package var dataIsJSON = false

    package init() {}

    package subscript(name: String) -> [UInt8]? { attributes.first { $0.name == name }?.value.text }

    package mutating func set(_ name: String, _ value: Value) { attributes.append((name, value)) }

    /// Reads the JSON format: one object.
    package static func read(_ body: [UInt8]) throws(Refusal) -> CloudEvent {
        var event = CloudEvent()
        var refusal = Refusal()
        do throws(JSONFault) { try event.scan(body, &refusal) } catch { throw Refusal(error) }
        guard refusal.isEmpty else { throw refusal }
        return event
    }

    private mutating func scan(_ body: [UInt8], _ refusal: inout Refusal) throws(JSONFault) {
        let text = body.span
        try JSONScanner.validate(text)
        var at = 0
        JSONScanner.skipSpace(text, &at)
        guard text[at] == UInt8(ascii: "{") else { return refusal.add(.wrongType, "", "an event in structured mode is a JSON object") }
        at += 1
        JSONScanner.skipSpace(text, &at)
        if text[at] == UInt8(ascii: "}") { return }
        while true {
            let keyStart = at
            _ = try JSONScanner.skipString(text, &at)
            let name = JSONText.decode(text, keyStart..<at).map { String(decoding: $0, as: UTF8.self) } ?? ""
            try JSONScanner.skipColon(text, &at)
            let start = at
            try JSONScanner.skipValue(text, &at, Limits.nestingMax)
            member(name, body, text, start..<at, &refusal)
            if try JSONScanner.skipComma(text, &at, closing: UInt8(ascii: "}")) { return }
        }
    }

    private mutating func member(_ name: String, _ body: [UInt8], _ text: Span<UInt8>, _ range: Range<Int>, _ refusal: inout Refusal) {
        let pointer = Violation.pointer(to: name)
        if attributes.count >= Limits.attributesMax {
            return refusal.isTooLarge ? () : refusal.add(.tooLarge, "", "an event has at most \(Limits.attributesMax) attributes")
        }
        if attributes.contains(where: { $0.name == name }) || (name == "data" && data != nil) {
            return refusal.add(.duplicateKey, pointer, "the member stands twice, so it is not clear which value is meant")
        }
        if name == "data" || name == "data_base64" {
            if data != nil { return refusal.add(.conflict, pointer, "'data' and 'data_base64' exclude each other") }
            if name == "data" {
                data = Array(body[range])
                dataIsJSON = true
            } else if text[range.lowerBound] == UInt8(ascii: "\""), let bytes = JSONText.decode(text, range).flatMap({ Base64.decode($0) }) {
                data = bytes
            } else {
                refusal.add(.malformed, pointer, "not padded base64 of RFC 4648")
            }
            return
        }
        switch text[range.lowerBound] {
        case UInt8(ascii: "n"): return
        case UInt8(ascii: "\""):
            guard let value = JSONText.decode(text, range) else {
                return refusal.add(.malformed, pointer, "it holds \\u0000 or half of a surrogate pair")
            }
            set(name, .string(value))
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            refusal.add(.wrongType, pointer, "an attribute is a string, a boolean or an integer")
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            set(name, .literal(Array(body[range])))
        default:
            guard let integer = Int32(String(decoding: body[range], as: UTF8.self)) else {
                return refusal.add(.wrongType, pointer, "a number is an integer from -2147483648 to 2147483647; give any other as a string")
            }
            set(name, .literal(Array(String(integer).utf8)))
        }
    }

    /// Checks the event and makes the message of it.
    ///
    /// - Parameter digest: SHA-256, for the id made from `source` and `id`.
    package consuming func admit(arrival: Arrival, digest: ([UInt8]) -> [UInt8]) throws(Refusal) -> AdmittedMessage {
        var refusal = Refusal()
        // JSON format 3.1.2: as if it had been said, and binary mode says it.
        if dataIsJSON, self["datacontenttype"] == nil { set("datacontenttype", .string(Array("application/json".utf8))) }
        checkAttributes(&refusal)
        var entry = MessageEntry()
        lift(to: &entry, &refusal)
        liftData(to: &entry, &refusal)
        if let metadata = metadata() {
            if metadata.count > Limits.metadataBytesMax {
                refusal.add(.tooLarge, "", "the attributes have \(metadata.count) bytes, at most \(Limits.metadataBytesMax) are allowed")
            }
            entry.set(.metadata, metadata)
        }
        if let door = arrival.doorSubjects.first(where: { $0.matches(entry.slice(.topic)) }) {
            refusal.add(.malformed, "/topic", "'\(door.text)' is a door of Meshlog; a message sent out there would come in again")
        }
        guard refusal.isEmpty else { throw refusal }
        var arrival = arrival
        if let trace = self["traceparent"], TraceParent.isValid(trace) { arrival.traceparent = String(decoding: trace, as: UTF8.self) }
        let id = MessageUUID.v8(digest: digest(Array("cloudevent\n".utf8) + (self["source"] ?? []) + [0x0A] + (self["id"] ?? [])))
        Envelope.seal(&entry, id: id, arrival: arrival)
        return AdmittedMessage(entry: entry, uuid: id, isNamedByClient: true)
    }

    private func checkAttributes(_ refusal: inout Refusal) {
        for name in ["specversion", "id", "source", "type"] {
            switch attributes.first(where: { $0.name == name })?.value {
            case nil: refusal.add(.missing, "/\(name)", "every CloudEvent has this attribute")
            case .literal: refusal.add(.wrongType, "/\(name)", "a non-empty string is expected")
            case .string(let text) where text.isEmpty: refusal.add(.malformed, "/\(name)", "it is empty")
            case .string(let text):
                if name == "specversion", !text.elementsEqual("1.0".utf8) { refusal.add(.malformed, "/specversion", "this door speaks version '1.0'") }
            }
        }
        for (name, value) in attributes {
            if name.isEmpty || name.utf8.contains(where: { !($0 >= 0x61 && $0 <= 0x7A || $0 >= 0x30 && $0 <= 0x39) }) {
                refusal.add(.malformed, Violation.pointer(to: name), "attribute names have lower-case ASCII letters and digits only")
            } else if name == "data" {
                refusal.add(.malformed, "/data", "no attribute has this name; the data of an event in binary mode is the body")
            }
            if case .string(let text) = value, CloudEvent.holdsForbidden(text) {
                refusal.add(.malformed, Violation.pointer(to: name), "it holds control characters or noncharacters, which no attribute has")
            }
            if ["subject", "dataschema", "datacontenttype", "time", "topic"].contains(name) {
                if case .literal = value { refusal.add(.wrongType, "/\(name)", "a string is expected") }
                if value.text.isEmpty { refusal.add(.malformed, "/\(name)", "it is empty; leave it out instead") }
            }
        }
    }

    /// U+0000…U+001F, U+007F…U+009F, and the code points that Unicode keeps from meaning anything (U+FDD0…U+FDEF, the last two of each plane).
    ///
    /// - Source: CloudEvents 1.0.2, type system: String. Half a surrogate pair is no UTF-8, and has been refused before.
    private static func holdsForbidden(_ text: [UInt8]) -> Bool {
        String(decoding: text, as: UTF8.self).unicodeScalars.contains { scalar in
            switch scalar.value {
            case 0...0x1F, 0x7F...0x9F, 0xFDD0...0xFDEF: true
            default: scalar.value & 0xFFFE == 0xFFFE
            }
        }
    }

    private func lift(to entry: inout MessageEntry, _ refusal: inout Refusal) {
        func name(_ attribute: String, _ field: MessageField) {
            guard let value = self[attribute], !value.isEmpty else { return }
            if value.count > Limits.nameBytesMax {
                refusal.add(.tooLarge, "/\(attribute)", "it has \(value.count) bytes, at most \(Limits.nameBytesMax) are allowed")
            }
            entry.set(field, value)
        }
        name("type", .type)
        name("source", .source)
        name("datacontenttype", .contentType)
        if let time = self["time"] {
            if let micros = Timestamp.parse(time.span) {
                entry.set(.originTS, micros)
            } else {
                refusal.add(.malformed, "/time", "not an RFC 3339 time such as 2026-01-31T12:00:00Z")
            }
        }
        let (attribute, topic) = self["topic"].map { ("topic", $0) } ?? ("type", self["type"] ?? [])
        // An empty attribute has been refused already.
        guard !topic.isEmpty else { return }
        if let fault = Subject.topicFault(topic.span) {
            refusal.add(
                .malformed, "/\(attribute)", "as a topic: \(fault); set the extension attribute 'topic' to a NATS subject such as 'internal.updates'")
        }
        entry.set(.topic, topic)
    }

    private func liftData(to entry: inout MessageEntry, _ refusal: inout Refusal) {
        let typeIsJSON = ContentType.isJSON(entry.slice(.contentType)) && (entry.count(.contentType) > 0 || dataIsJSON)
        guard let data else { return entry.set(.data, typeIsJSON || entry.count(.contentType) == 0 ? Array("null".utf8) : []) }
        if data.count > Limits.messageBytesMax {
            refusal.add(.tooLarge, "", "the data has \(data.count) bytes, at most \(Limits.messageBytesMax) are allowed")
        }
        if dataIsJSON, !typeIsJSON {
            // JSON format §3.1: data of another media type is given as a string.
            guard let first = data.first, first == UInt8(ascii: "\""), let text = JSONText.decode(data.span, 0..<data.count) else {
                return refusal.add(.conflict, "/data", "data of type '\(entry.string(.contentType))' is given as a string, or as bytes in 'data_base64'")
            }
            return entry.set(.data, text)
        }
        if typeIsJSON, !dataIsJSON {
            do throws(JSONFault) { try JSONScanner.validate(data.span) } catch {
                return refusal.add(.notJSON, "/data", "the content type says JSON, but \(error.detail)")
            }
        }
        if !typeIsJSON, entry.count(.contentType) == 0 { entry.set(.contentType, "application/octet-stream") }
        entry.set(.data, data)
    }

    private func metadata() -> [UInt8]? {
        guard !attributes.isEmpty else { return nil }
        var out = Array("{\"cloudevents\":{".utf8)
        // By name, so that the same event has the same content in every mode and order.
        for (index, (name, value)) in attributes.sorted(by: { $0.name < $1.name }).enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            JSONText.append(name, to: &out)
            out.append(UInt8(ascii: ":"))
            JSONText.append(value.text, to: &out)
        }
        out.append(contentsOf: "}}".utf8)
        return out
    }

    /// Undoes the encoding of a header value: quotes with backslashes, then one round of percent-decoding; nil when that is not UTF-8.
    ///
    /// What was read as U+FFFD without encoding counts as bytes that were not UTF-8: the server has put it in their place, and two events
    /// would become one.
    /// - Source: HTTP binding §3.1.3.2.
    package static func decodeHeader(_ value: some Collection<UInt8>) -> [UInt8]? {
        var text = Array(value)
        guard !text.contains(replacement) else { return nil }
        if text.count >= 2, text.first == UInt8(ascii: "\""), text.last == UInt8(ascii: "\"") {
            var unquoted: [UInt8] = []
            var escaped = false
            for byte in text[1..<(text.count - 1)] {
                if !escaped, byte == UInt8(ascii: "\\") {
                    escaped = true
                } else {
                    unquoted.append(byte)
                    escaped = false
                }
            }
            text = unquoted
        }
        var out: [UInt8] = []
        var at = 0
        while at < text.count {
            if text[at] == UInt8(ascii: "%") {
                guard at + 2 < text.count, let high = hexValue(text[at + 1]), let low = hexValue(text[at + 2]) else { return nil }
                out.append(high << 4 | low)
                at += 3
            } else {
                out.append(text[at])
                at += 1
            }
        }
        return UTF8Check.firstFault(out.span) == nil ? out : nil
    }

    /// U+FFFD
    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]
}
