/// What became of one message at a backbone.
package enum BackboneReceipt: Sendable, Equatable {
    /// In a stream. `duplicate`: it was there already, at that sequence.
    case stored(stream: String, sequence: UInt64, duplicate: Bool)
    /// With the server, which has no stream for it: whoever listened got it, at least once.
    case core
    /// Not delivered; where `retryable`, possibly delivered: send the whole batch again.
    case failed(reason: String, retryable: Bool)

    package var isRetryable: Bool {
        if case .failed(_, let retryable) = self { retryable } else { false }
    }
}
