/// Cuts an expression into tokens.
///
/// - Cost: one pass.
/// - Source: cel-spec langdef.md, "Syntax".
struct CELLexer {
    private let bytes: [UInt8]
    private var at = 0

    init(_ source: String) { bytes = Array(source.utf8) }

    /// All tokens, ended by `.end`.
    /// - Throws: the first thing that is no token.
    static func tokens(_ source: String) throws(CELFinding) -> [CELToken] {
        var lexer = CELLexer(source)
        var tokens: [CELToken] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.kind == .end { return tokens }
        }
    }

    private func byte(_ ahead: Int = 0) -> UInt8 { at + ahead < bytes.count ? bytes[at + ahead] : 0 }

    private func token(_ kind: CELToken.Kind, from start: Int) -> CELToken { CELToken(kind: kind, offset: start, end: at) }

    private mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0C, 0x0D: at += 1
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"):
                while at < bytes.count, bytes[at] != 0x0A { at += 1 }
            default: return
            }
        }
    }

    private mutating func next() throws(CELFinding) -> CELToken {
        skipSpace()
        let start = at
        guard at < bytes.count else { return token(.end, from: start) }
        if let text = try CELLiteral.read(bytes, &at) { return token(text, from: start) }
        let first = bytes[at]
        if Self.isLetter(first) {
            while at < bytes.count, Self.isLetter(bytes[at]) || Self.isDigit(bytes[at]) { at += 1 }
            return token(.identifier(String(decoding: bytes[start..<at], as: UTF8.self)), from: start)
        }
        if Self.isDigit(first) || (first == UInt8(ascii: ".") && Self.isDigit(byte(1))) { return try number() }
        if first == UInt8(ascii: "`") { return try quoted() }
        for sign in CELSign.allCases where bytes[at...].starts(with: sign.rawValue.utf8) {
            at += sign.rawValue.utf8.count
            return token(.sign(sign), from: start)
        }
        throw unknown(start)
    }

    private func unknown(_ start: Int) -> CELFinding {
        let suggestion: String? =
            switch bytes[start] {
            case UInt8(ascii: "="): "equality is '=='"
            case UInt8(ascii: "&"): "'and' is '&&'"
            case UInt8(ascii: "|"): "'or' is '||'"
            default: nil
            }
        let scalar = String(decoding: bytes[start..<min(start + 4, bytes.count)], as: UTF8.self).unicodeScalars.first
        let shown = scalar.map { $0.value < 0x20 || $0.value == 0x7F ? "a control character" : "'\($0)'" } ?? "nothing"
        return CELFinding(offset: start, message: "\(shown) is no part of an expression", suggestion: suggestion)
    }

    private mutating func quoted() throws(CELFinding) -> CELToken {
        let start = at
        at += 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "`") {
            guard Self.isLetter(bytes[at]) || Self.isDigit(bytes[at]) || "./- ".utf8.contains(bytes[at]) else {
                throw CELFinding(offset: at, message: "a name in backquotes has letters, digits, '_', '.', '-', '/' and spaces only", suggestion: nil)
            }
            at += 1
        }
        guard at < bytes.count, at > start + 1 else {
            throw CELFinding(offset: start, message: "the name in backquotes is empty or does not end", suggestion: nil)
        }
        at += 1
        return token(.quoted(String(decoding: bytes[(start + 1)..<(at - 1)], as: UTF8.self)), from: start)
    }

    private mutating func number() throws(CELFinding) -> CELToken {
        let start = at
        if byte() == 0x30, byte(1) | 0x20 == UInt8(ascii: "x") {
            at += 2
            let from = at
            while hexValue(byte()) != nil { at += 1 }
            return try integer(bytes[from..<at], radix: 16, start)
        }
        while Self.isDigit(byte()) { at += 1 }
        var isDouble = false
        if byte() == UInt8(ascii: "."), Self.isDigit(byte(1)) {
            isDouble = true
            at += 1
            while Self.isDigit(byte()) { at += 1 }
        }
        if byte() | 0x20 == UInt8(ascii: "e") {
            let signed = byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-")
            if Self.isDigit(byte(signed ? 2 : 1)) {
                isDouble = true
                at += signed ? 2 : 1
                while Self.isDigit(byte()) { at += 1 }
            }
        }
        guard isDouble else { return try integer(bytes[start..<at], radix: 10, start) }
        try endOfNumber(start)
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        guard let value = Double(text.first == "." ? "0" + text : text) else {
            throw CELFinding(offset: start, message: "'\(text)' is no number", suggestion: nil)
        }
        return token(.double(value), from: start)
    }

    private mutating func integer(_ digits: ArraySlice<UInt8>, radix: UInt64, _ start: Int) throws(CELFinding) -> CELToken {
        var value: UInt64 = 0
        for digit in digits {
            let (product, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, carried) = product.addingReportingOverflow(UInt64(hexValue(digit) ?? 0))
            guard !overflow, !carried else {
                throw CELFinding(offset: start, message: "the number does not fit 64 bits", suggestion: "write it as a double, with '.0'")
            }
            value = sum
        }
        let isUnsigned = byte() | 0x20 == UInt8(ascii: "u")
        if isUnsigned { at += 1 }
        try endOfNumber(start)
        guard !digits.isEmpty else { throw CELFinding(offset: start, message: "hexadecimal digits are missing behind '0x'", suggestion: nil) }
        return token(isUnsigned ? .uint(value) : .int(value), from: start)
    }

    private func endOfNumber(_ start: Int) throws(CELFinding) {
        if Self.isLetter(byte()) || Self.isDigit(byte()) {
            throw CELFinding(
                offset: at, message: "a number ends here, '\(Unicode.Scalar(byte()))' cannot follow it", suggestion: "a name starts with a letter or '_'")
        }
    }

    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || byte == UInt8(ascii: "_") }
    static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}

extension CELFinding: Error {}
