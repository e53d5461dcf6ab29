internal import NATSDriver

/// One message on its way to a backbone.
package struct OutgoingMessage: Sendable, Equatable {
    /// `Nats-Msg-Id`: made from the position, so that a repeat is recognised. Two logs, or a replay that means to send again, use
    /// different ones.
    package let id: String
    package let position: String
    package let uuid: String
    package let subject: String
    package let payload: [UInt8]
    package let contentType: String?
    package let traceparent: String?

    package init(
        id: String, position: String, uuid: String, subject: String, payload: [UInt8], contentType: String? = nil, traceparent: String? = nil
    ) {
        self.id = id
        self.position = position
        self.uuid = uuid
        self.subject = subject
        self.payload = payload
        self.contentType = contentType
        self.traceparent = traceparent
    }

    /// The headers as they go out.
    var headers: [NATSHeader] {
        var headers = [
            NATSHeader(BackboneHeader.id, id), NATSHeader(BackboneHeader.position, position), NATSHeader(BackboneHeader.uuid, uuid),
        ]
        if let traceparent, !traceparent.isEmpty { headers.append(NATSHeader(BackboneHeader.traceparent, traceparent)) }
        if let contentType, !contentType.isEmpty { headers.append(NATSHeader(BackboneHeader.contentType, contentType)) }
        return headers
    }
}

/// Names of the headers of a republished message.
package enum BackboneHeader {
    package static let id = "Nats-Msg-Id"
    package static let position = "Meshlog-Position"
    package static let uuid = "Meshlog-Message-Uuid"
    package static let traceparent = "traceparent"
    package static let contentType = "Content-Type"
}
