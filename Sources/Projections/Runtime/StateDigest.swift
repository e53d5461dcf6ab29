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
        // The length of the key in front keeps `ab` + `c` and `a` + `bc` apart.
        var head: [UInt8] = []
        head.reserveCapacity(8 + key.utf8.count)
        let count = UInt64(key.utf8.count)
        for shift in 0..<8 { head.append(UInt8(truncatingIfNeeded: count >> UInt64(8 * shift))) }
        head.append(contentsOf: key.utf8)
        var hash = SHA256()
        hash.update(data: head)
        hash.update(data: row)
        words = .zero
        var index = 0
        for byte in hash.finalize() {
            words[index >> 3] = words[index >> 3] << 8 | UInt64(byte)
            index += 1
        }
    }

    package init?(stored bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        words = .zero
        for (index, byte) in bytes.enumerated() { words[index >> 3] = words[index >> 3] << 8 | UInt64(byte) }
    }

    /// From `description`.
    init?(hex text: String) {
        guard text.utf8.count == 64 else { return nil }
        words = .zero
        for (index, character) in text.enumerated() {
            guard let digit = character.hexDigitValue else { return nil }
            words[index >> 4] = words[index >> 4] << 4 | UInt64(digit)
        }
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
