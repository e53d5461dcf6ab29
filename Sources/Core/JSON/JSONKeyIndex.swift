/// Finds members of one big object by the hash of their key.
///
/// A list sorted by hash and position: however the hashes collide, building stays at n log n, and looking up compares only
/// the keys of equal hash.
struct JSONKeyIndex: Sendable {
    /// Hash in the high half, tape index of the key in the low half.
    private let sorted: [UInt64]

    init(_ text: Span<UInt8>, _ nodes: [JSONTapeNode], _ object: Int) {
        var entries: [UInt64] = []
        entries.reserveCapacity(nodes[object].count)
        var at = object + 1
        while at < nodes[object].end {
            entries.append(nodes[at].payload << 32 | UInt64(at))
            at = nodes[at + 1].kind.rawValue >= JSONKind.array.rawValue ? nodes[at + 1].end : at + 2
        }
        entries.sort()
        sorted = entries
    }

    /// Tape index of the value of the last member with this key.
    func value(of key: Span<UInt8>, _ hash: UInt32, _ document: JSONDocument) -> Int? {
        let text = document.text
        var low = 0
        var high = sorted.count
        let wanted = UInt64(hash) << 32 | 0xFFFF_FFFF
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] <= wanted { low = middle + 1 } else { high = middle }
        }
        while low > 0, UInt32(truncatingIfNeeded: sorted[low - 1] >> 32) == hash {
            let at = Int(sorted[low - 1] & 0xFFFF_FFFF)
            if Self.isKey(text.span, document.nodes[at], key) { return at + 1 }
            low -= 1
        }
        return nil
    }

    @inline(__always)
    static func isKey(_ text: Span<UInt8>, _ node: JSONTapeNode, _ key: Span<UInt8>) -> Bool {
        if node.flag {
            let plain = JSONString.unescaped(text, node.range)
            return plain.count == key.count && JSONWords.equal(plain.span, 0, key, 0, key.count)
        }
        return node.count == key.count && JSONWords.equal(text, node.range.lowerBound, key, 0, key.count)
    }
}
