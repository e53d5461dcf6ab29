package import NIOCore

/// Every bound of the web module, with its reason.
package enum WebLimits {
    /// A request head in the fast lane. Larger ones (long cookies) are legal and served by Hummingbird.
    package static let headBytesMax = 16 << 10
    /// A POST body in the fast lane by default: the size of the largest message.
    package static let bodyBytesMax = 1 << 20
    /// A body that waits for `100 Continue` and announces more is not asked for: only streams of lines have no bound at this size, and who
    /// sends one goes on by itself after a moment.
    package static let continueBytesMax = 32 << 20
    /// Requests of one connection that wait for their answers; enough to hide a slow group commit, few enough for the memory.
    package static let pipelinedMax = 256
    /// A fast-lane connection closes after this long without one whole request.
    package static let idleTimeout = TimeAmount.seconds(60)
    /// A body must grow by this much in one idle timeout, or the connection closes: a trickle is not progress.
    package static let bodyProgressBytesMin = 4 << 10
    /// An output buffer above this is given back instead of kept for the next answers.
    package static let outputBytesKept = 64 << 10

    /// A WebSocket message by default.
    package static let webSocketMessageBytesMax = 1 << 20
    /// Silence after which a ping is sent; after a second silence the connection closes.
    package static let webSocketPingInterval = TimeAmount.seconds(20)
    /// How long the peer may take to answer a close frame, and to hang up.
    package static let webSocketCloseTimeout = TimeAmount.seconds(5)
    /// Payloads above this are written as they are; smaller ones are copied together, which saves system calls.
    package static let webSocketCopiedBytesMax = 16 << 10
    /// Staged frames above this go to the channel at once, so that its watermark counts them.
    package static let webSocketStagedBytesMax = 64 << 10
    /// RFC 6455, 5.5: a control frame's payload.
    static let controlPayloadBytesMax = 125
}
