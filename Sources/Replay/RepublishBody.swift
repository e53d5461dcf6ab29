package import Core

/// What goes out on NATS for a message.
package enum RepublishBody: String, Sendable, CaseIterable {
    /// The message as JSON: `topic`, `data`, and the other fields it has, in the reference's names.
    case message
    /// The payload's own bytes; everything else is in the headers and in the log.
    case payload

    package func bytes(of decided: DecidedMessage) -> [UInt8] {
        let message = decided.message
        guard self == .message else { return Array(message.slice(.data)) }
        var object = JSONObject()
        object.add("message_uuid", text: message.slice(.messageUUID))
        object.add("topic", text: decided.verdict.subject)
        object.add("position", decided.position.description)
        if let origin = message.originTS { object.add("origin_ts", Timestamp.rfc3339(microseconds: origin)) }
        if message.count(.source) > 0 { object.add("source_subject_id", text: message.slice(.source)) }
        // A rule may have sent it to others, or kept it from some.
        let destinations = decided.verdict.detail.destinations
        if !destinations.isEmpty {
            object.add("destination_subject_ids", raw: destinations)
        } else if message.count(.destinations) > 0 {
            object.add("destination_subject_ids", raw: message.slice(.destinations))
        }
        if message.count(.type) > 0 { object.add("message_type", text: message.slice(.type)) }
        if message.count(.metadata) > 0 { object.add("message_metadata", raw: message.slice(.metadata)) }
        if message.isJSON {
            object.add("data", raw: message.slice(.data))
        } else {
            object.add("content_type", text: message.slice(.contentType))
            let data = Array(message.slice(.data))
            if UTF8Check.firstFault(data.span) == nil {
                object.add("data", text: data)
            } else {
                object.add("data_base64", text: Base64.encode(data))
            }
        }
        return object.finish()
    }

    /// The content type of those bytes.
    package func contentType(of decided: DecidedMessage) -> String {
        self == .message ? ContentType.json : decided.message.string(.contentType)
    }
}
