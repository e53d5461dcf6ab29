internal import Core
internal import Crypto

/// The digest of a projection's rows: the sum of the SHA-256 of each row, so that it follows a change of one row without looking at the others.
///
/// Two states with the same rows have the same digest in whatever order they were reached. Against mistakes and single wrong writes, not
/// against somebody who computes collisions of sums.
package struct StateDigest: Sendable, Hashable, CustomStringConvertible {
    private var words: SIMD4<UInt64>

    package init() { words = .zero }

    /// Of one row.
    package init(key: String, row: [UInt8]) {
        var hash = SHA256()
        let count = UInt64(key.utf8.count)
        hash.update(data: (0..<8).map { UInt8(truncatingIfNeeded: count >> UInt64(8 * $0)) })
        var key = key
        key.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        hash.update(data: row)
        self.init(bytes: Array(hash.finalize()))
    }

    /// - Parameter bytes: 32.
    private init(bytes: [UInt8]) {
        words = .zero
        for index in 0..<4 {
            for byte in bytes[(index * 8)..<(index * 8 + 8)] { words[index] = words[index] << 8 | UInt64(byte) }
        }
    }

    package init?(stored bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.init(bytes: bytes)
    }

    /// 32 bytes.
    package var bytes: [UInt8] { (0..<32).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> UInt64(56 - ($0 % 8) * 8)) } }

    package static func &+= (sum: inout StateDigest, other: StateDigest) { sum.words &+= other.words }
    package static func &-= (sum: inout StateDigest, other: StateDigest) { sum.words &-= other.words }

    package var description: String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }
}
