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
        return Hexadecimal.encode(Array(hash.finalize())[..<16])
    }

    private static let fields: [MessageField] = [
        .messageUUID, .topic, .source, .destinations, .type, .originTS, .metadata, .data, .contentType, .correlationID, .causation,
    ]

    private static func eachLengthByte(_ count: Int, _ body: (UInt8) -> Void) {
        for shift in stride(from: 24, through: 0, by: -8) { body(UInt8(truncatingIfNeeded: count >> shift)) }
    }

    /// What a verdict's `digest` holds: SHA-256 over `PolicyInputs`, as 64 hexadecimal digits.
    package static func inputs(_ message: MessageEntry, at position: Position, _ verdict: VerdictEntry) -> [UInt8] {
        Hexadecimal.encode(sha256(PolicyInputs.bytes(message, at: position, verdict)))
    }

    package static func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
}
