/// What is wrong with a JSON text, and where.
package struct JSONFault: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        case unexpectedEnd, unexpectedByte, expectedColon, expectedCommaOrEnd, expectedKey, badNumber, badLiteral, badEscape
        case controlCharacter, notUTF8, nesting, trailingBytes
    }
    package let reason: Reason
    /// Byte offset in the text given.
    package let offset: Int

    package init(reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var detail: String {
        let what =
            switch reason {
            case .unexpectedEnd: "the text ends in the middle of a value"
            case .unexpectedByte: "a value was expected (object, array, string, number, true, false or null)"
            case .expectedColon: "':' was expected after the key"
            case .expectedCommaOrEnd: "',' or the closing bracket was expected"
            case .expectedKey: "a key in double quotes was expected"
            case .badNumber: "the number is not of JSON's form (no leading zeros, no '+', no 'NaN')"
            case .badLiteral: "only true, false and null are written without quotes"
            case .badEscape: "the escape is not one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"
            case .controlCharacter: "control characters in a string must be escaped"
            case .notUTF8: "the bytes are not UTF-8"
            case .nesting: "nested deeper than \(Limits.nestingMax) levels"
            case .trailingBytes: "the value has ended, nothing may follow it"
            }
        return "\(what), at byte \(offset)"
    }
}

/// Walks JSON without building anything: checks syntax, UTF-8 and nesting, and tells where values begin and end.
///
/// - Source: RFC 8259; strings must be UTF-8 without surrogates (RFC 3629).
package enum JSONScanner {
    /// Checks that `text[range]` is one JSON value with nothing but white space around it.
    package static func validate(_ text: Span<UInt8>, nesting: Int = Limits.nestingMax) throws(JSONFault) {
        var at = 0
        skipSpace(text, &at)
        try skipValue(text, &at, nesting)
        skipSpace(text, &at)
        if at < text.count { throw JSONFault(reason: .trailingBytes, offset: at) }
    }

    @inline(__always)
    package static func skipSpace(_ text: Span<UInt8>, _ at: inout Int) {
        while at < text.count {
            let byte = text[at]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            at += 1
        }
    }

    /// Moves `at` from the first byte of a value to the byte behind it. `depth`: levels that may still be opened.
    package static func skipValue(_ text: Span<UInt8>, _ at: inout Int, _ depth: Int) throws(JSONFault) {
        guard at < text.count else { throw JSONFault(reason: .unexpectedEnd, offset: at) }
        switch text[at] {
        case UInt8(ascii: "\""): _ = try skipString(text, &at)
        case UInt8(ascii: "{"): try skipObject(text, &at, depth)
        case UInt8(ascii: "["): try skipArray(text, &at, depth)
        case UInt8(ascii: "-"), 0x30...0x39: try skipNumber(text, &at)
        case UInt8(ascii: "t"): try skipLiteral(text, &at, "true")
        case UInt8(ascii: "f"): try skipLiteral(text, &at, "false")
        case UInt8(ascii: "n"): try skipLiteral(text, &at, "null")
        default: throw JSONFault(reason: .unexpectedByte, offset: at)
        }
    }

    private static func skipObject(_ text: Span<UInt8>, _ at: inout Int, _ depth: Int) throws(JSONFault) {
        guard depth > 0 else { throw JSONFault(reason: .nesting, offset: at) }
        at += 1
        skipSpace(text, &at)
        if at < text.count, text[at] == UInt8(ascii: "}") {
            at += 1
            return
        }
        while true {
            guard at < text.count else { throw JSONFault(reason: .unexpectedEnd, offset: at) }
            guard text[at] == UInt8(ascii: "\"") else { throw JSONFault(reason: .expectedKey, offset: at) }
            _ = try skipString(text, &at)
            try skipColon(text, &at)
            try skipValue(text, &at, depth - 1)
            if try skipComma(text, &at, closing: UInt8(ascii: "}")) { return }
        }
    }

    private static func skipArray(_ text: Span<UInt8>, _ at: inout Int, _ depth: Int) throws(JSONFault) {
        guard depth > 0 else { throw JSONFault(reason: .nesting, offset: at) }
        at += 1
        skipSpace(text, &at)
        if at < text.count, text[at] == UInt8(ascii: "]") {
            at += 1
            return
        }
        while true {
            try skipValue(text, &at, depth - 1)
            if try skipComma(text, &at, closing: UInt8(ascii: "]")) { return }
        }
    }

    /// Behind a key: white space, ':' and white space.
    package static func skipColon(_ text: Span<UInt8>, _ at: inout Int) throws(JSONFault) {
        skipSpace(text, &at)
        guard at < text.count else { throw JSONFault(reason: .unexpectedEnd, offset: at) }
        guard text[at] == UInt8(ascii: ":") else { throw JSONFault(reason: .expectedColon, offset: at) }
        at += 1
        skipSpace(text, &at)
    }

    /// Behind a member: true when the container has ended, false when `at` stands on the next member.
    package static func skipComma(_ text: Span<UInt8>, _ at: inout Int, closing: UInt8) throws(JSONFault) -> Bool {
        skipSpace(text, &at)
        guard at < text.count else { throw JSONFault(reason: .unexpectedEnd, offset: at) }
        if text[at] == closing {
            at += 1
            return true
        }
        guard text[at] == UInt8(ascii: ",") else { throw JSONFault(reason: .expectedCommaOrEnd, offset: at) }
        at += 1
        skipSpace(text, &at)
        return false
    }

    /// Moves behind the closing quote; true when the string holds an escape.
    package static func skipString(_ text: Span<UInt8>, _ at: inout Int) throws(JSONFault) -> Bool {
        var escaped = false
        at += 1
        let count = text.count
        while true {
            at = ByteScan.endOfPlainText(text, at)
            guard at < count else { throw JSONFault(reason: .unexpectedEnd, offset: at) }
            let byte = text[at]
            if byte == UInt8(ascii: "\"") {
                at += 1
                return escaped
            }
            if byte == UInt8(ascii: "\\") {
                escaped = true
                try skipEscape(text, &at)
            } else if byte < 0x20 {
                throw JSONFault(reason: .controlCharacter, offset: at)
            } else {
                guard let length = UTF8Check.sequence(text, at) else { throw JSONFault(reason: .notUTF8, offset: at) }
                at += length
            }
        }
    }

    private static func skipEscape(_ text: Span<UInt8>, _ at: inout Int) throws(JSONFault) {
        guard at + 1 < text.count else { throw JSONFault(reason: .unexpectedEnd, offset: text.count) }
        switch text[at + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 2
        case UInt8(ascii: "u"):
            guard at + 5 < text.count else { throw JSONFault(reason: .unexpectedEnd, offset: text.count) }
            for index in (at + 2)..<(at + 6) where hexValue(text[index]) == nil { throw JSONFault(reason: .badEscape, offset: at) }
            at += 6
        default:
            throw JSONFault(reason: .badEscape, offset: at)
        }
    }

    private static func skipNumber(_ text: Span<UInt8>, _ at: inout Int) throws(JSONFault) {
        let start = at
        func digits(_ at: inout Int) -> Int {
            let from = at
            while at < text.count, text[at] >= 0x30, text[at] <= 0x39 { at += 1 }
            return at - from
        }
        if text[at] == UInt8(ascii: "-") { at += 1 }
        guard at < text.count else { throw JSONFault(reason: .unexpectedEnd, offset: at) }
        if text[at] == 0x30 {
            at += 1
            if at < text.count, text[at] >= 0x30, text[at] <= 0x39 { throw JSONFault(reason: .badNumber, offset: start) }
        } else if digits(&at) == 0 {
            throw JSONFault(reason: .badNumber, offset: start)
        }
        if at < text.count, text[at] == UInt8(ascii: ".") {
            at += 1
            if digits(&at) == 0 { throw JSONFault(reason: .badNumber, offset: start) }
        }
        if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") { at += 1 }
            if digits(&at) == 0 { throw JSONFault(reason: .badNumber, offset: start) }
        }
    }

    private static func skipLiteral(_ text: Span<UInt8>, _ at: inout Int, _ literal: StaticString) throws(JSONFault) {
        let start = at
        for index in 0..<literal.utf8CodeUnitCount {
            guard at < text.count else { throw JSONFault(reason: .unexpectedEnd, offset: at) }
            guard text[at] == literalByte(literal, index) else { throw JSONFault(reason: .badLiteral, offset: start) }
            at += 1
        }
    }

    private static func literalByte(_ literal: StaticString, _ index: Int) -> UInt8 {
        literal.withUTF8Buffer { $0[index] }
    }
}
