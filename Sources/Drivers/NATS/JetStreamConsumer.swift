/// Reads a durable pull consumer in batches and acknowledges explicitly. One owner, on a thread of its own.
package final class JetStreamConsumer {
    private let jetStream: JetStream
    private let subscription: NATSSubscription
    private let inbox: String
    private let nextSubject: String
    private let stream: String
    private let durable: String
    /// Numbers the pull requests, so that the end of an earlier one is not taken for that of the present one.
    private var request: UInt64 = 0
    /// Messages that the server still owes to the last pull request, and until when.
    private var outstanding = 0
    private var outstandingUntil = ContinuousClock.now

    package init(_ jetStream: JetStream, stream: String, durable: String, headers: NATSHeaderSelection = .all) throws(NATSError) {
        self.jetStream = jetStream
        inbox = try jetStream.connection.newInbox()
        subscription = try NATSSubscription(jetStream.connection, inbox + ".*", headers: headers)
        self.stream = stream
        self.durable = durable
        nextSubject = "\(jetStream.prefix).CONSUMER.MSG.NEXT.\(stream).\(durable)"
    }

    /// Up to `max` messages: waits up to `expires` for the first and then takes what is there. Each `reply` is where its
    /// acknowledgement goes; what is not acknowledged within the consumer's `ack_wait` comes again.
    ///
    /// - Cost: a pull request of `max` messages stays open at the server until it is used up, so most calls send nothing.
    /// - Throws: `.jetStream` with `consumerNotFound` or `streamNotFound` if they are gone, `.noResponders` without JetStream, `.unavailable`.
    package func fetch(max: Int, expires: Duration) throws(NATSError) -> [NATSMessage] {
        if outstanding == 0 || ContinuousClock.now > outstandingUntil { try pull(max, expires) }
        var batch: [NATSMessage] = []
        while batch.count < max {
            guard let message = try next(timeout: batch.isEmpty ? expires : .zero) else { break }
            guard let status = message.status else {
                batch.append(message)
                outstanding = Swift.max(0, outstanding - 1)
                continue
            }
            if status == 100 || message.subject != "\(inbox).\(request)" { continue }
            outstanding = 0
            // 404 and 408: nothing there, or the request's time is over. 409: the consumer was deleted, or a limit is reached.
            if status == 404 || status == 408 { break }
            if !batch.isEmpty { break }
            throw .unexpectedReply(message.statusDescription ?? "status \(status)")
        }
        return batch
    }

    /// Done. Sent without waiting; `flush` of the connection sends a batch of them at once.
    package func acknowledge(_ message: NATSMessage) throws(NATSError) {
        try answer(message, "+ACK")
    }

    /// Deliver again, after `delay`.
    package func negativelyAcknowledge(_ message: NATSMessage, delay: Duration? = nil) throws(NATSError) {
        try answer(message, delay.map { #"-NAK {"delay":\#($0.nanoseconds)}"# } ?? "-NAK")
    }

    /// Never deliver again. Without a reason: servers before 2.10.4 know the verb only when it stands alone and would deliver again.
    package func terminate(_ message: NATSMessage) throws(NATSError) {
        try answer(message, "+TERM")
    }

    /// Still at work: the time to acknowledge starts anew.
    package func extend(_ message: NATSMessage) throws(NATSError) {
        try answer(message, "+WPI")
    }

    private func answer(_ message: NATSMessage, _ verb: String) throws(NATSError) {
        guard let reply = message.reply else { throw .invalidSubject("a message without a reply cannot be acknowledged") }
        try jetStream.connection.publish(subject: reply, payload: Array(verb.utf8))
    }

    private func next(timeout: Duration) throws(NATSError) -> NATSMessage? {
        do throws(NATSError) {
            return try subscription.next(timeout: timeout)
        } catch .noResponders {
            outstanding = 0
            throw .noResponders(subject: nextSubject)
        }
    }

    private func pull(_ count: Int, _ expires: Duration) throws(NATSError) {
        // The server says when a request's time is over. It said nothing: is the consumer still there? A pull alone would not tell.
        if outstanding > 0 { _ = try jetStream.consumerInfo(durable, of: stream) }
        request += 1
        let body = Array(#"{"batch":\#(count),"expires":\#(expires.nanoseconds)}"#.utf8)
        try jetStream.connection.publish(subject: nextSubject, reply: "\(inbox).\(request)", payload: body)
        outstanding = count
        outstandingUntil = ContinuousClock.now + expires
    }
}
