package import NIOCore

/// Sends every message back. For conformance suites; `serve --ws-echo` puts it at `/echo`.
package final class EchoApplication: WebSocketApplication {
    /// Autobahn's largest message has 16 MiB.
    package static let messageBytesMax = 32 << 20

    private let session: WebSocketSession

    package init(_ session: WebSocketSession) { self.session = session }

    /// Takes an upgrade to `/echo`.
    package static func accept(_ request: WebSocketRequest) -> WebSocketAccept? {
        guard request.path == "/echo" else { return nil }
        return WebSocketAccept(messageBytesMax: messageBytesMax) { EchoApplication($0) }
    }

    package func opened() {}
    package func text(_ bytes: ByteBuffer) { session.sendOnLoop(text: bytes) }
    package func binary(_ bytes: ByteBuffer) { session.sendOnLoop(binary: bytes) }
    /// Nothing to do: the session reads no further while the peer does not take its echoes.
    package func writabilityChanged(_ writable: Bool) {}
    package func closed() {}
}
