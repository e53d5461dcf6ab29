internal import Glibc

/// A reply on loan from the connection: valid only inside the closure it was given to.
package struct RedisReply {
    private let nodes: UnsafeBufferPointer<ReplyReader.Node>
    private let memory: UnsafeRawBufferPointer
    private let index: Int

    init(nodes: UnsafeBufferPointer<ReplyReader.Node>, bytes: UnsafeRawBufferPointer, index: Int) {
        self.nodes = nodes
        memory = bytes
        self.index = index
    }

    package enum Kind: Sendable { case string, array, integer, null, status, error }

    private var node: ReplyReader.Node { nodes[index] }

    package var kind: Kind { node.kind }

    /// The value of an integer, else 0.
    package var integer: Int { node.kind == .integer ? node.count : 0 }

    /// Elements of an array, else 0.
    package var count: Int { node.kind == .array ? node.count : 0 }

    package subscript(index: Int) -> RedisReply {
        precondition(index >= 0 && index < count, "an element of the reply")
        return RedisReply(nodes: nodes, bytes: memory, index: node.start + index)
    }

    private var raw: UnsafeRawBufferPointer {
        switch node.kind {
        case .string, .status, .error: UnsafeRawBufferPointer(rebasing: memory[node.start..<(node.start + node.count)])
        case .array, .integer, .null: UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }

    /// Bytes of a string, status or error; 0 for other kinds.
    package var byteCount: Int { raw.count }

    /// Lends the bytes of a string, status or error.
    package func withBytes<R>(_ body: (Span<UInt8>) throws -> R) rethrows -> R {
        try raw.withMemoryRebound(to: UInt8.self) { try body($0.span) }
    }

    /// Appends the bytes to `out`.
    package func append(to out: inout [UInt8]) { out.append(contentsOf: raw) }

    package var bytes: [UInt8] { Array(raw) }

    package var string: String { String(decoding: raw, as: UTF8.self) }

    /// Is it exactly this text?
    package func equals(_ text: StaticString) -> Bool {
        let raw = raw
        guard raw.count == text.utf8CodeUnitCount, let address = raw.baseAddress else { return raw.isEmpty && text.utf8CodeUnitCount == 0 }
        return memcmp(text.utf8Start, address, raw.count) == 0
    }

    /// The reply as a value that may be kept.
    package var value: RedisValue {
        switch kind {
        case .string: .string(bytes)
        case .status: .string(bytes)
        case .integer: .integer(integer)
        case .null: .null
        case .array: .array((0..<count).map { self[$0].value })
        case .error: .error(string)
        }
    }
}

/// A reply that may be kept.
package indirect enum RedisValue: Sendable, Equatable {
    case null
    case integer(Int)
    case string([UInt8])
    case array([RedisValue])
    case error(String)

    package var text: String? {
        switch self {
        case .string(let bytes): String(decoding: bytes, as: UTF8.self)
        case .integer(let value): String(value)
        default: nil
        }
    }

    package var int: Int? {
        switch self {
        case .integer(let value): value
        case .string(let bytes): Int(String(decoding: bytes, as: UTF8.self))
        default: nil
        }
    }

    package var array: [RedisValue]? {
        if case .array(let items) = self { items } else { nil }
    }

    /// A flat array of names and values, as `XINFO` answers it.
    package var pairs: [String: RedisValue] {
        guard let items = array else { return [:] }
        var out: [String: RedisValue] = [:]
        for index in stride(from: 0, to: items.count - 1, by: 2) {
            if let name = items[index].text { out[name] = items[index + 1] }
        }
        return out
    }
}
