/// The constant text of a command whose arguments alternate between known ones and values: all that stands between two values,
/// line ends and the `$` of the next length included, is copied in one piece.
package struct RESPTemplate: Sendable {
    /// The pieces, one behind the other.
    let bytes: [UInt8]
    /// Where each piece ends, which is where a value's length and bytes come in.
    let ends: [Int]

    /// - Parameters:
    ///   - head: formatted text in front (see `RESPWriter`); empty when the head is written by hand.
    ///   - names: the arguments in front of each value.
    package init(head: [UInt8], names: [String]) {
        var bytes = head
        var ends: [Int] = []
        for (index, name) in names.enumerated() {
            if index > 0 { bytes += [0x0D, 0x0A] }
            bytes += RESPWriter.formatted([name]) + [UInt8(ascii: "$")]
            ends.append(bytes.count)
        }
        self.bytes = bytes
        self.ends = ends
    }

    /// A length in decimal and its line end.
    static let lengthBytesMax = 22

    static func write(_ length: Int, _ to: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        var at = to
        var divisor = 1
        while length / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            at.storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: length / divisor % 10), as: UInt8.self)
            at += 1
            divisor /= 10
        }
        at.storeBytes(of: 0x0D, as: UInt8.self)
        at.storeBytes(of: 0x0A, toByteOffset: 1, as: UInt8.self)
        return at + 2
    }
}
