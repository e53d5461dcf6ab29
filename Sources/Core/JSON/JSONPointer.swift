/// JSON Pointers: `/a/0/b~1c`.
///
/// - Source: RFC 6901.
package enum JSONPointer {
    /// Appends `/` and the key, escaped.
    package static func append(key: some Sequence<UInt8>, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "/"))
        for byte in key {
            switch byte {
            case UInt8(ascii: "~"): out.append(contentsOf: [0x7E, 0x30])
            case UInt8(ascii: "/"): out.append(contentsOf: [0x7E, 0x31])
            default: out.append(byte)
            }
        }
    }

    /// The keys of a pointer; nil when it does not begin with `/` (and is not empty) or has a `~` without 0 or 1.
    package static func tokens(_ text: some Collection<UInt8>) -> [[UInt8]]? {
        var tokens: [[UInt8]] = []
        var tilde = false
        for byte in text {
            if tilde {
                guard byte == UInt8(ascii: "0") || byte == UInt8(ascii: "1") else { return nil }
                tokens[tokens.count - 1].append(byte == UInt8(ascii: "0") ? UInt8(ascii: "~") : UInt8(ascii: "/"))
                tilde = false
            } else if byte == UInt8(ascii: "/") {
                tokens.append([])
            } else {
                guard !tokens.isEmpty else { return nil }
                if byte == UInt8(ascii: "~") { tilde = true } else { tokens[tokens.count - 1].append(byte) }
            }
        }
        return tilde ? nil : tokens
    }

    /// An array position: digits without a leading zero.
    package static func position(_ token: [UInt8]) -> Int? {
        guard !token.isEmpty, token.count <= 9, token == [0x30] || token[0] != 0x30 else { return nil }
        var value = 0
        for byte in token {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }
}

extension JSONNode {
    /// The value a pointer names, from here on; nil when there is none.
    package func at(pointer: some Collection<UInt8>) -> JSONNode? {
        guard let tokens = JSONPointer.tokens(pointer) else { return nil }
        var node = self
        for token in tokens {
            guard let next = node.kind == .array ? JSONPointer.position(token).flatMap({ node.item($0) }) : node[token] else { return nil }
            node = next
        }
        return node
    }

    package func at(pointer: String) -> JSONNode? { at(pointer: Array(pointer.utf8)) }

    /// This value's pointer from the document's root.
    /// - Cost: a walk from the root to the value, past the siblings before it.
    package var pointer: [UInt8] {
        var out: [UInt8] = []
        var at = 0
        while at != index {
            let isObject = document.nodes[at].kind == .object
            let end = document.end(at)
            var child = at + 1
            var position = 0
            while child < end {
                let value = isObject ? child + 1 : child
                let childEnd = document.end(value)
                if index < childEnd {
                    if isObject { JSONPointer.append(key: document.string(child), to: &out) } else { JSONPointer.append(key: String(position).utf8, to: &out) }
                    break
                }
                child = childEnd
                position += 1
            }
            // A key's pointer is that of its value.
            if isObject, index == child { return out }
            at = isObject ? child + 1 : child
        }
        return out
    }
}
