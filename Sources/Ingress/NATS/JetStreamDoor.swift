internal import Core
package import Log
internal import Logging
package import NATSDriver

/// The durable NATS door: a JetStream stream that Meshlog reads with a pull consumer; a message is acknowledged only once it is in the log.
///
/// A crash between append and acknowledgement brings the message again; its `message_uuid`, or else an idempotency key made
/// from stream and sequence, makes that a duplicate.
package struct JetStreamDoor: Sendable {
    package let subject: String
    package let stream: String
    private let options: NATSOptions
    private let dedupeWindowMs: UInt64
    private let admission: Admission
    private let appender: Appender
    private let log = Logger(label: "meshlog.jetstream-door")

    /// - Parameter dedupeWindowMs: where the configuration says nothing.
    package init(subject: String, stream: String, options: NATSOptions, dedupeWindowMs: UInt64, admission: Admission, appender: Appender) {
        self.subject = subject
        self.stream = stream
        self.options = options
        self.dedupeWindowMs = dedupeWindowMs
        self.admission = admission
        self.appender = appender
    }

    /// Runs until shutdown.
    package func run(_ opening: OpeningDoors) async {
        await WorkerThread.run("jetstream-door") { [self] stop in
            defer { opening.opened(.jetstream) }
            var backoff = Backoff()
            var said = false
            while !stop.isRequested {
                do {
                    let connection = try NATSConnection(options)
                    let consumer = try open(connection)
                    log.info("listening", metadata: ["subject": "\(subject)", "stream": "\(stream)"])
                    opening.opened(.jetstream)
                    said = false
                    while !stop.isRequested {
                        let batch = try consumer.fetch(max: Limits.jetStreamFetchMax, expires: .milliseconds(500))
                        if !batch.isEmpty { try take(batch, consumer, connection) }
                        backoff.reset()
                    }
                    connection.close()
                } catch {
                    // One that is slow is about to listen.
                    if case .timedOut? = error as? NATSError {} else { opening.opened(.jetstream) }
                    if !said { log.warning("JetStream is not reachable, will try again", metadata: ["reason": "\(error)"]) }
                    said = true
                    stop.wait(for: backoff.next())
                }
            }
        }
    }

    private func open(_ connection: NATSConnection) throws(NATSError) -> JetStreamConsumer {
        let jetStream = JetStream(connection)
        let subjects = try subjects(jetStream)
        // Of a stream that has other subjects as well only the door's are read.
        let filter = subjects == [subject] ? nil : subject
        try jetStream.createDurable(ConsumerConfiguration(name: "meshlog", filterSubject: filter, ackWait: .seconds(10)), on: stream)
        return try JetStreamConsumer(jetStream, stream: stream, durable: "meshlog", headers: .named(["traceparent"]))
    }

    /// Those of the stream, with the door's among them. A stream that is there stays as somebody has set it.
    private func subjects(_ jetStream: JetStream) throws(NATSError) -> [String] {
        do throws(NATSError) {
            let present = try jetStream.streamInfo(stream).subjects
            if present.contains(where: { Subject.matches(pattern: $0.utf8, subject: subject.utf8) }) { return present }
            return try jetStream.addSubjects([subject], to: stream).subjects
        } catch .jetStream(_, .streamNotFound, _) {
            // Kept by age rather than as a work queue: nats-server 2.9 killed in the middle of removals leaves pending entries of messages that
            // are gone, which are never delivered nor acknowledged again.
            return try jetStream.createStream(StreamConfiguration(name: stream, subjects: [subject], maxAge: .seconds(7 * 86_400))).subjects
        }
    }

    private func take(_ messages: [NATSMessage], _ consumer: JetStreamConsumer, _ connection: NATSConnection) throws {
        var batch = appender.batch()
        var isAdmitted: [Bool] = []
        for message in messages {
            let trace = message.header("traceparent").flatMap { TraceParent.isValid($0.utf8) ? $0 : nil }
            do throws(Refusal) {
                var admitted = try admission.admit(message.payload, door: .jetstream, traceparent: trace)
                if !admitted.isNamedByClient, let place = DeliveryPlace(ackSubject: message.reply) {
                    // The time too: a stream that was deleted and made again counts from 1 again.
                    let name = "jetstream:\(stream):\(place.streamSequence):\(place.storedNanoseconds)"
                    admitted.recognise(by: Array(name.utf8), digest: ContentDigest.sha256)
                }
                // Named or not: a message whose acknowledgement was lost comes again when a process reads again, which may be hours later.
                admitted.dedupeWindowMs = max(admitted.dedupeWindowMs ?? dedupeWindowMs, Limits.redeliveryWindowMs)
                batch.add(admitted)
                isAdmitted.append(true)
            } catch {
                batch.add(RejectedEntry(door: Door.jetstream.rawValue, refusal: error, bytes: message.payload))
                isAdmitted.append(false)
            }
        }
        for ((message, isAdmitted), outcome) in zip(zip(messages, isAdmitted), append(batch)) {
            if isAdmitted { admission.count(outcome, door: .jetstream) }
            switch (isAdmitted, outcome) {
            case (_, .failed): try consumer.negativelyAcknowledge(message, delay: .seconds(1))
            case (true, .conflict(let position)):
                let refusal = Refusal(.conflict, "/message_uuid", "the id stands at \(position) with another content; a new message needs a new id")
                var record = appender.batch()
                record.add(RejectedEntry(door: Door.jetstream.rawValue, refusal: refusal, bytes: message.payload))
                if case .appended? = append(record).first { try consumer.terminate(message) }
            case (true, _): try consumer.acknowledge(message)
            case (false, _): try consumer.terminate(message)
            }
        }
        try connection.flush(timeout: .seconds(5))
    }

    /// This door has a thread of its own, so it may wait on it.
    private func append(_ batch: AppendBatch) -> [AppendOutcome] {
        let waiter = AppendWaiter(count: batch.count)
        do throws(LogError) {
            try appender.submit(batch, to: waiter, ticket: waiter)
        } catch {
            return Array(repeating: .failed(error), count: batch.count)
        }
        return waiter.wait()
    }
}
