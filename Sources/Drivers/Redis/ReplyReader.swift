internal import Glibc

/// Takes answers out of the bytes of a connection as they come, without building an object for each of their parts: an answer is a
/// list of nodes which point into the buffer, and is lent until the next one is read.
///
/// - Cost: one node of 24 bytes per part, in memory that is used again.
/// - Source: RESP2, "Redis serialization protocol specification".
final class ReplyReader {
    /// One part of an answer. The elements of an array stand next to each other, so each is found at once.
    struct Node {
        var kind: RedisReply.Kind
        /// Where the bytes of a string begin, or which node is the first element of an array.
        var start: Int
        /// Bytes of a string, elements of an array, or the value of an integer.
        var count: Int
    }

    /// The bytes are no answer of a Redis server.
    struct Malformed: Error {}

    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ReplyReader.roomMin, alignment: 16)
    /// Bytes before `at` are read, those up to `filled` are there.
    private var at = 0
    private var filled = 0
    private var nodes: [Node] = []
    /// Nodes that are still to be read, of each array that is open.
    private var open: [Range<Int>] = []

    /// A read from the socket is worth its price with this much room.
    private static let roomMin = 64 << 10
    /// What a large answer needed is given back behind it.
    private static let keptBytesMax = 1 << 20
    /// No answer has more parts; a larger number is a broken stream.
    private static let nodesMax = 1 << 26

    deinit { buffer.deallocate() }

    /// Room for bytes from the socket; call `took` with how many came.
    var room: UnsafeMutableRawBufferPointer {
        if buffer.count - filled < ReplyReader.roomMin { resize(max(buffer.count * 2, filled + ReplyReader.roomMin)) }
        return UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
    }

    func took(_ count: Int) { filled += count }

    /// Begins with the next answer; the one before is gone.
    func begin() {
        if at == filled {
            at = 0
            filled = 0
            if buffer.count > ReplyReader.keptBytesMax { resize(ReplyReader.roomMin) }
        } else if at >= ReplyReader.roomMin {
            buffer.baseAddress?.copyMemory(from: UnsafeRawPointer(buffer.baseAddress! + at), byteCount: filled - at)
            filled -= at
            at = 0
        }
        nodes.removeAll(keepingCapacity: true)
        nodes.append(Node(kind: .null, start: 0, count: 0))
        open.removeAll(keepingCapacity: true)
        open.append(0..<1)
    }

    /// Reads on; false when bytes are missing.
    func advance() throws(Malformed) -> Bool {
        while let range = open.last {
            guard let next = range.first else {
                open.removeLast()
                continue
            }
            guard let elements = try read(next) else { return false }
            open[open.count - 1] = (next + 1)..<range.upperBound
            if !elements.isEmpty { open.append(elements) }
        }
        return true
    }

    /// Lends the answer that `advance` has found whole.
    func lend<R>(_ body: (RedisReply) -> R) -> R {
        nodes.withUnsafeBufferPointer { body(RedisReply(nodes: $0, bytes: UnsafeRawBufferPointer(buffer), index: 0)) }
    }

    /// Reads one node and returns where its elements go; nil when bytes are missing.
    private func read(_ index: Int) throws(Malformed) -> Range<Int>? {
        guard let lineEnd = lineEnd() else { return nil }
        let start = at + 1
        switch buffer[at] {
        case UInt8(ascii: "$"):
            let length = try number(start..<lineEnd)
            guard length >= 0 else { return finish(index, .null, lineEnd + 2) }
            guard lineEnd + 2 + length + 2 <= filled else { return nil }
            return finish(index, .string, lineEnd + 2 + length + 2, start: lineEnd + 2, count: length)
        case UInt8(ascii: "*"):
            let count = try number(start..<lineEnd)
            guard count >= 0 else { return finish(index, .null, lineEnd + 2) }
            guard count <= ReplyReader.nodesMax - nodes.count else { throw Malformed() }
            let first = nodes.count
            nodes.append(contentsOf: repeatElement(Node(kind: .null, start: 0, count: 0), count: count))
            _ = finish(index, .array, lineEnd + 2, start: first, count: count)
            return first..<(first + count)
        case UInt8(ascii: ":"): return finish(index, .integer, lineEnd + 2, count: try number(start..<lineEnd))
        case UInt8(ascii: "+"): return finish(index, .status, lineEnd + 2, start: start, count: lineEnd - start)
        case UInt8(ascii: "-"): return finish(index, .error, lineEnd + 2, start: start, count: lineEnd - start)
        default: throw Malformed()
        }
    }

    private func finish(_ index: Int, _ kind: RedisReply.Kind, _ end: Int, start: Int = 0, count: Int = 0) -> Range<Int> {
        nodes[index] = Node(kind: kind, start: start, count: count)
        at = end
        return 0..<0
    }

    /// Where the line at `at` ends; nil when its end is not there yet.
    private func lineEnd() -> Int? {
        var end = at
        while end + 1 < filled {
            if buffer[end] == 0x0D, buffer[end + 1] == 0x0A { return end }
            end += 1
        }
        return nil
    }

    private func number(_ range: Range<Int>) throws(Malformed) -> Int {
        var at = range.lowerBound
        let isNegative = at < range.upperBound && buffer[at] == UInt8(ascii: "-")
        if isNegative { at += 1 }
        guard at < range.upperBound else { throw Malformed() }
        var value = 0
        while at < range.upperBound {
            guard buffer[at] >= 0x30, buffer[at] <= 0x39 else { throw Malformed() }
            let (tens, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.subtractingReportingOverflow(Int(buffer[at] - 0x30))
            if over || carry { throw Malformed() }
            value = sum
            at += 1
        }
        return isNegative ? value : 0 - value
    }

    private func resize(_ count: Int) {
        let other = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        other.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
        buffer.deallocate()
        buffer = other
    }
}
