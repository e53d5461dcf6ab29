package import Web

/// Several sets of WebSocket routes as one: the first that knows a request takes it.
package struct CombinedSockets: WebSocketRoutes {
    private let routes: [any WebSocketRoutes]

    package init(_ routes: [any WebSocketRoutes]) { self.routes = routes }

    package func accept(_ request: WebSocketRequest) -> WebSocketAccept? {
        for one in routes {
            if let accepted = one.accept(request) { return accepted }
        }
        return nil
    }
}
