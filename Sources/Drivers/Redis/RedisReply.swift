internal import CHiredis

/// A reply on loan from hiredis: valid only inside the closure it was given to.
package struct RedisReply {
    private let pointer: UnsafeMutablePointer<redisReply>

    init(_ pointer: UnsafeMutablePointer<redisReply>) { self.pointer = pointer }

    package enum Kind: Sendable { case string, array, integer, null, status, error }

    package var kind: Kind {
        switch pointer.pointee.type {
        case REDIS_REPLY_STRING: .string
        case REDIS_REPLY_ARRAY: .array
        case REDIS_REPLY_INTEGER: .integer
        case REDIS_REPLY_NIL: .null
        case REDIS_REPLY_STATUS: .status
        default: .error
        }
    }

    package var integer: Int { Int(pointer.pointee.integer) }

    /// Elements of an array, else 0.
    package var count: Int { kind == .array ? Int(pointer.pointee.elements) : 0 }

    package subscript(index: Int) -> RedisReply {
        precondition(index >= 0 && index < count, "an element of the reply")
        guard let element = pointer.pointee.element[index] else { preconditionFailure("hiredis fills every element") }
        return RedisReply(element)
    }

    /// Bytes of a string, status or error; empty for other kinds.
    package var byteCount: Int { pointer.pointee.str == nil ? 0 : Int(pointer.pointee.len) }

    /// Lends the bytes of a string, status or error.
    package func withBytes<R>(_ body: (Span<UInt8>) throws -> R) rethrows -> R {
        let buffer = UnsafeRawBufferPointer(start: pointer.pointee.str, count: byteCount)
        return try buffer.withMemoryRebound(to: UInt8.self) { try body($0.span) }
    }

    /// Appends the bytes to `out`.
    package func append(to out: inout [UInt8]) {
        out.append(contentsOf: UnsafeRawBufferPointer(start: pointer.pointee.str, count: byteCount))
    }

    package var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: pointer.pointee.str, count: byteCount)) }

    package var string: String { String(decoding: UnsafeRawBufferPointer(start: pointer.pointee.str, count: byteCount), as: UTF8.self) }

    /// Is it exactly this text?
    package func equals(_ text: StaticString) -> Bool {
        guard byteCount == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { UnsafeRawBufferPointer($0).elementsEqual(UnsafeRawBufferPointer(start: pointer.pointee.str, count: byteCount)) }
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
