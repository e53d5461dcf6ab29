/// Decides whether a request that somebody else chose the address of may go there: a webhook must not reach into the network around us.
///
/// - Source: IANA special-purpose address registries (RFC 6890 and its updates), RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo).
package struct AddressGuard: Sendable {
    /// Networks that are opened although they are refused by default.
    package let opened: [NetworkBlock]

    package init(opened: [NetworkBlock] = []) { self.opened = opened }

    /// Does the address lie in a network that was opened?
    package func isOpened(_ address: NetworkAddress) -> Bool {
        let address = address.unmapped
        return opened.contains { $0.contains(address) }
    }

    /// Why nothing may be sent to this address; nil when it may.
    package func fault(_ address: NetworkAddress) -> String? {
        let address = address.unmapped
        if isOpened(address) { return nil }
        if address.isVersion4 { return AddressGuard.name(of: address, in: AddressGuard.refused4) }
        if let inner = AddressGuard.embedded(address) {
            return AddressGuard.name(of: inner, in: AddressGuard.refused4).map { "\($0), within an IPv6 address" }
        }
        if let name = AddressGuard.name(of: address, in: AddressGuard.refused6) { return name }
        // Whatever is not handed out as global unicast is nothing on the internet.
        return AddressGuard.globalUnicast.contains(address) ? nil : "not a global address"
    }

    /// The IPv4 address that a gateway would make of a NAT64 or 6to4 address.
    private static func embedded(_ address: NetworkAddress) -> NetworkAddress? {
        if nat64.contains(address) { return NetworkAddress(bytes: Array(address.bytes[12...])) }
        return sixToFour.contains(address) ? NetworkAddress(bytes: Array(address.bytes[2..<6])) : nil
    }

    private static func name(of address: NetworkAddress, in table: [(NetworkBlock, String)]) -> String? { table.first { $0.0.contains(address) }?.1 }

    private static func block(_ text: String) -> NetworkBlock {
        guard let block = NetworkBlock(text) else { preconditionFailure("a constant that is a network: \(text)") }
        return block
    }

    private static let nat64 = block("64:ff9b::/96")
    private static let sixToFour = block("2002::/16")
    private static let globalUnicast = block("2000::/3")

    private static let refused4: [(NetworkBlock, String)] = [
        ("0.0.0.0/8", "this network"), ("10.0.0.0/8", "a private network"), ("100.64.0.0/10", "a carrier's shared network"), ("127.0.0.0/8", "this machine"),
        ("169.254.0.0/16", "link-local, where cloud metadata lives"), ("172.16.0.0/12", "a private network"), ("192.0.0.0/24", "an IETF assignment"),
        ("192.0.2.0/24", "documentation"), ("192.88.99.0/24", "a 6to4 relay"), ("192.168.0.0/16", "a private network"), ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"), ("203.0.113.0/24", "documentation"), ("224.0.0.0/4", "multicast"), ("240.0.0.0/4", "reserved"),
        ("168.63.129.16/32", "a cloud's metadata service"),
    ].map { (block($0.0), $0.1) }

    private static let refused6: [(NetworkBlock, String)] = [
        ("::/128", "this machine"), ("::1/128", "this machine"), ("::/96", "an IPv4-compatible address"), ("64:ff9b:1::/48", "a private NAT64"),
        ("100::/64", "a network that discards"), ("2001::/23", "an IETF assignment or Teredo"), ("2001:db8::/32", "documentation"),
        ("3fff::/20", "documentation"),
        ("fc00::/7", "a private network"), ("fe80::/10", "link-local"), ("fec0::/10", "site-local"), ("ff00::/8", "multicast"),
    ].map { (block($0.0), $0.1) }
}
