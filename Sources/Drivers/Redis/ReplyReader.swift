internal import Glibc

/// Takes answers out of the bytes of a connection as they come, without building an object for each of their parts: an answer is a
/// list of nodes which point into the buffer, and is lent until the next one is read.
///
/// - Cost: one node of 24 bytes per part, in memory that is used again.
/// - Source: RESP2, "Redis serialization protocol specification".
package final class ReplyReader {
    /// One part of an answer. The elements of an array stand next to each other, so each is found at once.
    struct Node {
        var kind: RedisReply.Kind
        /// Where the bytes of a string begin, or which node is the first element of an array.
        var start: Int
        /// Bytes of a string, elements of an array, or the value of an integer.
        var count: Int
    }

    /// The bytes are no answer of a Redis server.
    package struct Malformed: Error {}

    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ReplyReader.roomMin, alignment: 16)
    /// Bytes before `at` are read, those up to `filled` are there.
    private var at = 0
    private var filled = 0
    private var nodes = UnsafeMutableBufferPointer<Node>.allocate(capacity: ReplyReader.nodesKept)
    /// Nodes in use; those that are still to be read stand in `open`, array by array, the innermost last.
    private var used = 0
    private var open: [Range<Int>] = []

    /// A read from the socket is worth its price with this much room.
    private static let roomMin = 64 << 10
    /// What a large answer needed is given back behind it.
    private static let keptBytesMax = 1 << 20
    private static let nodesKept = 32 << 10
    /// No answer has more parts; a larger number is a broken stream.
    private static let nodesMax = 1 << 26

    package init() {}

    deinit {
        buffer.deallocate()
        nodes.deallocate()
    }

    /// Room for bytes from the socket; call `took` with how many came.
    package var room: UnsafeMutableRawBufferPointer {
        if buffer.count - filled < ReplyReader.roomMin { resize(max(buffer.count * 2, filled + ReplyReader.roomMin)) }
        return UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
    }

    package func took(_ count: Int) { filled += count }

    /// Begins with the next answer; the one before is gone.
    package func begin() {
        if at == filled {
            at = 0
            filled = 0
            if buffer.count > ReplyReader.keptBytesMax { resize(ReplyReader.roomMin) }
        } else if at >= ReplyReader.roomMin {
            buffer.baseAddress?.copyMemory(from: UnsafeRawPointer(buffer.baseAddress! + at), byteCount: filled - at)
            filled -= at
            at = 0
        }
        if nodes.count > ReplyReader.nodesKept {
            nodes.deallocate()
            nodes = .allocate(capacity: ReplyReader.nodesKept)
        }
        used = 1
        open.removeAll(keepingCapacity: true)
        open.append(0..<1)
    }

    /// Reads on; false when bytes are missing.
    ///
    /// It works on copies of the properties: each access to a property of a class is checked for exclusivity at run time, which would be a good
    /// part of what an answer costs.
    package func advance() throws(Malformed) -> Bool {
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<filled])
        var at = at
        var nodes = nodes
        defer { self.at = at }
        reading: while let range = open.popLast() {
            var next = range.lowerBound
            while next < range.upperBound {
                guard let part = try ReplyReader.part(of: bytes, from: at) else {
                    open.append(next..<range.upperBound)
                    return false
                }
                at = part.end
                var node = part.node
                if node.kind == .array, node.count > 0 {
                    node.start = try take(node.count)
                    nodes = self.nodes
                    nodes.initializeElement(at: next, to: node)
                    if next + 1 < range.upperBound { open.append((next + 1)..<range.upperBound) }
                    open.append(node.start..<(node.start + node.count))
                    continue reading
                }
                nodes.initializeElement(at: next, to: node)
                next += 1
            }
        }
        return true
    }

    /// Lends the answer that `advance` has found whole.
    package func lend<R>(_ body: (RedisReply) -> R) -> R {
        body(RedisReply(nodes: UnsafeBufferPointer(rebasing: nodes[..<used]), bytes: UnsafeRawBufferPointer(buffer), index: 0))
    }

    // MARK: Parts

    /// One part, of an array only its length; nil when bytes are missing.
    @inline(__always)
    private static func part(of bytes: UnsafeRawBufferPointer, from at: Int) throws(Malformed) -> (node: Node, end: Int)? {
        guard at < bytes.count else { return nil }
        switch bytes[at] {
        case UInt8(ascii: "$"):
            guard let (length, start) = try number(in: bytes, from: at + 1) else { return nil }
            guard length >= 0 else { return (Node(kind: .null, start: 0, count: 0), start) }
            // Compared so that no sum can overflow.
            guard length <= bytes.count - start - 2 else { return nil }
            guard bytes[start + length] == 0x0D, bytes[start + length + 1] == 0x0A else { throw Malformed() }
            return (Node(kind: .string, start: start, count: length), start + length + 2)
        case UInt8(ascii: "*"):
            guard let (count, end) = try number(in: bytes, from: at + 1) else { return nil }
            return (count < 0 ? Node(kind: .null, start: 0, count: 0) : Node(kind: .array, start: 0, count: count), end)
        case UInt8(ascii: ":"):
            guard let (value, end) = try number(in: bytes, from: at + 1) else { return nil }
            return (Node(kind: .integer, start: 0, count: value), end)
        case UInt8(ascii: "+"): return line(.status, of: bytes, from: at + 1)
        case UInt8(ascii: "-"): return line(.error, of: bytes, from: at + 1)
        default: throw Malformed()
        }
    }

    /// A decimal number and where the line behind it begins; nil when bytes are missing.
    @inline(__always)
    private static func number(in bytes: UnsafeRawBufferPointer, from start: Int) throws(Malformed) -> (value: Int, end: Int)? {
        var at = start
        let isNegative = at < bytes.count && bytes[at] == UInt8(ascii: "-")
        if isNegative { at += 1 }
        let first = at
        // Below zero, where the smallest of all numbers has its place too.
        var value = 0
        while at < bytes.count {
            let digit = bytes[at] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            let (tens, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.subtractingReportingOverflow(Int(digit))
            if over || carry { throw Malformed() }
            value = sum
            at += 1
        }
        guard at + 1 < bytes.count else { return nil }
        guard at > first, bytes[at] == 0x0D, bytes[at + 1] == 0x0A, isNegative || value != .min else { throw Malformed() }
        return (isNegative ? value : 0 - value, at + 2)
    }

    private static func line(_ kind: RedisReply.Kind, of bytes: UnsafeRawBufferPointer, from start: Int) -> (node: Node, end: Int)? {
        var end = start
        while end + 1 < bytes.count {
            if bytes[end] == 0x0D, bytes[end + 1] == 0x0A { return (Node(kind: kind, start: start, count: end - start), end + 2) }
            end += 1
        }
        return nil
    }

    /// Room for `count` more nodes; returns the first of them.
    private func take(_ count: Int) throws(Malformed) -> Int {
        guard count <= ReplyReader.nodesMax - used else { throw Malformed() }
        if used + count > nodes.count {
            let other = UnsafeMutableBufferPointer<Node>.allocate(capacity: max(nodes.count * 2, used + count))
            _ = other.update(fromContentsOf: nodes[..<used])
            nodes.deallocate()
            nodes = other
        }
        used += count
        return used - count
    }

    private func resize(_ count: Int) {
        let other = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        other.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
        buffer.deallocate()
        buffer = other
    }
}
