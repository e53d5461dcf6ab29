import CNats

/// Where a connection stands.
package enum NATSConnectionStatus: Sendable {
    case connected, reconnecting, draining, closed
}

/// One connection to a NATS server.
///
/// Every call blocks its thread for as long as its timeout says (publishing: for as long as the socket's buffer is full, at most five
/// seconds), so callers bring a thread of their own: `NATSThread`.
package final class NATSConnection: @unchecked Sendable {
    // `pointer` never changes, and nats.c locks what it points to.
    let pointer: OpaquePointer
    private let eventNumber: UInt
    private let refusals: PublishRefusals
    private let inboxPrefix: String?
    let preformatsHeaders: Bool
    /// The last `NATSLimits.eventsMax` events, for one reader; ends with the connection.
    package let events: AsyncStream<NATSConnectionEvent>

    /// Connects, or throws within `connectTimeout` per server.
    ///
    /// - Throws: `.unavailable` (retry), `.refused` (credentials, TLS), `.client` (settings).
    package init(_ options: NATSOptions) throws(NATSError) {
        let (events, continuation) = AsyncStream.makeStream(of: NATSConnectionEvent.self, bufferingPolicy: .bufferingNewest(NATSLimits.eventsMax))
        let refusals = PublishRefusals()
        let number = ConnectionEvents.register(continuation, refusals)
        do throws(NATSError) {
            pointer = try openConnection(options, events: number)
        } catch {
            ConnectionEvents.forget(number)
            throw error
        }
        self.events = events
        eventNumber = number
        self.refusals = refusals
        inboxPrefix = options.inboxPrefix
        preformatsHeaders = options.preformatsHeaders
    }

    deinit {
        natsConnection_Destroy(pointer)
        ConnectionEvents.forget(eventNumber)
    }

    package var status: NATSConnectionStatus {
        switch natsConnection_Status(pointer) {
        case NATS_CONN_STATUS_CONNECTED: .connected
        case NATS_CONN_STATUS_CLOSED: .closed
        case NATS_CONN_STATUS_DRAINING_SUBS, NATS_CONN_STATUS_DRAINING_PUBS: .draining
        default: .reconnecting
        }
    }

    /// The server now connected to, without secrets of the settings' URL; empty while there is none.
    package var url: String { connectedURL(pointer) }

    /// The largest payload plus headers that the server takes.
    package var payloadBytesMax: Int { Int(natsConnection_GetMaxPayload(pointer)) }

    /// How often this connection has come back; a change between two looks says that something in between may be lost.
    package var reconnects: UInt64 {
        var statistics: OpaquePointer?
        guard natsStatistics_Create(&statistics) == NATS_OK else { return 0 }
        defer { natsStatistics_Destroy(statistics) }
        var count: UInt64 = 0
        guard natsConnection_GetStats(pointer, statistics) == NATS_OK,
            natsStatistics_GetCounts(statistics, nil, nil, nil, nil, &count) == NATS_OK
        else { return 0 }
        return count
    }

    /// Sends without waiting; what is written reaches the server within about a millisecond, or at `flush`.
    ///
    /// - Throws: `.unavailable` (closed, or reconnecting with a full buffer), `.payloadTooLarge`, `.invalidSubject`.
    package func publish(subject: String, reply: String? = nil, headers: [NATSHeader] = [], payload: [UInt8]) throws(NATSError) {
        let (bytes, limit) = (payload.count, payloadBytesMax)
        if bytes > limit { throw .payloadTooLarge(bytes: bytes, limit: limit) }
        if NATSSubject.refusal(subject) != nil { throw .invalidSubject(subject) }
        if let reply, NATSSubject.refusal(reply) != nil { throw .invalidSubject(reply) }
        var message: OpaquePointer?
        let block = HeaderBlock.encode(headers)
        try check(
            createMessage(&message, subject, reply, block, payload, preformatted: preformatsHeaders), "publish", subject: subject)
        defer { natsMsg_Destroy(message) }
        let status = natsConnection_PublishMsg(pointer, message)
        if status == NATS_MAX_PAYLOAD { throw .payloadTooLarge(bytes: bytes, limit: limit) }
        try check(status, "publish", subject: subject)
    }

    /// Sends everything published so far and waits for the server's answer: what was published before is now with the server.
    package func flush(timeout: Duration) throws(NATSError) {
        try check(natsConnection_FlushTimeout(pointer, timeout.natsMilliseconds), "flush")
    }

    /// One request, one reply.
    ///
    /// - Throws: `.noResponders` at once if nobody listens; `.timedOut`; `.refused` if that was for want of permission.
    package func request(
        _ subject: String, _ payload: [UInt8] = [], headers: NATSHeaderSelection = .none, timeout: Duration
    ) throws(NATSError) -> NATSMessage {
        if NATSSubject.refusal(subject) != nil { throw .invalidSubject(subject) }
        var reply: OpaquePointer?
        let status = payload.withUnsafeBytes { bytes in
            natsConnection_Request(&reply, pointer, subject, bytes.baseAddress, Int32(bytes.count), timeout.natsMilliseconds)
        }
        if status == NATS_TIMEOUT, hasRefused(subject) { throw .notPermitted(subject) }
        try check(status, "request \(subject)", subject: subject)
        guard let reply else { throw .unexpectedReply("no message for \(subject)") }
        defer { natsMsg_Destroy(reply) }
        return NATSMessage(copying: reply, headers: headers)
    }

    /// A subject for replies that nobody else uses.
    package func newInbox() throws(NATSError) -> String {
        // natsInbox_Create knows nothing of the connection's own prefix.
        var inbox: UnsafeMutablePointer<natsInbox>?
        try check(natsInbox_Create(&inbox), "inbox")
        defer { natsInbox_Destroy(inbox) }
        guard let inbox else { throw .client(operation: "inbox", text: "none made") }
        let made = String(cString: inbox)
        guard let inboxPrefix else { return made }
        return inboxPrefix + made.dropFirst("_INBOX".count)
    }

    package func close() {
        natsConnection_Close(pointer)
    }

    // MARK: Refusals

    /// What the server said when it last refused a publish, as `PublishRefusals.text` puts it. After a `flush` it is known of all that was published before.
    var lastRefusal: [UInt8]? {
        var text: UnsafePointer<CChar>?
        guard natsConnection_GetLastError(pointer, &text) == NATS_NOT_PERMITTED, let text else { return nil }
        let bytes = PublishRefusals.bytes(text)
        return PublishRefusals.isRefusal(bytes) ? bytes : nil
    }

    /// Is it known that the server takes nothing for `subject`? nats.c may still be on its way to say so; after `closeLearningRefusals` it has.
    func hasRefused(_ subject: String) -> Bool { refusals.contains(subject) }

    /// Closes, and waits until all that the server refused is known.
    func closeLearningRefusals() {
        close()
        refusals.awaitEnd(within: NATSLimits.refusalsWait)
    }
}
