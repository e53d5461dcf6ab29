/// Where a webhook goes: the few parts of a URL that may be chosen.
///
/// - Source: RFC 3986. Hosts are names in ASCII (an international one in its `xn--` form) or addresses; there is no user, no fragment.
package struct WebhookURL: Sendable, Equatable {
    package let isSecure: Bool
    /// In lower case; an IPv6 address without brackets.
    package let host: String
    package let port: Int
    /// With the query; `/` when there is none.
    package let path: String

    /// - Throws: a `Refusal` without pointer that says what would pass.
    package init(_ text: String) throws(Refusal) {
        func refuse(_ detail: String) -> Refusal { Refusal(.malformed, "", detail) }
        if text.utf8.count > Limits.webhookURLBytesMax { throw refuse("at most \(Limits.webhookURLBytesMax) bytes are allowed") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
            throw refuse("a URL has visible ASCII characters only; others are percent-encoded, and names of hosts in their xn-- form")
        }
        let lower = text.lowercased()
        let rest: Substring
        if lower.hasPrefix("https://") {
            isSecure = true
            rest = text.dropFirst(8)
        } else if lower.hasPrefix("http://") {
            isSecure = false
            rest = text.dropFirst(7)
        } else {
            throw refuse("an absolute URL such as https://example.com/hooks is expected")
        }
        if rest.contains("#") { throw refuse("a fragment is never sent; leave it out") }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        if authority.contains("@") { throw refuse("a user or password in the URL is not allowed; receivers verify the signature") }
        let tail = rest.dropFirst(authority.count)
        path = tail.isEmpty ? "/" : tail.hasPrefix("/") ? String(tail) : "/" + tail
        let (host, port) = try WebhookURL.split(authority)
        self.host = host
        self.port = port ?? (isSecure ? 443 : 80)
    }

    private static func split(_ authority: Substring) throws(Refusal) -> (host: String, port: Int?) {
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { throw Refusal(.malformed, "", "the IPv6 address has no closing bracket") }
            host = authority[authority.index(after: authority.startIndex)..<close]
            let rest = authority[authority.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw Refusal(.malformed, "", "behind the address only a port may stand") }
            guard host.contains(":"), NetworkAddress(host) != nil else { throw Refusal(.malformed, "", "'\(host)' is no IPv6 address") }
            if !rest.isEmpty { port = rest.dropFirst() }
        } else {
            if let colon = authority.firstIndex(of: ":") {
                host = authority[..<colon]
                port = authority[authority.index(after: colon)...]
            }
            // Nothing that two readers of URLs could read as two hosts.
            let isName = host.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                    || byte == UInt8(ascii: "_")
            }
            guard isName, !host.isEmpty, host.utf8.count <= 253, !host.hasPrefix(".") else { throw Refusal(.malformed, "", "'\(host)' is no name of a host") }
        }
        guard let port else { return (host.lowercased(), nil) }
        guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(port), (1...65_535).contains(number) else {
            throw Refusal(.malformed, "", "'\(port)' is no port")
        }
        return (host.lowercased(), number)
    }

    /// The URL again, from its parts: what was checked is what is asked for.
    package var text: String {
        "\(isSecure ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)\(path)"
    }

    /// Why nothing is sent to this port on the open internet; nil when it may be. Below 1024 other ports belong to other protocols.
    package var portFault: String? {
        port == 80 || port == 443 || port >= 1_024 ? nil : "port \(port) belongs to another protocol; 80, 443 and ports from 1024 on are allowed"
    }
}
