import NIOCore
import NIOHTTP1

/// Refuses heads that the parser lets pass and HTTP does not. Behind the first of them nothing is read.
///
/// The refusal goes the way of the parser's errors, so that it is answered in its turn; `UnreadableRequest` says it.
///
/// - Source: RFC 9112, 3.2 and 6.1.
final class HeadCheck: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    enum Fault: Error {
        case missingHost, severalHosts, invalidHost
        /// A body that would have to be decoded before it is what the client means.
        case unknownCoding

        var problem: ProblemDocument {
            switch self {
            case .missingHost: UnreadableRequest.problem("It has no Host, which HTTP/1.1 asks for.")
            case .severalHosts: UnreadableRequest.problem("Its Host stands twice.")
            case .invalidHost: UnreadableRequest.problem("Its Host is none: a name or an address, and a port where need be.")
            case .unknownCoding:
                ProblemDocument(
                    "transfer-coding-unknown", status: 501, title: "The transfer coding is not known here",
                    detail: "Transfer-Encoding is 'chunked' here and nothing else. The connection is closed.")
            }
        }
    }

    private var hasRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasRefused else { return }
        if case .head(let head) = unwrapInboundIn(data), let fault = Self.fault(head) {
            hasRefused = true
            context.fireErrorCaught(fault)
        } else {
            context.fireChannelRead(data)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What the parser makes of the rest is nobody's concern any more.
        if !hasRefused { context.fireErrorCaught(error) }
    }

    private static func fault(_ head: HTTPRequestHead) -> Fault? {
        let codings = head.headers["transfer-encoding"]
        if !codings.isEmpty, codings.map({ trimmed($0.lowercased()) }) != [Array("chunked".utf8)] { return .unknownCoding }
        let hosts = head.headers["host"]
        guard let host = hosts.first else { return head.version == .http1_1 ? .missingHost : nil }
        if hosts.count > 1 { return .severalHosts }
        let bytes = trimmed(host)
        return HostField.isValid(bytes.span, bytes.indices) ? nil : .invalidHost
    }

    /// The parser leaves the blanks behind a value.
    private static func trimmed(_ value: String) -> [UInt8] {
        var bytes = Array(value.utf8)
        while let last = bytes.last, HeadScanner.isBlank(last) { bytes.removeLast() }
        return bytes
    }
}
