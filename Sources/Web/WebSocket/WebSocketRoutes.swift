package import NIOCore

/// Decides which upgrade requests become WebSockets.
package protocol WebSocketRoutes: Sendable {
    /// Nil when the request is none of its own: the connection leaves the fast lane and the router answers it as a plain GET.
    ///
    /// - Cost: runs on the event loop, must not block.
    func accept(_ request: WebSocketRequest) -> WebSocketAccept?
}

/// How one WebSocket is served.
package struct WebSocketAccept: Sendable {
    let messageBytesMax: Int
    let subprotocol: String?
    let make: @Sendable (WebSocketSession) -> any WebSocketApplication

    /// - Parameters:
    ///   - messageBytesMax: a longer message ends the session with 1009.
    ///   - subprotocol: one of those the client offered.
    ///   - make: called once, on the event loop.
    package init(
        messageBytesMax: Int = WebLimits.webSocketMessageBytesMax, subprotocol: String? = nil,
        make: @escaping @Sendable (WebSocketSession) -> any WebSocketApplication
    ) {
        self.messageBytesMax = messageBytesMax
        self.subprotocol = subprotocol
        self.make = make
    }
}

/// One end of a WebSocket. Everything is called on the session's event loop.
package protocol WebSocketApplication: AnyObject {
    /// The session is open; sending may begin.
    func opened()
    /// A whole text message; its bytes are UTF-8.
    func text(_ bytes: ByteBuffer)
    func binary(_ bytes: ByteBuffer)
    /// The peer does not keep up (false), or does again (true). What is sent meanwhile is held in memory.
    func writabilityChanged(_ writable: Bool)
    /// Answers are still to come that belong before the close frame. It waits for `WebSocketSession.settledOnLoop`, `closeTimeout` at most.
    var isOwing: Bool { get }
    /// The last call, exactly once, whoever ended the session.
    func closed()
}

extension WebSocketApplication {
    package var isOwing: Bool { false }
}

/// How long a WebSocket waits.
package struct WebSocketTimings: Sendable {
    /// Silence before a ping, and again before the end.
    package var pingInterval: TimeAmount
    /// For the application's last answers, for the peer's close frame, and for its end of the connection.
    package var closeTimeout: TimeAmount

    package init(
        pingInterval: TimeAmount = WebLimits.webSocketPingInterval, closeTimeout: TimeAmount = WebLimits.webSocketCloseTimeout
    ) {
        self.pingInterval = pingInterval
        self.closeTimeout = closeTimeout
    }
}
