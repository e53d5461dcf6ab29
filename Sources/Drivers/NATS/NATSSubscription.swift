import CNats

/// A subscription that its owner reads, batch by batch, on a thread of its own.
///
/// What has arrived and is not read waits in nats.c, up to the pending limits; beyond them new messages are dropped and counted in `dropped`.
package final class NATSSubscription: @unchecked Sendable {
    // `pointer` never changes, and nats.c locks what it points to.
    private let pointer: OpaquePointer
    private let headers: NATSHeaderSelection
    /// Keeps the connection open as long as somebody reads from it.
    private let connection: NATSConnection
    package let subject: String

    /// Subscribes; members of the same `queue` share the messages.
    package init(
        _ connection: NATSConnection, _ subject: String, queue: String? = nil, headers: NATSHeaderSelection = .none,
        pendingMessagesMax: Int = NATSLimits.pendingMessagesMax, pendingBytesMax: Int = NATSLimits.pendingBytesMax
    ) throws(NATSError) {
        var made: OpaquePointer?
        if let queue {
            try check(natsConnection_QueueSubscribeSync(&made, connection.pointer, subject, queue), "subscribe", subject: subject)
        } else {
            try check(natsConnection_SubscribeSync(&made, connection.pointer, subject), "subscribe", subject: subject)
        }
        guard let made else { throw .client(operation: "subscribe", text: "none made") }
        pointer = made
        self.connection = connection
        self.subject = subject
        self.headers = headers
        try check(natsSubscription_SetPendingLimits(made, Int32(clamping: pendingMessagesMax), Int32(clamping: pendingBytesMax)), "pending limits")
    }

    deinit {
        natsSubscription_Destroy(pointer)
    }

    /// The next message, or nil after `timeout`.
    ///
    /// - Throws: `.noResponders` in place of a message with which the server says that nobody took a request; nats.c does not show it.
    package func next(timeout: Duration) throws(NATSError) -> NATSMessage? {
        var result: NATSMessage?
        _ = try withNext(timeout: timeout) { result = NATSMessage(copying: $0, headers: headers) }
        return result
    }

    /// Up to `max` messages: waits up to `timeout` for the first and then takes what is there.
    package func fetch(max: Int, timeout: Duration) throws(NATSError) -> [NATSMessage] {
        var batch: [NATSMessage] = []
        while batch.count < max, let message = try next(timeout: batch.isEmpty ? timeout : .zero) { batch.append(message) }
        return batch
    }

    /// Messages waiting here.
    package var pending: Int {
        var count: UInt64 = 0
        return natsSubscription_QueuedMsgs(pointer, &count) == NATS_OK ? Int(count) : 0
    }

    /// Messages dropped because more waited than the limits allow.
    package var dropped: Int { droppedMessages(pointer) }

    /// No more messages; those already here can still be read.
    package func drain() throws(NATSError) {
        try check(natsSubscription_Drain(pointer), "drain \(subject)")
    }

    package func unsubscribe() throws(NATSError) {
        try check(natsSubscription_Unsubscribe(pointer), "unsubscribe \(subject)")
    }

    /// Lends the next message to `body`; false after `timeout`. A timeout of zero only looks.
    func withNext(timeout: Duration, _ body: (OpaquePointer) -> Void) throws(NATSError) -> Bool {
        var message: OpaquePointer?
        let status = natsSubscription_NextMsg(&message, pointer, timeout <= .zero ? 0 : timeout.natsMilliseconds)
        if status == NATS_TIMEOUT { return false }
        // nats.c reports drops once here; they stay visible in `dropped`, and reading goes on.
        if status == NATS_SLOW_CONSUMER { return try withNext(timeout: timeout, body) }
        try check(status, "next message of \(subject)", subject: subject)
        guard let message else { return false }
        defer { natsMsg_Destroy(message) }
        body(message)
        return true
    }
}

func droppedMessages(_ subscription: OpaquePointer) -> Int {
    var count: Int64 = 0
    return natsSubscription_GetDropped(subscription, &count) == NATS_OK ? Int(count) : 0
}
