import NIOCore
import NIOHTTP1

/// What HTTP/1 asks of a connection besides its messages, and the codec keeps from Hummingbird: a client that waits for it is told to send
/// the body, an answer to HEAD has none, and behind the answer to the last request the connection ends.
///
/// - Source: RFC 9110, 8.6, 9.3.2 and 10.1.1; RFC 9112, 9.3 and 9.6.
final class ConnectionTurns: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private struct Turn {
        /// The client speaks HTTP/1.0: it knows neither chunks nor `100 Continue`, nor that a connection goes on.
        let isOld: Bool
        /// The answer ends with its head, also when it tells of an error.
        let isHead: Bool
        /// Nothing is read behind this request.
        var isLast: Bool
        /// The client may hold the body back until it gets `100 Continue`.
        var awaitsContinue: Bool
    }

    /// Requests without a whole answer, in order: the first is being answered.
    private var turns: CircularBuffer<Turn> = []
    /// The last request has been read to its end.
    private var isOver = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            turns.append(Self.turn(head))
            context.fireChannelRead(data)
            if turns.count == 1 { sayContinue(context) }
        case .body:
            bodyHasBegun()
            context.fireChannelRead(data)
        case .end:
            bodyHasBegun()
            isOver = turns.last?.isLast == true
            context.fireChannelRead(data)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let turn = turns.first else { return context.write(data, promise: promise) }
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.code >= 200:
            // Without chunks a body of unknown length ends with the connection.
            if turn.isOld { head.version = .http1_0 }
            if turn.isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            // Hummingbird says 0 where GET's body has no known length.
            if turn.isHead, head.headers.first(name: "Content-Length") == "0" { head.headers.remove(name: "Content-Length") }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body where turn.isHead: context.write(wrapOutboundOut(Self.nothing), promise: promise)
        case .end:
            turns.removeFirst()
            // The encoder would end the chunks of a body that is not there.
            context.write(turn.isHead ? wrapOutboundOut(Self.nothing) : data, promise: promise)
            if turn.isLast {
                // The client's direction stays open: closing it with unread bytes would reset the connection, and the answer could be lost.
                context.flush()
                context.close(mode: .output, promise: nil)
            } else {
                sayContinue(context)
            }
        default: context.write(data, promise: promise)
        }
    }

    private static var nothing: HTTPServerResponsePart { .body(.byteBuffer(ByteBuffer())) }

    private static func turn(_ head: HTTPRequestHead) -> Turn {
        let isOld = head.version != .http1_1
        var turn = Turn(isOld: isOld, isHead: head.method == .HEAD, isLast: isOld || !head.isKeepAlive, awaitsContinue: false)
        guard !isOld, head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" }) else { return turn }
        // Such a body will mostly be refused, and the client may then never send it: what comes instead would be taken for it.
        let isTooLong = head.headers.first(name: "content-length").flatMap { Int($0) }.map { $0 > WebLimits.continueBytesMax } ?? false
        turn.awaitsContinue = !isTooLong
        turn.isLast = turn.isLast || isTooLong
        return turn
    }

    private func bodyHasBegun() {
        if turns.last?.awaitsContinue == true { turns[turns.index(before: turns.endIndex)].awaitsContinue = false }
    }

    /// Only when it is the first request's turn: before, it would stand in the middle of another answer.
    private func sayContinue(_ context: ChannelHandlerContext) {
        guard turns.first?.awaitsContinue == true else { return }
        turns[turns.startIndex].awaitsContinue = false
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
    }
}
