/// Reads a JSON text into a tape, in one pass and without recursion.
///
/// - Source: RFC 8259; strings must be UTF-8 (RFC 3629).
struct JSONParser {
    private(set) var nodes: [JSONTapeNode] = []
    /// Objects with more than `indexedMembersMin` members, in the order of their ends.
    private(set) var bigObjects: [Int] = []
    private var at = 0
    /// Tape index of the container that is open, and the number of its items; -1 outside of all. The outer ones are in `outer`.
    private var open = -1
    private var count = 0
    private var outer: [(open: Int, count: Int)] = []

    /// Below this, comparing the hashes of all keys is as fast as an index.
    static let indexedMembersMin = 48

    init(bytes: Int) { nodes.reserveCapacity(min(bytes / 16 + 8, 1 << 16)) }

    mutating func parse(_ text: Span<UInt8>, nesting: Int) throws(JSONFault) {
        JSONScanner.skipSpace(text, &at)
        while true {
            if try value(text, nesting), try afterValue(text) { break }
        }
        JSONScanner.skipSpace(text, &at)
        if at < text.count { throw JSONFault(reason: .trailingBytes, offset: at) }
    }

    /// Reads a scalar, or opens a container; true when a whole value has been read.
    @inline(__always)
    private mutating func value(_ text: Span<UInt8>, _ nesting: Int) throws(JSONFault) -> Bool {
        guard at < text.count else { throw JSONFault(reason: .unexpectedEnd, offset: at) }
        switch text[at] {
        case UInt8(ascii: "\""): try string(text, key: false)
        case UInt8(ascii: "{"): return try openContainer(text, .object, UInt8(ascii: "}"), nesting)
        case UInt8(ascii: "["): return try openContainer(text, .array, UInt8(ascii: "]"), nesting)
        case UInt8(ascii: "-"), 0x30...0x39: try number(text)
        case UInt8(ascii: "t"): try literal(text, JSONTapeNode(.boolean, flag: true, offset: at, payload: 0))
        case UInt8(ascii: "f"): try literal(text, JSONTapeNode(.boolean, flag: false, offset: at, payload: 0))
        case UInt8(ascii: "n"): try literal(text, JSONTapeNode(.null, flag: false, offset: at, payload: 0))
        default: throw JSONFault(reason: .unexpectedByte, offset: at)
        }
        return true
    }

    private mutating func literal(_ text: Span<UInt8>, _ node: JSONTapeNode) throws(JSONFault) {
        try JSONScanner.skipValue(text, &at, 0)
        nodes.append(node)
    }

    private mutating func openContainer(_ text: Span<UInt8>, _ kind: JSONKind, _ closing: UInt8, _ nesting: Int) throws(JSONFault) -> Bool {
        guard outer.count < nesting else { throw JSONFault(reason: .nesting, offset: at) }
        outer.append((open, count))
        open = nodes.count
        count = 0
        nodes.append(JSONTapeNode(kind, flag: false, offset: at, payload: 0))
        at += 1
        JSONScanner.skipSpace(text, &at)
        if at < text.count, text[at] == closing {
            at += 1
            closeContainer(kind)
            return true
        }
        if kind == .object { try key(text) }
        return false
    }

    private mutating func closeContainer(_ kind: JSONKind) {
        let big = kind == .object && count > Self.indexedMembersMin
        if big { bigObjects.append(open) }
        nodes[open].payload = UInt64(count) << 32 | UInt64(nodes.count)
        nodes[open].flag = big
        let (before, beforeCount) = outer.removeLast()
        open = before
        count = beforeCount
    }

    /// Behind a value: closes what ends here, else stands on the next value; true when the outermost value has ended.
    @inline(__always)
    private mutating func afterValue(_ text: Span<UInt8>) throws(JSONFault) -> Bool {
        while open >= 0 {
            count += 1
            let kind = nodes[open].kind
            if kind == .object {
                if try !JSONScanner.skipComma(text, &at, closing: UInt8(ascii: "}")) {
                    try key(text)
                    return false
                }
            } else if try !JSONScanner.skipComma(text, &at, closing: UInt8(ascii: "]")) {
                return false
            }
            closeContainer(kind)
        }
        return true
    }

    @inline(__always)
    private mutating func key(_ text: Span<UInt8>) throws(JSONFault) {
        guard at < text.count else { throw JSONFault(reason: .unexpectedEnd, offset: at) }
        guard text[at] == UInt8(ascii: "\"") else { throw JSONFault(reason: .expectedKey, offset: at) }
        try string(text, key: true)
        try JSONScanner.skipColon(text, &at)
    }

    @inline(__always)
    private mutating func string(_ text: Span<UInt8>, key: Bool) throws(JSONFault) {
        at += 1
        let start = at
        while at + 8 <= text.count {
            let plain = JSONWords.plainBytes(JSONWords.word(text, at))
            at += plain
            if plain < 8 { break }
        }
        var escaped = false
        if at >= text.count || text[at] != UInt8(ascii: "\"") { escaped = try JSONScanner.skipRest(text, &at) }
        let end = at
        at += 1
        var hash: UInt32 = 0
        if key {
            if escaped {
                let plain = JSONString.unescaped(text, start..<end)
                hash = JSONWords.hash(plain.span, 0..<plain.count)
            } else {
                hash = JSONWords.hash(text, start..<end)
            }
        }
        nodes.append(JSONTapeNode(.string, flag: escaped, offset: start, payload: UInt64(end - start) << 32 | UInt64(hash)))
    }

    private mutating func number(_ text: Span<UInt8>) throws(JSONFault) {
        let start = at
        try JSONScanner.skipNumber(text, &at)
        let negative = text[start] == UInt8(ascii: "-")
        var value: Int64 = 0
        var fits = at - start <= 18 + (negative ? 1 : 0)
        if fits {
            for index in (start + (negative ? 1 : 0))..<at {
                let digit = text[index] &- 0x30
                guard digit <= 9 else {
                    fits = false
                    break
                }
                value = value * 10 + Int64(digit)
            }
        }
        let payload = fits ? UInt64(bitPattern: negative ? -value : value) : UInt64(at - start)
        nodes.append(JSONTapeNode(.number, flag: fits, offset: start, payload: payload))
    }
}
