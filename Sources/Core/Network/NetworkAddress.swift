/// An IPv4 or IPv6 address.
///
/// - Source: RFC 4291, 2.2 (IPv6 text), RFC 4291, 2.5.5.2 (IPv4-mapped addresses).
package struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    /// Four or sixteen bytes, in network order.
    package let bytes: [UInt8]

    /// - Parameter bytes: four or sixteen.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads `192.0.2.1` or `2001:db8::1`; nil for everything else, also for the odd forms of IPv4 that `inet_aton` knows.
    package init?(_ text: some StringProtocol) {
        let text = Array(text.utf8)
        guard let bytes = text.contains(UInt8(ascii: ":")) ? NetworkAddress.version6(text) : NetworkAddress.version4(text[...]) else { return nil }
        self.bytes = bytes
    }

    package var isVersion4: Bool { bytes.count == 4 }

    /// An IPv4-mapped address as the IPv4 address that the system connects to.
    package var unmapped: NetworkAddress {
        guard bytes.count == 16, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF else { return self }
        return NetworkAddress(bytes: Array(bytes[12...])) ?? self
    }

    package var description: String {
        if isVersion4 { return bytes.map { String($0) }.joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
        return groups.joined(separator: ":")
    }

    private static func version4(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var out: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) }), part.count == 1 || part.first != 0x30,
                let value = UInt8(String(decoding: part, as: UTF8.self))
            else { return nil }
            out.append(value)
        }
        return out
    }

    private static func version6(_ text: [UInt8]) -> [UInt8]? {
        guard AddressFormat.isIPv6(text.span, 0..<text.count) else { return nil }
        // The form is right: what is left is to read the groups before and behind the shortening.
        let halves = String(decoding: text, as: UTF8.self).split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
        let sides = halves.map { half in half.split(separator: ":").flatMap { group($0) } }
        guard sides.count == 2 else { return sides.first.flatMap { $0.count == 16 ? $0 : nil } }
        guard sides[0].count + sides[1].count <= 14 else { return nil }
        return sides[0] + Array(repeating: 0, count: 16 - sides[0].count - sides[1].count) + sides[1]
    }

    private static func group(_ text: Substring) -> [UInt8] {
        if text.contains(".") { return version4(Array(text.utf8)[...]) ?? [] }
        let value = UInt16(text, radix: 16) ?? 0
        return [UInt8(value >> 8), UInt8(value & 0xFF)]
    }
}

/// A network in CIDR form: `10.0.0.0/8`, `fc00::/7`; an address alone is a network of one.
package struct NetworkBlock: Sendable, Hashable, CustomStringConvertible {
    private let base: NetworkAddress
    private let prefix: Int

    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = NetworkAddress(parts[0]) else { return nil }
        let most = base.bytes.count * 8
        guard parts.count == 2 else {
            self.base = base
            prefix = most
            return
        }
        guard let prefix = Int(parts[1]), (0...most).contains(prefix) else { return nil }
        self.base = base
        self.prefix = prefix
    }

    package func contains(_ address: NetworkAddress) -> Bool {
        guard address.bytes.count == base.bytes.count else { return false }
        let whole = prefix / 8
        guard address.bytes[..<whole] == base.bytes[..<whole] else { return false }
        let rest = prefix % 8
        return rest == 0 || (address.bytes[whole] ^ base.bytes[whole]) >> (8 - rest) == 0
    }

    package var description: String { "\(base)/\(prefix)" }
}
