import CNats

/// A subscription whose messages go to a handler on nats.c's delivery thread, one after the other.
///
/// The handler must be short: while it runs, messages wait, and beyond the pending limits new ones are dropped and counted in `dropped`.
package final class NATSCallbackSubscription: @unchecked Sendable {
    // `pointer` never changes, and nats.c locks what it points to.
    private let pointer: OpaquePointer
    private let connection: NATSConnection
    package let subject: String

    /// Subscribes; members of the same `queue` share the messages.
    package init(
        _ connection: NATSConnection, _ subject: String, queue: String? = nil, headers: NATSHeaderSelection = .none,
        pendingMessagesMax: Int = NATSLimits.pendingMessagesMax, pendingBytesMax: Int = NATSLimits.pendingBytesMax,
        handler: @escaping @Sendable (NATSMessage) -> Void
    ) throws(NATSError) {
        let box = Unmanaged.passRetained(HandlerBox(headers: headers, handler: handler))
        var made: OpaquePointer?
        let status =
            if let queue {
                natsConnection_QueueSubscribe(&made, connection.pointer, subject, queue, deliver, box.toOpaque())
            } else {
                natsConnection_Subscribe(&made, connection.pointer, subject, deliver, box.toOpaque())
            }
        guard status == NATS_OK, let made else {
            box.release()
            throw natsError(status, "subscribe", subject: subject)
        }
        pointer = made
        self.connection = connection
        self.subject = subject
        // After the last message has been handled, and not before, the handler can go.
        let completion = natsSubscription_SetOnCompleteCB(
            made, { closure in closure.map { Unmanaged<HandlerBox>.fromOpaque($0).release() } }, box.toOpaque())
        try check(completion, "subscribe", subject: subject)
        try check(natsSubscription_SetPendingLimits(made, Int32(clamping: pendingMessagesMax), Int32(clamping: pendingBytesMax)), "pending limits")
    }

    deinit {
        natsSubscription_Destroy(pointer)
    }

    /// Messages dropped because the handler was too slow.
    package var dropped: Int { droppedMessages(pointer) }

    /// No more messages; returns when those already here have been handled.
    package func drain(timeout: Duration) throws(NATSError) {
        try check(natsSubscription_Drain(pointer), "drain \(subject)")
        try check(natsSubscription_WaitForDrainCompletion(pointer, timeout.natsMilliseconds), "drain \(subject)")
    }

    package func unsubscribe() throws(NATSError) {
        try check(natsSubscription_Unsubscribe(pointer), "unsubscribe \(subject)")
    }
}

private final class HandlerBox: Sendable {
    let headers: NATSHeaderSelection
    let handler: @Sendable (NATSMessage) -> Void

    init(headers: NATSHeaderSelection, handler: @escaping @Sendable (NATSMessage) -> Void) {
        self.headers = headers
        self.handler = handler
    }
}

private func deliver(_: OpaquePointer?, _: OpaquePointer?, message: OpaquePointer?, closure: UnsafeMutableRawPointer?) {
    guard let message, let closure else { return }
    defer { natsMsg_Destroy(message) }
    let box = Unmanaged<HandlerBox>.fromOpaque(closure).takeUnretainedValue()
    box.handler(NATSMessage(copying: message, headers: box.headers))
}
