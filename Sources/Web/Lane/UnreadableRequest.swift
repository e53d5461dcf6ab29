import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Says in a problem document that a request is not HTTP. Hummingbird answers 400 without a word there, and closes the connection.
///
/// Stands between the codec and Hummingbird's handlers, where the parser's error passes on its way in and the bare answer on its way out.
final class UnreadableRequest: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var problem: ProblemDocument?

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let fault as HeadCheck.Fault:
            problem = fault.problem
            // Hummingbird answers the parser's errors only.
            context.fireErrorCaught(HTTPParserError.unknown)
        case let fault as HTTPParserError:
            problem = Self.problem(Self.detail(fault))
            context.fireErrorCaught(error)
        default: context.fireErrorCaught(error)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let problem, case .head(let bare) = unwrapOutboundIn(data), bare.status == .badRequest, bare.headerFields[.contentLength] == "0" else {
            return context.write(data, promise: promise)
        }
        let body = ByteBuffer(bytes: problem.json)
        var head = bare
        head.status = problem.status
        head.headerFields[.contentType] = ProblemDocument.contentType
        head.headerFields[.contentLength] = String(body.readableBytes)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: promise)
    }

    static func problem(_ detail: String) -> ProblemDocument {
        ProblemDocument("request-unreadable", status: 400, title: "The request is not HTTP", detail: detail + " The connection is closed.")
    }

    private static func detail(_ fault: HTTPParserError) -> String {
        switch fault {
        case .invalidMethod: "Its first line begins with the method, and that is none that is known here: GET, HEAD, POST, PUT, PATCH or DELETE."
        case .invalidURL, .invalidHost, .invalidPort, .invalidPath, .invalidQueryString, .invalidFragment:
            "The target in its first line is no URL; percent-encode what is not ASCII."
        case .invalidVersion, .invalidConstant: "The version in its first line is not HTTP/1.1 or HTTP/1.0."
        case .invalidHeaderToken, .lfExpected: "A header field of it is malformed: NAME: VALUE on a line of its own."
        case .headerOverflow: "Its header fields are too large."
        case .invalidContentLength, .unexpectedContentLength: "Its Content-Length is no number, stands twice or contradicts Transfer-Encoding."
        case .invalidChunkSize: "A chunk of its body has no size."
        default: "It breaks the rules of RFC 9112."
        }
    }
}
