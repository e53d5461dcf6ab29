/// Character classes and the escapes that may stand in them.
extension ECMAPattern {
    enum ClassEscape {
        case character(UInt32)
        /// The inside of a class in RE2's syntax.
        case set(String)
    }

    private static let space = #"\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}"#
    private static let notSpace =
        #"\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}"#
        + #"\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}"#

    /// Reads `[…]`.
    mutating func readClass() throws(Fault) {
        let start = at
        at += 1
        let negated = peek("^")
        if negated { at += 1 }
        var inside = ""
        while true {
            guard at < text.count else { throw fault("a '[' without its ']'", at: start) }
            if peek("]") { break }
            let first = try readClassAtom()
            guard peek("-"), at + 1 < text.count, text[at + 1] != 0x5D else {
                inside += Self.item(first)
                continue
            }
            let dash = at
            at += 1
            let last = try readClassAtom()
            guard case .character(let low) = first, case .character(let high) = last else {
                if strict { throw fault("a range goes from one character to another", at: dash) }
                inside += Self.item(first) + #"\-"# + Self.item(last)
                continue
            }
            guard low <= high else { throw fault("a range is out of order", at: dash) }
            inside += Self.range(low, high)
        }
        at += 1
        if inside.isEmpty {
            out += negated ? #"[\x{0}-\x{10FFFF}]"# : #"[^\x{0}-\x{10FFFF}]"#
        } else {
            out += (negated ? "[^" : "[") + inside + "]"
        }
    }

    private static func item(_ atom: ClassEscape) -> String {
        switch atom {
        case .set(let set): set
        case .character(let scalar): range(scalar, scalar)
        }
    }

    /// A range without the surrogates, which no text holds.
    private static func range(_ low: UInt32, _ high: UInt32) -> String {
        var parts = ""
        for (from, to) in [(low, min(high, 0xD7FF)), (max(low, 0xE000), high)] where from <= to {
            parts += from == to ? literal(from) : literal(from) + "-" + literal(to)
        }
        return parts
    }

    private mutating func readClassAtom() throws(Fault) -> ClassEscape {
        guard peek("\\") else {
            defer { at += 1 }
            return .character(text[at])
        }
        guard at + 1 < text.count else { throw fault("a backslash at the end") }
        if text[at + 1] == 0x62 {
            at += 2
            return .character(8)
        }
        return try readClassEscape()
    }

    /// Reads an escape that means a character or a set of them, inside or outside of a class.
    mutating func readClassEscape() throws(Fault) -> ClassEscape {
        let start = at
        guard at + 1 < text.count, let next = Unicode.Scalar(text[at + 1]) else { throw fault("a backslash at the end") }
        at += 2
        switch next {
        case "d": return .set("0-9")
        case "D": return .set(#"\D"#)
        case "w": return .set("0-9A-Za-z_")
        case "W": return .set(#"\W"#)
        case "s": return .set(Self.space)
        case "S": return .set(Self.notSpace)
        case "t": return .character(9)
        case "n": return .character(10)
        case "v": return .character(11)
        case "f": return .character(12)
        case "r": return .character(13)
        case "0":
            guard !(at < text.count && (0x30...0x39).contains(text[at])) else { throw fault("octal escapes are not allowed", at: start) }
            return .character(0)
        case "c":
            guard at < text.count, let letter = Unicode.Scalar(text[at]), letter.isASCII, letter.properties.isAlphabetic
            else { throw fault(#"'\c' is followed by a letter"#, at: start) }
            at += 1
            return .character(letter.value & 0x1F)
        case "x":
            guard let value = hexadecimal(2) else { throw fault(#"'\x' is followed by two hexadecimal digits"#, at: start) }
            return .character(value)
        case "u": return .character(try readUnicode(start))
        case "p", "P": return .set(try readProperty(negated: next == "P", start))
        case "^", "$", "\\", ".", "*", "+", "?", "(", ")", "[", "]", "{", "}", "|", "/", "-":
            // Outside of a class the flag `u` does not allow `\-`; too many schemas have it.
            return .character(next.value)
        default:
            if !strict, !(next.isASCII && (next.properties.isAlphabetic || next.properties.numericType != nil)) { return .character(next.value) }
            throw fault("no such escape", at: start)
        }
    }

    private mutating func hexadecimal(_ count: Int) -> UInt32? {
        guard at + count <= text.count else { return nil }
        var value: UInt32 = 0
        for index in at..<(at + count) {
            guard text[index] < 0x80, let digit = hexValue(UInt8(text[index])) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        at += count
        return value
    }

    /// Behind `\u`: four digits, two such escapes that make a surrogate pair, or digits in braces.
    private mutating func readUnicode(_ start: Int) throws(Fault) -> UInt32 {
        if peek("{") {
            at += 1
            var value: UInt32 = 0
            let first = at
            while let digit = hexadecimal(1) {
                value = value << 4 | digit
                guard value <= 0x10FFFF else { throw fault("no character is above U+10FFFF", at: start) }
            }
            guard at > first, peek("}") else { throw fault(#"'\u{' is followed by hexadecimal digits and '}'"#, at: start) }
            at += 1
            return value
        }
        guard let value = hexadecimal(4) else { throw fault(#"'\u' is followed by four hexadecimal digits"#, at: start) }
        guard (0xD800..<0xDC00).contains(value), looking(at: #"\u"#) else { return value }
        let behind = at
        at += 2
        if let low = hexadecimal(4), (0xDC00..<0xE000).contains(low) { return 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00) }
        at = behind
        return value
    }

    /// Behind `\p` or `\P`: a property in braces.
    private mutating func readProperty(negated: Bool, _ start: Int) throws(Fault) -> String {
        guard peek("{"), let end = text[at...].firstIndex(of: 0x7D) else { throw fault(#"'\p' is followed by a property in braces"#, at: start) }
        let name = String(String.UnicodeScalarView(text[(at + 1)..<end].compactMap(Unicode.Scalar.init)))
        at = end + 1
        switch UnicodePropertyName(name) {
        case .re2(let short): return (negated ? #"\P{"# : #"\p{"#) + short + "}"
        case .ranges(let inside, let complement): return negated ? complement : inside
        case .known:
            refuse("the property \(name) is not supported; supported are general categories, scripts, Any, ASCII, ASCII_Hex_Digit and White_Space", at: start)
            return "a"
        case nil: throw fault("there is no property \(name)", at: start)
        }
    }
}
