internal import Core

/// A message as JSON: the nine fields of the message log first, then what Meshlog knows beyond them.
///
/// `message_data` is the payload's own bytes when they are JSON, a string when they are other UTF-8 text; else it is null and
/// `message_data_base64` holds them.
enum MessageJSON {
    /// - Parameters:
    ///   - outcome: of the verdict; nil when there is none yet.
    ///   - ackTS: µs since the epoch when a backbone first acknowledged it; nil when none has, or when that is not known yet.
    /// - Returns: the object, and how many of its first bytes hold the message log's fields.
    static func object(_ message: MessageEntry, at position: Position, outcome: Outcome?, ackTS: Int64?) -> (bytes: [UInt8], referenceBytes: Int) {
        var object = JSONObject()
        object.add("message_uuid", text: text(message, .messageUUID))
        object.add("origin_ts", time: message.originTS)
        object.add("ack_ts", time: ackTS)
        addData(message, to: &object)
        add("source_subject_id", message, .source, to: &object)
        if JSONText.decodeStrings(message.slice(.destinations).span) != nil, isValid(message, .destinations) {
            object.add("destination_subject_ids", raw: message.slice(.destinations))
        } else {
            object.add("destination_subject_ids", raw: Array("[]".utf8))
        }
        object.add("topic", text: text(message, .topic))
        add("message_type", message, .type, to: &object)
        if isValid(message, .metadata), isObject(message.slice(.metadata)) {
            object.add("message_metadata", raw: message.slice(.metadata))
        } else {
            object.addNull("message_metadata")
        }
        let referenceBytes = object.bytes.count
        object.add("position", position.description)
        object.add("content_type", text: message.count(.contentType) > 0 ? text(message, .contentType) : Array(ContentType.json.utf8)[...])
        add("via", message, .via, to: &object)
        add("correlation_id", message, .correlationID, to: &object)
        add("causation", message, .causation, to: &object)
        add("traceparent", message, .traceparent, to: &object)
        if message.isReleased, isValid(message, .release) { object.add("release", raw: message.slice(.release)) }
        object.add("outcome", optional: outcome?.rawValue)
        return (object.finish(), referenceBytes)
    }

    /// The object with everything that was decided as its last member, `verdict`; null while nothing is.
    static func withVerdict(_ bytes: [UInt8], _ verdict: VerdictEntry?) -> [UInt8] {
        bytes.dropLast() + Array(",\"verdict\":".utf8) + (verdict?.json ?? Array("null".utf8)) + [UInt8(ascii: "}")]
    }

    /// Only the message log's nine fields (and `message_data_base64` where the payload is no text).
    static func reference(_ bytes: [UInt8], referenceBytes: Int) -> [UInt8] { bytes[..<referenceBytes] + [UInt8(ascii: "}")] }

    private static func addData(_ message: MessageEntry, to object: inout JSONObject) {
        if message.isJSON, isValid(message, .data) {
            object.add("message_data", raw: message.slice(.data))
        } else if UTF8Check.firstFault(message.bytes.span.extracting(message.range(.data))) == nil {
            object.add("message_data", text: message.slice(.data))
        } else {
            object.addNull("message_data")
            object.add("message_data_base64", text: Base64.encode(message.slice(.data)))
        }
    }

    private static func add(_ key: StaticString, _ message: MessageEntry, _ field: MessageField, to object: inout JSONObject) {
        if message.count(field) > 0 { object.add(key, text: text(message, field)) } else { object.addNull(key) }
    }

    /// Strangers may write into the log as well: what is no UTF-8 is repaired, since the answer must be.
    private static func text(_ message: MessageEntry, _ field: MessageField) -> ArraySlice<UInt8> {
        if UTF8Check.firstFault(message.bytes.span.extracting(message.range(field))) == nil { return message.slice(field) }
        return Array(message.string(field).utf8)[...]
    }

    private static func isValid(_ message: MessageEntry, _ field: MessageField) -> Bool {
        do throws(JSONFault) {
            try JSONScanner.validate(message.bytes.span.extracting(message.range(field)))
            return true
        } catch {
            return false
        }
    }

    private static func isObject(_ text: ArraySlice<UInt8>) -> Bool {
        text.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 } == UInt8(ascii: "{")
    }
}
