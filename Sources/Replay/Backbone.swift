package import NATSDriver

/// Publishes to one NATS backbone: into a stream wherever one stores the subject, else to core NATS.
///
/// Each session is one connection that does not come back by itself: a lost one is replaced at the next batch, so that no message can reach
/// the server behind one that was lost. nats.c blocks, so the actor runs on a thread of its own.
package actor Backbone {
    private struct Session {
        let connection: NATSConnection
        let publisher: JetStreamPublisher
        var coverage: BackboneCoverage
    }

    private let settings: BackboneSettings
    private let thread: NATSThread
    private var session: Session?
    private var recovery = BatchRecovery()

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    package init(_ settings: BackboneSettings) {
        self.settings = settings
        thread = NATSThread(name: "nats \(settings.stream)")
    }

    /// Publishes `batch` in order: one receipt per message, in order.
    ///
    /// Where a receipt is retryable, the same batch is given again, and no other before; what is there already is then not sent again.
    ///
    /// - Shape: at most `BackboneLimits.batchMax` messages, ids distinct.
    /// - Cost: two round trips; one management call per new first token; four more after a failure or a start.
    package func publish(_ batch: [OutgoingMessage]) -> [BackboneReceipt] {
        precondition(batch.count <= BackboneLimits.batchMax, "a batch has at most \(BackboneLimits.batchMax) messages")
        if batch.isEmpty { return [] }
        let ids = batch.map(\.id)
        do throws(NATSError) {
            var session = try openSession()
            defer { keep(session) }
            let covers = try covers(of: batch, &session.coverage)
            if recovery.next(ids) == .readTail { recovery.learn(try storedIDs(covers, session.coverage, count: BackboneLimits.tailMax)) }
            guard case .send(let indices) = recovery.next(ids) else { preconditionFailure("the tail has just been read") }
            let receipts = send(indices, of: batch, covers, &session)
            return recovery.finish(ids, sent: indices, receipts)
        } catch {
            return batch.map { _ in .failed(reason: error.reason, retryable: true) }
        }
    }

    /// The `Nats-Msg-Id`s of the last `count` messages of Meshlog's stream; none if there is no such stream.
    package func recoverStored(_ count: Int) throws(NATSError) -> Set<String> {
        let session = try openSession()
        defer { keep(session) }
        return Set(try storedIDs([:], session.coverage, count: count).keys)
    }

    /// Looks at the ends of the streams before it sends again: to be called whenever a follower begins anew, since the server's duplicate window may
    /// be over by then.
    package func doubt() { recovery.doubt() }

    /// Connects if need be; throws why it cannot.
    package func connect() throws(NATSError) {
        keep(try openSession())
    }

    /// The server as now connected to; nil while there is none.
    package var connectedURL: String? {
        guard let session, session.connection.status == .connected else { return nil }
        return session.connection.url
    }

    package func close() {
        session?.connection.close()
        session = nil
    }

    // MARK: Session

    private func openSession() throws(NATSError) -> Session {
        if let session, session.connection.status == .connected { return session }
        session = nil
        let connection = try NATSConnection(
            NATSOptions(url: settings.url, name: settings.name, credentials: settings.credentials, reconnect: .never))
        return Session(
            connection: connection, publisher: try JetStreamPublisher(connection), coverage: try BackboneCoverage(connection, settings))
    }

    private func keep(_ session: Session) {
        self.session = session.connection.status == .connected ? session : nil
    }

    // MARK: Batch

    /// The cover of each distinct subject that may be published to at all.
    private func covers(of batch: [OutgoingMessage], _ coverage: inout BackboneCoverage) throws(NATSError) -> [String: BackboneCoverage.Cover] {
        let subjects = Set(batch.lazy.map(\.subject)).filter { BackboneSubject.refusal($0) == nil }
        try coverage.provision(subjects)
        var covers: [String: BackboneCoverage.Cover] = [:]
        for subject in subjects { covers[subject] = try coverage.cover(subject) }
        return covers
    }

    private func storedIDs(
        _ covers: [String: BackboneCoverage.Cover], _ coverage: BackboneCoverage, count: Int
    ) throws(NATSError) -> [String: BatchRecovery.Place] {
        if !coverage.isEnabled { return [:] }
        var streams: Set<String> = [settings.stream]
        for case .stream(let name) in covers.values { streams.insert(name) }
        return try coverage.tails(of: streams, count: count)
    }

    private func send(
        _ indices: [Int], of batch: [OutgoingMessage], _ covers: [String: BackboneCoverage.Cover], _ session: inout Session
    ) -> [BackboneReceipt] {
        var prepared: [PreparedPublish] = []
        prepared.reserveCapacity(indices.count)
        for index in indices {
            let message = batch[index]
            guard let cover = covers[message.subject] else { continue }
            prepared.append(
                PreparedPublish(subject: message.subject, headers: message.headers, payload: message.payload, isStored: cover != .core))
        }
        var outcomes = session.publisher.publish(prepared, timeout: settings.timeout).makeIterator()
        return indices.map { index in
            let subject = batch[index].subject
            guard covers[subject] != nil, let outcome = outcomes.next() else {
                return .failed(reason: BackboneSubject.refusal(subject) ?? "not sent", retryable: false)
            }
            return receipt(outcome, subject, &session.coverage)
        }
    }

    private func receipt(_ outcome: PublishOutcome, _ subject: String, _ coverage: inout BackboneCoverage) -> BackboneReceipt {
        switch outcome {
        case .stored(let stream, let sequence, let duplicate): return .stored(stream: stream, sequence: sequence, duplicate: duplicate)
        case .flushed: return .core
        case .failed(let error):
            switch error {
            case .noResponders:
                coverage.forget(subject)
                return .failed(reason: NATSError.noResponders(subject: subject).reason, retryable: true)
            case .timedOut:
                coverage.forget(subject)
                return .failed(reason: error.reason, retryable: true)
            default: return .failed(reason: error.reason, retryable: error.isRetryable)
            }
        }
    }
}
