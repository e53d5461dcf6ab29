import CNats

/// Publishes batches in order on one connection and gathers their acknowledgements. One owner, on a thread of its own.
///
/// One subscription to an inbox of its own receives all acks; each message's reply is the inbox plus a running number, so that a late ack of
/// an earlier batch is recognised and passed over. `js_PublishMsgAsync` does the same with a lookup and an allocation more per message, at
/// the same speed; this form keeps order and outcome of each message in one place.
package final class JetStreamPublisher {
    private let connection: NATSConnection
    private let acks: NATSSubscription
    private let replyPrefix: String
    private var nextNumber: UInt64 = 0
    /// The stream named by the last ack: nearly always the next one's too.
    private var lastStream = ""

    package init(_ connection: NATSConnection) throws(NATSError) {
        self.connection = connection
        let inbox = try connection.newInbox()
        replyPrefix = inbox + "."
        acks = try NATSSubscription(connection, inbox + ".*", pendingMessagesMax: 2 * NATSLimits.publishBatchMax)
    }

    /// Sends `batch`, flushes once, waits for the acks: one outcome per message, in order.
    ///
    /// After a lost connection nothing more of the batch is sent, and what is not known is `.failed(.unavailable)`. When the server has refused
    /// some of the batch for want of permission, the connection is closed at the end: only then is it known of each message.
    ///
    /// - Shape: at most `NATSLimits.publishBatchMax` messages.
    /// - Cost: two round trips per batch; at most `timeout` for the flush and `timeout` for the acks.
    package func publish(_ batch: [PreparedPublish], timeout: Duration) -> [PublishOutcome] {
        precondition(batch.count <= NATSLimits.publishBatchMax, "a batch has at most \(NATSLimits.publishBatchMax) messages")
        var gathering = Gathering(first: nextNumber, count: batch.count, reconnects: connection.reconnects)
        nextNumber += UInt64(batch.count)
        passOver()
        send(batch, &gathering)
        flush(batch, &gathering, timeout)
        let isRefused = connection.lastRefusal.map { text in batch.contains { PublishRefusals.text($0.subject) == text } } ?? false
        gather(batch, &gathering, timeout, isRefused: isRefused)
        if isRefused {
            connection.closeLearningRefusals()
            settleRefused(batch, &gathering)
        }
        return gathering.outcomes(unknown: .timedOut(operation: "acknowledgement of a publish"))
    }

    /// What came too late for the batch before. A late "nobody listens", which subscribers may send as well, bears no number that would tell.
    private func passOver() {
        for _ in 0..<2 * NATSLimits.publishBatchMax {
            do throws(NATSError) {
                guard try acks.withNext(timeout: .zero, { _ in }) else { return }
            } catch .noResponders {
                continue
            } catch {
                // The batch will meet it.
                return
            }
        }
    }

    private func send(_ batch: [PreparedPublish], _ gathering: inout Gathering) {
        let limit = connection.payloadBytesMax
        for (index, message) in batch.enumerated() {
            let bytes = message.headerBlock.count + message.payload.count
            if bytes > limit {
                gathering.settle(index, .failed(.payloadTooLarge(bytes: bytes, limit: limit)))
                continue
            }
            if NATSSubject.refusal(message.subject) != nil {
                gathering.settle(index, .failed(.invalidSubject(message.subject)))
                continue
            }
            let reply = message.isStored ? replyPrefix + String(gathering.first + UInt64(index)) : nil
            let status = publish(message, reply)
            if status == NATS_OK { continue }
            let error = natsError(status, "publish", subject: message.subject)
            gathering.settle(index, .failed(error))
            if case .unavailable = error {
                gathering.abandon(error)
                return
            }
        }
    }

    private func publish(_ message: PreparedPublish, _ reply: String?) -> natsStatus {
        var made: OpaquePointer?
        let status = createMessage(
            &made, message.subject, reply, message.headerBlock, message.payload, preformatted: connection.preformatsHeaders)
        if status != NATS_OK { return status }
        defer { natsMsg_Destroy(made) }
        return natsConnection_PublishMsg(connection.pointer, made)
    }

    private func flush(_ batch: [PreparedPublish], _ gathering: inout Gathering, _ timeout: Duration) {
        var outcome = PublishOutcome.flushed
        do throws(NATSError) {
            try connection.flush(timeout: timeout)
            if connection.reconnects != gathering.reconnects { throw .unavailable(reason: "the connection was lost within the batch") }
        } catch {
            // Acks that made it before the end are still worth reading.
            gathering.abandon(error)
            outcome = .failed(error)
        }
        for (index, message) in batch.enumerated() where !message.isStored && !gathering.isSettled(index) { gathering.settle(index, outcome) }
    }

    private func gather(_ batch: [PreparedPublish], _ gathering: inout Gathering, _ timeout: Duration, isRefused: Bool) {
        let deadline = ContinuousClock.now + timeout
        while gathering.unsettled > 0 {
            let wait = gathering.isAbandoned ? Duration.zero : min(NATSLimits.waitSlice, deadline - ContinuousClock.now)
            do throws(NATSError) {
                if try acks.withNext(timeout: wait, { settle($0, &gathering) }) { continue }
            } catch .noResponders {
                gathering.countUnanswerable()
                continue
            } catch {
                gathering.abandon(error)
                return
            }
            if gathering.isAbandoned || ContinuousClock.now >= deadline { return }
            if isRefused { settleRefused(batch, &gathering) }
            if connection.status != .connected || connection.reconnects != gathering.reconnects {
                gathering.abandon(.unavailable(reason: "the connection was lost before the acknowledgement"))
            }
        }
    }

    /// What the server is known to have refused waits for no acknowledgement, and did not arrive with the flush either.
    private func settleRefused(_ batch: [PreparedPublish], _ gathering: inout Gathering) {
        for (index, message) in batch.enumerated() where connection.hasRefused(message.subject) {
            gathering.refuse(index, .notPermitted(message.subject))
        }
    }

    private func settle(_ message: OpaquePointer, _ gathering: inout Gathering) {
        guard let subject = natsMsg_GetSubject(message), let index = gathering.index(ofReply: subject, prefixLength: replyPrefix.utf8.count) else {
            return
        }
        let length = Int(natsMsg_GetDataLength(message))
        guard length > 0, let data = natsMsg_GetData(message) else { return }
        data.withMemoryRebound(to: UInt8.self, capacity: length) { bytes in
            let outcome = PublishAck.parse(UnsafeBufferPointer(start: bytes, count: length), stream: &lastStream)
            if let outcome { gathering.settle(index, outcome) }
        }
    }
}

/// What is known of a batch so far.
private struct Gathering {
    let first: UInt64
    let reconnects: UInt64
    private(set) var unsettled: Int
    private var known: [PublishOutcome?]
    private var end: NATSError?
    /// How many messages nobody took. nats.c keeps to itself which: they are those left when all others are settled.
    private var unanswerable = 0

    init(first: UInt64, count: Int, reconnects: UInt64) {
        self.first = first
        self.reconnects = reconnects
        unsettled = count
        known = Array(repeating: nil, count: count)
    }

    var isAbandoned: Bool { end != nil }

    /// Nothing more is sent or waited for; the first cause counts.
    mutating func abandon(_ error: NATSError) {
        if end == nil { end = error }
    }

    func isSettled(_ index: Int) -> Bool { known[index] != nil }

    /// The first answer counts.
    mutating func settle(_ index: Int, _ outcome: PublishOutcome) {
        if known[index] != nil { return }
        known[index] = outcome
        unsettled -= 1
        settleUnanswerable()
    }

    /// The server did not take this message: what was open is settled, and a flush proves nothing.
    mutating func refuse(_ index: Int, _ error: NATSError) {
        if known[index] == .flushed { known[index] = .failed(error) } else { settle(index, .failed(error)) }
    }

    mutating func countUnanswerable() {
        unanswerable += 1
        settleUnanswerable()
    }

    private mutating func settleUnanswerable() {
        guard unanswerable > 0, unanswerable >= unsettled else { return }
        for index in known.indices where known[index] == nil { known[index] = .failed(.noResponders(subject: "")) }
        unsettled = 0
    }

    /// The message that a reply's last token numbers; nil for one of an earlier batch.
    func index(ofReply subject: UnsafePointer<CChar>, prefixLength: Int) -> Int? {
        var number: UInt64 = 0
        var cursor = prefixLength
        while subject[cursor] >= 48, subject[cursor] <= 57 {
            number = number &* 10 &+ UInt64(subject[cursor] - 48)
            cursor += 1
        }
        guard subject[cursor] == 0, number >= first, number - first < UInt64(known.count) else { return nil }
        return Int(number - first)
    }

    func outcomes(unknown: NATSError) -> [PublishOutcome] {
        known.map { $0 ?? .failed(end ?? unknown) }
    }
}
