/// Headers as they stand on the wire: `NATS/1.0`, one line each, an empty line.
package enum HeaderBlock {
    private static let version = Array("NATS/1.0\r\n".utf8)

    /// The bytes of `headers`, or nothing at all for no headers.
    ///
    /// A line break, NUL or other control byte in a value becomes a space, and a name that is not a token is left out: what came in with
    /// a message must not become a header of its own.
    package static func encode(_ headers: [NATSHeader]) -> [UInt8] {
        if headers.isEmpty { return [] }
        var block = version
        block.reserveCapacity(headers.reduce(12) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 })
        for header in headers where isToken(header.name) {
            block.append(contentsOf: header.name.utf8)
            block.append(UInt8(ascii: ":"))
            block.append(UInt8(ascii: " "))
            for byte in header.value.utf8 { block.append(byte < 0x20 || byte == 0x7F ? 0x20 : byte) }
            block.append(13)
            block.append(10)
        }
        block.append(13)
        block.append(10)
        return block
    }

    /// The lines of a block; the version line and what has no colon are passed over.
    package static func decode(_ block: [UInt8]) -> [NATSHeader] {
        block.split(separator: 10).dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            let value = line[(colon + 1)...].drop { $0 == 0x20 }.filter { $0 != 13 }
            return NATSHeader(String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self))
        }
    }

    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
    }
}
