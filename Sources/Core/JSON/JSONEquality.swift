/// Equality of JSON values as JSON Schema defines it: numbers by their value, strings by their characters, objects without regard to order.
///
/// - Source: JSON Schema Core 2020-12, 4.2.2.
extension JSONNode {
    /// - Cost: linear; objects of up to 48 members by comparing the hashes of their keys.
    package func equals(_ other: JSONNode) -> Bool { document.equal(index, other.document, other.index) }
}

extension JSONDocument {
    func equal(_ index: Int, _ other: JSONDocument, _ otherIndex: Int) -> Bool {
        let a = nodes[index]
        let b = other.nodes[otherIndex]
        guard a.kind == b.kind else { return false }
        switch a.kind {
        case .null: return true
        case .boolean: return a.flag == b.flag
        case .number:
            if a.flag && b.flag { return a.payload == b.payload }
            return number(index) == other.number(otherIndex)
        case .string: return equalStrings(index, other, otherIndex)
        case .array:
            guard a.count == b.count else { return false }
            var left = index + 1
            var right = otherIndex + 1
            while left < a.end {
                guard equal(left, other, right) else { return false }
                left = end(left)
                right = other.end(right)
            }
            return true
        case .object: return a.count == b.count && equalObjects(index, other, otherIndex)
        }
    }

    func equalStrings(_ index: Int, _ other: JSONDocument, _ otherIndex: Int) -> Bool {
        let a = nodes[index]
        let b = other.nodes[otherIndex]
        if !a.flag && !b.flag {
            let text = self.text
            let otherText = other.text
            return a.count == b.count && JSONWords.equal(text.span, a.range.lowerBound, otherText.span, b.range.lowerBound, a.count)
        }
        return string(index) == other.string(otherIndex)
    }

    private func equalObjects(_ index: Int, _ other: JSONDocument, _ otherIndex: Int) -> Bool {
        var at = index + 1
        while at < nodes[index].end {
            guard let match = other.member(otherIndex, keyedBy: at, of: self), equal(at + 1, other, match) else { return false }
            at = end(at + 1)
        }
        // Keys written twice: the counts are equal, so the other side may still have a key that this one lacks.
        at = otherIndex + 1
        while at < other.nodes[otherIndex].end {
            guard member(index, keyedBy: at, of: other) != nil else { return false }
            at = other.end(at + 1)
        }
        return true
    }

    /// The value of the member whose key is that at `key` in another document.
    private func member(_ object: Int, keyedBy key: Int, of other: JSONDocument) -> Int? {
        if other.nodes[key].flag {
            let bytes = other.string(key)
            return member(object, bytes.span)
        }
        let text = other.text
        return member(object, text.span.extracting(other.nodes[key].range))
    }

    /// A hash that equal values share, however they are written.
    func hash(_ index: Int) -> UInt64 {
        let node = nodes[index]
        let seed = UInt64(node.kind.rawValue) &* 0x9E37_79B9_7F4A_7C15
        switch node.kind {
        case .null: return seed
        case .boolean: return seed &+ (node.flag ? 1 : 2)
        case .number:
            let value = number(index)
            var hash = JSONWords.mix(seed ^ value.magnitude ^ UInt64(bitPattern: Int64(value.exponent)) << 40 ^ (value.isNegative ? 1 << 63 : 0))
            for digit in value.digits { hash = JSONWords.mix(hash ^ UInt64(digit)) }
            return hash
        case .string:
            if node.flag {
                let plain = string(index)
                return JSONWords.mix(seed ^ UInt64(JSONWords.hash(plain.span, 0..<plain.count)))
            }
            let text = self.text
            return JSONWords.mix(seed ^ UInt64(JSONWords.hash(text.span, node.range)))
        case .array:
            var hash = seed
            var at = index + 1
            while at < node.end {
                hash = JSONWords.mix(hash ^ self.hash(at)) &+ 1
                at = end(at)
            }
            return hash
        case .object:
            // A sum has no order. Only last members count in a look-up, but both texts must hold as many members to be equal at all.
            var sum = seed &+ UInt64(node.count)
            var at = index + 1
            while at < node.end {
                sum &+= JSONWords.mix(UInt64(UInt32(truncatingIfNeeded: nodes[at].payload)) << 16 ^ hash(at + 1))
                at = end(at + 1)
            }
            return sum
        }
    }
}
