package import Core
internal import Crypto

/// What a name given by a client is bound to: a repeat must have the same digest.
package enum ContentDigest {
    /// The first 16 bytes of SHA-256 over the fields a client controls, each with its length, as 32 hexadecimal digits.
    ///
    /// Left out is what differs between two arrivals of the same message: door, principal and trace.
    package static func of(_ message: AdmittedMessage) -> [UInt8] {
        let entry = message.entry
        var hash = SHA256()
        for field in fields {
            let value = entry.slice(field)
            var length: [UInt8] = [UInt8(truncatingIfNeeded: field.rawValue)]
            eachLengthByte(value.count) { length.append($0) }
            hash.update(data: length)
            hash.update(data: value)
        }
        return hex(hash.finalize().prefix(16))
    }

    private static let fields: [MessageField] = [
        .messageUUID, .topic, .source, .destinations, .type, .originTS, .metadata, .data, .contentType, .correlationID, .causation,
    ]

    private static func eachLengthByte(_ count: Int, _ body: (UInt8) -> Void) {
        for shift in stride(from: 24, through: 0, by: -8) { body(UInt8(truncatingIfNeeded: count >> shift)) }
    }

    package static func hex(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        for byte in bytes {
            for nibble in [byte >> 4, byte & 0xF] { out.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble) }
        }
        return out
    }

    package static func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
}
