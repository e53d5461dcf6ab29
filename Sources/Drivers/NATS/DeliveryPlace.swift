/// What the acknowledgement subject of a delivered message says about it.
///
/// - Source: `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>`, and the form with domain and account
///   in front and a random token behind (ADR-15).
package struct DeliveryPlace: Sendable, Equatable {
    package let stream: String
    package let deliveries: Int
    package let streamSequence: UInt64
    /// When the stream took it in, since the Unix epoch; the same at every delivery.
    package let storedNanoseconds: UInt64
    package let pending: UInt64

    package init?(ackSubject: String?) {
        guard let tokens = ackSubject?.split(separator: "."), tokens.count >= 9, tokens[0] == "$JS", tokens[1] == "ACK" else { return nil }
        let first = tokens.count == 9 ? 2 : 4
        guard tokens.count >= first + 7, let deliveries = Int(tokens[first + 2]), let sequence = UInt64(tokens[first + 3]),
            let stored = UInt64(tokens[first + 5]), let pending = UInt64(tokens[first + 6])
        else { return nil }
        stream = String(tokens[first])
        self.deliveries = deliveries
        streamSequence = sequence
        storedNanoseconds = stored
        self.pending = pending
    }
}
