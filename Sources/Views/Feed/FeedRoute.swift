internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import ServiceLifecycle
internal import Web

/// The feed as server-sent events.
struct FeedRoute: Sendable {
    let hub: FeedHub

    func add(to router: Router<some RequestContext>) {
        router.get("/v1/feed") { request, _ in try follow(request) }
    }

    private func follow(_ request: Request) throws -> Response {
        let asked = try FeedRequest(query: request.uri.query ?? "", lastEventID: request.headers[.lastEventID])
        let now = try hub.start()
        try FeedRoute.refuseUpgrade(request)
        let start = asked.since ?? now
        let headers: HTTPFields = [
            .contentType: SSEWriter.contentType, .cacheControl: "no-store", .meshlogPosition: start.description,
            // Proxies such as nginx would wait for more.
            HTTPField.Name("X-Accel-Buffering")!: "no",
        ]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { [hub] writer in
                // Counted only now: a response that is never written has no end either.
                guard let id = hub.join() else { return try await writer.finish(nil) }
                defer { hub.leave(id) }
                let sink = EventSink(writer, stallMax: hub.stallMax)
                let follower = FeedFollower(hub: hub, id: id, filter: asked.filter, sink: sink)
                try await withGracefulShutdownHandler {
                    try await sink.whileTaken {
                        try await sink.begin(start)
                        try await follower.run(after: start, fromNow: asked.since == nil)
                    }
                } onGracefulShutdown: {
                    hub.leave(id)
                }
                try await writer.finish(nil)
            })
    }

    /// A WebSocket is opened in the lane only: what comes here with an upgrade came too late on its connection, or was malformed.
    static func refuseUpgrade(_ request: Request) throws(ProblemDocument) {
        guard let upgrade = request.headers[.upgrade], upgrade.lowercased().contains("websocket") else { return }
        throw ProblemDocument(
            "websocket-refused", status: 400, title: "The WebSocket could not be opened",
            detail: "The handshake is not whole (RFC 6455, 4.1), or other requests went before it on this connection: use a new one.")
    }
}
