package import NIOCore

/// Serves plain single-message POSTs on the connection's event loop.
package protocol PostLane: Sendable {
    /// The paths it serves, such as `/v1/messages`; a request's `path` is an index into this list.
    var paths: [String] { get }

    /// False when the body is none for the lane: the connection leaves it, and the router serves the request.
    ///
    /// - Cost: runs on the event loop; a look at the first bytes.
    func takes(_ request: PostRequest) -> Bool

    /// Takes one whole request. Must lead to exactly one completion of `answer`, from any thread and in any order.
    ///
    /// - Cost: runs on the event loop, so it must not block; the connection goes on reading meanwhile.
    func post(_ request: PostRequest, answer: PostAnswer)
}

/// One request that the fast lane understood to its last byte.
package struct PostRequest: Sendable {
    /// Index into `PostLane.paths`.
    package let path: Int
    /// 0…`FastLane.Configuration.bodyBytesMax` bytes. A slice of what was read: copy it when it is kept for long.
    package let body: ByteBuffer
    /// The header, when it is there once and well-formed (W3C Trace Context, version 00).
    package let traceparent: String?
    /// The header's value as it came, when it is there once.
    package let authorization: String?
}
