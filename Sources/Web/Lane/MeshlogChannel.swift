package import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// The server's child channel: a fast lane first, then Hummingbird's HTTP/1 pipeline or a WebSocket.
///
/// Used as `Application(router: router, server: HTTPServerBuilder { MeshlogChannel(responder: $0, posts: …, reads: …, webSockets: …) })`.
/// A WebSocket upgrade is served in the lane only: one that comes after the connection has left it is answered by the router.
package struct MeshlogChannel: HTTPChannelHandler {
    /// A connection and what it will become.
    package struct Value: ServerChildChannelValue {
        package let channel: any Channel
        let outcome: EventLoopFuture<Outcome>
    }

    enum Outcome: Sendable {
        case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        case webSocket
        case closed
    }

    package let responder: Responder
    private let posts: any PostLane
    private let reads: (any ReadLane)?
    private let webSockets: any WebSocketRoutes
    private let configuration: FastLane.Configuration

    /// - Parameters:
    ///   - reads: nil leaves every GET to the router.
    ///   - bodyBytesMax: a POST with a larger body leaves the lane.
    ///   - idleTimeout: of the lane and of the HTTP pipeline behind it.
    package init(
        responder: @escaping Responder, posts: any PostLane, reads: (any ReadLane)? = nil, webSockets: any WebSocketRoutes,
        bodyBytesMax: Int = WebLimits.bodyBytesMax, idleTimeout: TimeAmount = WebLimits.idleTimeout,
        webSocket: WebSocketTimings = WebSocketTimings()
    ) {
        self.responder = responder
        self.posts = posts
        self.reads = reads
        self.webSockets = webSockets
        configuration = FastLane.Configuration(bodyBytesMax: bodyBytesMax, idleTimeout: idleTimeout, webSocket: webSocket)
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let outcome = channel.eventLoop.makePromise(of: Outcome.self)
            let lane = FastLane(posts: posts, reads: reads, webSockets: webSockets, configuration: configuration) { channel in
                outcome.succeed(.http(try Self.addHTTP(to: channel, idleTimeout: configuration.idleTimeout, logger: logger)))
            } ended: { ending in
                outcome.succeed(ending == .webSocket ? .webSocket : .closed)
            }
            try channel.pipeline.syncOperations.addHandler(lane)
            return Value(channel: channel, outcome: outcome.futureResult)
        }
    }

    /// Lives as long as the connection.
    package func handle(value: Value, logger: Logger) async {
        await withTaskCancellationHandler {
            switch try? await value.outcome.get() {
            case .http(let channel): await handleHTTP(asyncChannel: channel, logger: logger)
            case .webSocket: try? await value.channel.closeFuture.get()
            case .closed, nil: break
            }
        } onCancel: {
            value.channel.close(promise: nil)
        }
    }

    /// What Hummingbird's `HTTP1Channel` adds, behind whatever the channel has.
    private static func addHTTP(
        to channel: any Channel, idleTimeout: TimeAmount, logger: Logger
    ) throws -> NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart> {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false)
        try pipeline.addHandler(HeadCheck())
        try pipeline.addHandler(ConnectionTurns())
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        try pipeline.addHandler(UnreadableRequest())
        try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: .nanoseconds(idleTimeout.nanoseconds), logger: logger))
        return try NIOAsyncChannel(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }
}
