/// The constant text of a command's arguments that alternate between known ones and values: what stands in front of a value, the `$`
/// of its length included, is copied in one piece.
package struct RESPTemplate: Sendable {
    /// The pieces, one behind the other.
    let bytes: [UInt8]
    /// Where each piece ends, which is where a value's length and bytes come in.
    let ends: [Int]

    /// - Parameter names: the arguments in front of each value.
    package init(names: [String]) {
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for name in names {
            bytes += RESPWriter.formatted([name]) + [UInt8(ascii: "$")]
            ends.append(bytes.count)
        }
        self.bytes = bytes
        self.ends = ends
    }

    /// A length in decimal, its line end, and that of its value.
    static let lengthBytesMax = 24

    static func write(_ length: Int, _ to: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        var at = to
        var divisor = 1
        while length / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            at.storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: length / divisor % 10), as: UInt8.self)
            at += 1
            divisor /= 10
        }
        return endLine(at)
    }

    static func endLine(_ to: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        to.storeBytes(of: 0x0D, as: UInt8.self)
        to.storeBytes(of: 0x0A, toByteOffset: 1, as: UInt8.self)
        return to + 2
    }
}
