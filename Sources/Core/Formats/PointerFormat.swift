/// JSON Pointers and relative ones.
///
/// - Source: RFC 6901; draft-bhutton-relative-json-pointer-00.
enum PointerFormat {
    static func isPointer(_ text: Span<UInt8>, _ start: Int) -> Bool {
        guard start < text.count else { return true }
        guard text[start] == UInt8(ascii: "/") else { return false }
        for index in start..<text.count where text[index] == UInt8(ascii: "~") {
            guard index + 1 < text.count, text[index + 1] == UInt8(ascii: "0") || text[index + 1] == UInt8(ascii: "1") else { return false }
        }
        return true
    }

    static func isRelative(_ text: Span<UInt8>) -> Bool {
        var at = 0
        guard skipNumber(text, &at) else { return false }
        if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") {
            at += 1
            guard at < text.count, text[at] != UInt8(ascii: "0"), skipNumber(text, &at) else { return false }
        }
        if at + 1 == text.count, text[at] == UInt8(ascii: "#") { return true }
        return isPointer(text, at)
    }

    /// An integer without leading zeros.
    private static func skipNumber(_ text: Span<UInt8>, _ at: inout Int) -> Bool {
        let start = at
        while at < text.count, FormatText.isDigit(text[at]) { at += 1 }
        return at > start && (at - start == 1 || text[start] != UInt8(ascii: "0"))
    }
}
