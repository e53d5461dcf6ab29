package import NIOCore

/// Our end of one WebSocket. Frames sent within one turn of the loop share a flush.
///
/// What is sent after the session has ended is dropped in silence; `WebSocketApplication.closed` has told, or will.
package struct WebSocketSession: Sendable {
    /// Where the `…OnLoop` verbs and the application's calls run. Group many sends into one `eventLoop.execute`.
    package let eventLoop: any EventLoop
    let handler: NIOLoopBound<WebSocketHandler>

    /// Sends from any thread. `text` must be UTF-8, which is not checked again.
    package func send(text: ByteBuffer) { onLoop { $0.send(.text, text) } }
    package func send(binary: ByteBuffer) { onLoop { $0.send(.binary, binary) } }

    /// Starts the closing handshake, from any thread. `reason` is cut to what a control frame holds.
    package func close(code: WebSocketCloseCode, reason: String = "") { onLoop { $0.close(code, reason: reason) } }

    package func sendOnLoop(text: ByteBuffer) { handler.value.send(.text, text) }
    package func sendOnLoop(text: [UInt8]) { handler.value.send(.text, text) }
    package func sendOnLoop(binary: ByteBuffer) { handler.value.send(.binary, binary) }

    /// Stops the delivery of messages, and then the reading of bytes, until `resumeReading`. On the loop.
    ///
    /// Pings and the close frame wait too: do not pause for longer than the peer may take for dead.
    package func pauseReading() { handler.value.pause() }
    package func resumeReading() { handler.value.resume() }

    /// Says that the application owes nothing any more: a close frame that waits for it goes out. On the loop.
    package func settledOnLoop() { handler.value.settled() }

    /// Whether the peer takes what is sent. On the loop.
    package var isWritable: Bool { handler.value.isWritable }

    private func onLoop(_ body: @escaping @Sendable (WebSocketHandler) -> Void) {
        if eventLoop.inEventLoop {
            body(handler.value)
        } else {
            eventLoop.execute { body(handler.value) }
        }
    }
}
