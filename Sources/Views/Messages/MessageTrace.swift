internal import Core

/// What is known about one message, from its door to its deliveries.
struct MessageTrace: Sendable {
    let position: Position
    let message: MessageEntry
    let verdict: VerdictEntry?
    /// Is its row in the archive?
    let isArchived: Bool
    /// How far the archive is.
    let archivePosition: Position
    let deliveries: [LoggedDelivery]
    /// How the sessions stand that let it go, or hold it: rows of their projection.
    var sessions: [[UInt8]] = []

    /// Ids of the sessions that concern this entry, oldest first.
    var sessionIDs: [String] {
        var out: [String] = []
        if message.isReleased, let release = Release(message.slice(.release)) { out.append(release.session) }
        if verdict?.outcome == .hold { out.append(position.description) }
        return out
    }

    var json: [UInt8] {
        var object = JSONObject()
        object.add("message_uuid", message.string(.messageUUID))
        object.add("position", position.description)
        object.add("log_ts", time: position.microseconds)
        object.add("ingress", raw: ingress)
        if let verdict { object.add("verdict", raw: verdict.json) } else { object.addNull("verdict") }
        if message.isReleased { object.add("release", raw: message.slice(.release)) } else { object.addNull("release") }
        object.add("sessions", raw: JSONArray.of(sessions) { $0.append(contentsOf: $1) })
        var archive = JSONObject()
        archive.add("archived", isArchived)
        archive.add("position", archivePosition.description)
        object.add("archive", raw: archive.finish())
        object.add("deliveries", raw: JSONArray.of(deliveries) { $0.append(contentsOf: MessageTrace.json($1)) })
        return object.finish()
    }

    private var ingress: [UInt8] {
        var object = JSONObject()
        object.add("via", nonEmpty: message.string(.via))
        object.add("principal", nonEmpty: message.string(.principal))
        object.add("origin_ts", time: message.originTS)
        object.add("topic", message.string(.topic))
        object.add("content_type", nonEmpty: message.string(.contentType))
        object.add("message_data_bytes", message.count(.data))
        object.add("correlation_id", nonEmpty: message.string(.correlationID))
        object.add("causation", nonEmpty: message.string(.causation))
        object.add("traceparent", nonEmpty: message.string(.traceparent))
        return object.finish()
    }

    private static func json(_ logged: LoggedDelivery) -> [UInt8] {
        let delivery = logged.delivery
        var object = JSONObject()
        object.add("position", logged.position.description)
        object.add("target", delivery.target)
        object.add("subject", String(decoding: delivery.subject, as: UTF8.self))
        object.add("outcome", delivery.outcome.rawValue)
        object.add("stream", nonEmpty: delivery.stream)
        object.add("sequence", optional: delivery.sequence == 0 ? nil : Int(clamping: delivery.sequence))
        object.add("duplicate", delivery.duplicate)
        object.add("ack_ts", time: delivery.ackTS)
        object.add("attempts", delivery.attempts)
        object.add("reason", nonEmpty: delivery.reason)
        return object.finish()
    }
}
