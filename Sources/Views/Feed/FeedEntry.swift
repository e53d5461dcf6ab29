internal import Core
internal import NIOCore

/// One message of the feed, rendered once and shared by all followers.
final class FeedEntry: Sendable {
    let position: Position
    let topic: [UInt8]
    let source: String
    let destinations: [String]
    let type: String
    let outcome: Outcome?
    /// The message as the query answers it.
    let json: ByteBuffer
    /// How much of `json` the reference's nine fields take.
    private let referenceBytes: Int

    init(_ message: MessageEntry, at position: Position, outcome: Outcome?, ackTS: Int64? = nil) {
        self.position = position
        topic = Array(message.slice(.topic))
        source = message.string(.source)
        destinations = message.destinationNames
        type = message.string(.type)
        self.outcome = outcome
        let (bytes, referenceBytes) = MessageJSON.object(message, at: position, outcome: outcome, ackTS: ackTS)
        json = ByteBuffer(bytes: bytes)
        self.referenceBytes = referenceBytes
    }

    convenience init(_ decided: DecidedMessage) { self.init(decided.message, at: decided.position, outcome: decided.verdict.outcome) }

    /// What it takes in memory, about.
    var bytes: Int { json.readableBytes + ViewLimits.feedEntryOverheadBytes }

    /// The frame in the form that a follower speaks. The reference's form is a copy.
    func frame(_ form: FeedForm) -> ByteBuffer {
        guard form == .reference, var frame = json.getSlice(at: json.readerIndex, length: referenceBytes) else { return json }
        frame.writeStaticString("}")
        return frame
    }
}

/// How a follower wants its messages.
enum FeedForm: Sendable {
    /// All that Meshlog knows.
    case native
    /// The nine fields of the message log.
    case reference
}
