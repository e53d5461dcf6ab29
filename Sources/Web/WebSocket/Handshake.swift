import Crypto
import Foundation
import NIOCore

/// The opening handshake, read from a head that the scanner has found well-formed.
///
/// - Source: RFC 6455, 4.2.
struct Handshake {
    let request: WebSocketRequest
    /// `Sec-WebSocket-Accept`.
    let acceptKey: String
    /// Only version 13 exists; another one is answered with 426.
    let isVersionSupported: Bool

    /// Nil when this is no WebSocket handshake.
    init?(head: String, remoteAddress: String?) {
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)
        let target = lines.removeFirst().split(separator: " ")[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let headers = lines.map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (name: parts[0].lowercased(), value: parts[1].trimmingCharacters(in: .whitespaces))
        }
        request = WebSocketRequest(
            path: String(target[0]), query: target.count > 1 ? String(target[1]) : "", headers: headers, remoteAddress: remoteAddress)

        let keys = headers.filter { $0.name == "sec-websocket-key" }
        let versions = headers.filter { $0.name == "sec-websocket-version" }
        guard headers.filter({ $0.name == "host" }).count == 1,
            request.list("upgrade").contains(where: { $0.lowercased() == "websocket" }),
            request.list("connection").contains(where: { $0.lowercased() == "upgrade" }),
            keys.count == 1, keys[0].value.utf8.count == 24, Data(base64Encoded: keys[0].value)?.count == 16
        else { return nil }
        isVersionSupported = versions.count == 1 && versions[0].value == "13"
        acceptKey = Self.acceptKey(for: keys[0].value)
    }

    static func acceptKey(for key: String) -> String {
        let digest = Insecure.SHA1.hash(data: Data((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        return Data(digest).base64EncodedString()
    }

    static func answer(acceptKey: String, subprotocol: String?) -> ByteBuffer {
        var out = ByteBuffer()
        out.writeStaticString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        out.writeString("Sec-WebSocket-Accept: \(acceptKey)\r\n")
        if let subprotocol { out.writeString("Sec-WebSocket-Protocol: \(subprotocol)\r\n") }
        out.writeStaticString("\r\n")
        return out
    }

    /// The answer to another protocol version; the connection stays open for a better request.
    static let versionRefusal = Answer(
        AnswerHead(
            status: 426, reason: "Upgrade Required", contentType: "application/problem+json",
            fields: [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")]),
        body: ByteBuffer(
            bytes: ProblemDocument(
                "websocket-version", status: 426, title: "Unsupported WebSocket version", detail: "Send Sec-WebSocket-Version: 13."
            ).json))
}
