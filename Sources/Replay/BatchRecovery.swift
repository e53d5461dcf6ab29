/// Decides which messages of a batch are sent, so that each is stored once whatever broke before.
///
/// The rule: batch k + 1 is only begun when batch k has no retryable failure left. So what is in doubt after a crash or a lost connection is
/// at most one batch, and it lies at the end of the stream: that end is read and compared before anything is sent again. What is still on its
/// way at that moment is younger than the server's duplicate window, which then catches it.
package struct BatchRecovery: Sendable, Equatable {
    /// The next thing to do for a batch.
    package enum Step: Sendable, Equatable {
        /// Read the ends of the streams concerned and call `learn`.
        case readTail
        /// Send the messages at these indices, in this order; the others are known to be there.
        case send([Int])
    }

    /// Where a message was found in a stream.
    package struct Place: Sendable, Equatable {
        package let stream: String
        package let sequence: UInt64

        package init(stream: String, sequence: UInt64) {
            self.stream = stream
            self.sequence = sequence
        }
    }

    /// True at first: a new process does not know what the last one had under way.
    private var isInDoubt = true
    /// The streams' ends when last read. Kept: a restarted caller may cut its batches differently, so that the doubtful ones spread over two.
    private var stored: [String: Place] = [:]
    /// What earlier attempts at the present batch achieved.
    private var settled: [String: BackboneReceipt] = [:]

    package init() {}

    /// What was sent may have been sent without having been recorded, by this process or by another.
    package mutating func doubt() { isInDoubt = true }

    /// What to do for the batch of these ids.
    package func next(_ ids: [String]) -> Step {
        if isInDoubt { return .readTail }
        return .send(ids.indices.filter { settled[ids[$0]] == nil && stored[ids[$0]] == nil })
    }

    /// Takes in the ends of the streams.
    package mutating func learn(_ found: [String: Place]) {
        stored = found
        isInDoubt = false
    }

    /// Takes in what became of the messages at `sent` and answers for the whole batch.
    package mutating func finish(_ ids: [String], sent: [Int], _ receipts: [BackboneReceipt]) -> [BackboneReceipt] {
        precondition(sent.count == receipts.count, "one receipt for each message sent")
        for (index, receipt) in zip(sent, receipts) where !receipt.isRetryable { settled[ids[index]] = receipt }
        let fresh = Dictionary(zip(sent, receipts), uniquingKeysWith: { first, _ in first })
        let answers = ids.indices.map { index in
            fresh[index] ?? settled[ids[index]] ?? stored[ids[index]].map { .stored(stream: $0.stream, sequence: $0.sequence, duplicate: true) }
                ?? .failed(reason: "not sent", retryable: true)
        }
        isInDoubt = answers.contains { $0.isRetryable }
        if !isInDoubt { settled = [:] }
        return answers
    }
}
