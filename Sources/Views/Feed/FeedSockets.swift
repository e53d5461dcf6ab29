internal import Core
package import Web

/// The feed over WebSockets: `/v1/feed`, and `/` in the reference's form.
///
/// What cannot be followed (a wrong parameter, too many followers) is left to the router, which answers it as a plain GET.
package struct FeedSockets: WebSocketRoutes {
    /// The followers' own messages are not read; a long one ends the session.
    private static let messageBytesMax = 4 << 10

    private let hub: FeedHub

    package init(hub: FeedHub) { self.hub = hub }

    package func accept(_ request: WebSocketRequest) -> WebSocketAccept? {
        let form: FeedForm
        switch request.path {
        case "/v1/feed": form = .native
        case "/": form = .reference
        default: return nil
        }
        // The place is taken before the answer goes out: what is published after the answer is in the feed.
        guard let asked = try? FeedRequest(query: request.query), let now = try? hub.start() else { return nil }
        return WebSocketAccept(messageBytesMax: FeedSockets.messageBytesMax) { [hub] session in
            FeedSocket(session, hub: hub, form: form, asked: asked, now: now)
        }
    }
}
