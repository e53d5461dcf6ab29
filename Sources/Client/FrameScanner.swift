/// Takes WebSocket frames of a server out of a stream of bytes, and makes those of a client.
///
/// - Source: RFC 6455, 5.2.
package struct FrameScanner: Sendable {
    package struct Frame: Sendable, Equatable {
        package let opcode: UInt8
        package let payload: ArraySlice<UInt8>
    }
    private var buffer: [UInt8] = []
    private var start = 0

    package init() {}

    package mutating func take(_ bytes: some Sequence<UInt8>) { buffer.append(contentsOf: bytes) }

    /// The next whole frame; nil when more bytes are needed.
    package mutating func next() -> Frame? {
        let have = buffer.count - start
        guard have >= 2 else { return compact() }
        var head = 2
        var length = Int(buffer[start + 1] & 0x7F)
        if length == 126 {
            guard have >= 4 else { return compact() }
            length = Int(buffer[start + 2]) << 8 | Int(buffer[start + 3])
            head = 4
        } else if length == 127 {
            guard have >= 10 else { return compact() }
            length = (2..<10).reduce(0) { $0 << 8 | Int(buffer[start + $1]) }
            head = 10
        }
        guard have >= head + length else { return compact() }
        let frame = Frame(opcode: buffer[start] & 0xF, payload: buffer[(start + head)..<(start + head + length)])
        start += head + length
        return frame
    }

    private mutating func compact() -> Frame? {
        if start == buffer.count { buffer.removeAll(keepingCapacity: true) } else { buffer.removeFirst(start) }
        start = 0
        return nil
    }

    /// A client's frame: final, and masked with `mask`.
    package static func masked(opcode: UInt8, _ payload: [UInt8], mask: [UInt8]) -> [UInt8] {
        precondition(mask.count == 4, "a mask has four bytes")
        var out: [UInt8] = [0x80 | opcode]
        if payload.count < 126 {
            out.append(0x80 | UInt8(payload.count))
        } else if payload.count <= 0xFFFF {
            out.append(contentsOf: [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)])
        } else {
            out.append(0xFF)
            for shift in stride(from: 56, through: 0, by: -8) { out.append(UInt8(truncatingIfNeeded: payload.count >> shift)) }
        }
        out.append(contentsOf: mask)
        for (index, byte) in payload.enumerated() { out.append(byte ^ mask[index & 3]) }
        return out
    }
}
