/// A durable pull consumer with explicit acknowledgement.
package struct ConsumerConfiguration: Sendable {
    package var name: String
    package var filterSubject: String?
    /// How long the server waits for an acknowledgement before it delivers again.
    package var ackWait: Duration
    /// Deliveries of one message; nil is without end.
    package var deliveriesMax: Int?
    /// Delivered and not yet acknowledged, over all readers of this consumer.
    package var ackPendingMax: Int

    package init(
        name: String, filterSubject: String? = nil, ackWait: Duration = .seconds(30), deliveriesMax: Int? = nil, ackPendingMax: Int = 8_192
    ) {
        self.name = name
        self.filterSubject = filterSubject
        self.ackWait = ackWait
        self.deliveriesMax = deliveriesMax
        self.ackPendingMax = ackPendingMax
    }

    var object: [String: Any] {
        var object: [String: Any] = [
            "durable_name": name, "deliver_policy": "all", "ack_policy": "explicit", "ack_wait": ackWait.nanoseconds,
            "max_deliver": deliveriesMax ?? -1, "max_ack_pending": ackPendingMax, "replay_policy": "instant",
        ]
        if let filterSubject { object["filter_subject"] = filterSubject }
        return object
    }
}

/// Where a consumer stands.
package struct ConsumerInfo: Sendable, Equatable {
    package let name: String
    /// Not yet delivered.
    package let pending: Int
    /// Delivered, not yet acknowledged.
    package let ackPending: Int
    package let redelivered: Int

    init(_ object: [String: Any]) throws(NATSError) {
        guard let name = object["name"] as? String else { throw .unexpectedReply("consumer info without a name") }
        self.name = name
        pending = object["num_pending"] as? Int ?? 0
        ackPending = object["num_ack_pending"] as? Int ?? 0
        redelivered = object["num_redelivered"] as? Int ?? 0
    }
}
