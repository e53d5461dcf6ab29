/// The request that asked for a WebSocket.
package struct WebSocketRequest: Sendable {
    /// As it came, percent-encoding included.
    package let path: String
    /// What follows the first `?`, as it came; empty when there is none.
    package let query: String
    /// Names in lower case, in the order they came.
    package let headers: [(name: String, value: String)]
    /// Address and port of the peer, when it has one.
    package let remoteAddress: String?

    /// The first value of a field; `name` in lower case.
    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The elements of a comma-separated field, over all its lines.
    package func list(_ name: String) -> [String] {
        headers.lazy.filter { $0.name == name }.flatMap { $0.value.split(separator: ",") }.map(trimmed).filter { !$0.isEmpty }
    }

    /// The subprotocols that the client offers, the dearest first.
    package var subprotocols: [String] { list("sec-websocket-protocol") }
}

/// Without blanks at both ends.
private func trimmed(_ text: Substring) -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    guard let last = text.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(text[...last].drop(while: isBlank))
}
