extension JetStream {
    /// The stored messages with the last `count` sequences of a stream, oldest first, without their payloads.
    ///
    /// - Shape: `count` is cut to `NATSLimits.tailMax`; fewer come back where messages in between were deleted.
    /// - Cost: four requests and one pull of the headers, through a consumer in memory that is deleted afterwards.
    /// - Throws: `.jetStream` also for a work queue, which takes no second reader.
    package func tail(_ stream: String, count: Int, headers: [String]) throws(NATSError) -> [StoredMessage] {
        let state = try streamState(stream)
        let wanted = UInt64(max(0, min(count, NATSLimits.tailMax)))
        if state.messages == 0 || wanted == 0 { return [] }
        let start = max(state.firstSequence, state.lastSequence >= wanted ? state.lastSequence - wanted + 1 : 1)
        let inbox = try connection.newInbox()
        let subscription = try NATSSubscription(connection, inbox, headers: .named(headers))
        let created = try object(
            "CONSUMER.CREATE.\(stream)",
            [
                "stream_name": stream,
                "config": [
                    "deliver_policy": "by_start_sequence", "opt_start_seq": start, "ack_policy": "none", "headers_only": true,
                    "mem_storage": true, "inactive_threshold": Duration.seconds(30).nanoseconds, "replay_policy": "instant",
                    "num_replicas": 1,
                ] as [String: Any],
            ])
        guard let consumer = created["name"] as? String else { throw .unexpectedReply("consumer without a name") }
        let messages = try pullTail(stream, consumer, start...state.lastSequence, subscription, inbox)
        // Best effort: the server forgets it anyway once it is idle for 30 s.
        try? deleteConsumer(consumer, of: stream)
        return messages
    }

    private func pullTail(
        _ stream: String, _ consumer: String, _ range: ClosedRange<UInt64>, _ subscription: NATSSubscription, _ inbox: String
    ) throws(NATSError) -> [StoredMessage] {
        var messages: [StoredMessage] = []
        messages.reserveCapacity(range.count)
        let request = Array(#"{"batch":\#(range.count),"no_wait":true}"#.utf8)
        try connection.publish(subject: "\(prefix).CONSUMER.MSG.NEXT.\(stream).\(consumer)", reply: inbox, payload: request)
        while messages.count < range.count {
            guard let message = try subscription.next(timeout: timeout) else { throw .timedOut(operation: "tail of \(stream)") }
            if message.status == 404 || message.status == 408 { break }
            if message.status != nil { throw .unexpectedReply("tail of \(stream): \(message.statusDescription ?? "")") }
            guard let place = DeliveryPlace(ackSubject: message.reply) else { throw .unexpectedReply("tail of \(stream): no sequence") }
            if range.contains(place.streamSequence) {
                messages.append(StoredMessage(sequence: place.streamSequence, subject: message.subject, headers: message.headers))
            }
            if place.streamSequence >= range.upperBound || place.pending == 0 { break }
        }
        return messages
    }
}
