/// Reads string and bytes literals: quoted by ' or ", one or three of them, with the prefixes r (raw) and b (bytes).
enum CELLiteral {
    /// The literal at `at`, which moves behind it; nil when none starts there.
    static func read(_ bytes: [UInt8], _ at: inout Int) throws(CELFinding) -> CELToken.Kind? {
        var start = at
        var isBytes = false
        var isRaw = false
        func byte(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }
        if byte(start) | 0x20 == UInt8(ascii: "b") {
            isBytes = true
            start += 1
        }
        if byte(start) | 0x20 == UInt8(ascii: "r") {
            isRaw = true
            start += 1
        }
        let quote = byte(start)
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return nil }
        let isTriple = byte(start + 1) == quote && byte(start + 2) == quote
        var reader = Reader(bytes: bytes, at: start + (isTriple ? 3 : 1), opening: at, quote: quote, isTriple: isTriple, isRaw: isRaw, isBytes: isBytes)
        let content = try reader.content()
        at = reader.at
        return isBytes ? .bytes(content) : .string(String(decoding: content, as: UTF8.self))
    }

    private struct Reader {
        let bytes: [UInt8]
        var at: Int
        let opening: Int
        let quote: UInt8
        let isTriple: Bool
        let isRaw: Bool
        let isBytes: Bool

        private func isEnd(_ index: Int) -> Bool {
            guard bytes[index] == quote else { return false }
            return !isTriple || (index + 2 < bytes.count && bytes[index + 1] == quote && bytes[index + 2] == quote)
        }

        /// The bytes of the literal, escapes resolved; moves behind the closing quotes.
        mutating func content() throws(CELFinding) -> [UInt8] {
            var out: [UInt8] = []
            while at < bytes.count {
                if isEnd(at) {
                    at += isTriple ? 3 : 1
                    return out
                }
                switch bytes[at] {
                case 0x0A where !isTriple, 0x0D where !isTriple:
                    throw CELFinding(offset: opening, message: "the string does not end on its line", suggestion: "close it, or use three quotes")
                case UInt8(ascii: "\\") where !isRaw:
                    try escape(&out)
                default:
                    out.append(bytes[at])
                    at += 1
                }
            }
            throw CELFinding(offset: opening, message: "the string does not end", suggestion: "close it with \(isTriple ? "three quotes" : "a quote")")
        }

        private mutating func escape(_ out: inout [UInt8]) throws(CELFinding) {
            let start = at
            at += 1
            let kind = at < bytes.count ? bytes[at] : 0
            at += 1
            switch kind {
            case UInt8(ascii: "a"): out.append(0x07)
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0C)
            case UInt8(ascii: "n"): out.append(0x0A)
            case UInt8(ascii: "r"): out.append(0x0D)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "v"): out.append(0x0B)
            case UInt8(ascii: "\\"), UInt8(ascii: "?"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): out.append(kind)
            case UInt8(ascii: "x"), UInt8(ascii: "X"): try code(2, 16, start, &out)
            case UInt8(ascii: "u") where !isBytes: try code(4, 16, start, &out)
            case UInt8(ascii: "U") where !isBytes: try code(8, 16, start, &out)
            case UInt8(ascii: "0")...UInt8(ascii: "3"):
                at -= 1
                try code(3, 8, start, &out)
            default:
                throw CELFinding(
                    offset: start, message: "the escape is unknown" + (isBytes ? " in a bytes literal" : ""),
                    suggestion: "a backslash itself is '\\\\', or use a raw string r\"…\"")
            }
        }

        /// A number of exactly `count` digits: a byte of a bytes literal, a code point of a string.
        private mutating func code(_ count: Int, _ radix: UInt32, _ start: Int, _ out: inout [UInt8]) throws(CELFinding) {
            var value: UInt32 = 0
            for _ in 0..<count {
                guard at < bytes.count, let digit = hexValue(bytes[at]), UInt32(digit) < radix else {
                    throw CELFinding(
                        offset: start, message: "the escape needs exactly \(count) \(radix == 16 ? "hexadecimal" : "octal") digits", suggestion: nil)
                }
                value = value << (radix == 16 ? 4 : 3) | UInt32(digit)
                at += 1
            }
            if isBytes {
                out.append(UInt8(truncatingIfNeeded: value))
            } else if let scalar = Unicode.Scalar(value) {
                out.append(contentsOf: Array(String(Character(scalar)).utf8))
            } else {
                throw CELFinding(offset: start, message: "the escape is no Unicode code point", suggestion: nil)
            }
        }
    }
}
