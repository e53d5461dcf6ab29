/// URI templates.
///
/// - Source: RFC 6570, 2, with erratum 6937 (the apostrophe is a literal).
enum URITemplateFormat {
    static func accepts(_ text: Span<UInt8>) -> Bool {
        var at = 0
        while at < text.count {
            switch text[at] {
            case UInt8(ascii: "{"):
                at += 1
                guard skipExpression(text, &at) else { return false }
            case UInt8(ascii: "%"):
                guard FormatText.isPercentEncoded(text, at, text.count) else { return false }
                at += 3
            case ...0x20, 0x7F, UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"), UInt8(ascii: "^"), UInt8(ascii: "`"),
                UInt8(ascii: "|"), UInt8(ascii: "}"):
                return false
            case 0x80...:
                let scalar = FormatText.scalar(text, &at)
                if scalar < 0xA0 || scalar & 0xFFFE == 0xFFFE || (0xFDD0...0xFDEF).contains(scalar) { return false }
            default: at += 1
            }
        }
        return true
    }

    /// Behind `{`: an operator, variables with commas between them, and `}`.
    private static func skipExpression(_ text: Span<UInt8>, _ at: inout Int) -> Bool {
        if at < text.count, "+#./;?&=,!@|".utf8.contains(text[at]) { at += 1 }
        while true {
            guard skipVariable(text, &at), at < text.count else { return false }
            at += 1
            if text[at - 1] == UInt8(ascii: "}") { return true }
            guard text[at - 1] == UInt8(ascii: ",") else { return false }
        }
    }

    private static func skipVariable(_ text: Span<UInt8>, _ at: inout Int) -> Bool {
        var wasCharacter = false
        while at < text.count {
            let byte = text[at]
            if FormatText.isLetter(byte) || FormatText.isDigit(byte) || byte == UInt8(ascii: "_") {
                at += 1
                wasCharacter = true
            } else if byte == UInt8(ascii: "%") {
                guard FormatText.isPercentEncoded(text, at, text.count) else { return false }
                at += 3
                wasCharacter = true
            } else if byte == UInt8(ascii: "."), wasCharacter {
                at += 1
                wasCharacter = false
            } else {
                break
            }
        }
        guard wasCharacter, at < text.count else { return false }
        if text[at] == UInt8(ascii: "*") {
            at += 1
        } else if text[at] == UInt8(ascii: ":") {
            at += 1
            let start = at
            while at < text.count, at - start < 4, FormatText.isDigit(text[at]) { at += 1 }
            return at > start && text[start] != UInt8(ascii: "0")
        }
        return true
    }
}
