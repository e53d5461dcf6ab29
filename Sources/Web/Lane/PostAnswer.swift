package import NIOCore

/// The place of one answer in its connection. Complete it exactly once; a second completion is a broken invariant and traps.
///
/// Completions for a connection that has gone are dropped in silence: the client sees the connection end, and may repeat.
package struct PostAnswer: Sendable {
    /// Where `completeOnLoop` must be called. Group many completions into one `eventLoop.execute`.
    package let eventLoop: any EventLoop
    let lane: NIOLoopBound<FastLane>
    let sequence: Int

    /// Completes from any thread.
    ///
    /// - Cost: one task on the event loop when called from elsewhere.
    package func complete(_ answer: Answer) {
        if eventLoop.inEventLoop {
            completeOnLoop(answer)
        } else {
            eventLoop.execute { completeOnLoop(answer) }
        }
    }

    /// Completes on the event loop. The connection flushes once per tick, however many of its answers complete in it.
    package func completeOnLoop(_ answer: Answer) {
        lane.value.complete(sequence, with: answer)
    }

    /// Completes on the event loop with what follows the head: further fields, each with its CRLF, then `Content-Length`, the empty
    /// line and the body.
    ///
    /// - Cost: an answer whose turn it is goes into the outgoing bytes as it is.
    package func completeOnLoop(_ head: AnswerHead, rest: [UInt8]) {
        lane.value.complete(sequence, head, rest: rest)
    }
}
