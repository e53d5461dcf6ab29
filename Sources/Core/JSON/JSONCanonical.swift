/// One text for equal values: keys sorted by their bytes, no white space, numbers by their value, strings with the fewest escapes.
///
/// Not RFC 8785: that one rounds numbers to doubles, and sorts keys by UTF-16.
extension JSONNode {
    /// The canonical text of this value. Of a key written twice, the last member is kept.
    package var canonical: [UInt8] {
        var out: [UInt8] = []
        append(canonicalTo: &out)
        return out
    }

    package func append(canonicalTo out: inout [UInt8]) {
        switch kind {
        case .null: out.append(contentsOf: "null".utf8)
        case .boolean: out.append(contentsOf: (node.flag ? "true" : "false").utf8)
        case .number: document.number(index).append(to: &out)
        case .string: JSONText.append(document.string(index), to: &out)
        case .array:
            out.append(UInt8(ascii: "["))
            for (position, item) in items.enumerated() {
                if position > 0 { out.append(UInt8(ascii: ",")) }
                item.append(canonicalTo: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object:
            var sorted = members.enumerated().map { (position: $0.offset, key: document.string($0.element.key.index), value: $0.element.value) }
            sorted.sort { $0.key == $1.key ? $0.position < $1.position : $0.key.lexicographicallyPrecedes($1.key) }
            out.append(UInt8(ascii: "{"))
            var first = true
            for (position, member) in sorted.enumerated() where position + 1 == sorted.count || sorted[position + 1].key != member.key {
                if !first { out.append(UInt8(ascii: ",")) }
                first = false
                JSONText.append(member.key, to: &out)
                out.append(UInt8(ascii: ":"))
                member.value.append(canonicalTo: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }
}

extension JSONNumber {
    /// Integers below 10^21 in full, others with a point or an exponent.
    package func append(to out: inout [UInt8]) {
        if isZero {
            out.append(UInt8(ascii: "0"))
            return
        }
        if isNegative { out.append(UInt8(ascii: "-")) }
        let digits = allDigits.map { $0 + 0x30 }
        let whole = digits.count + exponent
        if exponent >= 0, whole <= 21 {
            out.append(contentsOf: digits)
            out.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: exponent))
        } else if exponent < 0, whole > 0 {
            out.append(contentsOf: digits[..<whole])
            out.append(UInt8(ascii: "."))
            out.append(contentsOf: digits[whole...])
        } else if exponent < 0, whole > -6 {
            out.append(contentsOf: [0x30, 0x2E])
            out.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: -whole))
            out.append(contentsOf: digits)
        } else {
            out.append(digits[0])
            if digits.count > 1 {
                out.append(UInt8(ascii: "."))
                out.append(contentsOf: digits[1...])
            }
            out.append(UInt8(ascii: "e"))
            out.append(contentsOf: String(whole - 1).utf8)
        }
    }
}
