/// One message ready to be sent: the payload is shared with its owner, not copied, and headers are bytes already.
package struct PreparedPublish: Sendable {
    package let subject: String
    package let headerBlock: [UInt8]
    package let payload: [UInt8]
    /// Whether a stream stores this subject and will acknowledge; otherwise the batch's flush is all there is to know.
    package let isStored: Bool

    package init(subject: String, headers: [NATSHeader], payload: [UInt8], isStored: Bool) {
        self.init(subject: subject, headerBlock: HeaderBlock.encode(headers), payload: payload, isStored: isStored)
    }

    /// - Parameter headerBlock: as `HeaderBlock.encode` makes it; empty for none.
    package init(subject: String, headerBlock: [UInt8], payload: [UInt8], isStored: Bool) {
        self.subject = subject
        self.headerBlock = headerBlock
        self.payload = payload
        self.isStored = isStored
    }
}

/// What became of one message of a batch.
package enum PublishOutcome: Sendable, Equatable {
    case stored(stream: String, sequence: UInt64, duplicate: Bool)
    /// With the server, which answered a ping sent after it; no stream was asked.
    case flushed
    /// `.unavailable` and `.timedOut` leave open whether it arrived.
    case failed(NATSError)
}
